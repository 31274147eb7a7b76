import type { MathName } from "../../resolved.ts";
import type { ColumnType, PointValue } from "./columns.ts";

/** Functions of floats; what they do not know is NaN. */
const FLOAT_FUNCTIONS: Readonly<Record<MathName, (x: number, y: number) => number>> = {
  abs: Math.abs,
  acos: Math.acos,
  asin: Math.asin,
  atan: Math.atan,
  atan2: Math.atan2,
  ceil: Math.ceil,
  cos: Math.cos,
  exp: Math.exp,
  floor: Math.floor,
  ln: Math.log,
  log: (x, base) => Math.log(x) / Math.log(base),
  log10: Math.log10,
  log2: Math.log2,
  pow: Math.pow,
  // Halves away from zero.
  round: (x) => Math.sign(x) * Math.floor(Math.abs(x) + 0.5),
  sin: Math.sin,
  sqrt: Math.sqrt,
  tan: Math.tan,
};

/** Functions of whole numbers that give whole numbers. */
const KEEP_WHOLE: ReadonlySet<MathName> = new Set(["abs", "ceil", "floor", "round"]);

export function mathType(name: MathName, argument: ColumnType | undefined): ColumnType {
  const whole = argument === "int64" || argument === "uint64";
  return whole && KEEP_WHOLE.has(name) ? argument : "float64";
}

/** Absent where an argument is absent or no number. */
export function applyMath(
  name: MathName,
  [first, second]: readonly (PointValue | null)[],
): PointValue | null {
  if (typeof first === "bigint" && KEEP_WHOLE.has(name)) {
    return name === "abs" && first < 0n ? BigInt.asIntN(64, -first) : first;
  }
  const x = numberOf(first);
  const y = second === undefined ? 0 : numberOf(second);
  return x === null || y === null ? null : FLOAT_FUNCTIONS[name](x, y);
}

function numberOf(value: PointValue | null | undefined): number | null {
  return typeof value === "number" || typeof value === "bigint" ? Number(value) : null;
}
