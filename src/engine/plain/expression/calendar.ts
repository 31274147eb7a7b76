/** Scalar functions of time, on the UTC calendar. */

import { floorDivide } from "#base/divide.ts";
import { assert, DbError } from "#base/errors.ts";
import type { IntervalValue } from "#model/query/expression.ts";
import type { CoreFunction } from "#model/query/functions/core.ts";
import { FIXED_UNITS, MINUTE_NS, MONTH_UNITS, SECOND_NS } from "#model/time-units.ts";
import { type StrictFunction, wholeOf } from "./arithmetic.ts";

const DAY_MS = 86_400_000;

export const CALENDAR = {
  date_bin: ([interval, time, origin]) =>
    dateBin(interval as IntervalValue, time as bigint, origin as bigint),
  date_trunc: ([unit, time]) => dateTrunc(unit as string, time as bigint),
  date_part: ([unit, time]) => datePart(unit as string, time as bigint),
  add_interval: ([time, interval]) => addInterval(time as bigint, interval as IntervalValue, 1),
  subtract_interval: ([time, interval]) =>
    addInterval(time as bigint, interval as IntervalValue, -1),
  timestamp_difference: ([left, right]) =>
    wholeOf((left as bigint) - (right as bigint), "duration"),
} as const satisfies Partial<Record<CoreFunction, StrictFunction>>;

function dateBin({ months, nanoseconds }: IntervalValue, time: bigint, origin: bigint): bigint {
  if (months === 0) {
    return wholeOf(origin + floorDivide(time - origin, nanoseconds) * nanoseconds, "timestamp");
  }
  const distance = monthIndex(time) - monthIndex(origin);
  const bin = addMonths(origin, Math.floor(distance / months) * months);
  if (bin <= time) return wholeOf(bin, "timestamp");
  // The origin lies later in its month than `time` does.
  return wholeOf(addMonths(origin, (Math.floor(distance / months) - 1) * months), "timestamp");
}

function dateTrunc(unit: string, time: bigint): bigint {
  const fixed = FIXED_UNITS[unit];
  if (fixed !== undefined) {
    const [length, origin] = fixed;
    return wholeOf(origin + floorDivide(time - origin, length) * length, "timestamp");
  }
  const months = MONTH_UNITS[unit];
  assert(months !== undefined, `unknown unit ${unit}`);
  return dateBin({ months, nanoseconds: 0n }, time, 0n);
}

function datePart(unit: string, time: bigint): bigint | number {
  if (unit === "epoch") return Number(time) / 1e9;
  const date = dateOf(time);
  const minuteNs = time - floorDivide(time, MINUTE_NS) * MINUTE_NS;
  switch (unit) {
    case "second":
      return minuteNs / SECOND_NS;
    case "millisecond":
      return minuteNs / 1_000_000n;
    case "microsecond":
      return minuteNs / 1_000n;
    case "nanosecond":
      return minuteNs;
    default:
      return BigInt(calendarPart(unit, date));
  }
}

function calendarPart(unit: string, date: Date): number {
  switch (unit) {
    case "year":
      return date.getUTCFullYear();
    case "quarter":
      return Math.floor(date.getUTCMonth() / 3) + 1;
    case "month":
      return date.getUTCMonth() + 1;
    case "week":
      return isoWeek(date);
    case "day":
      return date.getUTCDate();
    case "hour":
      return date.getUTCHours();
    case "minute":
      return date.getUTCMinutes();
    case "dow":
      return date.getUTCDay();
    case "isodow":
      return ((date.getUTCDay() + 6) % 7) + 1;
    case "doy":
      return dayOfYear(date) + 1;
    default:
      throw new DbError("internal", "assertion_failed", `unknown unit ${unit}`);
  }
}

/** Week 1 holds the year's first Thursday. */
function isoWeek(date: Date): number {
  const daysSinceMonday = (date.getUTCDay() + 6) % 7;
  const thursday = new Date(date.getTime() + (3 - daysSinceMonday) * DAY_MS);
  return Math.floor(dayOfYear(thursday) / 7) + 1;
}

function dayOfYear(date: Date): number {
  return Math.floor((date.getTime() - Date.UTC(date.getUTCFullYear(), 0, 1)) / DAY_MS);
}

function addInterval(time: bigint, interval: IntervalValue, sign: 1 | -1): bigint {
  const shifted = addMonths(time, sign * interval.months);
  return wholeOf(shifted + BigInt(sign) * interval.nanoseconds, "timestamp");
}

/** The same day and time of day `months` later, or the last day of a month that has no such day. */
function addMonths(time: bigint, months: number): bigint {
  const date = dateOf(time);
  const restNs = time - BigInt(date.getTime()) * 1_000_000n;
  const day = date.getUTCDate();
  date.setUTCDate(1);
  date.setUTCMonth(date.getUTCMonth() + months);
  date.setUTCDate(Math.min(day, daysInMonth(date)));
  const shiftedMs = date.getTime();
  if (Number.isNaN(shiftedMs)) wholeOf(2n ** 64n, "timestamp");
  return BigInt(shiftedMs) * 1_000_000n + restNs;
}

function daysInMonth(date: Date): number {
  const last = new Date(date);
  last.setUTCMonth(last.getUTCMonth() + 1, 0);
  return last.getUTCDate();
}

function monthIndex(time: bigint): number {
  const date = dateOf(time);
  return 12 * date.getUTCFullYear() + date.getUTCMonth();
}

/** The millisecond `time` lies in. */
function dateOf(time: bigint): Date {
  return new Date(Number(floorDivide(time, 1_000_000n)));
}
