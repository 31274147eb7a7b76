import type { IntervalValue } from "../query/expression.ts";

const NS_PER_SECOND = 1_000_000_000n;
const NS_PER_DAY = 86_400n * NS_PER_SECOND;
const DAYS_PER_MONTH = 30n;
const FRACTION_DIGITS = 9;
const FRACTION = 10n ** 9n;
const MONTHS_MAX = 2n ** 31n - 1n;
const NANOSECONDS_MAX = 2n ** 63n - 1n;

/** Months of a calendar unit, nanoseconds of a fixed one. */
const MONTHS: ReadonlyMap<string, bigint> = new Map([
  ...units(1200n, "century centuries c cent"),
  ...units(120n, "decade decades dec decs"),
  ...units(12n, "year years y yr yrs"),
  ...units(3n, "quarter quarters qtr"),
  ...units(1n, "month months mon mons"),
]);
const NANOSECONDS: ReadonlyMap<string, bigint> = new Map([
  ...units(7n * NS_PER_DAY, "week weeks w"),
  ...units(NS_PER_DAY, "day days d"),
  ...units(3600n * NS_PER_SECOND, "hour hours h hr hrs"),
  ...units(60n * NS_PER_SECOND, "minute minutes m min mins"),
  ...units(NS_PER_SECOND, "second seconds s sec secs"),
  ...units(1_000_000n, "millisecond milliseconds ms msec msecs"),
  ...units(1000n, "microsecond microseconds us usec usecs"),
  ...units(1n, "nanosecond nanoseconds ns nsec nsecs"),
]);
const PART = /\s*([+-]?)(\d{1,19})?(?:\.(\d{0,19}))?\s*(\p{L}*)\s*/uy;

/** Whether `word`, in lower case, is a unit of an interval. */
export function isIntervalUnit(word: string): boolean {
  return MONTHS.has(word) || NANOSECONDS.has(word);
}

/**
 * The interval of text such as `1 year -2 days 3.5 hours`: numbers with units, plural, singular or short, in any case.
 * A number without a unit counts `unit`. Undefined for anything else, and beyond int32 months or int64 nanoseconds.
 */
export function parseIntervalText(text: string, unit = "second"): IntervalValue | undefined {
  if (text.trim() === "") return undefined;
  let months = 0n;
  let nanoseconds = 0n;
  for (let offset = 0; offset < text.length; offset = PART.lastIndex) {
    PART.lastIndex = offset;
    const part = partOf(PART.exec(text), unit);
    if (part === undefined) return undefined;
    months += part.months;
    nanoseconds += part.nanoseconds;
  }
  if (size(months) > MONTHS_MAX || size(nanoseconds) > NANOSECONDS_MAX) return undefined;
  return { months: Number(months), nanoseconds };
}

function partOf(
  match: RegExpExecArray | null,
  unit: string,
): { months: bigint; nanoseconds: bigint } | undefined {
  if (match === null) return undefined;
  const [all, sign = "", whole = "", fraction = "", name = ""] = match;
  if (whole === "" && fraction === "") return undefined;
  const amount = scaled(`${sign}${whole}`, fraction);
  if (name !== "") return lengthOf(amount, name.toLowerCase());
  // Only a number that is the whole text does without its unit.
  return all.length === match.input.length ? lengthOf(amount, unit) : undefined;
}

/** `amount` is in units of 1e-9. */
function lengthOf(
  amount: bigint,
  unit: string,
): { months: bigint; nanoseconds: bigint } | undefined {
  const fixed = NANOSECONDS.get(unit);
  if (fixed !== undefined) return { months: 0n, nanoseconds: (amount * fixed) / FRACTION };
  const calendar = MONTHS.get(unit);
  if (calendar === undefined) return undefined;
  const all = amount * calendar;
  // The part of a month that is left counts as days of a month of 30.
  return {
    months: all / FRACTION,
    nanoseconds: ((all % FRACTION) * DAYS_PER_MONTH * NS_PER_DAY) / FRACTION,
  };
}

/** A decimal number in units of 1e-9; digits below are cut. */
function scaled(whole: string, fraction: string): bigint {
  const digits = fraction.slice(0, FRACTION_DIGITS).padEnd(FRACTION_DIGITS, "0");
  const amount = BigInt(`${whole.replace(/^[+-]/, "")}${digits}`);
  return whole.startsWith("-") ? -amount : amount;
}

function size(value: bigint): bigint {
  return value < 0n ? -value : value;
}

function units(value: bigint, names: string): [string, bigint][] {
  return names.split(" ").map((name) => [name, value]);
}

/** As Arrow shows it: `1 mons 2 days 3 hours 4 mins 5.000000006 secs`, without the parts that are 0; `0 secs` for nothing. */
export function formatIntervalParts({ months, nanoseconds }: IntervalValue): string {
  const { days, hours, minutes, seconds } = partsOf(nanoseconds);
  const parts = [
    [BigInt(months), "mons"],
    [days, "days"],
    [hours, "hours"],
    [minutes, "mins"],
  ] as const;
  const texts = parts.filter(([count]) => count !== 0n).map(([count, name]) => `${count} ${name}`);
  if (!/^-?0\.0+$/.test(seconds)) texts.push(`${seconds} secs`);
  return texts.length === 0 ? "0 secs" : texts.join(" ");
}

/** As Arrow shows it: `0 days 1 hours 30 mins 0.000000000 secs`. */
export function formatDurationParts(durationNs: bigint): string {
  const { days, hours, minutes, seconds } = partsOf(durationNs);
  return `${days} days ${hours} hours ${minutes} mins ${seconds} secs`;
}

/** Each with the sign of the whole. */
function partsOf(nanoseconds: bigint) {
  const seconds = nanoseconds / NS_PER_SECOND;
  const fraction = String(size(nanoseconds) % NS_PER_SECOND).padStart(9, "0");
  const sign = nanoseconds < 0n ? "-" : "";
  return {
    days: nanoseconds / NS_PER_DAY,
    hours: (seconds / 3600n) % 24n,
    minutes: (seconds / 60n) % 60n,
    seconds: `${sign}${size(seconds % 60n)}.${fraction}`,
  };
}
