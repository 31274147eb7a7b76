/** Lengths of time in nanoseconds, and the units that date functions know. */
import type { TimeUnit } from "./query/value-type.ts";

export const SECOND_NS = 1_000_000_000n;
export const MINUTE_NS = 60n * SECOND_NS;
export const HOUR_NS = 60n * MINUTE_NS;
export const DAY_NS = 24n * HOUR_NS;
/** The Unix epoch was a Thursday; weeks begin on Monday. */
const FIRST_MONDAY_NS = 4n * DAY_NS;

/** Units of one length, and where one of them begins. */
export const FIXED_UNITS: Readonly<Record<string, readonly [length: bigint, origin: bigint]>> = {
  nanosecond: [1n, 0n],
  microsecond: [1_000n, 0n],
  millisecond: [1_000_000n, 0n],
  second: [SECOND_NS, 0n],
  minute: [MINUTE_NS, 0n],
  hour: [HOUR_NS, 0n],
  day: [DAY_NS, 0n],
  week: [7n * DAY_NS, FIRST_MONDAY_NS],
};

/** Units that are months, counted from January. */
export const MONTH_UNITS: Readonly<Record<string, number>> = { month: 1, quarter: 3, year: 12 };

/** Nanoseconds of what a timestamp may count. */
export const UNIT_NS: Readonly<Record<TimeUnit, bigint>> = {
  second: SECOND_NS,
  millisecond: 1_000_000n,
  microsecond: 1_000n,
  nanosecond: 1n,
};
