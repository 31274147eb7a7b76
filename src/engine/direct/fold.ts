/** Functions of many rows over pieces of decoded columns, many groups at a time. */
import type { Value } from "../plain/expression/value.ts";
import type { Numbers, Times } from "./chunk.ts";
import type { FoldedNumbers } from "./shape.ts";

/** Sums of whole numbers beyond this are not exact as floats. */
const EXACT_MAX = 2 ** 53;
const FIRST_CAPACITY = 64;

/** One aggregate of all groups; groups are numbered from 0. */
export interface Fold {
  /** Tells of the rows that come next: the numbers of the fields that it reads, undefined where all cells are NULL, and their times. */
  bind(numbers: readonly (Numbers | undefined)[], times: Times): void;
  /** Takes rows from `start` to before `end`, those alone that are 1 in `mask`, into `group`. */
  add(group: number, start: number, end: number, mask: Uint8Array | undefined): void;
  /** Undefined where the value cannot be told exactly. */
  value(group: number): Value | undefined;
}

/** How many rows there are. */
export class RowCount implements Fold {
  #counts = new Float64Array(FIRST_CAPACITY);

  bind(): void {
    // It reads no field.
  }

  add(group: number, start: number, end: number, mask: Uint8Array | undefined): void {
    this.#counts = withRoom(this.#counts, group);
    let count = end - start;
    if (mask !== undefined) {
      count = 0;
      for (let row = start; row < end; row += 1) count += mask[row] as number;
    }
    this.#counts[group] = (this.#counts[group] as number) + count;
  }

  value(group: number): Value {
    return BigInt(this.#counts[group] ?? 0);
  }
}

/** What is made of the numbers of one field. */
export class NumberFold implements Fold {
  #numbers: Numbers | undefined;
  readonly #folded: FoldedNumbers;
  readonly #step: (so: number, cell: number) => number;
  readonly #first: number;
  /** How many cells were no NULL. */
  #counts = new Float64Array(FIRST_CAPACITY);
  #values = new Float64Array(FIRST_CAPACITY);
  /** Whether it sums whole numbers, and whether all sums on the way were exact. */
  readonly #wholeSum: boolean;
  #exact = true;

  constructor(folded: FoldedNumbers) {
    this.#folded = folded;
    this.#wholeSum = folded.name === "sum" && folded.type !== "float64";
    this.#step = STEPS[folded.name];
    this.#first = FIRSTS[folded.name];
  }

  bind([numbers]: readonly (Numbers | undefined)[]): void {
    this.#numbers = numbers;
  }

  add(group: number, start: number, end: number, mask: Uint8Array | undefined): void {
    this.#counts = withRoom(this.#counts, group);
    this.#values = withRoom(this.#values, group);
    if (this.#numbers === undefined) return;
    const { present, values } = this.#numbers;
    const before = this.#counts[group] as number;
    const held = before === 0 ? this.#first : (this.#values[group] as number);
    if (present === undefined && mask === undefined && !this.#wholeSum) {
      this.#counts[group] = before + end - start;
      this.#values[group] = this.#all(values, start, end, held);
    } else this.#addSome(group, { start, end, mask, before, held }, this.#numbers);
  }

  #addSome(
    group: number,
    { before, end, held, mask, start }: Some,
    { present, values }: Numbers,
  ): void {
    let so = held;
    let count = before;
    for (let row = start; row < end; row += 1) {
      if (present?.[row] === 0 || mask?.[row] === 0) continue;
      count += 1;
      so = this.#step(so, values[row] as number);
      if (this.#wholeSum && Math.abs(so) >= EXACT_MAX) this.#exact = false;
    }
    this.#counts[group] = count;
    this.#values[group] = so;
  }

  value(group: number): Value | undefined {
    const { name, type } = this.#folded;
    const count = this.#counts[group] ?? 0;
    if (name === "count") return BigInt(count);
    if (count === 0) return null;
    const value = this.#values[group] as number;
    if (name === "avg") return value / count;
    if (type === "float64") return value;
    return this.#exact ? BigInt(value) : undefined;
  }

  /** Loops of their own, for a call in each round would take most of the time. */
  #all(values: Float64Array, start: number, end: number, held: number): number {
    let so = held;
    switch (this.#folded.name) {
      case "count":
        return so;
      case "sum":
      case "avg":
        for (let row = start; row < end; row += 1) so += values[row] as number;
        return so;
      case "max":
        for (let row = start; row < end; row += 1) {
          const cell = values[row] as number;
          if (cell > so || cell !== cell) so = cell;
        }
        return so;
      case "min":
        for (let row = start; row < end; row += 1) {
          const cell = values[row] as number;
          if (cell < so || so !== so) so = cell;
        }
        return so;
    }
  }
}

interface Some {
  readonly start: number;
  readonly end: number;
  readonly mask: Uint8Array | undefined;
  /** How many cells there were before, and what they made. */
  readonly before: number;
  readonly held: number;
}

/** NaN is above all other numbers. */
const STEPS: Readonly<Record<FoldedNumbers["name"], (so: number, cell: number) => number>> = {
  count: (so) => so,
  sum: (so, cell) => so + cell,
  avg: (so, cell) => so + cell,
  max: (so, cell) => (cell > so || Number.isNaN(cell) ? cell : so),
  min: (so, cell) => (cell < so || Number.isNaN(so) ? cell : so),
};

const FIRSTS: Readonly<Record<FoldedNumbers["name"], number>> = {
  count: 0,
  sum: 0,
  avg: 0,
  max: Number.NEGATIVE_INFINITY,
  min: Number.NaN,
};

/** `values`, or a longer copy, with room for `index`. */
export function withRoom(
  values: Float64Array<ArrayBuffer>,
  index: number,
): Float64Array<ArrayBuffer> {
  if (index < values.length) return values;
  const larger = new Float64Array(Math.max(2 * values.length, index + 1));
  larger.set(values);
  return larger;
}
