/** Days of the Gregorian calendar, counted from the Unix epoch. */

/** Months are 1 to 12. */
export interface CivilDate {
  readonly year: number;
  readonly month: number;
  readonly day: number;
}

/** Years that days may have, as far as 32 bits of days reach. */
export const YEAR_MAX = 262_142;

const DAYS_PER_ERA = 146_097;
/** From March 1 of year 0 to the epoch. */
const EPOCH_DAY = 719_468;

export function civilOfDay(days: number): CivilDate {
  // Years begin in March, so that a leap day ends one; eras are 400 of them.
  const day = days + EPOCH_DAY;
  const era = Math.floor(day / DAYS_PER_ERA);
  const dayOfEra = day - era * DAYS_PER_ERA;
  const leapDays =
    Math.floor(dayOfEra / 1460) - Math.floor(dayOfEra / 36_524) + Math.floor(dayOfEra / 146_096);
  const yearOfEra = Math.floor((dayOfEra - leapDays) / 365);
  const yearDays = 365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100);
  const marchDay = dayOfEra - yearDays;
  const march = Math.floor((5 * marchDay + 2) / 153);
  const month = march < 10 ? march + 3 : march - 9;
  return {
    year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0),
    month,
    day: marchDay - Math.floor((153 * march + 2) / 5) + 1,
  };
}

/** Undefined for a day that does not exist, or a year beyond YEAR_MAX. */
export function dayOfCivil({ year, month, day }: CivilDate): number | undefined {
  if (Math.abs(year) > YEAR_MAX || month < 1 || month > 12) return undefined;
  if (day < 1 || day > daysInMonth(year, month)) return undefined;
  const marchYear = month <= 2 ? year - 1 : year;
  const era = Math.floor(marchYear / 400);
  const yearOfEra = marchYear - era * 400;
  const march = month > 2 ? month - 3 : month + 9;
  const marchDay = Math.floor((153 * march + 2) / 5) + day - 1;
  const yearDays = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100);
  return era * DAYS_PER_ERA + yearDays + marchDay - EPOCH_DAY;
}

/** The same day of the month `months` later, or the last one of a month that has no such day; undefined beyond YEAR_MAX. */
export function addMonths(days: number, months: number): number | undefined {
  const { year, month, day } = civilOfDay(days);
  const count = year * 12 + month - 1 + months;
  const moved = { year: Math.floor(count / 12), month: (((count % 12) + 12) % 12) + 1 };
  return dayOfCivil({ ...moved, day: Math.min(day, daysInMonth(moved.year, moved.month)) });
}

function daysInMonth(year: number, month: number): number {
  if (month === 2) return isLeap(year) ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

/** From 1. */
export function dayOfYear(days: number): number {
  return days - yearStart(civilOfDay(days).year) + 1;
}

/** 0 is Sunday. */
export function weekdayOf(days: number): number {
  return (((days + 4) % 7) + 7) % 7;
}

/** Week 1 of ISO 8601 holds the year's first Thursday; so the first or last days of a year may be of another one's weeks. */
export function isoWeek(days: number): { readonly year: number; readonly week: number } {
  const thursday = days - ((weekdayOf(days) + 6) % 7) + 3;
  const { year } = civilOfDay(thursday);
  return { year, week: Math.floor((thursday - yearStart(year)) / 7) + 1 };
}

/** January 1, of any year. */
export function yearStart(year: number): number {
  return dayOfCivil({ year, month: 1, day: 1 }) ?? Number.NaN;
}

function isLeap(year: number): boolean {
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
}
