/** Times from text by a pattern. */
import { DAY_NS, SECOND_NS } from "../time-units.ts";
import { dayOfCivil, isoWeek, weekdayOf, YEAR_MAX, yearStart } from "./date.ts";
import { MONTH_NAMES, SHORT_LENGTH, WEEKDAY_NAMES } from "./names.ts";
import type { PatternField, PatternItem, PatternPart } from "./pattern.ts";
import type { Zone } from "./zone.ts";

/** What a text said, by field; names are numbers as well. */
type Found = Map<PatternField | "offset_ns", bigint>;

const NUMBER_WIDTHS: Readonly<Partial<Record<PatternField, number>>> = {
  year: 4,
  century: 2,
  year_of_century: 2,
  quarter: 1,
  month: 2,
  day: 2,
  weekday_from_sunday: 1,
  weekday_from_monday: 1,
  week_from_sunday: 2,
  week_from_monday: 2,
  iso_year: 4,
  iso_year_of_century: 2,
  iso_week: 2,
  day_of_year: 3,
  hour: 2,
  hour_of_half: 2,
  minute: 2,
  second: 2,
  nanosecond: 9,
  epoch_second: 18,
};
const SIGNED: ReadonlySet<PatternField> = new Set(["year", "iso_year", "epoch_second"]);
/** The same things under another name. */
const ONE_NAME: Readonly<Partial<Record<PatternField, PatternField>>> = {
  month_short: "month",
  month_name: "month",
  weekday_short: "weekday_from_sunday",
  weekday_name: "weekday_from_sunday",
  half_lower: "half",
  fraction: "nanosecond",
  point_fraction: "nanosecond",
};
const OFFSETS = {
  usual: /^\s*([+-])(\d{2})\s*:?\s*(\d{2})/,
  permissive: /^\s*(?:([Zz])|([+-])(\d{2})(?:\s*:?\s*(\d{2}))?)/,
} as const;

/**
 * The instant that the whole `text` names, in nanoseconds since the Unix epoch, of any size; a time without an offset is one of `zone`, or UTC.
 * Undefined where the text is another one, or does not say which day.
 */
export function readPattern(
  items: readonly PatternItem[],
  text: string,
  zone?: Zone,
): bigint | undefined {
  const found: Found = new Map();
  let rest = text;
  for (const item of items) {
    const left = takeItem(item, rest, found);
    if (left === undefined) return undefined;
    rest = left;
  }
  return rest === "" ? instantOf(found, zone) : undefined;
}

/** What is left of `rest` behind `item`; undefined where it is not there. */
function takeItem(item: PatternItem, rest: string, found: Found): string | undefined {
  switch (item.kind) {
    case "text":
      return rest.startsWith(item.text) ? rest.slice(item.text.length) : undefined;
    case "space":
      return rest.trimStart();
    case "date_separator":
      return /^[Tt ]/.test(rest) ? rest.slice(1) : undefined;
    case "part":
      return takePart(item, rest, found);
  }
}

function takePart(part: PatternPart, rest: string, found: Found): string | undefined {
  switch (part.field) {
    case "month_name":
    case "month_short":
      return takeName(part, rest, MONTH_NAMES, found);
    case "weekday_name":
    case "weekday_short":
      return takeName(part, rest, WEEKDAY_NAMES, found);
    case "half":
    case "half_lower":
      return takeHalf(part, rest, found);
    case "fraction":
    case "point_fraction":
      return takeFraction(part, rest, found);
    case "zone_name":
      return rest.replace(/^\S+/u, "");
    case "offset":
      return takeOffset(part, rest, found);
    default:
      return takeNumber(part, rest, found);
  }
}

function takeNumber(part: PatternPart, rest: string, found: Found): string | undefined {
  const text = rest.trimStart();
  const width = NUMBER_WIDTHS[part.field] ?? 0;
  const signed = SIGNED.has(part.field) && /^[+-]/.test(text);
  // With a sign, a year has as many digits as there are.
  const pattern = signed ? /^[+-]\d{1,18}/ : new RegExp(`^\\d{1,${width}}`);
  const digits = pattern.exec(text)?.[0];
  if (digits === undefined) return undefined;
  return put(part, BigInt(digits.replace("+", "")), found) ? text.slice(digits.length) : undefined;
}

/** A name in full or its first letters, in any case. */
function takeName(
  part: PatternPart,
  rest: string,
  names: readonly string[],
  found: Found,
): string | undefined {
  const text = rest.toLowerCase();
  const index = names.findIndex((name) =>
    text.startsWith(name.slice(0, SHORT_LENGTH).toLowerCase()),
  );
  const name = names[index]?.toLowerCase();
  if (name === undefined) return undefined;
  const first = names === MONTH_NAMES ? 1 : 0;
  if (!put(part, BigInt(index + first), found)) return undefined;
  return rest.slice(text.startsWith(name) ? name.length : SHORT_LENGTH);
}

function takeHalf(part: PatternPart, rest: string, found: Found): string | undefined {
  const half = /^[AaPp][Mm]/.exec(rest)?.[0].toLowerCase();
  if (half === undefined || !put(part, half === "pm" ? 1n : 0n, found)) return undefined;
  return rest.slice(2);
}

/** With a point, there may be none, and digits below a nanosecond are passed over. */
function takeFraction(part: PatternPart, rest: string, found: Found): string | undefined {
  const point = part.field === "point_fraction";
  if (point && !rest.startsWith(".")) return rest;
  const pattern = point ? /^\.\d+/ : new RegExp(`^\\d{${part.width}}`);
  const matched = pattern.exec(rest)?.[0];
  if (matched === undefined) return undefined;
  const digits = matched.replace(".", "").slice(0, 9).padEnd(9, "0");
  return put(part, BigInt(digits), found) ? rest.slice(matched.length) : undefined;
}

function takeOffset(part: PatternPart, rest: string, found: Found): string | undefined {
  const permissive = part.offset === "permissive";
  const match = (permissive ? OFFSETS.permissive : OFFSETS.usual).exec(rest);
  if (match === null) return undefined;
  const [all, ...groups] = match;
  const [zulu, sign, hours = "0", minutes = "0"] = permissive ? groups : [undefined, ...groups];
  const seconds = zulu === undefined ? 3600n * BigInt(hours) + 60n * BigInt(minutes) : 0n;
  if (BigInt(minutes) > 59n || BigInt(hours) > 23n) return undefined;
  found.set("offset_ns", (sign === "-" ? -seconds : seconds) * SECOND_NS);
  return rest.slice(all.length);
}

/** False where the text has said something else of this before. */
function put({ field }: PatternPart, value: bigint, found: Found): boolean {
  const name = ONE_NAME[field] ?? field;
  const known = found.get(name);
  found.set(name, value);
  return known === undefined || known === value;
}

function instantOf(found: Found, zone: Zone | undefined): bigint | undefined {
  const epoch = found.get("epoch_second");
  if (epoch !== undefined) return epoch * SECOND_NS + (found.get("nanosecond") ?? 0n);
  const day = dayOf(found);
  const time = timeOf(found);
  if (day === undefined || time === undefined) return undefined;
  const local = BigInt(day) * DAY_NS + time;
  const offset = found.get("offset_ns");
  if (offset !== undefined) return local - offset;
  if (zone === undefined) return local;
  const [instant, second] = zone.instantsOf(local);
  return second === undefined ? instant : undefined;
}

function dayOf(found: Found): number | undefined {
  const day = givenDay(found);
  if (day === undefined) return undefined;
  const weekday = numberOf(found, "weekday_from_sunday") ?? sundayBased(found);
  return weekday === undefined || weekday === weekdayOf(day) ? day : undefined;
}

/** By month and day, day of the year, week of the year or week of ISO's year: the first that the text says. */
function givenDay(found: Found): number | undefined {
  const year = yearOf(found, "year", "year_of_century");
  const month = numberOf(found, "month");
  const day = numberOf(found, "day");
  if (year !== undefined && Math.abs(year) <= YEAR_MAX) {
    if (month !== undefined && day !== undefined) return dayOfCivil({ year, month, day });
    const ordinal = numberOf(found, "day_of_year");
    if (ordinal !== undefined) return dayOfOrdinal(year, ordinal);
    return dayOfWeek(found, year);
  }
  return isoDay(found);
}

function dayOfOrdinal(year: number, ordinal: number): number | undefined {
  const start = yearStart(year);
  const day = start + ordinal - 1;
  return ordinal >= 1 && day < yearStart(year + 1) ? day : undefined;
}

/** Week 1 begins with the year's first Sunday, or Monday. */
function dayOfWeek(found: Found, year: number): number | undefined {
  const weekday = numberOf(found, "weekday_from_sunday") ?? sundayBased(found);
  if (weekday === undefined) return undefined;
  const start = yearStart(year);
  const sundays = numberOf(found, "week_from_sunday");
  if (sundays !== undefined) {
    return dayOfOrdinal(year, ((7 - weekdayOf(start)) % 7) + (sundays - 1) * 7 + weekday + 1);
  }
  const mondays = numberOf(found, "week_from_monday");
  if (mondays === undefined) return undefined;
  const firstMonday = (8 - weekdayOf(start)) % 7;
  return dayOfOrdinal(year, firstMonday + (mondays - 1) * 7 + ((weekday + 6) % 7) + 1);
}

function isoDay(found: Found): number | undefined {
  const year = yearOf(found, "iso_year", "iso_year_of_century");
  const week = numberOf(found, "iso_week");
  const weekday = numberOf(found, "weekday_from_sunday") ?? sundayBased(found);
  if (year === undefined || week === undefined || weekday === undefined) return undefined;
  if (Math.abs(year) > YEAR_MAX) return undefined;
  const january4 = yearStart(year) + 3;
  const monday = january4 - ((weekdayOf(january4) + 6) % 7);
  const day = monday + (week - 1) * 7 + ((weekday + 6) % 7);
  return isoWeek(day).week === week ? day : undefined;
}

/** A year of two digits alone is of 1970 to 2069. */
function yearOf(found: Found, whole: PatternField, ofCentury: PatternField): number | undefined {
  const year = numberOf(found, whole);
  if (year !== undefined) return year;
  const short = numberOf(found, ofCentury);
  if (short === undefined) return undefined;
  const century = whole === "year" ? numberOf(found, "century") : undefined;
  return (century ?? (short < 70 ? 20 : 19)) * 100 + short;
}

/** Nanoseconds since midnight; what is not said is 0. */
function timeOf(found: Found): bigint | undefined {
  const hour = hourOf(found);
  const minute = found.get("minute") ?? 0n;
  const second = found.get("second") ?? 0n;
  if (hour === undefined || hour > 23n || minute > 59n || second > 60n) return undefined;
  if (found.has("minute") && !found.has("hour") && !found.has("hour_of_half")) return undefined;
  // A leap second counts as the one before it.
  const whole = (hour * 3600n + minute * 60n + (second > 59n ? 59n : second)) * SECOND_NS;
  return whole + (found.get("nanosecond") ?? 0n);
}

function hourOf(found: Found): bigint | undefined {
  const hour = found.get("hour");
  if (hour !== undefined) return hour;
  const ofHalf = found.get("hour_of_half");
  if (ofHalf === undefined) return 0n;
  const half = found.get("half");
  if (half === undefined || ofHalf < 1n || ofHalf > 12n) return undefined;
  return (ofHalf % 12n) + 12n * half;
}

function sundayBased(found: Found): number | undefined {
  const fromMonday = numberOf(found, "weekday_from_monday");
  return fromMonday === undefined ? undefined : fromMonday % 7;
}

function numberOf(found: Found, field: PatternField): number | undefined {
  const value = found.get(field);
  return value === undefined ? undefined : Number(value);
}
