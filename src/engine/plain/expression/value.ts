import { compareText } from "#base/bytes.ts";
import { DbError } from "#base/errors.ts";
import type { IntervalValue, LiteralValue } from "#model/query/expression.ts";
import type { ValueType } from "#model/query/value-type.ts";

/** One cell of one row. int64, uint64, timestamp and duration are bigint, float64 number; NULL is null. */
export type Value = Exclude<LiteralValue, Uint8Array>;
export type Present = Exclude<Value, null>;
export type Row = readonly Value[];

const MONTH_NS = 30n * 86_400_000_000_000n;

/** The types this engine computes with. */
const TYPES = [
  "null",
  "boolean",
  "int64",
  "uint64",
  "float64",
  "string",
  "timestamp",
  "duration",
  "interval",
] as const;

export type Type = (typeof TYPES)[number];

/** Whether this engine computes with `type`. */
export function isKnownType(type: ValueType): type is Type {
  return TYPES.some((one) => one === type);
}

/** `type`, where this engine computes with it. Throws `unsupported` / `plain_engine`. */
export function knownType(type: ValueType): Type {
  if (isKnownType(type)) return type;
  throw notHere("a type of values");
}

/** The error that a plan holds what only the engine of nodes knows. */
export function notHere(construct: string): DbError {
  return new DbError(
    "unsupported",
    "plain_engine",
    `the plain engine does not know ${construct} of this query`,
  );
}

/** Negative, 0 or positive; both have one type. NaN equals NaN and is above all, -0 equals 0. */
export function compareValues(left: Present, right: Present): number {
  if (typeof left === "string" && typeof right === "string") return compareText(left, right);
  if (typeof left === "number" && typeof right === "number") {
    if (Number.isNaN(left) || Number.isNaN(right)) {
      return Number(Number.isNaN(left)) - Number(Number.isNaN(right));
    }
    return Number(left > right) - Number(left < right);
  }
  if (typeof left === "object" && typeof right === "object") {
    return compareValues(lengthNs(left), lengthNs(right));
  }
  return Number(left > right) - Number(left < right);
}

/** A text that two lists of values share exactly when they are equal, NULLs included. */
export function keyOf(values: Row): string {
  return values.map(keyOfValue).join(",");
}

function keyOfValue(value: Value): string {
  switch (typeof value) {
    case "string":
      return `${value.length}:${value}`;
    case "object":
      return value === null ? "null" : String(lengthNs(value));
    default:
      // -0 reads "0", as 0 does.
      return String(value);
  }
}

/** A month counts 30 days where intervals are compared. */
function lengthNs({ months, nanoseconds }: IntervalValue): bigint {
  return BigInt(months) * MONTH_NS + nanoseconds;
}
