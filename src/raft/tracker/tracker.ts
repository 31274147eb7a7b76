import { assert } from "#base/errors.ts";
import {
  type Configuration,
  EMPTY_CONFIGURATION,
  members,
} from "../configuration/configuration.ts";
import type { PeerId } from "../message.ts";
import { committedIndex, voteResult } from "../quorum/joint.ts";
import type { VoteResult } from "../quorum/majority.ts";
import type { InflightLimits } from "./inflights.ts";
import { Progress } from "./progress.ts";

/** The configuration in force, how far each member is, and the votes of an election. */
export class Tracker {
  readonly #inflightLimits: InflightLimits;
  #configuration: Configuration = EMPTY_CONFIGURATION;
  /** In rising order of peers. */
  #progress: ReadonlyMap<PeerId, Progress> = new Map();
  #votes = new Map<PeerId, boolean>();

  constructor(inflightLimits: InflightLimits) {
    this.#inflightLimits = inflightLimits;
  }

  get configuration(): Configuration {
    return this.#configuration;
  }

  /** Each member, in rising order. */
  get progress(): ReadonlyMap<PeerId, Progress> {
    return this.#progress;
  }

  /**
   * Puts `configuration` in force. Members that stay keep their progress; new ones are probed from the end of the log, and count as active,
   * so that the next check of the quorum does not find them missing.
   */
  configure(configuration: Configuration, lastIndex: number): void {
    this.#configuration = configuration;
    const next = Math.max(lastIndex, 1);
    this.#progress = new Map(
      members(configuration).map((id) => [
        id,
        this.#progress.get(id) ?? this.#make({ match: 0, next, recentlyActive: true }),
      ]),
    );
  }

  /** Forgets what was known of the members: a term began. `self` holds its own log. */
  reset(self: PeerId, lastIndex: number): void {
    this.#votes.clear();
    const next = lastIndex + 1;
    this.#progress = new Map(
      [...this.#progress.keys()].map((id) => [
        id,
        this.#make({ match: id === self ? lastIndex : 0, next, recentlyActive: false }),
      ]),
    );
  }

  /** Forgets all members and starts anew with `configuration`, which came with a snapshot. */
  restore(configuration: Configuration, lastIndex: number): void {
    this.#progress = new Map();
    this.#votes.clear();
    this.configure(configuration, lastIndex);
  }

  /** Whether `id` gets the log and does not vote. */
  isLearner(id: PeerId): boolean {
    return this.#configuration.learners.has(id);
  }

  /** Whether `id` votes alone. */
  isOnlyVoter(id: PeerId): boolean {
    const { voters, votersOutgoing } = this.#configuration;
    return voters.size === 1 && voters.has(id) && votersOutgoing.size === 0;
  }

  /** The greatest index that a quorum holds. */
  committed(): number {
    const index = committedIndex(this.#configuration, (id) => this.#progress.get(id)?.match);
    assert(Number.isFinite(index), "nobody votes, and nothing can be committed");
    return index;
  }

  clearVotes(): void {
    this.#votes.clear();
  }

  /** Counts the first vote of `id`; answers the result so far. */
  recordVote(id: PeerId, yes: boolean): VoteResult {
    if (!this.#votes.has(id)) this.#votes.set(id, yes);
    return voteResult(this.#configuration, this.#votes);
  }

  /** Whether a quorum was heard of since the last check. */
  isQuorumActive(): boolean {
    const active = new Map<PeerId, boolean>();
    for (const [id, { recentlyActive }] of this.#progress) active.set(id, recentlyActive);
    return voteResult(this.#configuration, active) === "won";
  }

  /** Whether those in `acks` are a quorum. */
  isQuorum(acks: ReadonlySet<PeerId>): boolean {
    const votes = new Map<PeerId, boolean>();
    for (const id of acks) votes.set(id, true);
    return voteResult(this.#configuration, votes) === "won";
  }

  #make(known: { match: number; next: number; recentlyActive: boolean }): Progress {
    return new Progress({ ...known, inflightLimits: this.#inflightLimits });
  }
}
