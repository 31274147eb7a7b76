/** Scalar functions of numbers. */
import { DbError } from "#base/errors.ts";
import type { CoreFunction } from "#model/query/functions/core.ts";
import type { ValueType } from "#model/query/value-type.ts";
import { knownType, type Present, type Value } from "./value.ts";

/** A function whose arguments are no NULLs; `type` is what it answers. */
export type StrictFunction = (args: readonly Present[], type: ValueType) => Value;

const LIMITS = {
  int64: { least: -(2n ** 63n), greatest: 2n ** 63n - 1n },
  uint64: { least: 0n, greatest: 2n ** 64n - 1n },
} as const;

/** `value` if a whole number of `type` (uint64, or int64 for all others) can be that; else `number_overflow`. */
export function wholeOf(value: bigint, type: ValueType): bigint {
  if (fits(value, type)) return value;
  throw new DbError("invalid", "number_overflow", `a number is too large for ${knownType(type)}`);
}

/** Whether `value` is in the range of `type`: uint64, or int64 for all others. */
export function fits(value: bigint, type: ValueType): boolean {
  const { least, greatest } = LIMITS[type === "uint64" ? "uint64" : "int64"];
  return value >= least && value <= greatest;
}

export const ARITHMETIC = {
  add: ofTwo(
    (a, b) => a + b,
    (a, b) => a + b,
  ),
  subtract: ofTwo(
    (a, b) => a - b,
    (a, b) => a - b,
  ),
  multiply: ofTwo(
    (a, b) => a * b,
    (a, b) => a * b,
  ),
  divide: ofTwo(
    (a, b) => a / b,
    (a, b) => a / divisor(b),
  ),
  modulo: ofTwo(
    (a, b) => a % b,
    (a, b) => a % divisor(b),
  ),
  negate: ([a], type) => (typeof a === "number" ? -a : wholeOf(-(a as bigint), type)),
  abs: ([a], type) => {
    if (typeof a === "number") return Math.abs(a);
    const whole = a as bigint;
    return wholeOf(whole < 0n ? -whole : whole, type);
  },
  ceil: ofFloat(Math.ceil),
  floor: ofFloat(Math.floor),
  trunc: ofFloat(Math.trunc),
  sqrt: ofFloat(Math.sqrt),
  ln: ofFloat(Math.log),
  log10: ofFloat(Math.log10),
  log2: ofFloat(Math.log2),
  exp: ofFloat(Math.exp),
  sin: ofFloat(Math.sin),
  cos: ofFloat(Math.cos),
  tan: ofFloat(Math.tan),
  power: ([a, b]) => (a as number) ** (b as number),
  round: ([a, digits]) => round(a as number, digits === undefined ? 0 : Number(digits)),
} as const satisfies Partial<Record<CoreFunction, StrictFunction>>;

function ofTwo(
  floats: (a: number, b: number) => number,
  wholes: (a: bigint, b: bigint) => bigint,
): StrictFunction {
  return ([a, b], type) =>
    typeof a === "number"
      ? floats(a, b as number)
      : wholeOf(wholes(a as bigint, b as bigint), type);
}

function ofFloat(work: (a: number) => number): StrictFunction {
  return ([a]) => work(a as number);
}

function divisor(value: bigint): bigint {
  if (value !== 0n) return value;
  throw new DbError("invalid", "divide_by_zero", "a whole number was divided by zero");
}

/** Half away from zero. A number so large that scaling it overflows has no such digits: it stays as it is. */
function round(value: number, digits: number): number {
  const unit = 10 ** Math.abs(digits);
  const scaled = digits < 0 ? value / unit : value * unit;
  if (!Number.isFinite(scaled)) return value;
  const whole = Math.sign(scaled) * Math.round(Math.abs(scaled));
  return digits < 0 ? whole * unit : whole / unit;
}
