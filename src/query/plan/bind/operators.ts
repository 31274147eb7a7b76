import { type Expression, isInterval } from "#model/query/expression.ts";
import type { ScalarFunction } from "#model/query/functions/scalar.ts";
import { typeText } from "#model/query/type-text.ts";
import {
  type DecimalType,
  INTEGER_RANGES,
  type IntegerType,
  isInteger,
  isTimestamp,
  timestampType,
  type ValueType,
} from "#model/query/value-type.ts";
import { findZone } from "#model/time/zone.ts";
import type { BinaryOperator } from "../../sql/ast.ts";
import { unsupported } from "../../sql/errors.ts";
import { coerce, commonType } from "./coerce.ts";
import { planningError } from "./errors.ts";
import { boundOfTime, call, type Literal, literal } from "./fold.ts";
import { timeArithmetic } from "./time-arithmetic.ts";
import { decimalOf, decimalType, isDecimal, isNumeric, partsOf } from "./types/common-type.ts";

export { call } from "./fold.ts";

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

const BITWISE = {
  "&": "bit_and",
  "|": "bit_or",
  "^": "bit_xor",
  "<<": "shift_left",
  ">>": "shift_right",
} as const satisfies Partial<Record<BinaryOperator, ScalarFunction>>;

type Bitwise = keyof typeof BITWISE;
type Arithmetic = keyof typeof ARITHMETIC;
type Comparison = keyof typeof COMPARISONS;

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
      return bitwise(operator, left, right);
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
  if (operand.type === "interval") {
    return call("multiply_interval", [operand, literal(-1n, "int64")], "interval");
  }
  if (!isNumeric(operand.type) && operand.type !== "duration") {
    throw planningError(`Negation only supports numeric types, but got ${typeText(operand.type)}`);
  }
  const unsigned = isInteger(operand.type) && operand.type.startsWith("uint");
  const type = unsigned ? "int64" : operand.type;
  return call("negate", [coerce(operand, type)], type);
}

function negativeOf({ value, type }: Literal): Expression | undefined {
  if (typeof value === "bigint") {
    if (isInteger(type)) return negativeWhole(value, type);
    return isDecimal(type) || type === "duration" ? literal(-value, type) : undefined;
  }
  if (typeof value === "number") return literal(-value, type);
  if (!isInterval(value)) return undefined;
  return literal({ months: 0 - value.months, nanoseconds: -value.nanoseconds }, type);
}

/** Of the unsigned numbers beyond int64 only 2^63 has a negative. */
function negativeWhole(value: bigint, type: IntegerType): Expression | undefined {
  const negative = type.startsWith("uint") ? "int64" : type;
  const [least, greatest] = INTEGER_RANGES[negative];
  return -value >= least && -value <= greatest ? literal(-value, negative) : undefined;
}

export function comparison(operator: Comparison, one: Expression, other: Expression): Expression {
  const [left, right] = [withoutZone(one, other), withoutZone(other, one)];
  const type = comparedType(left, right);
  if (type === undefined) {
    throw planningError(
      "Cannot infer common argument type for comparison operation " +
        `${typeText(left.type)} ${operator} ${typeText(right.type)}${timeHint(left, right)}`,
    );
  }
  if (type === "null") return comparisonOfNulls(operator);
  const sides = [coerce(left, type), coerce(right, type)];
  const [utc, otherUtc] = sides.map(utcOf);
  if (utc !== undefined && otherUtc !== undefined) return comparison(operator, utc, otherUtc);
  const bounds = isTimestamp(type) && ORDERS.has(operator) ? sides.map(boundOfTime) : sides;
  return call(COMPARISONS[operator], bounds, "boolean");
}

/** The same instant as a timestamp without a zone, of UTC, where that is what a zoned one was made of: zones do not change which comes first. */
function utcOf(side: Expression): Expression | undefined {
  if (!isTimestamp(side.type)) return undefined;
  const { unit, zone } = partsOf(side.type);
  if (zone === undefined || unit !== "nanosecond") return undefined;
  if (side.kind === "literal") return literal(side.value, "timestamp");
  if (side.kind !== "cast") return undefined;
  const utc = findZone(zone)?.fixedNs === 0n;
  return side.operand.type === "timestamp" && utc ? side.operand : utcOf(side.operand);
}

/** Beside a timestamp without a zone, one of UTC is as good as without: so what is stored is compared as it is. */
function comparedType(left: Expression, right: Expression): ValueType | undefined {
  const type = commonType([left, right], "float64");
  if (type === undefined || !isTimestamp(type)) return type;
  const { unit, zone } = partsOf(type);
  const plain = [left, right].some(
    (side) => isTimestamp(side.type) && partsOf(side.type).zone === undefined,
  );
  const utc = zone !== undefined && findZone(zone)?.fixedNs === 0n;
  return plain && utc ? timestampType(unit) : type;
}

/**
 * A constant beside a timestamp without a zone, which is a local time of the constant's zone: the constant as such a local time, so
 * that `time > now()` bounds what is read.
 */
function withoutZone(side: Expression, other: Expression): Expression {
  if (side.kind !== "literal" || typeof side.value !== "bigint") return side;
  if (!isTimestamp(side.type) || !isTimestamp(other.type)) return side;
  const zone = partsOf(side.type).zone;
  if (zone === undefined || partsOf(other.type).zone !== undefined) return side;
  return literal(side.value + (findZone(zone)?.offsetAt(side.value) ?? 0n), "timestamp");
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
  const decimal = decimalArithmetic(operator, left, right);
  if (decimal !== undefined) return decimal;
  const type = arithmeticType(operator, left, right);
  return call(ARITHMETIC[operator], [coerce(left, type), coerce(right, type)], type);
}

/** Each side keeps its own digits; undefined where none is a decimal, or one is a float. */
function decimalArithmetic(
  operator: Arithmetic,
  left: Expression,
  right: Expression,
): Expression | undefined {
  if (!isDecimal(left.type) && !isDecimal(right.type)) return undefined;
  const one = decimalOf(left.type === "null" ? right.type : left.type);
  const other = decimalOf(right.type === "null" ? left.type : right.type);
  if (one === undefined || other === undefined) return undefined;
  const operands = [coerce(left, one), coerce(right, other)];
  return call(ARITHMETIC[operator], operands, decimalResult(operator, one, other));
}

/** Digits enough for each result, as long as 38 are; a quotient has four more after the point than its dividend. */
function decimalResult(operator: Arithmetic, one: DecimalType, other: DecimalType): DecimalType {
  const scale = Math.max(one.scale, other.scale);
  const wholes = [one.precision - one.scale, other.precision - other.scale];
  switch (operator) {
    case "+":
    case "-":
      return decimalType(Math.max(...wholes) + scale + 1, scale);
    case "*":
      return decimalType(one.precision + other.precision + 1, one.scale + other.scale);
    case "/": {
      const digits = one.precision - one.scale + other.scale;
      return decimalType(digits + one.scale + 4, one.scale + 4);
    }
    case "%":
      return decimalType(Math.min(...wholes) + scale, scale);
  }
}

function bitwise(operator: Bitwise, left: Expression, right: Expression): Expression {
  const whole = [left, right].every(({ type }) => isInteger(type) || type === "null");
  const type = whole ? commonType([left, right], "int64") : undefined;
  if (type === undefined) {
    throw planningError(
      `Cannot infer common type for bitwise operation ${typeText(left.type)} ${operator} ${typeText(right.type)}`,
    );
  }
  if (type === "null") return literal(null, "int64");
  return call(BITWISE[operator], [coerce(left, type), coerce(right, type)], type);
}

function arithmeticType(operator: Arithmetic, left: Expression, right: Expression): ValueType {
  const type = commonType([left, right], "int64") ?? "int64";
  if (type === "null") return "int64";
  // What is taken away from an unsigned number may leave a negative one.
  return operator === "-" && type === "uint64" && left.type !== right.type ? "int64" : type;
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

/** A match of `regexp` anywhere in `text`, both string or NULL; `flags` stand in front of it. */
function regexpLike(text: Expression, regexp: Expression, flags: string): Expression {
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

/** How a pattern is written, and what takes the meaning of `%` and `_` away in it. */
interface PatternStyle {
  readonly style: "like" | "ilike" | "similar";
  readonly escape: string | undefined;
}

const PATTERN_WORDS = { like: "LIKE", ilike: "ILIKE", similar: "SIMILAR TO" } as const;

/** `operand LIKE pattern`; SIMILAR TO takes a regular expression here, as DataFusion has it. */
export function like(
  operand: Expression,
  other: Expression,
  { style, escape }: PatternStyle,
): Expression {
  for (const { type } of [operand, other]) {
    if (type === "string" || type === "null") continue;
    throw planningError(
      `There isn't a common type to coerce ${typeText(operand.type)} and ${typeText(other.type)} in ${PATTERN_WORDS[style]} expression`,
      { stage: "type_coercion" },
    );
  }
  if (style === "similar") return regexpLike(operand, other, "");
  const operands = [coerce(operand, "string"), escaped(coerce(other, "string"), escape)];
  return call(style, operands, "boolean");
}

/** A pattern with backslashes in place of `escape`. */
function escaped(written: Expression, escape: string | undefined): Expression {
  if (escape === undefined || escape === "\\") return written;
  if (written.kind !== "literal") throw unsupported("ESCAPE of a pattern that is no constant");
  if (typeof written.value !== "string") return written;
  const characters = Array.from(written.value);
  const parts: string[] = [];
  for (let index = 0; index < characters.length; index++) {
    const character = characters[index] ?? "";
    if (character === escape) {
      index += 1;
      parts.push(`\\${characters[index] ?? escape}`);
    } else {
      parts.push(character === "\\" ? "\\\\" : character);
    }
  }
  return literal(parts.join(""), "string");
}
