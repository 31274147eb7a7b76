/** What needs of the values of a bucket no more than a few numbers. */
import { hasValue, type PointColumn, type PointValue, valueAt } from "../values/columns.ts";
import type { LaneBuilder, Reducer, Rows } from "./reducer.ts";

const NOTHING: PointColumn = { type: "null" };

abstract class OneColumn implements Reducer {
  readonly #index: number;
  protected count = 0;

  constructor(index: number) {
    this.#index = index;
  }

  add(rows: Rows, start: number, end: number): void {
    const column = rows.columns[this.#index] ?? NOTHING;
    if (column.type !== "null") this.addValues(column, start, end);
  }

  finish(output: LaneBuilder): void {
    if (this.count > 0) output.pushValue(this.value());
    this.count = 0;
    this.clear();
  }

  protected abstract addValues(column: PointColumn, start: number, end: number): void;
  protected abstract value(): PointValue;
  protected clear(): void {}
}

export class Count extends OneColumn {
  protected override addValues(column: PointColumn, start: number, end: number): void {
    if ("present" in column && column.present !== undefined) {
      let count = 0;
      for (let row = start; row < end; row += 1) count += column.present[row] ?? 0;
      this.count += count;
    } else if (column.type === "string") {
      for (let row = start; row < end; row += 1) if (hasValue(column, row)) this.count += 1;
    } else {
      this.count += end - start;
    }
  }

  protected override value(): PointValue {
    return BigInt(this.count);
  }
}

/** The sum, of whole numbers modulo 2^64, and of it the mean. */
export class Sum extends OneColumn {
  readonly #mean: boolean;
  #float = 0;
  #whole = 0n;
  #isFloat = true;

  constructor(index: number, mean: boolean) {
    super(index);
    this.#mean = mean;
  }

  protected override addValues(column: PointColumn, start: number, end: number): void {
    if (column.type === "float64") {
      const { values, present } = column;
      let sum = this.#float;
      let count = 0;
      for (let row = start; row < end; row += 1) {
        if (present !== undefined && present[row] !== 1) continue;
        sum += values[row] ?? 0;
        count += 1;
      }
      this.#float = sum;
      this.count += count;
    } else if (column.type === "int64" || column.type === "uint64") {
      this.#isFloat = false;
      this.#addWhole(column, start, end);
    }
  }

  #addWhole(column: PointColumn & { type: "int64" | "uint64" }, start: number, end: number): void {
    const { values, present } = column;
    const signed = column.type === "int64";
    let sum = this.#whole;
    let count = 0;
    for (let row = start; row < end; row += 1) {
      if (present !== undefined && present[row] !== 1) continue;
      const total: bigint = sum + (values[row] ?? 0n);
      sum = signed ? BigInt.asIntN(64, total) : BigInt.asUintN(64, total);
      count += 1;
    }
    this.#whole = sum;
    this.count += count;
  }

  protected override value(): PointValue {
    if (!this.#mean) return this.#isFloat ? this.#float : this.#whole;
    return (this.#isFloat ? this.#float : Number(this.#whole)) / this.count;
  }

  protected override clear(): void {
    this.#float = 0;
    this.#whole = 0n;
  }
}

/** The standard deviation of a sample, kept as Welford's running mean and squares; of one value NaN. */
export class Stddev extends OneColumn {
  #mean = 0;
  #squares = 0;

  protected override addValues(column: PointColumn, start: number, end: number): void {
    for (let row = start; row < end; row += 1) {
      const value = valueAt(column, row);
      if (value === null) continue;
      const number = Number(value);
      this.count += 1;
      const delta = number - this.#mean;
      this.#mean += delta / this.count;
      this.#squares += delta * (number - this.#mean);
    }
  }

  protected override value(): PointValue {
    return this.count < 2 ? Number.NaN : Math.sqrt(this.#squares / (this.count - 1));
  }

  protected override clear(): void {
    this.#mean = 0;
    this.#squares = 0;
  }
}

/** The greatest value less the least. */
export class Spread extends OneColumn {
  #least: PointValue = 0;
  #greatest: PointValue = 0;

  protected override addValues(column: PointColumn, start: number, end: number): void {
    for (let row = start; row < end; row += 1) {
      const value = valueAt(column, row);
      if (value === null) continue;
      if (this.count === 0 || value < this.#least) this.#least = value;
      if (this.count === 0 || value > this.#greatest) this.#greatest = value;
      this.count += 1;
    }
  }

  protected override value(): PointValue {
    const [least, greatest] = [this.#least, this.#greatest];
    if (typeof least === "bigint" && typeof greatest === "bigint") {
      return BigInt.asIntN(64, greatest - least);
    }
    return Number(greatest) - Number(least);
  }
}
