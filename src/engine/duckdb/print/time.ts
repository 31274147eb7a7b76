/**
 * Functions of time as whole-number arithmetic on nanoseconds: the engine's own would round them to microseconds.
 * Arguments are SQL of type BIGINT; some are printed more than once.
 */

import { DbError } from "#base/errors.ts";
import type { Expression, IntervalValue } from "#model/query/expression.ts";
import type { Zone } from "#model/time/zone.ts";
import { DAY_NS, FIXED_UNITS, MINUTE_NS, MONTH_UNITS, SECOND_NS } from "#model/time-units.ts";
import { printNearest, printOffsetAt } from "./casts/zone.ts";
import { printLet } from "./functions/let.ts";

/** More months than lie between any two timestamps. */
const MONTHS_APART = 8_000;
/** With longer bins the sums below could leave int64. */
const BIN_NS_PLAIN = 2n ** 60n;

/** Nanoseconds of the units that count within a minute. */
const MINUTE_PARTS: Readonly<Record<string, bigint>> = {
  second: SECOND_NS,
  millisecond: 1_000_000n,
  microsecond: 1_000n,
  nanosecond: 1n,
};
const CALENDAR_PARTS: Readonly<Record<string, string>> = {
  year: "year",
  quarter: "quarter",
  month: "month",
  week: "weekofyear",
  day: "day",
  hour: "hour",
  minute: "minute",
  dow: "dayofweek",
  isodow: "isodow",
  doy: "dayofyear",
};

/** The start of the bin that holds `time`; an interval of months or of nanoseconds, positive. */
export function printDateBin(interval: IntervalValue, time: string, origin: bigint): string {
  if (interval.months !== 0) return printMonthBin(interval.months, time, origin);
  return printFixedBin(interval.nanoseconds, time, origin);
}

export function printDateTrunc(unit: string, time: string): string {
  const fixed = FIXED_UNITS[unit];
  if (fixed !== undefined) return printFixedBin(fixed[0], time, fixed[1]);
  const months = MONTH_UNITS[unit];
  if (months === undefined) throw unknownUnit(unit);
  return printMonthBin(months, time, 0n);
}

export function printDatePart(unit: string, time: string): string {
  if (unit === "epoch") return `(CAST(${time} AS DOUBLE) / 1e9)`;
  const part = MINUTE_PARTS[unit];
  if (part !== undefined) return `(${printFloorModulo(time, MINUTE_NS)} // ${part})`;
  const name = CALENDAR_PARTS[unit];
  if (name === undefined) throw unknownUnit(unit);
  return `${name}(${printCalendar(time)})`;
}

/** `time` plus (`sign` 1) or minus (-1) an interval; cheap where that is a literal without months. */
export function printShift(
  time: string,
  sign: 1 | -1,
  interval: Expression,
  printed: string,
): string {
  const operator = sign === 1 ? "+" : "-";
  if (interval.kind !== "literal" || interval.value === null) {
    const months = printAddMonths(time, `CAST(${sign} * (${printed}).m AS INTEGER)`);
    return `(${months} ${operator} (${printed}).n)`;
  }
  const { months, nanoseconds } = interval.value as IntervalValue;
  const shifted = months === 0 ? time : printAddMonths(time, String(sign * months));
  return `(${shifted} ${operator} CAST(${nanoseconds} AS BIGINT))`;
}

/** The same in a zone: months and whole days go by its local time. */
export function printZonedShift(time: string, zone: Zone, sign: 1 | -1, interval: string): string {
  const operator = sign === 1 ? "+" : "-";
  return printLet([time, interval], (t, i) =>
    printLet([t, i, printOffsetAt(t, zone)], (same, shift, offset) => {
      const months = `CAST(${sign} * (${shift}).m AS INTEGER)`;
      const days = `(${shift}).n // ${DAY_NS} * ${DAY_NS}`;
      const local = printAddMonths(`(${same} + ${offset})`, months);
      const moved = printNearest(`(${local} ${operator} ${days})`, offset, zone);
      return `(${moved} ${operator} (${shift}).n % ${DAY_NS})`;
    }),
  );
}

/** `time` modulo `divisor`, never negative. */
export function printFloorModulo(time: string, divisor: bigint): string {
  return `((${time} % ${divisor} + ${divisor}) % ${divisor})`;
}

/** The engine's microsecond timestamp at or before `time`. */
export function printCalendar(time: string): string {
  return `make_timestamp(${time} // 1000 - CASE WHEN ${time} % 1000 < 0 THEN 1 ELSE 0 END)`;
}

function printFixedBin(length: bigint, time: string, origin: bigint): string {
  const start = ((origin % length) + length) % length;
  if (length > BIN_NS_PLAIN) return printWideBin(length, time, start);
  // `time % length` lies above -length, so the sum is positive, and its modulus the way back to the bin's start.
  const shift = start === 0n ? length : 2n * length - start;
  return `(${time} - (${time} % ${length} + ${shift}) % ${length})`;
}

function printWideBin(length: bigint, time: string, start: bigint): string {
  const wide = `CAST(${time} AS HUGEINT)`;
  const rest = `((${wide} - ${start}) % ${length} + ${length}) % ${length}`;
  return `(${time} - CAST(${rest} AS BIGINT))`;
}

function printMonthBin(months: number, time: string, origin: bigint): string {
  const start = new Date(Number(origin / 1_000_000n) - (origin % 1_000_000n < 0n ? 1 : 0));
  const originMonth = 12 * start.getUTCFullYear() + start.getUTCMonth();
  const calendar = printCalendar(time);
  const distance = `year(${calendar}) * 12 + month(${calendar}) - ${originMonth + 1}`;
  // Distances are made positive so that the division goes toward the past.
  const count = `((${distance} + ${months * MONTHS_APART}) // ${months} - ${MONTHS_APART})`;
  const bin = (index: string) =>
    printAddMonths(`CAST(${origin} AS BIGINT)`, `CAST(${index} * ${months} AS INTEGER)`);
  const startsMonth = start.getUTCDate() === 1 && origin % DAY_NS === 0n;
  if (startsMonth) return bin(count);
  // The origin may lie later in its month than `time` does.
  return `CASE WHEN ${bin(count)} <= ${time} THEN ${bin(count)} ELSE ${bin(`(${count} - 1)`)} END`;
}

/** The same day and time of day `months` later, or the last day of a month that has no such day. */
function printAddMonths(time: string, months: string): string {
  const shifted = `epoch_us(${printCalendar(time)} + to_months(${months}))`;
  return `(${shifted} * 1000 + ${printFloorModulo(time, 1_000n)})`;
}

function unknownUnit(unit: string): DbError {
  return new DbError("internal", "assertion_failed", `unknown unit ${unit}`);
}
