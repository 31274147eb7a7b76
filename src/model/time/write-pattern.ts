/** Times as text by a pattern. */
import { floorDivide } from "#base/divide.ts";
import { DAY_NS, HOUR_NS, MINUTE_NS, SECOND_NS } from "../time-units.ts";
import { civilOfDay, dayOfYear, isoWeek, weekdayOf, yearStart } from "./date.ts";
import { MONTH_NAMES, SHORT_LENGTH, WEEKDAY_NAMES } from "./names.ts";
import type { Padding, PatternItem, PatternPart } from "./pattern.ts";
import { formatOffset, formatYear } from "./text.ts";
import type { Zone } from "./zone.ts";

/** What a pattern can show. */
export interface Moment {
  /** Days since the Unix epoch; undefined of a time of day. */
  readonly day: number | undefined;
  readonly timeOfDayNs: bigint;
  /** Undefined where the time has no zone. */
  readonly offsetNs: bigint | undefined;
}

/** The moment of an instant in `zone`, or in UTC without one. */
export function momentOf(timeNs: bigint, zone: Zone | undefined): Moment {
  const offsetNs = zone?.offsetAt(timeNs);
  const local = timeNs + (offsetNs ?? 0n);
  const day = floorDivide(local, DAY_NS);
  return { day: Number(day), timeOfDayNs: local - day * DAY_NS, offsetNs };
}

/** `moment` by a pattern; undefined where that shows what the moment lacks. */
export function writePattern(items: readonly PatternItem[], moment: Moment): string | undefined {
  let text = "";
  for (const item of items) {
    const piece = itemText(item, moment);
    if (piece === undefined) return undefined;
    text += piece;
  }
  return text;
}

function itemText(item: PatternItem, moment: Moment): string | undefined {
  switch (item.kind) {
    case "text":
    case "space":
      return item.text;
    case "date_separator":
      return "T";
    case "part":
      return timeText(item, moment) ?? zoneText(item, moment) ?? dateText(item, moment);
  }
}

function timeText(part: PatternPart, { timeOfDayNs }: Moment): string | undefined {
  const hour = Number(timeOfDayNs / HOUR_NS);
  const fraction = String(timeOfDayNs % SECOND_NS).padStart(9, "0");
  switch (part.field) {
    case "hour":
      return numberText(part, hour);
    case "hour_of_half":
      return numberText(part, hour % 12 === 0 ? 12 : hour % 12);
    case "half":
      return hour < 12 ? "AM" : "PM";
    case "half_lower":
      return hour < 12 ? "am" : "pm";
    case "minute":
      return numberText(part, Number((timeOfDayNs / MINUTE_NS) % 60n));
    case "second":
      return numberText(part, Number((timeOfDayNs / SECOND_NS) % 60n));
    case "nanosecond":
      return numberText(part, Number(fraction));
    case "fraction":
      return fraction.slice(0, part.width);
    case "point_fraction":
      return part.width === 0 ? neededFraction(fraction) : `.${fraction.slice(0, part.width)}`;
    default:
      return undefined;
  }
}

/** 0, 3, 6 or 9 digits after a point. */
function neededFraction(fraction: string): string {
  const digits = fraction.replace(/(000){1,3}$/, "");
  return digits === "" ? "" : `.${digits}`;
}

function zoneText(part: PatternPart, { offsetNs }: Moment): string | undefined {
  if (offsetNs === undefined) return undefined;
  if (part.field === "zone_name") return offsetNs === 0n ? "UTC" : formatOffset(offsetNs);
  if (part.field !== "offset") return undefined;
  const whole = formatOffset(offsetNs, part.colon);
  const minutes = whole.slice(0, 5 + (part.colon ?? "").length);
  if (part.offset === "hours") return whole.slice(0, 3);
  return part.offset === "seconds" ? whole.padEnd(9, ":00") : minutes;
}

function dateText(part: PatternPart, moment: Moment): string | undefined {
  const { day, timeOfDayNs } = moment;
  if (day === undefined) return undefined;
  if (part.field === "epoch_second") {
    const local = BigInt(day) * DAY_NS + timeOfDayNs;
    return String(floorDivide(local - (moment.offsetNs ?? 0n), SECOND_NS));
  }
  return nameText(part, day) ?? calendarText(part, day);
}

function nameText({ field }: PatternPart, day: number): string | undefined {
  const month = MONTH_NAMES[civilOfDay(day).month - 1] ?? "";
  const weekday = WEEKDAY_NAMES[weekdayOf(day)] ?? "";
  switch (field) {
    case "month_name":
      return month;
    case "month_short":
      return month.slice(0, SHORT_LENGTH);
    case "weekday_name":
      return weekday;
    case "weekday_short":
      return weekday.slice(0, SHORT_LENGTH);
    default:
      return undefined;
  }
}

function calendarText(part: PatternPart, day: number): string | undefined {
  const { year } = civilOfDay(day);
  if (part.field === "year") return yearText(part, year);
  if (part.field === "iso_year") return yearText(part, isoWeek(day).year);
  const value = calendarNumber(part, day);
  return value === undefined ? undefined : numberText(part, value);
}

function calendarNumber({ field }: PatternPart, day: number): number | undefined {
  const { year, month, day: dayOfMonth } = civilOfDay(day);
  switch (field) {
    case "century":
      return Math.floor(year / 100);
    case "year_of_century":
      return modulo(year, 100);
    case "iso_year_of_century":
      return modulo(isoWeek(day).year, 100);
    case "quarter":
      return Math.ceil(month / 3);
    case "month":
      return month;
    case "day":
      return dayOfMonth;
    case "day_of_year":
      return dayOfYear(day);
    default:
      return weekNumber(field, day, year);
  }
}

function weekNumber(field: PatternPart["field"], day: number, year: number): number | undefined {
  const sinceStart = day - yearStart(year);
  switch (field) {
    case "iso_week":
      return isoWeek(day).week;
    case "weekday_from_sunday":
      return weekdayOf(day);
    case "weekday_from_monday":
      return modulo(weekdayOf(day) - 1, 7) + 1;
    case "week_from_sunday":
      return Math.floor((sinceStart + 7 - weekdayOf(day)) / 7);
    case "week_from_monday":
      return Math.floor((sinceStart + 7 - modulo(weekdayOf(day) - 1, 7)) / 7);
    default:
      return undefined;
  }
}

function yearText(part: PatternPart, year: number): string {
  return year < 0 || year > 9999 ? formatYear(year) : numberText(part, year);
}

function numberText(
  { padding, width }: { padding: Padding; width: number },
  value: number,
): string {
  return padding === "none" ? String(value) : String(value).padStart(width, padding);
}

function modulo(value: number, divisor: number): number {
  return ((value % divisor) + divisor) % divisor;
}
