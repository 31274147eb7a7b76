/** Texts of dates, times of day, durations and instants in a zone, as Arrow shows them. */
import { formatTimestamp } from "#model/time-text.ts";

const NS_PER_SECOND = 1_000_000_000n;
const NS_PER_MINUTE = 60n * NS_PER_SECOND;
const NS_PER_DAY = 1440n * NS_PER_MINUTE;
/** Offsets of zones change at whole quarters of an hour. */
const QUARTER_NS = 15n * NS_PER_MINUTE;
const QUARTERS_MAX = 4096;
const DAYS_PER_ERA = 146_097;
const OFFSET = /^([+-])(\d\d):?(\d\d)$/;

/** A day as `2024-02-29`, from days since the Unix epoch; years outside 0 to 9999 have a sign. */
export function formatDate(days: number): string {
  // Years begin in March, so that a leap day ends one; eras are 400 of them.
  const day = days + 719_468;
  const era = Math.floor(day / DAYS_PER_ERA);
  const dayOfEra = day - era * DAYS_PER_ERA;
  const yearOfEra = Math.floor(
    (dayOfEra -
      Math.floor(dayOfEra / 1460) +
      Math.floor(dayOfEra / 36_524) -
      Math.floor(dayOfEra / 146_096)) /
      365,
  );
  const dayOfYear =
    dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const march = Math.floor((5 * dayOfYear + 2) / 153);
  const month = march < 10 ? march + 3 : march - 9;
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0);
  const dayOfMonth = dayOfYear - Math.floor((153 * march + 2) / 5) + 1;
  return `${yearText(year)}-${twoDigits(month)}-${twoDigits(dayOfMonth)}`;
}

/** A time of day as `12:34:56.500`, from nanoseconds since midnight, with 0, 3, 6 or 9 digits of the second. */
export function formatTime(sinceMidnightNs: bigint): string {
  return formatTimestamp(sinceMidnightNs).slice(11);
}

/** A duration of nanoseconds in ISO 8601, in days and seconds: `P2DT90.5S`, `-PT1S`, `P0D` for nothing. */
export function formatDuration(duration: bigint): string {
  if (duration === 0n) return "P0D";
  const size = duration < 0n ? -duration : duration;
  const days = size / NS_PER_DAY;
  const rest = size % NS_PER_DAY;
  const fraction = String(rest % NS_PER_SECOND).padStart(9, "0");
  const digits = fraction.replace(/0+$/, "");
  const seconds = `T${rest / NS_PER_SECOND}${digits === "" ? "" : `.${digits}`}S`;
  return `${duration < 0n ? "-" : ""}P${days === 0n ? "" : `${days}D`}${rest === 0n ? "" : seconds}`;
}

/** Shows instants in `zone`, an IANA name or an offset, with its offset then: `2024-02-29T13:00:00+01:00`, `Z` for none. */
export function zonedFormat(zone: string): (timeNs: bigint) => string {
  const offsetAt = offsetMinutes(zone);
  return (timeNs) => {
    const minutes = offsetAt(timeNs);
    const local = formatTimestamp(timeNs + BigInt(minutes) * NS_PER_MINUTE);
    return `${local}${offsetText(minutes)}`;
  };
}

function offsetText(minutes: number): string {
  if (minutes === 0) return "Z";
  const size = Math.abs(minutes);
  return `${minutes < 0 ? "-" : "+"}${twoDigits(Math.floor(size / 60))}:${twoDigits(size % 60)}`;
}

/** Minutes east of UTC at an instant. */
function offsetMinutes(zone: string): (timeNs: bigint) => number {
  const fixed = OFFSET.exec(zone);
  if (fixed !== null) {
    const minutes = Number(fixed[2]) * 60 + Number(fixed[3]);
    return () => (fixed[1] === "-" ? -minutes : minutes);
  }
  const format = new Intl.DateTimeFormat("en-US", { timeZone: zone, timeZoneName: "longOffset" });
  const known = new Map<bigint, number>();
  return (timeNs) => {
    const quarter = timeNs / QUARTER_NS - (timeNs < 0n ? 1n : 0n);
    let minutes = known.get(quarter);
    if (minutes === undefined) {
      minutes = offsetOf(format, Number(timeNs / 1_000_000n));
      if (known.size >= QUARTERS_MAX) known.clear();
      known.set(quarter, minutes);
    }
    return minutes;
  };
}

/** Offsets of long ago have seconds, which are not shown. */
function offsetOf(format: Intl.DateTimeFormat, timeMs: number): number {
  const part = format.formatToParts(timeMs).find(({ type }) => type === "timeZoneName");
  const match = /GMT([+-])(\d\d):(\d\d)/.exec(part?.value ?? "");
  if (match === null) return 0;
  const minutes = Number(match[2]) * 60 + Number(match[3]);
  return match[1] === "-" ? -minutes : minutes;
}

function yearText(year: number): string {
  const digits = String(Math.abs(year)).padStart(4, "0");
  if (year >= 0 && year <= 9999) return digits;
  return `${year < 0 ? "-" : "+"}${digits}`;
}

function twoDigits(value: number): string {
  return String(value).padStart(2, "0");
}
