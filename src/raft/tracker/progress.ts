import { assert } from "#base/errors.ts";
import { type InflightLimits, Inflights } from "./inflights.ts";

/**
 * How the leader sends to one peer. `probe`: one message at a time, to learn where the logs agree. `replicate`: ahead, without waiting for
 * answers. `snapshot`: nothing, until a snapshot has arrived or failed.
 */
export type ProgressState = "probe" | "replicate" | "snapshot";

/**
 * What the leader knows of the log of one peer. Always: match < next. Up to match the logs agree; from next on entries are still to be
 * sent; those between are on their way.
 */
export class Progress {
  #match: number;
  #next: number;
  #state: ProgressState = "probe";
  #pendingSnapshotIndex = 0;
  /** The greatest commit index that was sent, as far as the peer can have taken it over. */
  #sentCommit = 0;
  readonly inflights: Inflights;
  /** The peer was heard of since the last check of the quorum. */
  recentlyActive: boolean;
  /** The next message with entries waits for an answer to one before, or for a heartbeat. */
  appendPaused = false;

  constructor(options: {
    readonly match: number;
    readonly next: number;
    readonly recentlyActive: boolean;
    readonly inflightLimits: InflightLimits;
  }) {
    this.#match = options.match;
    this.#next = options.next;
    this.recentlyActive = options.recentlyActive;
    this.inflights = new Inflights(options.inflightLimits);
  }

  get match(): number {
    return this.#match;
  }

  get next(): number {
    return this.#next;
  }

  get state(): ProgressState {
    return this.#state;
  }

  /** The index of the snapshot that is on its way; 0 if none is. */
  get pendingSnapshotIndex(): number {
    return this.#pendingSnapshotIndex;
  }

  get paused(): boolean {
    return this.#state === "snapshot" || this.appendPaused;
  }

  /** Finds out where the logs agree; after a snapshot that was sent, above that. */
  becomeProbe(): void {
    const above = Math.max(this.#match, this.#pendingSnapshotIndex);
    this.#reset("probe");
    this.#next = above + 1;
    this.#sentCommit = Math.min(this.#sentCommit, above);
  }

  becomeReplicate(): void {
    this.#reset("replicate");
    this.#next = this.#match + 1;
  }

  becomeSnapshot(index: number): void {
    this.#reset("snapshot");
    this.#pendingSnapshotIndex = index;
    this.#next = index + 1;
    this.#sentCommit = index;
  }

  /** The snapshot did not arrive: what it would have brought is not to be counted on. */
  abandonSnapshot(): void {
    this.#pendingSnapshotIndex = 0;
  }

  /** A message with `count` entries of `sizeBytes` was sent. */
  sentEntries(count: number, sizeBytes: number): void {
    assert(this.#state !== "snapshot", "entries were sent to a peer that waits for a snapshot");
    if (this.#state === "probe") {
      if (count > 0) this.appendPaused = true;
      return;
    }
    if (count > 0) {
      this.#next += count;
      this.inflights.add(this.#next - 1, sizeBytes);
    }
    // Without room, a message is a probe: the answer to it, or to a heartbeat, lets the next one go.
    this.appendPaused = this.inflights.full;
  }

  sentCommit(commit: number): void {
    this.#sentCommit = commit;
  }

  /** Whether a message with `commit` can tell the peer anything: beyond what it was told, and within the entries it was sent. */
  canRaiseCommit(commit: number): boolean {
    return commit > this.#sentCommit && this.#sentCommit < this.#next - 1;
  }

  /** The peer holds the log up to `index`. Answers whether that is news. */
  maybeUpdate(index: number): boolean {
    if (index <= this.#match) return false;
    this.#match = index;
    this.#next = Math.max(this.#next, index + 1);
    this.appendPaused = false;
    return true;
  }

  /**
   * The peer refused entries after `rejected`, and agrees with us at `hint` at most. Goes back; answers false where the refusal is of an
   * older message.
   */
  maybeDecrease(rejected: number, hint: number): boolean {
    if (this.#state === "replicate") {
      if (rejected <= this.#match) return false;
      this.#next = this.#match + 1;
    } else {
      if (this.#next - 1 !== rejected) return false;
      this.#next = Math.max(Math.min(rejected, hint + 1), this.#match + 1);
      this.appendPaused = false;
    }
    this.#sentCommit = Math.min(this.#sentCommit, this.#next - 1);
    return true;
  }

  #reset(state: ProgressState): void {
    this.#state = state;
    this.#pendingSnapshotIndex = 0;
    this.appendPaused = false;
    this.inflights.clear();
  }
}
