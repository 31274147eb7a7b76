/** The row of each group that comes first or last, or has the least or the greatest value. */
import type { Value } from "../plain/expression/value.ts";
import type { Numbers, Times } from "./chunk.ts";
import { type Fold, withRoom } from "./fold.ts";
import type { FoldedChoice } from "./shape.ts";

const FIRST_CAPACITY = 64;
/** Differences of times beyond this are not exact as floats. */
const EXACT_MAX = 2 ** 53;

export class Choice implements Fold {
  readonly #folded: FoldedChoice;
  /** Whether it is a matter of times first. */
  readonly #edge: boolean;
  #numbers: Numbers | undefined;
  #wanted: Numbers | undefined;
  #offsets: Float64Array = new Float64Array(0);
  /** Times are counted from that of the first piece; those of this piece are so much ahead. */
  #base: bigint | undefined;
  #ahead = 0;
  /** Whether all times so far are exact as floats. */
  #exact = true;
  /** Of the row that is chosen of each group: 1 where there is one, its value and time, and what is wanted of it. */
  #chosen = new Float64Array(FIRST_CAPACITY);
  #values = new Float64Array(FIRST_CAPACITY);
  #times = new Float64Array(FIRST_CAPACITY);
  #answers = new Float64Array(FIRST_CAPACITY);
  #absent = new Float64Array(FIRST_CAPACITY);

  constructor(folded: FoldedChoice) {
    this.#folded = folded;
    this.#edge = folded.by === "first" || folded.by === "last";
  }

  bind([numbers, wanted]: readonly (Numbers | undefined)[], { base, offsets }: Times): void {
    this.#base ??= base;
    this.#numbers = numbers;
    this.#wanted = wanted;
    this.#offsets = offsets;
    this.#ahead = Number(base - this.#base);
  }

  add(group: number, start: number, end: number, mask: Uint8Array | undefined): void {
    this.#chosen = withRoom(this.#chosen, group);
    this.#values = withRoom(this.#values, group);
    this.#times = withRoom(this.#times, group);
    this.#answers = withRoom(this.#answers, group);
    this.#absent = withRoom(this.#absent, group);
    const numbers = this.#numbers;
    if (numbers === undefined) return;
    const row = this.#edge
      ? edgeRow(numbers, mask, [start, end], this.#folded.by === "last")
      : extremeRow(numbers, mask, [start, end], this.#folded.by === "max");
    if (row === undefined) return;
    const value = numbers.values[row] as number;
    const time = this.#ahead + (this.#offsets[row] as number);
    if (Math.abs(time) >= EXACT_MAX) this.#exact = false;
    if (this.#chosen[group] === 1 && !this.#isBefore(group, value, time)) return;
    this.#chosen[group] = 1;
    this.#values[group] = value;
    this.#times[group] = time;
    this.#keep(group, row, time);
  }

  value(group: number): Value | undefined {
    if (!this.#exact) return undefined;
    if (this.#chosen[group] !== 1 || this.#absent[group] === 1) return null;
    const answer = this.#answers[group] as number;
    const { type } = this.#folded;
    if (type === "float64") return answer;
    return type === "timestamp" ? (this.#base ?? 0n) + BigInt(answer) : BigInt(answer);
  }

  #keep(group: number, row: number, time: number): void {
    if (this.#folded.wanted === "time") {
      this.#answers[group] = time;
      return;
    }
    const present = this.#wanted !== undefined && this.#wanted.present?.[row] !== 0;
    this.#absent[group] = present ? 0 : 1;
    this.#answers[group] = this.#wanted?.values[row] ?? 0;
  }

  /** Whether a row with this value and time is chosen before that which is. */
  #isBefore(group: number, value: number, time: number): boolean {
    const heldValue = this.#values[group] as number;
    const heldTime = this.#times[group] as number;
    switch (this.#folded.by) {
      case "first":
        return time < heldTime || (time === heldTime && value > heldValue);
      case "last":
        return time > heldTime || (time === heldTime && value > heldValue);
      case "min":
        return value < heldValue || (value === heldValue && time < heldTime);
      case "max":
        return value > heldValue || (value === heldValue && time < heldTime);
    }
  }
}

/** Of rows whose times rise the first, or last, that has a value. */
function edgeRow(
  { present }: Numbers,
  mask: Uint8Array | undefined,
  [start, end]: readonly [number, number],
  last: boolean,
): number | undefined {
  const step = last ? -1 : 1;
  for (let row = last ? end - 1 : start; row >= start && row < end; row += step)
    if (present?.[row] !== 0 && mask?.[row] !== 0) return row;
  return undefined;
}

/** The first of those with the least, or greatest, value. */
function extremeRow(
  { present, values }: Numbers,
  mask: Uint8Array | undefined,
  [start, end]: readonly [number, number],
  greatest: boolean,
): number | undefined {
  let found: number | undefined;
  let best = 0;
  for (let row = start; row < end; row += 1) {
    if (present?.[row] === 0 || mask?.[row] === 0) continue;
    const value = values[row] as number;
    if (found !== undefined && (greatest ? value <= best : value >= best)) continue;
    found = row;
    best = value;
  }
  return found;
}
