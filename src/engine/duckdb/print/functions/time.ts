/** The functions of model/query/functions/time.ts as engine SQL. */
import type { IntervalValue } from "#model/query/expression.ts";
import type { TimeFunction } from "#model/query/functions/time.ts";
import { isTimestamp, type ValueType } from "#model/query/value-type.ts";
import { DAY_NS, MINUTE_NS, SECOND_NS } from "#model/time-units.ts";
import { printError } from "../cast.ts";
import { printInUnit, printLocalOf, printZoneName, zoneName } from "../casts/time.ts";
import { printOnWallClock, zoneOf } from "../casts/zone.ts";
import { sqlType } from "../literal.ts";
import { printDateBin } from "../time.ts";
import { printLet } from "./let.ts";
import { argument, type Call, infix, literalOf, type Printers } from "./printer.ts";

const MONTH_NS = 30n * DAY_NS;

/** Of an interval of months `m` and nanoseconds `n`. */
const INTERVAL_PARTS: Readonly<Record<string, (m: string, n: string) => string>> = {
  year: (m) => `${m} // 12`,
  quarter: (m) => `(${m} % 12) // 3 + 1`,
  month: (m) => `${m} % 12`,
  week: (_, n) => `${n} // ${7n * DAY_NS}`,
  day: (_, n) => `${n} // ${DAY_NS}`,
  hour: (_, n) => `${n} % ${DAY_NS} // ${60n * MINUTE_NS}`,
  minute: (_, n) => `${n} % ${60n * MINUTE_NS} // ${MINUTE_NS}`,
  second: (_, n) => `${n} % ${MINUTE_NS} // ${SECOND_NS}`,
  millisecond: (_, n) => `${n} % ${MINUTE_NS} // 1000000`,
  microsecond: (_, n) => `${n} % ${MINUTE_NS} // 1000`,
  nanosecond: (_, n) => `${n} % ${MINUTE_NS}`,
  epoch: (m, n) => `(CAST(${m} AS DOUBLE) * ${MONTH_NS} + ${n}) / 1e9`,
};

export const TIME: Printers<TimeFunction> = {
  make_date: ([year = "", month = "", day = ""]) =>
    `CAST(make_date(${year}, ${month}, ${day}) - DATE '1970-01-01' AS INTEGER)`,
  local_time: ([time = ""], call) => printLocalOf(time, argument(call, 0).type),
  date_bin_wallclock: ([, time = ""], call) => printWallClockBin(time, call),
  read_pattern: printRead,
  write_pattern: ([value = "", pattern = ""], call) =>
    printWrite(value, pattern, argument(call, 0).type),
  interval_part: ([, interval = ""], call) => {
    const part = INTERVAL_PARTS[literalOf(call, 0) as string];
    return printLet([interval], (i) => part?.(`(${i}).m`, `(${i}).n`) ?? "NULL");
  },
  add_duration: (args, { type }) => printInUnit(`(${args.join(" + ")})`, type),
  subtract_duration: (args, { type }) => printInUnit(`(${args.join(" - ")})`, type),
  add_days: infix("+"),
  add_to_date: ([date = "", interval = ""]) => printMovedDate(date, 1, interval),
  subtract_from_date: ([date = "", interval = ""]) => printMovedDate(date, -1, interval),
  add_intervals: ([left = "", right = ""]) => printIntervalSum(left, right, "+"),
  subtract_intervals: ([left = "", right = ""]) => printIntervalSum(left, right, "-"),
  multiply_interval: ([interval = "", factor = ""], call) =>
    printMultiple(interval, factor, argument(call, 1).type === "int64"),
};

function printWallClockBin(time: string, call: Call): string {
  const interval = literalOf(call, 0) as IntervalValue;
  const origin = (literalOf(call, 2) ?? 0n) as bigint;
  const zone = zoneName(call.type);
  const bin = (local: string) => printDateBin(interval, local, origin);
  const instant =
    zone === undefined
      ? bin(time)
      : printOnWallClock(time, zoneOf(zone), bin, interval.nanoseconds);
  return printInUnit(instant, call.type);
}

/** The first pattern that fits; NULL only for a NULL text or pattern. */
function printRead([text = "", ...patterns]: readonly string[], { type }: Call): string {
  const read = patterns.map((pattern) =>
    type === "date"
      ? `tl_read_pattern_date(${text}, ${pattern})`
      : `tl_read_pattern(${text}, ${pattern}, ${printZoneName(type)})`,
  );
  const known = [text, ...patterns].map((value) => `${value} IS NOT NULL`).join(" AND ");
  const failure = `CASE WHEN ${known} THEN ${printError("cast_failed")} END`;
  const found = `coalesce(${read.join(", ")}, CAST(${failure} AS ${sqlType(type)}))`;
  return isTimestamp(type) ? printInUnit(found, type) : found;
}

function printWrite(value: string, pattern: string, type: ValueType): string {
  if (type === "time") return `tl_write_time(${value}, ${pattern})`;
  const instant = type === "date" ? `CAST(${value} AS BIGINT) * ${DAY_NS}` : value;
  return `tl_write_instant(${instant}, ${pattern}, ${printZoneName(type)})`;
}

function printMovedDate(date: string, sign: 1 | -1, interval: string): string {
  return printLet([date, interval], (d, i) => {
    const start = `CAST(DATE '1970-01-01' + ${d} AS TIMESTAMP)`;
    const moved = `CAST(${start} + to_months(CAST(${sign} * (${i}).m AS INTEGER)) AS DATE)`;
    return `CAST(${moved} - DATE '1970-01-01' + ${sign} * ((${i}).n // ${DAY_NS}) AS INTEGER)`;
  });
}

function printIntervalSum(left: string, right: string, operator: "+" | "-"): string {
  return printLet([left, right], (a, b) =>
    printPair([a, b], `(${a}).m ${operator} (${b}).m`, `(${a}).n ${operator} (${b}).n`),
  );
}

function printMultiple(interval: string, factor: string, whole: boolean): string {
  return printLet([interval, factor], (i, by) => {
    if (whole) return printPair([i, by], `(${i}).m * ${by}`, `(${i}).n * ${by}`);
    const months = `trunc((${i}).m * ${by})`;
    const rest = `((${i}).m * ${by} - ${months}) * ${MONTH_NS} + (${i}).n * ${by}`;
    return printPair([i, by], months, `CAST(round(${rest}) AS BIGINT)`);
  });
}

/** An interval, whose months must be 32 bits wide; NULL where one of `operands` is. */
function printPair(operands: readonly string[], months: string, rest: string): string {
  const known = operands.map((operand) => `${operand} IS NOT NULL`).join(" AND ");
  return `(CASE WHEN ${known} THEN {'m': CAST(CAST(${months} AS INTEGER) AS BIGINT), 'n': ${rest}} END)`;
}
