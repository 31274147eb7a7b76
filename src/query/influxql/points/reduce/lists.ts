/** What needs all values of a bucket, or all that differ. */
import { type PointColumn, type PointValue, valueAt } from "../values/columns.ts";
import { type Chosen, checkHeld, type LaneBuilder, type Reducer, type Rows } from "./reducer.ts";
import { compareValues } from "./selectors.ts";

const NOTHING: PointColumn = { type: "null" };

/** Calls `each` with the cells of rows `start` to before `end` that are there. */
function eachValue(
  rows: Rows,
  index: number,
  range: readonly [start: number, end: number],
  each: (value: PointValue, row: number) => void,
): void {
  const column = rows.columns[index] ?? NOTHING;
  if (column.type === "null") return;
  for (let row = range[0]; row < range[1]; row += 1) {
    const value = valueAt(column, row);
    if (value !== null) each(value, row);
  }
}

type Numbers = Float64Array | BigInt64Array | BigUint64Array;

/** All numbers of a bucket, and where they stood. */
class HeldNumbers {
  readonly #index: number;
  readonly #name: string;
  #ranges: { readonly rows: Rows; readonly start: number; readonly end: number }[] = [];
  #lists: Numbers[] = [];
  #count = 0;

  constructor(index: number, name: string) {
    this.#index = index;
    this.#name = name;
  }

  add(rows: Rows, start: number, end: number): void {
    const column = rows.columns[this.#index] ?? NOTHING;
    if (column.type !== "float64" && column.type !== "int64" && column.type !== "uint64") return;
    const { present, values } = column;
    const whole = values.subarray(start, end);
    const list =
      present === undefined
        ? whole
        : whole.filter((_: unknown, row: number) => present[start + row] === 1);
    this.#ranges.push({ rows, start, end });
    this.#lists.push(list);
    this.#count += list.length;
    checkHeld(this.#count, this.#name);
  }

  sorted(): Numbers {
    const [first] = this.#lists;
    if (first instanceof BigInt64Array) return this.#joined(new BigInt64Array(this.#count));
    if (first instanceof BigUint64Array) return this.#joined(new BigUint64Array(this.#count));
    return this.#joined(new Float64Array(this.#count));
  }

  /** The row of the value that stands at `rank` of `sorted`: of equal ones the earlier has the lower rank. */
  rowAt(sorted: Numbers, rank: number): Chosen | undefined {
    const value = sorted[rank];
    let behind = rank;
    while (behind > 0 && sorted[behind - 1] === value) behind -= 1;
    let before = rank - behind;
    for (const { rows, start, end } of this.#ranges) {
      const column = rows.columns[this.#index] ?? NOTHING;
      for (let row = start; row < end; row += 1) {
        if (valueAt(column, row) !== value) continue;
        if (before === 0) return { rows, row };
        before -= 1;
      }
    }
    return undefined;
  }

  clear(): void {
    this.#ranges = [];
    this.#lists = [];
    this.#count = 0;
  }

  #joined<Whole extends Numbers>(whole: Whole): Whole {
    let next = 0;
    for (const list of this.#lists) {
      for (const value of list) {
        whole[next] = value;
        next += 1;
      }
    }
    whole.sort();
    return whole;
  }
}

/** The middle value, or the mean of the two in the middle. */
export class Median implements Reducer {
  readonly #held: HeldNumbers;

  constructor(index: number) {
    this.#held = new HeldNumbers(index, "median()");
  }

  add(rows: Rows, start: number, end: number): void {
    this.#held.add(rows, start, end);
  }

  finish(output: LaneBuilder): void {
    const values = this.#held.sorted();
    this.#held.clear();
    const high = values[values.length >> 1];
    if (high === undefined) return;
    const low = values[(values.length >> 1) - 1];
    output.pushValue(
      values.length % 2 === 1 || low === undefined ? Number(high) : middle(low, high),
    );
  }
}

function middle(low: number | bigint, high: number | bigint): number {
  if (typeof low === "bigint" && typeof high === "bigint") {
    return Number(low) + Number(BigInt.asIntN(64, high - low)) / 2;
  }
  return Number(low) + (Number(high) - Number(low)) / 2;
}

/** The row whose value has the rank nearest to so many hundredths of all; none where that is no rank. */
export class Percentile implements Reducer {
  readonly #held: HeldNumbers;
  readonly #percent: number;
  #hadTooFew = false;

  constructor(index: number, percent: number) {
    this.#held = new HeldNumbers(index, "percentile()");
    this.#percent = percent;
  }

  get hadTooFew(): boolean {
    return this.#hadTooFew;
  }

  add(rows: Rows, start: number, end: number): void {
    this.#held.add(rows, start, end);
  }

  finish(output: LaneBuilder): void {
    const sorted = this.#held.sorted();
    const rank = Math.floor((sorted.length * this.#percent) / 100 + 0.5) - 1;
    const value = sorted[rank];
    const chosen = value === undefined ? undefined : this.#held.rowAt(sorted, rank);
    if (value !== undefined && chosen !== undefined) output.pushChosen(value, chosen);
    this.#hadTooFew = value === undefined && sorted.length > 0;
    this.#held.clear();
  }
}

/**
 * The most frequent value. Among equals in number, values in order: the later one wins, unless it first came after the last of those
 * before it; where no value comes twice, the least. Of booleans true.
 */
export class Mode implements Reducer {
  readonly #index: number;
  #groups = new Map<PointValue, { count: number; firstNs: bigint; lastNs: bigint }>();

  constructor(index: number) {
    this.#index = index;
  }

  add(rows: Rows, start: number, end: number): void {
    eachValue(rows, this.#index, [start, end], (value, row) => {
      const timeNs = rows.times[row] ?? 0n;
      const group = this.#groups.get(value);
      if (group === undefined) {
        this.#groups.set(value, { count: 1, firstNs: timeNs, lastNs: timeNs });
      } else {
        group.count += 1;
        group.lastNs = timeNs;
      }
    });
    checkHeld(this.#groups.size, "mode()");
  }

  finish(output: LaneBuilder): void {
    const found =
      this.#groups.has(true) || this.#groups.has(false) ? this.#ofBooleans() : this.#ofValues();
    if (found !== undefined) output.pushValue(found);
    this.#groups = new Map();
  }

  #ofBooleans(): boolean {
    return (this.#groups.get(true)?.count ?? 0) >= (this.#groups.get(false)?.count ?? 0);
  }

  #ofValues(): PointValue | undefined {
    const sorted = [...this.#groups].toSorted(([left], [right]) => compareValues(left, right));
    let best = sorted[0];
    for (const candidate of sorted.slice(1)) {
      if (best === undefined || candidate[1].count < Math.max(2, best[1].count)) continue;
      const tied = candidate[1].count === best[1].count;
      if (!tied || candidate[1].firstNs <= best[1].lastNs) best = candidate;
    }
    return best?.[0];
  }
}

/** `count(distinct(x))`. */
export class CountDistinct implements Reducer {
  readonly #index: number;
  #values = new Set<PointValue>();

  constructor(index: number) {
    this.#index = index;
  }

  add(rows: Rows, start: number, end: number): void {
    eachValue(rows, this.#index, [start, end], (value) => this.#values.add(value));
    checkHeld(this.#values.size, "count()");
  }

  finish(output: LaneBuilder): void {
    if (this.#values.size > 0) output.pushValue(BigInt(this.#values.size));
    this.#values = new Set();
  }
}

/** Each value once: by the time at which it was first met, then by value. */
export class Distinct implements Reducer {
  readonly #index: number;
  #times = new Map<PointValue, bigint>();

  constructor(index: number) {
    this.#index = index;
  }

  add(rows: Rows, start: number, end: number): void {
    eachValue(rows, this.#index, [start, end], (value, row) => {
      if (!this.#times.has(value)) this.#times.set(value, rows.times[row] ?? 0n);
    });
    checkHeld(this.#times.size, "distinct()");
  }

  finish(output: LaneBuilder): void {
    const found = [...this.#times].toSorted(
      ([left, leftNs], [right, rightNs]) =>
        Number(leftNs > rightNs) - Number(leftNs < rightNs) || compareValues(left, right),
    );
    for (const [value] of found) output.pushValue(value);
    this.#times = new Map();
  }
}
