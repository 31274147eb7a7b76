/** Dates, times of day and instants from text, and the other way. */
import { floorDivide } from "#base/divide.ts";
import { TIME_MAX, TIME_MIN } from "../time-range.ts";
import { DAY_NS, HOUR_NS, MINUTE_NS, SECOND_NS } from "../time-units.ts";
import { civilOfDay, dayOfCivil } from "./date.ts";
import { findZone, type Zone } from "./zone.ts";

const DATE =
  /^(?:(\d{4})-(\d{1,2})-(\d{1,2})|([+-]\d{4,6})-(\d{1,2})-(\d{1,2})|(\d{4})(\d{2})(\d{2}))$/;
const TIME = /^(\d{1,2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?(?:\s*([AaPp][Mm]))?$/;
const INSTANT =
  /^(\d{4}-\d{2}-\d{2}|\d{8})(?:[Tt ](\d{2}:\d{2}(?::\d{2})?)(?:\.(\d+))?\s*(\S+)?)?$/;

/** Days since the Unix epoch of `2024-02-29`, `2024-2-9`, `20240229`, `+12024-02-29`, or of a text with a time of day. */
export function parseDateText(text: string): number | undefined {
  const match = DATE.exec(text);
  if (match === null) {
    const instant = parseInstantText(text);
    return instant === undefined ? undefined : Number(floorDivide(instant, DAY_NS));
  }
  const [year, month, day] = match.slice(1).filter((part) => part !== undefined);
  return dayOfCivil({ year: Number(year), month: Number(month), day: Number(day) });
}

/** Nanoseconds since midnight of `23:45:01.5`, `9:05` or `09:05:00 PM`. */
export function parseTimeOfDay(text: string): bigint | undefined {
  const [match, hours = "", minutes = "", seconds = "0", fraction = "", half] =
    TIME.exec(text.trim()) ?? [];
  if (match === undefined) return undefined;
  const hour = half === undefined ? Number(hours) : hourOfHalf(Number(hours), half);
  if (hour === undefined || hour > 23 || Number(minutes) > 59 || Number(seconds) > 59)
    return undefined;
  return (
    BigInt(hour) * HOUR_NS +
    BigInt(minutes) * MINUTE_NS +
    BigInt(seconds) * SECOND_NS +
    BigInt(fraction.padEnd(9, "0"))
  );
}

/**
 * Nanoseconds since the Unix epoch of a date, or a date and a time of day with `T` or a space between, then `Z`, an offset or the name
 * of a zone; without these it is a local time of `zone`, or UTC. Digits below a nanosecond are cut. Undefined for anything else, for
 * a local time that is not exactly one instant, and beyond int64.
 */
export function parseInstantText(text: string, zone?: Zone): bigint | undefined {
  const [match, date = "", time = "00:00:00", fraction = "", suffix] =
    INSTANT.exec(text.trim()) ?? [];
  if (match === undefined) return undefined;
  const day = parseDateText(date);
  const sinceMidnight = parseTimeOfDay(time);
  if (day === undefined || sinceMidnight === undefined) return undefined;
  const rest = BigInt(fraction.slice(0, 9).padEnd(9, "0"));
  const local = BigInt(day) * DAY_NS + sinceMidnight + rest;
  return suffix === undefined ? instantIn(local, zone) : instantOfSuffix(local, suffix);
}

function instantOfSuffix(localNs: bigint, suffix: string): bigint | undefined {
  const zone = findZone(suffix);
  return zone === undefined ? undefined : instantIn(localNs, zone);
}

function instantIn(localNs: bigint, zone: Zone | undefined): bigint | undefined {
  if (zone === undefined) return withinTime(localNs);
  const [instant, second] = zone.instantsOf(localNs);
  return instant === undefined || second !== undefined ? undefined : withinTime(instant);
}

/** A day as `2024-02-29`; years outside 0 to 9999 have a sign. */
export function formatDay(days: number): string {
  const { year, month, day } = civilOfDay(days);
  return `${formatYear(year)}-${pad(month)}-${pad(day)}`;
}

/** An offset from UTC as `+01:00`; those of long ago may have seconds, which are shown as well. */
export function formatOffset(offsetNs: bigint, colon = ":"): string {
  const size = offsetNs < 0n ? -offsetNs : offsetNs;
  const seconds = Number((size / SECOND_NS) % 60n);
  const tail = seconds === 0 ? "" : `${colon}${pad(seconds)}`;
  const minutes = pad(Number((size / MINUTE_NS) % 60n));
  return `${offsetNs < 0n ? "-" : "+"}${pad(Number(size / HOUR_NS))}${colon}${minutes}${tail}`;
}

/** Four digits at least; years outside 0 to 9999 have a sign. */
export function formatYear(year: number): string {
  const digits = String(Math.abs(year)).padStart(4, "0");
  if (year < 0) return `-${digits}`;
  return year > 9999 ? `+${digits}` : digits;
}

export function withinTime(timeNs: bigint): bigint | undefined {
  return timeNs < TIME_MIN || timeNs > TIME_MAX ? undefined : timeNs;
}

/** 12 AM is midnight, 12 PM noon. */
function hourOfHalf(hour: number, half: string): number | undefined {
  if (hour < 1 || hour > 12) return undefined;
  return (hour % 12) + (half.toUpperCase() === "PM" ? 12 : 0);
}

function pad(value: number): string {
  return String(value).padStart(2, "0");
}
