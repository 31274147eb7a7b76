import type { Lane } from "../reduce/reducer.ts";
import { sliceColumn } from "../values/columns.ts";

/** LIMIT and OFFSET, of one series. */
export class Quota {
  #skip: number;
  /** Undefined: no limit. */
  #left: number | undefined;

  constructor({ limit, offset }: { readonly limit: number; readonly offset: number }) {
    this.#skip = offset;
    this.#left = limit === 0 ? undefined : limit;
  }

  /** Whether no row will pass any more. */
  get spent(): boolean {
    return this.#left === 0;
  }

  /** Which of the next `count` rows pass. */
  take(count: number): readonly [start: number, end: number] {
    const start = Math.min(this.#skip, count);
    this.#skip -= start;
    const end = this.#left === undefined ? count : Math.min(count, start + this.#left);
    if (this.#left !== undefined) this.#left -= end - start;
    return [start, end];
  }
}

/** What of `lane` passes. */
export function limited(lane: Lane, quota: Quota): Lane {
  const [start, end] = quota.take(lane.times.length);
  if (start === 0 && end === lane.times.length) return lane;
  return {
    times: lane.times.subarray(start, end),
    values: sliceColumn(lane.values, start, end),
    beside: lane.beside.map((column) => sliceColumn(column, start, end)),
  };
}
