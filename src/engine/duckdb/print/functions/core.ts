/** The functions that every engine knows, as engine SQL. */
import type { IntervalValue } from "#model/query/expression.ts";
import type { CoreFunction } from "#model/query/functions/core.ts";
import { isFloat } from "#model/query/value-type.ts";
import { printError } from "../cast.ts";
import { printInUnit, printLocalOf, zoneName } from "../casts/time.ts";
import { printOnWallClock, zoneOf } from "../casts/zone.ts";
import { NAN } from "../literal.ts";
import {
  printDateBin,
  printDatePart,
  printDateTrunc,
  printShift,
  printZonedShift,
} from "../time.ts";
import { isDecimal, printDecimal, printDecimalQuotient } from "./decimal.ts";
import { printLet } from "./let.ts";
import {
  argument,
  type Call,
  type CallPrinter,
  infix,
  literalOf,
  named,
  type Printers,
} from "./printer.ts";
import { printRegexpLike } from "./regexp.ts";

const FINE_UNITS: ReadonlySet<string> = new Set(
  "minute second millisecond microsecond nanosecond".split(" "),
);
const MONTH_NS = 30n * 86_400n * 1_000_000_000n;

/** The functions of model/query/functions/core.ts. */
export const CORE: Printers<CoreFunction> = {
  add: arithmetic("+"),
  subtract: arithmetic("-"),
  multiply: arithmetic("*"),
  divide: (args, call) =>
    isDecimal(call.type)
      ? printDecimalQuotient(args, call, "quotient")
      : printDivision(args, call, isFloat(call.type) ? "/" : "//"),
  modulo: (args, call) =>
    isDecimal(call.type)
      ? printDecimalQuotient(args, call, "rest")
      : printDivision(args, call, "%"),
  negate: ([a = ""], { type }) => (type === "uint64" ? `(CAST(0 AS UBIGINT) - ${a})` : `(- ${a})`),
  abs: named("abs"),
  equal: comparison("="),
  not_equal: comparison("<>"),
  less: comparison("<"),
  less_equal: comparison("<="),
  greater: comparison(">"),
  greater_equal: comparison(">="),
  is_distinct: comparison("IS DISTINCT FROM"),
  is_not_distinct: comparison("IS NOT DISTINCT FROM"),
  and: infix("AND"),
  or: infix("OR"),
  not: ([a = ""]) => `(NOT ${a})`,
  is_null: ([a = ""]) => `(${a} IS NULL)`,
  is_not_null: ([a = ""]) => `(${a} IS NOT NULL)`,
  like: like("LIKE"),
  ilike: like("ILIKE"),
  regexp_like: printRegexpLike,
  concat: named("concat"),
  concat_operator: infix("||"),
  lower: named("lower"),
  upper: named("upper"),
  length: named("length"),
  // The engine's own take every kind of space.
  trim: ([a = ""]) => `trim(${a}, ' ')`,
  ltrim: ([a = ""]) => `ltrim(${a}, ' ')`,
  rtrim: ([a = ""]) => `rtrim(${a}, ' ')`,
  replace: named("replace"),
  starts_with: named("starts_with"),
  ends_with: named("ends_with"),
  strpos: named("strpos"),
  substr: printSubstring,
  left: named("left"),
  right: named("right"),
  ceil: named("ceil"),
  floor: named("floor"),
  round: ([a = "", digits]) =>
    digits === undefined ? `round(${a})` : `round(${a}, CAST(${digits} AS INTEGER))`,
  trunc: named("trunc"),
  sqrt: (args) =>
    printLet(args, (a = "") => `(CASE WHEN ${a} < 0 THEN ${NAN} ELSE sqrt(${a}) END)`),
  ln: logarithm("ln"),
  log10: logarithm("log10"),
  log2: logarithm("log2"),
  exp: named("exp"),
  power: named("pow"),
  sin: ofFinite("sin"),
  cos: ofFinite("cos"),
  tan: ofFinite("tan"),
  coalesce: named("coalesce"),
  greatest: named("greatest"),
  least: named("least"),
  nullif: named("nullif"),
  date_bin: ([, time = ""], call) => {
    const [interval, origin] = [literalOf(call, 0) as IntervalValue, literalOf(call, 2) ?? 0n];
    return printInUnit(printDateBin(interval, time, origin as bigint), call.type);
  },
  date_trunc: ([, time = ""], call) => printTrunc(literalOf(call, 0) as string, time, call.type),
  date_part: ([, time = ""], call) => {
    const unit = literalOf(call, 0) as string;
    const { type } = argument(call, 1);
    return printDatePart(unit, unit === "epoch" ? time : printLocalOf(time, type));
  },
  add_interval: ([time = "", interval = ""], call) => printMoved(time, 1, interval, call),
  subtract_interval: ([time = "", interval = ""], call) => printMoved(time, -1, interval, call),
  timestamp_difference: infix("-"),
};

function arithmetic(operator: string): CallPrinter {
  return (args, call) =>
    isDecimal(call.type) ? printDecimal(operator, args, call) : infix(operator)(args, call);
}

/** Units from hours on begin with local ones. */
function printTrunc(unit: string, time: string, type: Call["type"]): string {
  const zone = zoneName(type);
  const fine = FINE_UNITS.has(unit);
  if (zone === undefined || fine) return printDateTrunc(unit, time);
  return printOnWallClock(time, zoneOf(zone), (local) => printDateTrunc(unit, local));
}

/** Months and whole days are counted by the clocks of the zone. */
function printMoved(time: string, sign: 1 | -1, printed: string, call: Call): string {
  const interval = argument(call, 1);
  const name = zoneName(call.type);
  const zone = name === undefined ? undefined : zoneOf(name);
  const moved =
    zone === undefined || zone.fixedNs !== undefined
      ? printShift(time, sign, interval, printed)
      : printZonedShift(time, zone, sign, printed);
  return printInUnit(moved, call.type);
}

function comparison(operator: string): CallPrinter {
  return (args, call) => {
    const interval = call.arguments.some(({ type }) => type === "interval");
    return infix(operator)(interval ? args.map(printIntervalLength) : args, call);
  };
}

/** A month counts 30 days where intervals are compared. */
function printIntervalLength(interval: string): string {
  return `(CAST((${interval}).m AS HUGEINT) * ${MONTH_NS} + (${interval}).n)`;
}

function printDivision(args: readonly string[], call: Call, operator: string): string {
  const [a = "", b = ""] = args;
  if (isFloat(call.type)) return `(${a} ${operator} ${b})`;
  const divisor = argument(call, 1);
  // A whole number divided by zero is NULL to the engine.
  const safe = divisor.kind === "literal" && divisor.value !== 0n;
  if (safe) return `(${a} ${operator} ${b})`;
  const guarded = `CASE WHEN ${b} = 0 AND ${a} IS NOT NULL THEN ${printError("divide_by_zero")} ELSE ${b} END`;
  return `(${a} ${operator} ${guarded})`;
}

function like(operator: "LIKE" | "ILIKE"): CallPrinter {
  return ([text = "", pattern = ""], call) => {
    const literal = argument(call, 1);
    // With ESCAPE the engine cannot turn the pattern into a search for a prefix or a part.
    const value = literal.kind === "literal" ? literal.value : null;
    const plain = typeof value === "string" && !value.includes("\\");
    if (plain) return `(${text} ${operator} ${pattern})`;
    return `(${text} ${operator} ${printPattern(pattern)} ESCAPE '\\')`;
  };
}

/** A backslash that escapes nothing, at the end, is one: the engine would refuse the pattern. */
function printPattern(pattern: string): string {
  return `regexp_replace(${pattern}, '^((?:[^\\\\]|\\\\.)*)\\\\$', '\\1\\\\\\\\', 's')`;
}

/** Characters `from` (1 is the first) to below `from + count`; those before the first count as well, but are not there. */
function printSubstring([text = "", from = "", count]: readonly string[]): string {
  const start = `greatest(${from}, 1)`;
  const known =
    count === undefined ? `${from} IS NOT NULL` : `${from} IS NOT NULL AND ${count} IS NOT NULL`;
  const part =
    count === undefined
      ? `substr(${text}, ${start})`
      : `substr(${text}, ${start}, greatest(${from} + ${count} - ${start}, 0))`;
  return `(CASE WHEN ${known} THEN ${part} END)`;
}

function logarithm(name: string): CallPrinter {
  return (args) =>
    printLet(args, (a = "") => {
      const infinite = "CAST('-Infinity' AS DOUBLE)";
      return `(CASE WHEN ${a} < 0 THEN ${NAN} WHEN ${a} = 0 THEN ${infinite} ELSE ${name}(${a}) END)`;
    });
}

function ofFinite(name: string): CallPrinter {
  return ([a = ""]) => `(CASE WHEN isinf(${a}) THEN ${NAN} ELSE ${name}(${a}) END)`;
}
