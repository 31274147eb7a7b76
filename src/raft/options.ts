import { assert } from "#base/errors.ts";
import type { Random } from "#ports/random.ts";
import type { LogStorage } from "./log/storage.ts";
import { NOBODY, type PeerId } from "./message.ts";

/** What a node is made of. Sizes are as `log/size.ts` counts them. */
export interface RaftOptions {
  readonly id: PeerId;
  readonly storage: LogStorage;
  /** Spreads the timeouts of elections. */
  readonly random: Random;
  /** Entries up to here are applied to the state machine as it starts; 0: up to the snapshot. */
  readonly appliedIndex: number;
  /** A follower that hears of no leader for so many ticks, up to twice as many, campaigns. */
  readonly electionTicks: number;
  readonly heartbeatTicks: number;
  readonly messageBytesMax: number;
  /** Of entries that are handed out and not yet applied. One that is larger goes alone. */
  readonly applyingBytesMax: number;
  /** Of data that a leader has taken and not applied. One that is larger is taken when there is no other. */
  readonly uncommittedBytesMax: number;
  /** Messages with entries on their way to one peer, and their data. */
  readonly inflightCountMax: number;
  readonly inflightBytesMax: number;
  /** Reads that wait to be confirmed, and as many that wait for the first commit of a term; more are dropped. */
  readonly readCountMax: number;
  /** Asks before it campaigns, so that one who was cut off does not end a term that works. */
  readonly preVote: boolean;
  /** A leader that hears of no quorum for an election timeout steps down; who hears of a leader votes for nobody. */
  readonly checkQuorum: boolean;
  /** `lease` trusts clocks to run alike; `safe` asks a quorum. */
  readonly readMode: "safe" | "lease";
  /** Followers send proposals on to the leader. */
  readonly forwardProposals: boolean;
  /** A leader that is removed or becomes a learner steps down as it applies that. */
  readonly stepDownOnRemoval: boolean;
  /** Readys hold messages to the append thread and the apply thread, in place of a call of `advance()`. */
  readonly asyncStorageWrites: boolean;
  /**
   * A candidate asks for votes once its term is on disk. One that asks before, with asynchronous storage, and ends, begins the same term again, and
   * those votes count: it may lead it twice, or with a log that has lost what it had when they were cast.
   */
  readonly votesAfterAppend: boolean;
  /**
   * Who refuses its vote says what it knows to be committed. Without it a group may be stuck: a node that does not know that a change is committed,
   * which made it the only voter, asks those who voted before, and they refuse, for their logs are longer.
   */
  readonly commitByVotes: boolean;
  /** Proposes changes of the configuration that may not fit it once they are applied. */
  readonly changesUnchecked: boolean;
}

/** What most nodes have; the ticks are short and the limits those of a small state machine. */
export const RAFT_DEFAULTS = {
  appliedIndex: 0,
  electionTicks: 10,
  heartbeatTicks: 1,
  messageBytesMax: 1 << 20,
  applyingBytesMax: 16 << 20,
  uncommittedBytesMax: 64 << 20,
  inflightCountMax: 256,
  inflightBytesMax: 16 << 20,
  readCountMax: 10_000,
  preVote: true,
  checkQuorum: true,
  readMode: "safe",
  forwardProposals: true,
  stepDownOnRemoval: true,
  asyncStorageWrites: false,
  votesAfterAppend: true,
  commitByVotes: true,
  changesUnchecked: false,
} as const satisfies Partial<RaftOptions>;

/** Asserts what no node can be without. */
export function checkOptions(options: RaftOptions): void {
  assert(options.id > NOBODY, "a peer has a number from 1");
  assert(options.heartbeatTicks > 0, "a heartbeat takes at least a tick");
  assert(
    options.electionTicks > options.heartbeatTicks,
    "an election takes longer than a heartbeat",
  );
  assert(options.inflightCountMax > 0, "at least one message is on its way");
  assert(options.inflightBytesMax > 0, "at least one message is on its way");
  assert(options.applyingBytesMax > 0, "at least one entry is applied at a time");
  assert(
    options.checkQuorum || options.readMode !== "lease",
    "a lease stands on the check of the quorum",
  );
}
