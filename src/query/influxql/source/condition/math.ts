/** Functions of numbers in WHERE. */
import type { Expression } from "#model/query/expression.ts";
import type { ScalarFunction } from "#model/query/functions/scalar.ts";
import { call, literal } from "../../../plan/bind/fold.ts";
import { asFloat, negated } from "./arithmetic.ts";
import type { Operand } from "./operand.ts";

/** Of floats, and of whole numbers as floats. */
const OF_FLOATS: ReadonlyMap<string, ScalarFunction> = new Map([
  ["acos", "acos"],
  ["asin", "asin"],
  ["atan", "atan"],
  ["atan2", "atan2"],
  ["cos", "cos"],
  ["exp", "exp"],
  ["ln", "ln"],
  ["log10", "log10"],
  ["log2", "log2"],
  ["pow", "power"],
  ["sin", "sin"],
  ["sqrt", "sqrt"],
  ["tan", "tan"],
]);
const ROUNDING: ReadonlyMap<string, ScalarFunction> = new Map([
  ["ceil", "ceil"],
  ["floor", "floor"],
  ["round", "round"],
]);
const ZERO = literal(0n, "int64");

/** `name` of numbers; undefined where there is no such function. */
export function mathOf(name: string, operands: readonly Operand[]): Operand | undefined {
  const [first] = operands;
  if (first === undefined) return undefined;
  const rounding = ROUNDING.get(name);
  if (name === "abs" || rounding !== undefined) return nearOf(rounding, first);
  const floats = operands.map(asFloat);
  const known = OF_FLOATS.get(name);
  if (known !== undefined) return { type: "float", expression: call(known, floats, "float64") };
  if (name !== "log") return undefined;
  const logarithms = floats.map((one) => call("ln", [one], "float64"));
  return { type: "float", expression: call("divide", logarithms, "float64") };
}

/** A number of the same type: rounded, or without its sign. */
function nearOf(rounding: ScalarFunction | undefined, { expression, type }: Operand): Operand {
  if (type === "float") {
    const digits = rounding === "round" ? [ZERO] : [];
    const near = call(rounding ?? "abs", [expression, ...digits], "float64");
    return { type, expression: near };
  }
  if (rounding !== undefined || type !== "integer") return { type, expression };
  return { type, expression: absolute(expression) };
}

function absolute(whole: Expression): Expression {
  const below = call("less", [whole, ZERO], "boolean");
  return {
    kind: "case",
    branches: [{ when: below, result: negated(whole) }],
    otherwise: whole,
    type: "int64",
  };
}
