import { SPACE } from "../ascii.ts";
import type { ColumnBuilder, TextColumn } from "./columns.ts";

/** The tags of one line, as they are written there, and what they came to. */
export interface Series {
  /** Where the tags stand in the body, from the first comma to the space behind the last value. */
  start: number;
  end: number;
  readonly columns: readonly TextColumn[];
  readonly codes: readonly number[];
  /** The tags of the line that came behind these the last time. */
  next: Series | undefined;
}

/** Lines in a row that followed no known order, after which nobody looks for one: half of what that costs is the search. */
const MISS_COUNT_MAX = 256;

/**
 * Knows in which order the lines of a table name their series: writers send the same ones round after round. Tags that are, byte for
 * byte, those that came behind the last line's the time before are not read again.
 */
export class SeriesChain {
  readonly #bytes: Buffer;
  readonly #known = new Map<string, Series>();
  #last: Series | undefined;
  #missCount = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  /** The tags at `start` of a line that ends at `end`, when they are the expected ones. */
  find(start: number, end: number): Series | undefined {
    const expected = this.#last?.next;
    if (expected === undefined) return undefined;
    const size = expected.end - expected.start;
    const after = start + size;
    if (after >= end || this.#bytes[after] !== SPACE) return undefined;
    const bytes = this.#bytes;
    // The system's own comparison: dozens of bytes are worth the call.
    const order = bytes.compare(bytes, expected.start, expected.end, start, after);
    return order === 0 ? expected : undefined;
  }

  /** The line with these tags was good. */
  follow(series: Series): void {
    this.#last = series;
    this.#missCount = 0;
  }

  /** A good line had the tags in [`start`, `end`), read one by one into the first `count` of `columns`. */
  learn(start: number, end: number, columns: readonly ColumnBuilder[], count: number): void {
    if (this.#missCount > MISS_COUNT_MAX || this.#bytes[end] !== SPACE) return;
    this.#missCount += 1;
    const own = columns.slice(0, count) as TextColumn[];
    const codes = own.map(({ lastCode }) => lastCode);
    const written = this.#bytes.toString("latin1", start, end);
    const known = this.#known.get(written);
    const series = known ?? { start, end, columns: own, codes, next: undefined };
    if (known === undefined) this.#known.set(written, series);
    if (this.#last !== undefined) this.#last.next = series;
    this.#last = series;
  }
}
