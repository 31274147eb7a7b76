import { assert } from "#base/errors.ts";
import type { Entry, Snapshot } from "../message.ts";
import { sliceWithin } from "./size.ts";

/**
 * The end of the log that is not known to be on disk: entries from `offset` on, and a snapshot that came from the leader.
 * What was handed out to be written is in progress; it may be overwritten meanwhile, by a leader of a later term.
 */
export class UnstableLog {
  #offset: number;
  #entries: Entry[] = [];
  #snapshot: Snapshot | undefined;
  /** Entries below are on their way to the disk. */
  #offsetInProgress: number;
  #snapshotInProgress = false;

  constructor(offset: number) {
    this.#offset = offset;
    this.#offsetInProgress = offset;
  }

  get offset(): number {
    return this.#offset;
  }

  get snapshot(): Snapshot | undefined {
    return this.#snapshot;
  }

  get hasEntries(): boolean {
    return this.#entries.length > 0;
  }

  lastIndex(): number | undefined {
    const { length } = this.#entries;
    return length > 0 ? this.#offset + length - 1 : this.#snapshot?.index;
  }

  term(index: number): number | undefined {
    if (index >= this.#offset) return this.#entries[index - this.#offset]?.term;
    return this.#snapshot?.index === index ? this.#snapshot.term : undefined;
  }

  /** Entries from `start`, at least `offset`, up to before `end`: as many as fit, at least one. */
  slice(start: number, end: number, sizeBytesMax: number): readonly Entry[] {
    return sliceWithin(this.#entries, start - this.#offset, end - this.#offset, sizeBytesMax);
  }

  /** What is not yet on its way to the disk. */
  nextEntries(): readonly Entry[] {
    return this.#entries.slice(this.#offsetInProgress - this.#offset);
  }

  hasNextEntries(): boolean {
    return this.#entries.length > this.#offsetInProgress - this.#offset;
  }

  nextSnapshot(): Snapshot | undefined {
    return this.#snapshotInProgress ? undefined : this.#snapshot;
  }

  /** All there is was handed out to be written. */
  accept(): void {
    this.#offsetInProgress = this.#offset + this.#entries.length;
    this.#snapshotInProgress = this.#snapshot !== undefined;
  }

  /** Entries up to `index` are on disk, if the one there is still of `term`: others took their places otherwise. */
  stableTo(term: number, index: number): void {
    if (index < this.#offset || this.term(index) !== term) return;
    this.#entries = this.#entries.slice(index + 1 - this.#offset);
    this.#offset = index + 1;
    this.#offsetInProgress = Math.max(this.#offsetInProgress, this.#offset);
  }

  stableSnapshotTo(index: number): void {
    if (this.#snapshot?.index !== index) return;
    this.#snapshot = undefined;
    this.#snapshotInProgress = false;
  }

  /** `snapshot` takes the place of everything. */
  restore(snapshot: Snapshot): void {
    this.#offset = snapshot.index + 1;
    this.#offsetInProgress = this.#offset;
    this.#entries = [];
    this.#snapshot = snapshot;
    this.#snapshotInProgress = false;
  }

  /** Puts consecutive `entries` at their indexes, and drops what stood there and above. */
  truncateAndAppend(entries: readonly Entry[]): void {
    const start = entries[0]?.index;
    if (start === undefined) return;
    const end = this.#offset + this.#entries.length;
    assert(start <= end, `entry ${start} would leave a gap after ${end - 1}`);
    if (start === end) {
      for (const entry of entries) this.#entries.push(entry);
    } else if (start <= this.#offset) {
      this.#offset = start;
      this.#offsetInProgress = start;
      this.#entries = [...entries];
    } else {
      this.#entries = [...this.#entries.slice(0, start - this.#offset), ...entries];
      this.#offsetInProgress = Math.min(this.#offsetInProgress, start);
    }
  }
}
