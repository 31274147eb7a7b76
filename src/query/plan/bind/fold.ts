import { DbError } from "#base/errors.ts";
import { compile } from "#engine/plain/expression/evaluate.ts";
import {
  childrenOf,
  type Expression,
  type IntervalValue,
  type LiteralValue,
} from "#model/query/expression.ts";
import type { ScalarFunction } from "#model/query/functions/scalar.ts";
import { isTimestamp, type ValueType } from "#model/query/value-type.ts";
import { findZone } from "#model/time/zone.ts";
import { TIME_MAX, TIME_MIN } from "#model/time-range.ts";
import { partsOf } from "./types/common-type.ts";

export type Literal = Extract<Expression, { kind: "literal" }>;

const INT64_MAX = 2n ** 63n - 1n;
const INT64_MIN = -(2n ** 63n);
const MONTHS_MAX = 2 ** 31 - 1;
const MONTH_NS = 30n * 86_400_000_000_000n;
/** What is computed while a statement is planned. Functions of text are not: patterns may take a node's thread for hours. */
const FOLDED: ReadonlySet<ScalarFunction> = new Set<ScalarFunction>([
  "add",
  "subtract",
  "multiply",
  "divide",
  "modulo",
  "negate",
  "abs",
  "ceil",
  "floor",
  "round",
  "trunc",
  "sqrt",
  "ln",
  "log10",
  "log2",
  "exp",
  "power",
  "sin",
  "cos",
  "tan",
  "equal",
  "not_equal",
  "less",
  "less_equal",
  "greater",
  "greater_equal",
  "is_distinct",
  "is_not_distinct",
  "and",
  "or",
  "not",
  "is_null",
  "is_not_null",
  "coalesce",
  "greatest",
  "least",
  "nullif",
  "date_bin",
  "date_trunc",
  "date_part",
  "add_interval",
  "subtract_interval",
  "timestamp_difference",
]);

export function literal(value: LiteralValue, type: ValueType): Literal {
  return { kind: "literal", value, type };
}

export function call(
  name: ScalarFunction,
  operands: readonly Expression[],
  type: ValueType,
): Extract<Expression, { kind: "call" }> {
  return { kind: "call", name, arguments: operands, type };
}

/** A value of a statement or a parameter with the type it has by itself. */
export function literalOf(value: LiteralValue): Literal {
  if (value === null) return literal(value, "null");
  if (value instanceof Uint8Array) return literal(value, "binary");
  if (typeof value === "object") return literal(value, "interval");
  if (typeof value === "string") return literal(value, "string");
  if (typeof value === "boolean") return literal(value, "boolean");
  if (typeof value === "number") return literal(value, "float64");
  return literal(value, value > INT64_MAX ? "uint64" : "int64");
}

/**
 * The value of an expression without columns, computed as the plain engine does, which is the other one's measure.
 * Undefined where that fails, as `1 / 0` does: then it fails when the query runs; where the plain engine knows too little; and where
 * it calls a function that is not FOLDED.
 */
export function constantOf(expression: Expression): Literal | undefined {
  if (!isFolded(expression)) return undefined;
  try {
    return literal(compile(expression)([]), expression.type);
  } catch (error) {
    const unknown = error instanceof DbError && error.code === "plain_engine";
    if (unknown || (error instanceof DbError && error.kind === "invalid")) return undefined;
    throw error;
  }
}

function isFolded(expression: Expression): boolean {
  if (expression.kind === "call" && !FOLDED.has(expression.name)) return false;
  return childrenOf(expression).every(isFolded);
}

/**
 * Computes calls on literals that give an instant or an interval, so that `time > now() - INTERVAL '1 day'` is a constant
 * that bounds what is read. A sum beyond the first or last instant stays a call, which fails when the query runs.
 */
export function foldTime(made: Extract<Expression, { kind: "call" }>): Expression {
  if (!isFoldable(made.type) || made.arguments.some((argument) => argument.kind !== "literal"))
    return made;
  return constantOf(made) ?? made;
}

/** The plain engine knows no zones: a time of another one than UTC is left alone. */
function isFoldable(type: ValueType): boolean {
  if (!isTimestamp(type)) return type === "interval" || type === "duration";
  const { unit, zone } = partsOf(type);
  return unit === "nanosecond" && (zone === undefined || findZone(zone)?.fixedNs === 0n);
}

/**
 * A side of `<`, `<=`, `>` or `>=` between timestamps: a constant sum beyond the first or last instant is that instant, so that
 * `time > now() - INTERVAL '1000 years'` asks for all rows. Every other side is left as it is.
 */
export function boundOfTime(side: Expression): Expression {
  if (side.kind === "cast") {
    // One of UTC beside another without a zone.
    const bound = boundOfTime(side.operand);
    return bound.kind === "literal" && bound !== side.operand
      ? literal(bound.value, side.type)
      : side;
  }
  if (side.kind !== "call") return side;
  const forward = side.name === "add_interval";
  if (!forward && side.name !== "subtract_interval") return side;
  const [time, interval] = side.arguments;
  if (time?.kind !== "literal" || interval?.kind !== "literal") return side;
  // What could be computed is a literal since it was folded.
  const positive = isPositive(interval.value as IntervalValue);
  return literal(positive === forward ? TIME_MAX : TIME_MIN, side.type);
}

/** The sum or difference of two intervals; undefined beyond their limits. */
export function addIntervals(
  left: IntervalValue,
  right: IntervalValue,
  sign: 1 | -1,
): IntervalValue | undefined {
  const months = left.months + sign * right.months;
  const nanoseconds = left.nanoseconds + BigInt(sign) * right.nanoseconds;
  const fits =
    Math.abs(months) <= MONTHS_MAX && nanoseconds >= INT64_MIN && nanoseconds <= INT64_MAX;
  return fits ? { months: months + 0, nanoseconds } : undefined;
}

function isPositive(interval: IntervalValue): boolean {
  return BigInt(interval.months) * MONTH_NS + interval.nanoseconds > 0n;
}
