import type { Expression } from "#model/query/expression.ts";
import type { ScalarFunction } from "#model/query/functions/scalar.ts";
import { isInteger } from "#model/query/value-type.ts";
import { unsupported } from "../../../sql/errors.ts";
import { coerce, isNumeric } from "../coerce.ts";
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
const SCALED = new Set(["ceil", "floor"]);

/** The functions of SQL about numbers, by name. */
export const NUMBER_FUNCTIONS: Readonly<Record<string, Builder>> = {
  ...ofFloats("ceil floor sqrt ln log10 log2 exp sin cos tan cbrt signum"),
  ...ofFloats("acos acosh asin asinh atan atanh cosh cot degrees radians sinh tanh"),
  ...named("atan2", floating(simple("atan2", ["float", "float"], "float64"))),
  ...named("nanvl", floating(simple("nanvl", ["float", "float"], "float64"))),
  ...named("power pow", power),
  ...named("round", rounding("round", "round")),
  ...named("trunc", rounding("trunc", "trunc_to")),
  ...named("abs", absolute),
  ...named("log", floating(logarithm)),
  ...named("isnan", simple("isnan", ["float"], "boolean")),
  ...named("iszero", simple("iszero", ["float"], "boolean")),
  ...named("factorial", simple("factorial", ["whole"], "int64")),
  ...named("gcd", simple("gcd", ["whole", "whole"], "int64")),
  ...named("lcm", simple("lcm", ["whole", "whole"], "int64")),
  ...named("random", simple("random", [], "float64")),
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
  const entries = names.split(" ").map((name) => {
    const builder = simple(name as ScalarFunction, ["float"], "float64");
    return [name, withoutScale(floating(builder))];
  });
  return Object.fromEntries(entries);
}

/** The result is float32 where all floats among the arguments are. */
function floating(builder: Builder): Builder {
  return (operands, context) => {
    const result = builder(operands, context);
    const narrow =
      operands.some(({ type }) => type === "float32") &&
      operands.every(({ type }) => type === "float32" || isInteger(type));
    return narrow ? coerce(result, "float32") : result;
  };
}

/** `name` without digits, `scaled` with them. */
function rounding(name: ScalarFunction, scaled: ScalarFunction): Builder {
  const plain = simple(name, ["float"], "float64");
  const toDigits = simple(scaled, ["float", "whole"], "float64");
  return floating((operands, context) => {
    checkCount(operands, context, 1, 2);
    const [number, digits] = operands;
    if (name === "round" && number?.type === "float32" && digits !== undefined) {
      if (!isInteger(digits.type)) throw argumentError(context, "Integer", operands, digits.type);
      return call("round_float32", [number, coerce(digits, "int64")], "float32");
    }
    return operands.length === 1 ? plain(operands, context) : toDigits(operands, context);
  });
}

/** Of whole numbers a whole one. */
function power(operands: readonly Expression[], context: CallContext): Expression {
  const whole = operands.every(({ type }) => isInteger(type));
  return whole
    ? simple("integer_power", ["whole", "whole"], "int64")(operands, context)
    : simple("power", ["float", "float"], "float64")(operands, context);
}

function absolute(operands: readonly Expression[], context: CallContext): Expression {
  checkCount(operands, context, 1);
  const [operand = literal(null, "null")] = operands;
  const { type } = operand;
  if (type === "null") return literal(null, "int64");
  const decimal = typeof type === "object" && type.kind === "decimal";
  if (!isNumeric(type) && !decimal) throw argumentError(context, "Numeric", operands, type);
  const unsigned = typeof type === "string" && type.startsWith("uint");
  return unsigned ? operand : call("abs", [operand], type);
}

/** `log(x)` to base 10, `log(base, x)`. */
function logarithm(operands: readonly Expression[], context: CallContext): Expression {
  checkCount(operands, context, 1, 2);
  if (operands.length === 1) return simple("log10", ["float"], "float64")(operands, context);
  const logs = operands.map((operand) => simple("ln", ["float"], "float64")([operand], context));
  return call("divide", logs.toReversed(), "float64");
}
