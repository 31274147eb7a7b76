import { DbError } from "#base/errors.ts";
import { compile } from "#engine/plain/expression/evaluate.ts";
import type { Expression, IntervalValue, LiteralValue } from "#model/query/expression.ts";
import { INTEGER_RANGES, isInteger, type ValueType } from "#model/query/value-type.ts";
import { TIME_MAX, TIME_MIN } from "#model/time-range.ts";
import { parseTimestampText } from "#model/time-text.ts";
import { parseIntervalText } from "../../sql/expression/interval.ts";

export type Literal = Extract<Expression, { kind: "literal" }>;

const INT64_MAX = 2n ** 63n - 1n;
const INT64_MIN = -(2n ** 63n);
const MONTHS_MAX = 2 ** 31 - 1;
const MONTH_NS = 30n * 86_400_000_000_000n;

export function literal(value: LiteralValue, type: ValueType): Literal {
  return { kind: "literal", value, type };
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
 * `source` as a literal of `type`: undefined where that is left to the engine.
 * Throws DbError `invalid` / `cast_failed` for text that is no timestamp or interval.
 */
export function castLiteral(source: Literal, type: ValueType): Literal | undefined {
  const { value } = source;
  if (value === null) return literal(null, type);
  if (typeof value === "bigint") return castWhole(value, source.type, type);
  if (typeof value !== "string") return undefined;
  if (type === "timestamp") {
    const timeNs = parseTimestampText(value);
    if (timeNs === undefined) throw castFailed(value, "a timestamp such as 2022-01-01T08:00:00Z");
    return literal(timeNs, type);
  }
  if (type !== "interval") return undefined;
  const interval = parseIntervalText(value);
  if (interval === undefined) throw castFailed(value, "an interval such as '1 hour'");
  return literal(interval, type);
}

function castWhole(value: bigint, source: ValueType, type: ValueType): Literal | undefined {
  if (!isInteger(source) && source !== "timestamp") return undefined;
  if (isInteger(type) || type === "timestamp") {
    const [least, greatest] = INTEGER_RANGES[type === "timestamp" ? "int64" : type];
    return value >= least && value <= greatest ? literal(value, type) : undefined;
  }
  if (source === "timestamp") return undefined;
  if (type === "float64") return literal(Number(value), type);
  return type === "string" ? literal(String(value), type) : undefined;
}

function castFailed(value: string, expected: string): DbError {
  const text = value.slice(0, 100);
  return new DbError(
    "invalid",
    "cast_failed",
    `Error during planning: Error parsing '${text}': it is not ${expected}`,
    { detail: { value: text } },
  );
}

/**
 * The value of an expression without columns, computed as the plain engine does, which is the other one's measure.
 * Undefined where that fails, as `1 / 0` does: then it fails when the query runs.
 */
export function constantOf(expression: Expression): Literal | undefined {
  try {
    return literal(compile(expression)([]), expression.type);
  } catch (error) {
    if (error instanceof DbError && error.kind === "invalid") return undefined;
    throw error;
  }
}

/**
 * Computes calls on literals that give an instant or an interval, so that `time > now() - INTERVAL '1 day'` is a constant
 * that bounds what is read. A sum beyond the first or last instant stays a call, which fails when the query runs.
 */
export function foldTime(call: Extract<Expression, { kind: "call" }>): Expression {
  const foldable = call.type === "timestamp" || call.type === "interval";
  if (!foldable || call.arguments.some((argument) => argument.kind !== "literal")) return call;
  return constantOf(call) ?? call;
}

/**
 * A side of `<`, `<=`, `>` or `>=` between timestamps: a constant sum beyond the first or last instant is that instant, so that
 * `time > now() - INTERVAL '1000 years'` asks for all rows. Every other side is left as it is.
 */
export function boundOfTime(side: Expression): Expression {
  if (side.kind !== "call") return side;
  const forward = side.name === "add_interval";
  if (!forward && side.name !== "subtract_interval") return side;
  const [time, interval] = side.arguments;
  if (time?.kind !== "literal" || interval?.kind !== "literal") return side;
  // What could be computed is a literal since it was folded.
  const positive = isPositive(interval.value as IntervalValue);
  return literal(positive === forward ? TIME_MAX : TIME_MIN, "timestamp");
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
