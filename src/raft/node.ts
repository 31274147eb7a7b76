import { assert } from "#base/errors.ts";
import {
  type Change,
  encodeChange,
  encodeSingleChange,
  type Operation,
} from "./configuration/change.ts";
import type { Configuration } from "./configuration/configuration.ts";
import {
  APPEND_THREAD,
  APPLY_THREAD,
  type ConfigurationState,
  type HardState,
  isResponse,
  isStorageMessage,
  type Message,
  message,
  NOBODY,
  type PeerId,
  type Proposal,
  type SoftState,
} from "./message.ts";
import { checkOptions, type RaftOptions } from "./options.ts";
import { startCampaign } from "./protocol/election.ts";
import { noteSnapshot, noteUnreachable } from "./protocol/leader.ts";
import { applyChange, restoreMembers } from "./protocol/membership.ts";
import { becomeFollower } from "./protocol/roles.ts";
import { RaftState, type Refusal } from "./protocol/state.ts";
import { step } from "./protocol/step.ts";
import { tick } from "./protocol/tick.ts";
import { hasReady, makeReady, type Ready, type Told, takeReady } from "./ready.ts";
import type { ProgressState } from "./tracker/progress.ts";

/** What a leader knows of one member. */
export interface MemberStatus {
  readonly match: number;
  readonly next: number;
  readonly state: ProgressState;
  readonly learner: boolean;
  readonly paused: boolean;
  readonly recentlyActive: boolean;
  /** 0 where no snapshot is on its way. */
  readonly pendingSnapshotIndex: number;
  readonly inflightCount: number;
  readonly inflightFull: boolean;
}

export interface Status extends SoftState, HardState {
  readonly id: PeerId;
  readonly applied: number;
  /** Whom the leader hands its office to; 0 where it does not. */
  readonly transferee: PeerId;
  readonly configuration: Configuration;
  /** In rising order; only a leader has it. */
  readonly members: ReadonlyMap<PeerId, MemberStatus>;
}

/**
 * One node of a raft group: a state machine of messages and ticks. Nothing waits, nothing is sent, stored or applied here: after any
 * call, ask `hasReady()`, and do what `ready()` says, before the next `ready()`.
 *
 * Calls that answer a `Refusal` have changed nothing. What was taken may still be lost with this node or its leader: it has happened once
 * it comes back among the committed entries.
 */
export class RaftNode {
  readonly #raft: RaftState;
  #told: Told;
  /** What the node hears when the caller has done what the last Ready says; undefined between Readys. */
  #afterAdvance: readonly Message[] | undefined;

  /** Goes on from what `options.storage` holds. */
  constructor(options: RaftOptions) {
    checkOptions(options);
    const raft = new RaftState(options);
    const { hardState, configuration } = options.storage.initialState();
    restoreMembers(raft, configuration);
    raft.term = hardState.term;
    raft.vote = hardState.vote;
    // What was applied is committed, also where the commit index was not synced and is lost.
    raft.log.commitTo(Math.max(hardState.commit, options.appliedIndex));
    if (options.appliedIndex > raft.log.applied) raft.log.appliedTo(options.appliedIndex, 0);
    becomeFollower(raft, raft.term, NOBODY);
    this.#raft = raft;
    this.#told = { softState: raft.softState(), hardState: raft.hardState() };
  }

  /** The unit of all timeouts has passed. */
  tick(): void {
    tick(this.#raft);
  }

  /** Campaigns without waiting for a timeout, if this node may. */
  campaign(): void {
    startCampaign(this.#raft, this.#raft.options.preVote ? "pre_vote" : "vote");
  }

  /** Takes a message of a peer, or an answer of this node's own storage. */
  step(received: Message): Refusal | undefined {
    const ownStorage = received.from === APPEND_THREAD || received.from === APPLY_THREAD;
    if (isStorageMessage(received.kind) !== ownStorage) return "message_local";
    const known = ownStorage || this.#raft.tracker.progress.has(received.from);
    if (isResponse(received.kind) && !known) return "peer_unknown";
    return step(this.#raft, received);
  }

  propose(data: Uint8Array): Refusal | undefined {
    return this.#propose({ kind: "normal", data });
  }

  /** Asks for a change of the configuration. One that does not fit the present one becomes an empty entry. */
  proposeChange(change: Change): Refusal | undefined {
    return this.#propose(encodeChange(change));
  }

  /** Asks for one operation that never takes a joint configuration. */
  proposeSingleChange(operation: Operation): Refusal | undefined {
    return this.#propose(encodeSingleChange(operation));
  }

  /** Puts a change in force that came among the committed entries. Call it once for each, in order, before `advance()`. */
  applyChange(change: Change): ConfigurationState {
    return applyChange(this.#raft, change);
  }

  /**
   * Asks for the index at which a read sees all that was committed before this call. It comes in a `ReadState` with `context`, or not at all,
   * where there is no leader, or another, or a message is lost: ask again after a while. An answer may be late, so this node uses a
   * context once, over all its starts.
   */
  readIndex(context: string): void {
    assert(context !== "", "a read is told from others by its context");
    const { id } = this.#raft;
    step(this.#raft, message({ kind: "read_index", from: id, to: id, context }));
  }

  /** Asks the leader to hand its office to `id`. */
  transferLeader(id: PeerId): void {
    step(this.#raft, message({ kind: "transfer_leader", from: id, to: this.#raft.id }));
  }

  /**
   * A follower forgets its leader, and so may vote for another at once. Does nothing where reads trust a lease: a leader would go on to
   * answer them.
   */
  forgetLeader(): void {
    const { role, options } = this.#raft;
    if (role === "follower" && options.readMode !== "lease") this.#raft.leader = NOBODY;
  }

  /** A message to `id` could not be sent. */
  reportUnreachable(id: PeerId): void {
    noteUnreachable(this.#raft, id);
  }

  /** The snapshot that was sent to `id` has arrived, or failed. Without this word the leader waits for ever. */
  reportSnapshot(id: PeerId, arrived: boolean): void {
    noteSnapshot(this.#raft, id, arrived);
  }

  hasReady(): boolean {
    return hasReady(this.#raft, this.#told);
  }

  /** What is to be done, handed out once. */
  ready(): Ready {
    assert(this.#afterAdvance === undefined, "a Ready was asked for before the last was done");
    const ready = makeReady(this.#raft, this.#told);
    const after = takeReady(this.#raft, ready);
    this.#told = {
      softState: ready.softState ?? this.#told.softState,
      hardState: ready.hardState ?? this.#told.hardState,
    };
    if (!this.#raft.options.asyncStorageWrites) this.#afterAdvance = after;
    return ready;
  }

  /** What the last Ready says is done. Not where storage is asynchronous. */
  advance(): void {
    const after = this.#afterAdvance;
    assert(after !== undefined, "there is no Ready that could be done");
    this.#afterAdvance = undefined;
    for (const received of after) step(this.#raft, received);
  }

  status(): Status {
    const raft = this.#raft;
    return {
      id: raft.id,
      ...raft.softState(),
      ...raft.hardState(),
      applied: raft.log.applied,
      transferee: raft.transferee,
      configuration: raft.tracker.configuration,
      members: raft.role === "leader" ? memberStatuses(raft) : new Map(),
    };
  }

  /** Sets after how many ticks this node campaigns, until the term or its role changes. For tests. */
  setElectionTimeoutTicks(ticks: number): void {
    this.#raft.electionTimeoutTicks = ticks;
  }

  #propose(proposal: Proposal): Refusal | undefined {
    const { id } = this.#raft;
    const entries = [{ ...proposal, term: 0, index: 0 }];
    return step(this.#raft, message({ kind: "propose", from: id, to: id, entries }));
  }
}

function memberStatuses({ tracker }: RaftState): ReadonlyMap<PeerId, MemberStatus> {
  const statuses = new Map<PeerId, MemberStatus>();
  for (const [id, progress] of tracker.progress) {
    const { match, next, state, paused, recentlyActive, pendingSnapshotIndex, inflights } =
      progress;
    statuses.set(id, {
      match,
      next,
      state,
      learner: tracker.isLearner(id),
      paused,
      recentlyActive,
      pendingSnapshotIndex,
      inflightCount: inflights.count,
      inflightFull: inflights.full,
    });
  }
  return statuses;
}
