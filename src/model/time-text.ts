import { TIME_MAX, TIME_MIN } from "./time-range.ts";

const TIMESTAMP =
  /^(\d{4})-(\d{2})-(\d{2})(?:[Tt ](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d+))?)?)?\s?(Z|z|[+-]\d{2}(?::?\d{2})?)?$/;
const NANOSECONDS = /^[+-]?\d{1,19}$/;
/** So many digits alone are rather a year, a month or a day than nanoseconds. */
const DATE_DIGITS = /^\d{4}$|^\d{6}$|^\d{8}$/;
const NS_PER_MS = 1_000_000n;
const NS_PER_SECOND = 1_000_000_000n;

/**
 * Nanoseconds since the Unix epoch of `text`: a date, or date and time with `T` or a space between, to the minute or finer,
 * in UTC or with `Z` or an offset; or the nanoseconds themselves in digits. Digits below a nanosecond are cut.
 * Undefined for anything else, a day that does not exist, or an instant outside int64.
 */
export function parseTimestampText(text: string): bigint | undefined {
  const timeNs = parseAnyTimestampText(text);
  return timeNs === undefined || timeNs < TIME_MIN || timeNs > TIME_MAX ? undefined : timeNs;
}

/** As `parseTimestampText`, also of instants outside int64. */
export function parseAnyTimestampText(text: string): bigint | undefined {
  const trimmed = text.trim();
  if (NANOSECONDS.test(trimmed)) {
    return DATE_DIGITS.test(trimmed) ? undefined : BigInt(trimmed.replace("+", ""));
  }
  const match = TIMESTAMP.exec(trimmed);
  if (match === null) return undefined;
  const day = dayMs(Number(match[1]), Number(match[2]), Number(match[3]));
  const second = secondOfDay(match[4] ?? "0", match[5] ?? "0", match[6] ?? "0");
  const offset = offsetSeconds(match[8] ?? "Z");
  if (day === undefined || second === undefined || offset === undefined) return undefined;
  const fraction = BigInt((match[7] ?? "").slice(0, 9).padEnd(9, "0"));
  return BigInt(day) * NS_PER_MS + BigInt(second - offset) * NS_PER_SECOND + fraction;
}

/**
 * An instant as `2025-02-25T20:19:34.984098`: UTC without saying so, with 0, 3, 6 or 9 digits of the second as needed.
 * `timeNs` are nanoseconds since the Unix epoch, within int64.
 */
export function formatTimestamp(timeNs: bigint): string {
  let fraction = timeNs % NS_PER_SECOND;
  if (fraction < 0n) fraction += NS_PER_SECOND;
  const seconds = (timeNs - fraction) / NS_PER_SECOND;
  const text = new Date(Number(seconds) * 1000).toISOString().slice(0, 19);
  if (fraction === 0n) return text;
  const digits = String(fraction).padStart(9, "0");
  if (digits.endsWith("000000")) return `${text}.${digits.slice(0, 3)}`;
  return digits.endsWith("000") ? `${text}.${digits.slice(0, 6)}` : `${text}.${digits}`;
}

function dayMs(year: number, month: number, day: number): number | undefined {
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  // A day that the month lacks has moved into the next one.
  return date.getUTCMonth() === month - 1 && date.getUTCDate() === day ? date.getTime() : undefined;
}

function secondOfDay(hour: string, minute: string, second: string): number | undefined {
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) return undefined;
  return Number(hour) * 3600 + Number(minute) * 60 + Number(second);
}

function offsetSeconds(zone: string): number | undefined {
  if (zone === "Z" || zone === "z") return 0;
  const hours = Number(zone.slice(1, 3));
  const minutes = Number(zone.slice(3).replace(":", ""));
  if (hours > 23 || minutes > 59) return undefined;
  return (zone.startsWith("-") ? -60 : 60) * (hours * 60 + minutes);
}
