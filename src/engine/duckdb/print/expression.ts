/** Expressions as engine SQL, with exactly the meaning that model/expression.ts gives them. */
import { assert, DbError } from "#base/errors.ts";
import type { Expression, IntervalValue, ScalarFunction } from "#model/expression.ts";
import { printCast, printError } from "./cast.ts";
import { NAN, printLiteral } from "./literal.ts";
import { printDateBin, printDatePart, printDateTrunc, printShift } from "./time.ts";

/** The SQL of field `index` of the input: a column's name. */
export type InputName = (index: number) => string;

/** The most characters of an expression; nested functions that print an argument twice grow fast. */
export const EXPRESSION_SIZE_MAX = 4_000_000;

const MONTH_NS = 30n * 86_400n * 1_000_000_000n;

/** Rejects with `exceeded` / `expression_size` when the text grows beyond EXPRESSION_SIZE_MAX. */
export function printExpression(expression: Expression, inputName: InputName): string {
  const text = printKind(expression, inputName);
  if (text.length <= EXPRESSION_SIZE_MAX) return text;
  throw new DbError("exceeded", "expression_size", "an expression of the query is too large", {
    detail: { sizeMax: EXPRESSION_SIZE_MAX },
  });
}

function printKind(expression: Expression, inputName: InputName): string {
  const print = (part: Expression) => printExpression(part, inputName);
  switch (expression.kind) {
    case "input":
      return inputName(expression.index);
    case "literal":
      return printLiteral(expression.value, expression.type);
    case "call":
      return PRINTERS[expression.name](expression.arguments.map(print), expression);
    case "cast": {
      const { operand, safe, type } = expression;
      return printCast({ operand: print(operand), source: operand.type, target: type, safe });
    }
    case "case": {
      const branches = expression.branches.map(
        ({ when, result }) => `WHEN ${print(when)} THEN ${print(result)}`,
      );
      return `(CASE ${branches.join(" ")} ELSE ${print(expression.otherwise)} END)`;
    }
    case "in": {
      if (expression.list.length === 0) return "FALSE";
      return `(${print(expression.operand)} IN (${expression.list.map(print).join(", ")}))`;
    }
  }
}

type Call = Extract<Expression, { kind: "call" }>;
type CallPrinter = (args: readonly string[], call: Call) => string;

const PRINTERS: Readonly<Record<ScalarFunction, CallPrinter>> = {
  add: infix("+"),
  subtract: infix("-"),
  multiply: infix("*"),
  divide: (args, call) => printDivision(args, call, call.type === "float64" ? "/" : "//"),
  modulo: (args, call) => printDivision(args, call, "%"),
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
  regexp_like: named("regexp_matches"),
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
  sqrt: ([a = ""]) => `(CASE WHEN ${a} < 0 THEN ${NAN} ELSE sqrt(${a}) END)`,
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
  date_bin: ([, time = ""], call) =>
    printDateBin(literalOf(call, 0) as IntervalValue, time, (literalOf(call, 2) ?? 0n) as bigint),
  date_trunc: ([, time = ""], call) => printDateTrunc(literalOf(call, 0) as string, time),
  date_part: ([, time = ""], call) => printDatePart(literalOf(call, 0) as string, time),
  add_interval: ([time = "", interval = ""], call) =>
    printShift(time, 1, argument(call, 1), interval),
  subtract_interval: ([time = "", interval = ""], call) =>
    printShift(time, -1, argument(call, 1), interval),
  timestamp_difference: ([a = "", b = ""]) =>
    `(CASE WHEN ${a} IS NULL OR ${b} IS NULL THEN NULL ELSE {'m': CAST(0 AS BIGINT), 'n': ${a} - ${b}} END)`,
};

function named(name: string): CallPrinter {
  return (args) => `${name}(${args.join(", ")})`;
}

function infix(operator: string): CallPrinter {
  return (args) => `(${args.join(` ${operator} `)})`;
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
  if (call.type === "float64") return `(${a} ${operator} ${b})`;
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
  return ([a = ""]) =>
    `(CASE WHEN ${a} < 0 THEN ${NAN} WHEN ${a} = 0 THEN CAST('-Infinity' AS DOUBLE) ELSE ${name}(${a}) END)`;
}

function ofFinite(name: string): CallPrinter {
  return ([a = ""]) => `(CASE WHEN isinf(${a}) THEN ${NAN} ELSE ${name}(${a}) END)`;
}

function argument(call: Call, index: number): Expression {
  const found = call.arguments[index];
  assert(found !== undefined, `${call.name} lacks argument ${index}`);
  return found;
}

function literalOf(call: Call, index: number): Extract<Expression, { kind: "literal" }>["value"] {
  const found = call.arguments[index];
  if (found === undefined) return null;
  assert(found.kind === "literal", `argument ${index} of ${call.name} is a literal`);
  return found.value;
}
