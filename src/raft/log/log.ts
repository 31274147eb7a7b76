import { assert } from "#base/errors.ts";
import type { Entry, EntryPosition, Snapshot } from "../message.ts";
import { entriesSizeBytes } from "./size.ts";
import type { LogStorage } from "./storage.ts";
import { UnstableLog } from "./unstable.ts";

/**
 * The log of one node: what is stored, what is not yet, and how far it is committed and applied.
 *
 * Always: applied ≤ applying ≤ committed ≤ lastIndex. Nothing at or below committed is ever overwritten.
 */
export class RaftLog {
  readonly #storage: LogStorage;
  readonly #unstable: UnstableLog;
  readonly #applyingBytesMax: number;
  #committed: number;
  /** Up to here entries were handed out to be applied. */
  #applying: number;
  #applied: number;
  #applyingBytes = 0;
  #applyingPaused = false;

  /** `applyingBytesMax` bounds what is handed out and not yet applied. */
  constructor(storage: LogStorage, applyingBytesMax: number) {
    this.#storage = storage;
    this.#applyingBytesMax = applyingBytesMax;
    this.#unstable = new UnstableLog(storage.lastIndex() + 1);
    const below = storage.firstIndex() - 1;
    this.#committed = below;
    this.#applying = below;
    this.#applied = below;
  }

  get committed(): number {
    return this.#committed;
  }

  get applied(): number {
    return this.#applied;
  }

  /** Whether entries were handed out that are not applied yet. */
  get isApplying(): boolean {
    return this.#applying > this.#applied;
  }

  firstIndex(): number {
    const snapshot = this.#unstable.snapshot;
    return snapshot === undefined ? this.#storage.firstIndex() : snapshot.index + 1;
  }

  lastIndex(): number {
    return this.#unstable.lastIndex() ?? this.#storage.lastIndex();
  }

  last(): EntryPosition {
    const index = this.lastIndex();
    const term = this.term(index);
    assert(term !== undefined, `the last entry ${index} of the log has no term`);
    return { term, index };
  }

  /** The term of the entry at `index`; undefined where it was compacted away or is not there. */
  term(index: number): number | undefined {
    const unstable = this.#unstable.term(index);
    if (unstable !== undefined) return unstable;
    if (index < this.firstIndex() - 1 || index > this.lastIndex()) return undefined;
    return this.#storage.term(index);
  }

  matches({ term, index }: EntryPosition): boolean {
    return this.term(index) === term;
  }

  /** Whether a log that ends at `other` has all that this one may have committed: raft.pdf §5.4.1. */
  isUpToDate(other: EntryPosition): boolean {
    const { term, index } = this.last();
    return other.term > term || (other.term === term && other.index >= index);
  }

  /**
   * Takes `entries` of the leader that follow `previous`: those that differ from ours replace ours from there on. Answers the
   * index of the last of them, up to which the logs agree now; undefined where they do not agree at `previous`.
   */
  maybeAppend(
    previous: EntryPosition,
    entries: readonly Entry[],
    leaderCommit: number,
  ): number | undefined {
    if (!this.matches(previous)) return undefined;
    const last = previous.index + entries.length;
    const conflict = entries.findIndex((entry) => !this.matches(entry));
    if (conflict >= 0) this.append(entries.slice(conflict));
    this.commitTo(Math.min(leaderCommit, last));
    return last;
  }

  /** Puts `entries` at their indexes; what stood there and above is gone. */
  append(entries: readonly Entry[]): void {
    const first = entries[0];
    if (first === undefined) return;
    assert(
      first.index > this.#committed,
      `entry ${first.index} would overwrite one that is committed, up to ${this.#committed}`,
    );
    this.#unstable.truncateAndAppend(entries);
  }

  /**
   * The greatest index up to `index` whose entry is of `term` or an earlier one. Above it the logs of a peer and us cannot agree, if the
   * peer's entry at `index` is of `term`. Term 0: it is not known here.
   */
  findConflict({ term, index }: EntryPosition): EntryPosition {
    for (let at = index; at > 0; at -= 1) {
      const ours = this.term(at);
      if (ours === undefined) return { term: 0, index: at };
      if (ours <= term) return { term: ours, index: at };
    }
    return { term: 0, index: 0 };
  }

  commitTo(index: number): void {
    if (index <= this.#committed) return;
    assert(
      index <= this.lastIndex(),
      `the log ends at ${this.lastIndex()} and cannot be committed up to ${index}: was it truncated or lost?`,
    );
    this.#committed = index;
  }

  /** Commits up to `index` if its entry is of `term`: an older one is never committed by counting, raft.pdf §5.4.2. */
  maybeCommit({ term, index }: EntryPosition): boolean {
    if (term === 0 || index <= this.#committed || !this.matches({ term, index })) return false;
    this.commitTo(index);
    return true;
  }

  /** Entries from `start` on, as many as fit; undefined where they were compacted away. */
  entriesFrom(start: number, sizeBytesMax: number): readonly Entry[] | undefined {
    const end = this.lastIndex() + 1;
    return start >= end ? [] : this.slice(start, end, sizeBytesMax);
  }

  /** Entries from `start` up to before `end`, as many as fit, at least one; undefined where they were compacted away. */
  slice(start: number, end: number, sizeBytesMax: number): readonly Entry[] | undefined {
    if (start < this.firstIndex()) return undefined;
    assert(end <= this.lastIndex() + 1, `entries up to ${end} were asked of a shorter log`);
    if (start >= end) return [];
    const { offset } = this.#unstable;
    if (start >= offset) return this.#unstable.slice(start, end, sizeBytesMax);

    const cut = Math.min(end, offset);
    const stored = this.#storage.entries(start, cut, sizeBytesMax);
    if (stored === undefined || end <= offset || stored.length < cut - start) return stored;
    const leftBytes = sizeBytesMax - entriesSizeBytes(stored);
    if (leftBytes <= 0) return stored;
    const rest = this.#unstable.slice(offset, end, leftBytes);
    return entriesSizeBytes(rest) > leftBytes ? stored : [...stored, ...rest];
  }

  /** Whether some entry that is committed and not applied satisfies `wanted`. Reads in pages. */
  someUnapplied(wanted: (entry: Entry) => boolean): boolean {
    let start = this.#applied + 1;
    while (start <= this.#committed) {
      const page = this.slice(start, this.#committed + 1, this.#applyingBytesMax);
      assert(page !== undefined && page.length > 0, `entry ${start} is gone and was not applied`);
      if (page.some(wanted)) return true;
      start += page.length;
    }
    return false;
  }

  nextUnstableEntries(): readonly Entry[] {
    return this.#unstable.nextEntries();
  }

  hasNextUnstableEntries(): boolean {
    return this.#unstable.hasNextEntries();
  }

  /** Whether there are entries that are not known to be on disk, in progress or not. */
  hasUnstableEntries(): boolean {
    return this.#unstable.hasEntries;
  }

  nextUnstableSnapshot(): Snapshot | undefined {
    return this.#unstable.nextSnapshot();
  }

  /** Whether a snapshot of the leader is still to be stored, in progress or not. */
  hasUnstableSnapshot(): boolean {
    return this.#unstable.snapshot !== undefined;
  }

  /** Entries that may be applied now. `unstableAllowed`: also those that are not known to be on disk here. */
  nextCommittedEntries(unstableAllowed: boolean): readonly Entry[] {
    if (!this.hasNextCommittedEntries(unstableAllowed)) return [];
    const end = this.#maxAppliable(unstableAllowed) + 1;
    const sizeBytesMax = this.#applyingBytesMax - this.#applyingBytes;
    const entries = this.slice(this.#applying + 1, end, sizeBytesMax);
    assert(entries !== undefined, `entry ${this.#applying + 1} is gone and was not applied`);
    return entries;
  }

  hasNextCommittedEntries(unstableAllowed: boolean): boolean {
    if (this.#applyingPaused || this.hasUnstableSnapshot()) return false;
    return this.#applying < this.#maxAppliable(unstableAllowed);
  }

  /** All that is not on disk was handed out to be written. */
  acceptUnstable(): void {
    this.#unstable.accept();
  }

  /** `entries` were handed out to be applied. No more are until the limit leaves room. */
  acceptApplying(entries: readonly Entry[], unstableAllowed: boolean): void {
    const last = entries.at(-1);
    if (last === undefined) return;
    assert(last.index <= this.#committed, `entry ${last.index} is to be applied uncommitted`);
    this.#applying = last.index;
    this.#applyingBytes += entriesSizeBytes(entries);
    this.#applyingPaused =
      this.#applyingBytes >= this.#applyingBytesMax ||
      last.index < this.#maxAppliable(unstableAllowed);
  }

  /** Entries up to `index`, of `sizeBytes` since the last time, are applied. */
  appliedTo(index: number, sizeBytes: number): void {
    assert(
      this.#applied <= index && index <= this.#committed,
      `${index} is said to be applied, between ${this.#applied} and ${this.#committed}`,
    );
    this.#applied = index;
    this.#applying = Math.max(this.#applying, index);
    this.#applyingBytes = Math.max(0, this.#applyingBytes - sizeBytes);
    this.#applyingPaused = this.#applyingBytes >= this.#applyingBytesMax;
  }

  stableTo({ term, index }: EntryPosition): void {
    this.#unstable.stableTo(term, index);
  }

  stableSnapshotTo(index: number): void {
    this.#unstable.stableSnapshotTo(index);
  }

  /** The newest snapshot that can be sent; undefined while it is being made. */
  snapshot(): Snapshot | undefined {
    return this.#unstable.snapshot ?? this.#storage.snapshot();
  }

  /** `snapshot` of the leader takes the place of the whole log. */
  restore(snapshot: Snapshot): void {
    this.#committed = snapshot.index;
    this.#unstable.restore(snapshot);
  }

  #maxAppliable(unstableAllowed: boolean): number {
    return unstableAllowed ? this.#committed : Math.min(this.#committed, this.#unstable.offset - 1);
  }
}
