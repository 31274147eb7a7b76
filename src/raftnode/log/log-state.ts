import { assert } from "#base/errors.ts";
import { sliceWithin } from "#raft/log/size.ts";
import { type Entry, type HardState, NOBODY } from "#raft/message.ts";
import type { LogItem, Position, SnapshotMark } from "./items.ts";

/** What the items of a log add up to, in memory: all entries above the compacted ones. */
export class LogState {
  #hardState: HardState = { term: 0, vote: NOBODY, commit: 0 };
  #mark: SnapshotMark | undefined;
  #compacted: Position = { index: 0, term: 0 };
  #entries: Entry[] = [];
  /** Index of the first of `#entries`; while a log is replayed whose first segments are gone, it may be above `firstIndex`. */
  #heldIndex = 1;

  get hardState(): HardState {
    return this.#hardState;
  }

  /** The newest snapshot. */
  get mark(): SnapshotMark | undefined {
    return this.#mark;
  }

  /** Entries up to here are gone; its term is known still. */
  get compacted(): Position {
    return this.#compacted;
  }

  get firstIndex(): number {
    return this.#compacted.index + 1;
  }

  get lastIndex(): number {
    return this.#heldIndex + this.#entries.length - 1;
  }

  /** The term of the entry at `index`; undefined where it is compacted or not there yet. */
  term(index: number): number | undefined {
    if (index === this.#compacted.index) return this.#compacted.term;
    return this.#entries[index - this.#heldIndex]?.term;
  }

  /** Entries from `start` to below `end`; the first of them that stay within `sizeBytesMax`, one at least. */
  slice(start: number, end: number, sizeBytesMax: number): readonly Entry[] {
    assert(
      start >= this.firstIndex && end <= this.lastIndex + 1,
      "entries are there that are read",
    );
    const from = start - this.#heldIndex;
    return sliceWithin(this.#entries, from, end - this.#heldIndex, sizeBytesMax);
  }

  /** How far the log may be compacted so that up to `index` at most `countMax` entries stay, with at most `sizeBytesMax` of data. */
  compactable(index: number, countMax: number, sizeBytesMax: number): Position | undefined {
    let below = Math.min(index, this.lastIndex);
    const least = Math.max(this.#compacted.index, below - countMax);
    for (let sizeBytes = 0; below > least; below--) {
      sizeBytes += this.#entries[below - this.#heldIndex]?.data.length ?? 0;
      if (sizeBytes > sizeBytesMax) break;
    }
    const term = below > this.#compacted.index ? this.term(below) : undefined;
    return term === undefined ? undefined : { index: below, term };
  }

  apply(item: LogItem): void {
    switch (item.kind) {
      case "hardState":
        this.#hardState = item.hardState;
        return;
      case "entries":
        this.#append(item.entries);
        return;
      case "snapshot":
        this.#mark = item.mark;
        return;
      case "installed":
        this.#mark = item.mark;
        this.#compacted = { index: item.mark.index, term: item.mark.term };
        this.#entries = [];
        this.#heldIndex = item.mark.index + 1;
        return;
      case "compacted":
        this.#compact(item.position);
    }
  }

  /** Items that give this state without its entries: what each segment begins with. */
  summary(): readonly LogItem[] {
    const items: LogItem[] = [{ kind: "hardState", hardState: this.#hardState }];
    if (this.#mark !== undefined) items.push({ kind: "snapshot", mark: this.#mark });
    if (this.#compacted.index > 0) items.push({ kind: "compacted", position: this.#compacted });
    return items;
  }

  /** The first index that should be there and is not, once all of a log is replayed. */
  findMissing(): number | undefined {
    return this.#heldIndex === this.firstIndex ? undefined : this.firstIndex;
  }

  #append(entries: readonly Entry[]): void {
    const [first] = entries;
    if (first === undefined) return;
    assert(first.index > this.#compacted.index, "no compacted entry is written again");
    const kept = first.index - this.#heldIndex;
    if (kept < 0 || kept > this.#entries.length) {
      // Entries between are in segments that are gone; a later item must say that they are compacted.
      this.#entries = [...entries];
      this.#heldIndex = first.index;
      return;
    }
    this.#entries.length = kept;
    for (const entry of entries) this.#entries.push(entry);
  }

  #compact(position: Position): void {
    if (position.index <= this.#compacted.index) return;
    this.#compacted = position;
    const gone = position.index + 1 - this.#heldIndex;
    if (gone <= 0) return;
    this.#entries = this.#entries.slice(gone);
    this.#heldIndex = position.index + 1;
  }
}
