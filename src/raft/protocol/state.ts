import { assert } from "#base/errors.ts";
import { below } from "#ports/random.ts";
import { RaftLog } from "../log/log.ts";
import {
  type HardState,
  type Message,
  type MessageDraft,
  type MessageKind,
  message,
  NOBODY,
  type PeerId,
  type ReadState,
  type Role,
  type SoftState,
} from "../message.ts";
import type { RaftOptions } from "../options.ts";
import { ReadQueue } from "../tracker/read-queue.ts";
import { Tracker } from "../tracker/tracker.ts";

/** Why something was not done. Expected, and no error: try again, elsewhere or later. */
export type Refusal =
  | "proposal_dropped" // no leader, a leader that is leaving, or too much that is uncommitted
  | "peer_unknown" // an answer of somebody who is no member
  | "message_local"; // a message that never comes from a peer

const HAS_OWN_TERM: ReadonlySet<MessageKind> = new Set([
  "vote",
  "vote_response",
  "pre_vote",
  "pre_vote_response",
]);
const WITHOUT_TERM: ReadonlySet<MessageKind> = new Set(["propose", "read_index"]);
/** Promises about what is on disk: they leave after what they promise is there. */
const AFTER_APPEND: ReadonlySet<MessageKind> = new Set([
  "append_response",
  "vote_response",
  "pre_vote_response",
]);

/** The state of one node: raft.pdf figure 2. The functions of this folder work on it; nobody else has hold of it. */
export class RaftState {
  readonly options: RaftOptions;
  readonly id: PeerId;
  readonly log: RaftLog;
  readonly tracker: Tracker;

  term = 0;
  vote: PeerId = NOBODY;
  leader: PeerId = NOBODY;
  role: Role = "follower";

  /** Ticks since the election timeout began anew, and since the last heartbeat. */
  electionElapsed = 0;
  heartbeatElapsed = 0;
  /** Between the election timeout and twice that; another in each term. */
  electionTimeoutTicks: number;

  /** Whom a leader is about to hand its office to. */
  transferee: PeerId = NOBODY;
  /** No change of the configuration is proposed until this index is applied: there is one at or below it, perhaps. */
  pendingChangeIndex = 0;
  /** Data of entries that this leader has taken and not applied. */
  uncommittedBytes = 0;

  reads = new ReadQueue();
  /** Reads that came before this leader has committed an entry of its term. */
  earlyReads: Message[] = [];
  readStates: ReadState[] = [];

  messages: Message[] = [];
  /** To be sent once all that is unstable now is on disk. */
  messagesAfterAppend: Message[] = [];

  constructor(options: RaftOptions) {
    this.options = options;
    this.id = options.id;
    this.log = new RaftLog(options.storage, options.applyingBytesMax);
    this.tracker = new Tracker({
      countMax: options.inflightCountMax,
      bytesMax: options.inflightBytesMax,
    });
    this.electionTimeoutTicks = options.electionTicks;
  }

  softState(): SoftState {
    return { leader: this.leader, role: this.role };
  }

  hardState(): HardState {
    return { term: this.term, vote: this.vote, commit: this.log.committed };
  }

  /** Whether this node may become leader: it votes, and holds the log that it is said to hold. */
  canLead(): boolean {
    return (
      this.tracker.progress.has(this.id) &&
      !this.tracker.isLearner(this.id) &&
      !this.log.hasUnstableSnapshot()
    );
  }

  /** Queues a message of this node's present term, except where it carries its own or none. */
  send(draft: MessageDraft): void {
    const from = draft.from ?? this.id;
    const ownTerm = HAS_OWN_TERM.has(draft.kind);
    assert(ownTerm === (draft.term !== undefined), `a ${draft.kind} was sent with a wrong term`);
    const term = draft.term ?? (WITHOUT_TERM.has(draft.kind) ? 0 : this.term);
    const sent = message({ ...draft, from, term });
    const asksForVote = sent.kind === "vote" && this.options.votesAfterAppend;
    if (asksForVote || AFTER_APPEND.has(sent.kind)) {
      this.messagesAfterAppend.push(sent);
      return;
    }
    assert(sent.to !== this.id, `a ${sent.kind} was sent to its own sender`);
    this.messages.push(sent);
  }

  /** Begins `term`, or a new role in the present one. */
  reset(term: number): void {
    if (this.term !== term) {
      this.term = term;
      this.vote = NOBODY;
    }
    this.leader = NOBODY;
    this.transferee = NOBODY;
    this.electionElapsed = 0;
    this.heartbeatElapsed = 0;
    const { electionTicks, random } = this.options;
    this.electionTimeoutTicks = electionTicks + below(random, electionTicks);
    this.tracker.reset(this.id, this.log.lastIndex());
    this.pendingChangeIndex = 0;
    this.uncommittedBytes = 0;
    this.reads = new ReadQueue();
    this.earlyReads = [];
  }
}
