import { type Expression, isInterval } from "#model/query/expression.ts";
import type { ScalarFunction } from "#model/query/functions/scalar.ts";
import { typeText } from "#model/query/type-text.ts";
import type { ValueType } from "#model/query/value-type.ts";
import type { BinaryOperator } from "../../sql/ast.ts";
import { unsupported } from "../../sql/errors.ts";
import { coerce, commonType, isNumeric } from "./coerce.ts";
import { planningError } from "./errors.ts";
import { addIntervals, boundOfTime, foldTime, type Literal, literal } from "./fold.ts";

const COMPARISONS = {
  "=": "equal",
  "!=": "not_equal",
  "<": "less",
  "<=": "less_equal",
  ">": "greater",
  ">=": "greater_equal",
  "IS DISTINCT FROM": "is_distinct",
  "IS NOT DISTINCT FROM": "is_not_distinct",
} as const satisfies Partial<Record<BinaryOperator, ScalarFunction>>;
const ORDERS: ReadonlySet<Comparison> = new Set(["<", "<=", ">", ">="]);
const ARITHMETIC = {
  "+": "add",
  "-": "subtract",
  "*": "multiply",
  "/": "divide",
  "%": "modulo",
} as const satisfies Partial<Record<BinaryOperator, ScalarFunction>>;

type Arithmetic = keyof typeof ARITHMETIC;
type Comparison = keyof typeof COMPARISONS;

export function call(
  name: ScalarFunction,
  operands: readonly Expression[],
  type: ValueType,
): Extract<Expression, { kind: "call" }> {
  return { kind: "call", name, arguments: operands, type };
}

/** `left operator right` with the casts it needs. Throws DbError `invalid` / `sql_planning` for types that do not go together. */
export function binary(operator: BinaryOperator, left: Expression, right: Expression): Expression {
  switch (operator) {
    case "||":
      return concatenation(left, right);
    case "~":
    case "~*":
    case "!~":
    case "!~*":
      return pattern(operator, left, right);
    case "&":
    case "|":
    case "^":
    case "<<":
    case ">>":
    case "@>":
    case "<@":
      throw unsupported(`operator ${operator}`);
    default:
      return operator in ARITHMETIC
        ? arithmetic(operator as Arithmetic, left, right)
        : comparison(operator as Comparison, left, right);
  }
}

/** `-operand`. */
export function negation(operand: Expression): Expression {
  const negative = operand.kind === "literal" ? negativeOf(operand) : undefined;
  if (negative !== undefined) return negative;
  if (operand.type === "null") return literal(null, "int64");
  if (!isNumeric(operand.type)) {
    throw planningError(`Negation only supports numeric types, but got ${typeText(operand.type)}`);
  }
  const type = operand.type === "uint64" ? "int64" : operand.type;
  return call("negate", [coerce(operand, type)], type);
}

function negativeOf({ value, type }: Literal): Expression | undefined {
  // Of the unsigned numbers beyond int64 only 2^63 has a negative.
  if (typeof value === "bigint" && type !== "timestamp") {
    return value <= 2n ** 63n && value > -(2n ** 63n) ? literal(-value, "int64") : undefined;
  }
  if (typeof value === "number") return literal(-value, type);
  if (!isInterval(value)) return undefined;
  return literal({ months: 0 - value.months, nanoseconds: -value.nanoseconds }, type);
}

export function comparison(operator: Comparison, left: Expression, right: Expression): Expression {
  const type = commonType([left, right], "float64");
  if (type === undefined) {
    throw planningError(
      "Cannot infer common argument type for comparison operation " +
        `${typeText(left.type)} ${operator} ${typeText(right.type)}${timeHint(left, right)}`,
    );
  }
  if (type === "null") return comparisonOfNulls(operator);
  const sides = [coerce(left, type), coerce(right, type)];
  const bounds = type === "timestamp" && ORDERS.has(operator) ? sides.map(boundOfTime) : sides;
  return call(COMPARISONS[operator], bounds, "boolean");
}

function comparisonOfNulls(operator: Comparison): Expression {
  if (operator === "IS DISTINCT FROM") return literal(false, "boolean");
  return literal(operator === "IS NOT DISTINCT FROM" ? true : null, "boolean");
}

function timeHint(left: Expression, right: Expression): string {
  const types = [left.type, right.type];
  if (!types.includes("timestamp") || !types.some(isNumeric)) return "";
  return " (write a time as text, or nanoseconds as 1640995200000000000::TIMESTAMP)";
}

function arithmetic(operator: Arithmetic, left: Expression, right: Expression): Expression {
  const ofTime = timeArithmetic(operator, left, right);
  if (ofTime !== undefined) return ofTime;
  if (![left, right].every(({ type }) => isNumeric(type) || type === "null")) {
    throw planningError(
      `Cannot coerce arithmetic expression ${typeText(left.type)} ${operator} ${typeText(right.type)} to valid types`,
    );
  }
  const type = arithmeticType(operator, left, right);
  return call(ARITHMETIC[operator], [coerce(left, type), coerce(right, type)], type);
}

function arithmeticType(operator: Arithmetic, left: Expression, right: Expression): ValueType {
  const type = commonType([left, right], "int64") ?? "int64";
  if (type === "null") return "int64";
  // What is taken away from an unsigned number may leave a negative one.
  return operator === "-" && type === "uint64" && left.type !== right.type ? "int64" : type;
}

/** Sums and differences of timestamps and intervals; undefined when neither is one. */
function timeArithmetic(
  operator: Arithmetic,
  left: Expression,
  right: Expression,
): Expression | undefined {
  const types = `${plainName(left)} ${operator} ${plainName(right)}`;
  switch (types) {
    case "timestamp + interval":
      return foldTime(call("add_interval", [left, right], "timestamp"));
    case "interval + timestamp":
      return foldTime(call("add_interval", [right, left], "timestamp"));
    case "timestamp - interval":
      return foldTime(call("subtract_interval", [left, right], "timestamp"));
    case "timestamp - timestamp":
      return foldTime(call("timestamp_difference", [left, right], "interval"));
    case "interval + interval":
    case "interval - interval":
      return intervalArithmetic(operator === "+" ? 1 : -1, left, right);
    case "timestamp + null":
    case "timestamp - null":
    case "null + timestamp":
      return literal(null, "timestamp");
    default:
      return undefined;
  }
}

function plainName({ type }: Expression): string {
  return typeof type === "string" ? type : type.kind;
}

function intervalArithmetic(sign: 1 | -1, left: Expression, right: Expression): Expression {
  if (left.kind !== "literal" || right.kind !== "literal") {
    throw unsupported("sums of intervals that are no constants");
  }
  if (left.value === null || right.value === null) return literal(null, "interval");
  if (!isInterval(left.value) || !isInterval(right.value)) {
    throw planningError("an interval was expected");
  }
  const sum = addIntervals(left.value, right.value, sign);
  if (sum === undefined) throw planningError("the sum of two intervals is too long");
  return literal(sum, "interval");
}

function concatenation(left: Expression, right: Expression): Expression {
  const texts = [left, right].filter(({ type }) => type === "string" || type === "null");
  if (texts.length === 0 || [left, right].some(({ type }) => type === "interval")) {
    throw planningError(
      `Cannot infer common string type for string concat operation ${typeText(left.type)} || ${typeText(right.type)}`,
    );
  }
  return call("concat_operator", [coerce(left, "string"), coerce(right, "string")], "string");
}

function pattern(
  operator: "~" | "~*" | "!~" | "!~*",
  left: Expression,
  right: Expression,
): Expression {
  for (const { type } of [left, right]) {
    if (type === "string" || type === "null") continue;
    throw planningError(
      `Cannot infer common argument type for regex operation ${typeText(left.type)} ${operator} ${typeText(right.type)}`,
    );
  }
  const matched = regexpLike(left, right, operator.endsWith("*") ? "i" : "");
  return operator.startsWith("!") ? call("not", [matched], "boolean") : matched;
}

/** A match of `regexp` anywhere in `text`, both string or NULL; `flags` stand in front of it as RE2 has them. */
export function regexpLike(text: Expression, regexp: Expression, flags: string): Expression {
  const coerced = coerce(regexp, "string");
  return call(
    "regexp_like",
    [coerce(text, "string"), flags === "" ? coerced : withPrefix(`(?${flags})`, coerced)],
    "boolean",
  );
}

function withPrefix(prefix: string, text: Expression): Expression {
  if (text.kind === "literal" && typeof text.value === "string") {
    return literal(prefix + text.value, "string");
  }
  return call("concat_operator", [literal(prefix, "string"), text], "string");
}

/** `operand LIKE pattern`. */
export function like(operand: Expression, other: Expression, ignoreCase: boolean): Expression {
  for (const { type } of [operand, other]) {
    if (type === "string" || type === "null") continue;
    throw planningError(
      `There isn't a common type to coerce ${typeText(operand.type)} and ${typeText(other.type)} in ${
        ignoreCase ? "ILIKE" : "LIKE"
      } expression`,
      { stage: "type_coercion" },
    );
  }
  const operands = [coerce(operand, "string"), coerce(other, "string")];
  return call(ignoreCase ? "ilike" : "like", operands, "boolean");
}
