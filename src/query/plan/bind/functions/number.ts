import type { Expression } from "#model/query/expression.ts";
import type { ScalarFunction } from "#model/query/functions/scalar.ts";
import { unsupported } from "../../../sql/errors.ts";
import { isNumeric } from "../coerce.ts";
import { literal } from "../fold.ts";
import { call } from "../operators.ts";
import {
  argumentError,
  type Builder,
  type CallContext,
  checkCount,
  named,
  simple,
} from "./builder.ts";

/** Functions whose second argument is known and not built. */
const SCALED = new Set(["ceil", "floor", "trunc"]);

/** The functions of SQL about numbers, by name. */
export const NUMBER_FUNCTIONS: Readonly<Record<string, Builder>> = {
  ...ofFloats("ceil floor trunc sqrt ln log10 log2 exp sin cos tan cbrt signum"),
  ...named("power pow", simple("power", ["float", "float"], "float64")),
  ...named("round", simple("round", ["float", "whole"], "float64", 1)),
  ...named("abs", absolute),
  ...named("log", logarithm),
  ...named("pi", (operands, context) => {
    checkCount(operands, context, 0);
    return literal(Math.PI, "float64");
  }),
};

function withoutScale(builder: Builder): Builder {
  return (operands, context) => {
    if (operands.length === 2 && SCALED.has(context.name)) {
      throw unsupported(`${context.name.toUpperCase()} with scale is not supported`);
    }
    return builder(operands, context);
  };
}

function ofFloats(names: string): Record<string, Builder> {
  const entries = names
    .split(" ")
    .map((name) => [name, withoutScale(simple(name as ScalarFunction, ["float"], "float64"))]);
  return Object.fromEntries(entries);
}

function absolute(operands: readonly Expression[], context: CallContext): Expression {
  checkCount(operands, context, 1);
  const [operand = literal(null, "null")] = operands;
  if (operand.type === "null") return literal(null, "int64");
  if (!isNumeric(operand.type)) throw argumentError(context, "Numeric", operands, operand.type);
  return operand.type === "uint64" ? operand : call("abs", [operand], operand.type);
}

/** `log(x)` to base 10, `log(base, x)`. */
function logarithm(operands: readonly Expression[], context: CallContext): Expression {
  checkCount(operands, context, 1, 2);
  if (operands.length === 1) return simple("log10", ["float"], "float64")(operands, context);
  const logs = operands.map((operand) => simple("ln", ["float"], "float64")([operand], context));
  return call("divide", logs.toReversed(), "float64");
}
