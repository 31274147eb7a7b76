/** Nested windows of time, each a whole number of the one below: gen2, gen3 and on. */
import { floorDivide } from "#base/divide.ts";
import { ALL_TIME, type TimeRange } from "#model/time-range.ts";

/** A row's way up: the files of snapshots are generation 1, and those that a window holds are of the window's. */
export interface Generation {
  readonly number: number;
  /** Undefined: all time is one window. */
  readonly lengthNs: bigint | undefined;
  /** Longer than all that are named. What gets there is old, asked for rarely and in long ranges: its files are larger. */
  readonly isLong: boolean;
}

/** On top of those that are named, windows grow by this, where history is long. */
const MULTIPLIER_LAST = 6n;
const LENGTH_MAX = 2n ** 62n;
const FIRST_COMPACTED = 2;

/** Windows of `gen2DurationMs`, then of each multiple of the one before, and on until all time is one. */
export function generationsOf(
  gen2DurationMs: number,
  multipliers: readonly number[],
): readonly Generation[] {
  const generations: Generation[] = [];
  let lengthNs = BigInt(gen2DurationMs) * 1_000_000n;
  for (let step = 0; lengthNs < LENGTH_MAX; step += 1) {
    generations.push({
      number: FIRST_COMPACTED + step,
      lengthNs,
      isLong: step > multipliers.length,
    });
    lengthNs *= BigInt(multipliers[step] ?? MULTIPLIER_LAST);
  }
  const number = FIRST_COMPACTED + generations.length;
  return [...generations, { number, lengthNs: undefined, isLong: true }];
}

/** The window that holds all of `time`; undefined where it reaches over the edge of one. */
export function windowOf(time: TimeRange, { lengthNs }: Generation): TimeRange | undefined {
  if (lengthNs === undefined) return ALL_TIME;
  const number = floorDivide(time.start, lengthNs);
  if (floorDivide(time.end, lengthNs) !== number) return undefined;
  return { start: number * lengthNs, end: (number + 1n) * lengthNs - 1n };
}

/** The first generation that has a window for all of `time`. */
export function generationOf(time: TimeRange, generations: readonly Generation[]): number {
  const found = generations.find((generation) => windowOf(time, generation) !== undefined);
  return found?.number ?? FIRST_COMPACTED + generations.length - 1;
}
