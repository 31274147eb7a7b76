/** Comparisons of numbers of any two types. */
import type { Expression } from "#model/query/expression.ts";
import { call, literal } from "../../../plan/bind/fold.ts";
import { asFloat } from "./arithmetic.ts";
import type { Operand } from "./operand.ts";

export type NumberComparison =
  | "equal"
  | "not_equal"
  | "less"
  | "less_equal"
  | "greater"
  | "greater_equal";

const FLIPPED: Readonly<Record<NumberComparison, NumberComparison>> = {
  equal: "equal",
  not_equal: "not_equal",
  less: "greater",
  less_equal: "greater_equal",
  greater: "less",
  greater_equal: "less_equal",
};
const ROUNDED: Readonly<Record<NumberComparison, NumberComparison>> = {
  ...FLIPPED,
  less: "less_equal",
  less_equal: "less_equal",
  greater: "greater",
  greater_equal: "greater",
};
/** Whole numbers below this are exact as floats. */
const EXACT_MAX = 2 ** 53;
const NAN = literal(Number.NaN, "float64");

/** NULL where one of the two is. */
export function compared(comparison: NumberComparison, left: Operand, right: Operand): Expression {
  const whole = ofWhole(comparison, left, right) ?? ofWhole(FLIPPED[comparison], right, left);
  if (whole !== undefined) return whole;
  if (left.type === "float" || right.type === "float")
    return ofFloats(comparison, asFloat(left), asFloat(right));
  if (left.type === right.type)
    return call(comparison, [left.expression, right.expression], "boolean");
  return left.type === "integer"
    ? ofMixed(comparison, left.expression, right.expression)
    : ofMixed(FLIPPED[comparison], right.expression, left.expression);
}

/** A whole number with a literal that is a float, as whole numbers: engines need not convert each. Undefined where it is not that. */
function ofWhole(
  comparison: NumberComparison,
  number: Operand,
  { expression: bound, type }: Operand,
): Expression | undefined {
  if (number.type !== "integer" || type !== "float" || bound.kind !== "literal") return undefined;
  const value = bound.value;
  if (typeof value !== "number" || Math.abs(value) >= EXACT_MAX) return undefined;
  const below = Math.floor(value);
  const between = below !== value;
  if (between && (comparison === "equal" || comparison === "not_equal")) return undefined;
  // What is above 1.5 is above 1, and what is below it is 1 or less.
  const rounded = between ? ROUNDED[comparison] : comparison;
  return call(rounded, [number.expression, literal(BigInt(below), "int64")], "boolean");
}

/** What is no number, as the rest of a division by zero, compares with nothing and is unequal to all. */
function ofFloats(comparison: NumberComparison, left: Expression, right: Expression): Expression {
  const test = call(comparison, [left, right], "boolean");
  const odd = [left, right].filter((side) => side.kind === "call" || side.kind === "case");
  if (odd.length === 0) return test;
  if (comparison === "not_equal") {
    const isOdd = odd.map((side) => call("equal", [side, NAN], "boolean"));
    return call("or", [test, ...isOdd], "boolean");
  }
  const isEven = odd.map((side) => call("not_equal", [side, NAN], "boolean"));
  return call("and", [test, ...isEven], "boolean");
}

/** A signed number with an unsigned one, which is above all that are negative. */
function ofMixed(
  comparison: NumberComparison,
  signed: Expression,
  unsigned: Expression,
): Expression {
  const wide: Expression = { kind: "cast", operand: signed, safe: true, type: "uint64" };
  const test = call(comparison, [wide, unsigned], "boolean");
  if (comparison === "equal" || comparison.startsWith("greater")) return test;
  const negative = call("less", [signed, literal(0n, "int64")], "boolean");
  const known = call("is_not_null", [unsigned], "boolean");
  return call("or", [call("and", [negative, known], "boolean"), test], "boolean");
}
