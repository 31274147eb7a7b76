/** What chooses one row of a bucket. */
import { compareText } from "#base/bytes.ts";
import { type PointColumn, type PointValue, valueAt } from "../values/columns.ts";
import type { Chosen, LaneBuilder, Reducer, Rows } from "./reducer.ts";

const NOTHING: PointColumn = { type: "null" };

/** By value; of booleans false is less. Both are of one type. */
export function compareValues(left: PointValue, right: PointValue): number {
  if (typeof left === "string" && typeof right === "string") return compareText(left, right);
  return left < right ? -1 : Number(left > right);
}

abstract class OneRow implements Reducer {
  readonly #index: number;
  protected best: PointValue | undefined;
  protected bestTime = 0n;
  #chosen: Chosen | undefined;

  constructor(index: number) {
    this.#index = index;
  }

  add(rows: Rows, start: number, end: number): void {
    const column = rows.columns[this.#index] ?? NOTHING;
    const row = column.type === "null" ? -1 : this.choose(column, rows.times, start, end);
    if (row >= 0) this.#chosen = { rows, row };
  }

  finish(output: LaneBuilder): void {
    if (this.#chosen !== undefined && this.best !== undefined) {
      output.pushChosen(this.best, this.#chosen);
    }
    this.best = undefined;
    this.#chosen = undefined;
  }

  /** The row that is better than all before it, -1 where none is. */
  protected abstract choose(
    column: PointColumn,
    times: BigInt64Array,
    start: number,
    end: number,
  ): number;
}

/** `min` and `max`: of equal ones the earliest. */
export class Extreme extends OneRow {
  readonly #sign: number;

  constructor(index: number, least: boolean) {
    super(index);
    this.#sign = least ? -1 : 1;
  }

  protected override choose(
    column: PointColumn,
    times: BigInt64Array,
    start: number,
    end: number,
  ): number {
    let found = -1;
    for (let row = start; row < end; row += 1) {
      const value = valueAt(column, row);
      if (value === null) continue;
      if (this.best !== undefined) {
        const order = compareValues(value, this.best) * this.#sign;
        if (order < 0 || (order === 0 && (times[row] ?? 0n) >= this.bestTime)) continue;
      }
      found = row;
      this.best = value;
      this.bestTime = times[row] ?? 0n;
    }
    return found;
  }
}

/** `first` and `last`: of one time the greatest value. */
export class Edge extends OneRow {
  readonly #first: boolean;

  constructor(index: number, first: boolean) {
    super(index);
    this.#first = first;
  }

  protected override choose(
    column: PointColumn,
    times: BigInt64Array,
    start: number,
    end: number,
  ): number {
    let found = -1;
    for (let row = start; row < end; row += 1) {
      const time = times[row] ?? 0n;
      if (this.best !== undefined && time !== this.bestTime) {
        if (this.#first !== time < this.bestTime) continue;
      }
      const value = valueAt(column, row);
      if (value === null) continue;
      const tied = this.best !== undefined && time === this.bestTime;
      if (tied && this.best !== undefined && compareValues(value, this.best) <= 0) continue;
      found = row;
      this.best = value;
      this.bestTime = time;
    }
    return found;
  }
}
