import type { Expression, ScalarFunction, ValueType } from "#model/expression.ts";
import { unsupported } from "../../sql/errors.ts";
import { coerce, commonType, isNumeric } from "./coerce.ts";
import { planningError, typeText } from "./errors.ts";
import { literal } from "./fold.ts";
import { call, regexpLike } from "./operators.ts";

/** Builds a call from its arguments as they were bound; throws DbError `invalid` / `sql_planning` where they do not fit. */
export type Builder = (operands: readonly Expression[], context: CallContext) => Expression;

export interface CallContext {
  /** As the user called it. */
  readonly name: string;
  readonly nowNs: bigint;
}

type Parameter = "text" | "float" | "whole";

const PARAMETER_TEXT = { text: "String", float: "Numeric", whole: "Integer" } as const;
const PARAMETER_TYPE = { text: "string", float: "float64", whole: "int64" } as const;
/** Functions whose second argument is known and not built. */
const SCALED = new Set(["ceil", "floor", "trunc"]);
const REGEXP_FLAGS = /^[ims]*$/;

/** The functions of SQL that compute from one row, by name; those of time are in time-functions.ts. */
export const FUNCTIONS: Readonly<Record<string, Builder>> = {
  ...named("lower", simple("lower", ["text"], "string")),
  ...named("upper", simple("upper", ["text"], "string")),
  ...named("length char_length character_length", simple("length", ["text"], "int64")),
  ...named("trim btrim", onlySpaces(simple("trim", ["text"], "string"))),
  ...named("ltrim", onlySpaces(simple("ltrim", ["text"], "string"))),
  ...named("rtrim", onlySpaces(simple("rtrim", ["text"], "string"))),
  ...named("replace", simple("replace", ["text", "text", "text"], "string")),
  ...named("starts_with", simple("starts_with", ["text", "text"], "boolean")),
  ...named("ends_with", simple("ends_with", ["text", "text"], "boolean")),
  ...named("strpos instr", simple("strpos", ["text", "text"], "int64")),
  ...named("substr", simple("substr", ["text", "whole", "whole"], "string", 1)),
  ...named("left", simple("left", ["text", "whole"], "string")),
  ...named("right", simple("right", ["text", "whole"], "string")),
  ...ofFloats("ceil floor trunc sqrt ln log10 log2 exp sin cos tan"),
  ...named("power pow", simple("power", ["float", "float"], "float64")),
  ...named("round", simple("round", ["float", "whole"], "float64", 1)),
  ...named("abs", absolute),
  ...named("log", logarithm),
  ...named("pi", (operands, context) => {
    checkCount(operands, context, 0);
    return literal(Math.PI, "float64");
  }),
  ...named("concat", concatenation),
  ...named("regexp_like", regexpFunction),
  ...named("coalesce", choice("coalesce")),
  ...named("greatest", choice("greatest")),
  ...named("least", choice("least")),
  ...named("ifnull nvl", choice("coalesce", 2)),
  ...named("nullif", choice("nullif", 2)),
  ...named("nvl2", choiceByNull),
};

/** Throws DbError `invalid` / `sql_planning` unless there are `countMin` to `countMax` operands. */
export function checkCount(
  operands: readonly Expression[],
  context: CallContext,
  countMin: number,
  countMax = countMin,
): void {
  if (operands.length >= countMin && operands.length <= countMax) return;
  const expected = countMin === countMax ? String(countMin) : `${countMin} to ${countMax}`;
  throw planningError(
    `Function '${context.name}' expects ${expected} arguments but received ${operands.length}`,
  );
}

/** The error that an argument of type `received` should be `expected`. */
export function argumentError(
  context: CallContext,
  expected: string,
  operands: readonly Expression[],
  received: ValueType,
): Error {
  const types = operands.map(({ type }) => typeText(type)).join(", ");
  return planningError(
    `Function '${context.name}' expects NativeType::${expected} but received NativeType::${nativeText(received)} ` +
      `No function matches the given name and argument types '${context.name}(${types})'. ` +
      "You might need to add explicit type casts.",
  );
}

export function named(names: string, builder: Builder): Record<string, Builder> {
  return Object.fromEntries(names.split(" ").map((name) => [name, builder]));
}

/** A function with fixed types; the last `optional` arguments may be missing. */
function simple(
  name: ScalarFunction,
  parameters: readonly Parameter[],
  type: ValueType,
  optional = 0,
): Builder {
  return (operands, context) => {
    checkCount(operands, context, parameters.length - optional, parameters.length);
    const coerced = operands.map((operand, index) => {
      const parameter = parameters[index] ?? "text";
      if (!accepts(parameter, operand.type)) {
        throw argumentError(context, PARAMETER_TEXT[parameter], operands, operand.type);
      }
      return coerce(operand, PARAMETER_TYPE[parameter]);
    });
    return call(name, coerced, type);
  };
}

function accepts(parameter: Parameter, type: ValueType): boolean {
  if (type === "null") return true;
  switch (parameter) {
    case "text":
      return type === "string";
    case "float":
      return isNumeric(type);
    case "whole":
      return type === "int64" || type === "uint64";
  }
}

function onlySpaces(trim: Builder): Builder {
  return (operands, context) => {
    if (operands.length === 2) throw unsupported(`${context.name} of other characters than spaces`);
    return trim(operands, context);
  };
}

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

function concatenation(operands: readonly Expression[], context: CallContext): Expression {
  if (operands.length === 0) checkCount(operands, context, 1);
  for (const { type } of operands) {
    if (type === "interval") throw argumentError(context, "String", operands, type);
  }
  const texts = operands.map((operand) => coerce(operand, "string"));
  return call("concat", texts, "string");
}

function regexpFunction(operands: readonly Expression[], context: CallContext): Expression {
  checkCount(operands, context, 2, 3);
  const [text = literal(null, "null"), regexp = literal(null, "null"), flags] = operands;
  for (const { type } of operands) {
    if (type !== "string" && type !== "null") {
      throw argumentError(context, "String", operands, type);
    }
  }
  if (flags === undefined) return regexpLike(text, regexp, "");
  const known = flags.kind === "literal" ? flags.value : undefined;
  if (typeof known !== "string" || !REGEXP_FLAGS.test(known)) {
    throw planningError(`Function '${context.name}' supports the constant flags i, m and s`);
  }
  return regexpLike(text, regexp, [...new Set(known)].join(""));
}

/** A function whose arguments and result have one type. */
function choice(name: ScalarFunction, count?: number): Builder {
  return (operands, context) => {
    if (count !== undefined || operands.length === 0) checkCount(operands, context, count ?? 1);
    const type = commonArgumentType(operands, context);
    if (type === "null") return literal(null, "null");
    return call(
      name,
      operands.map((operand) => coerce(operand, type)),
      type,
    );
  };
}

function commonArgumentType(operands: readonly Expression[], context: CallContext): ValueType {
  const type = commonType(operands, "int64");
  if (type !== undefined) return type;
  const types = operands.map((operand) => typeText(operand.type)).join(", ");
  throw planningError(`Function '${context.name}' has no common type for its arguments (${types})`);
}

/** `nvl2(x, a, b)`: a where x is not NULL, else b. */
function choiceByNull(operands: readonly Expression[], context: CallContext): Expression {
  checkCount(operands, context, 3);
  const [tested = literal(null, "null"), ...results] = operands;
  const type = commonArgumentType(results, context);
  const [present = literal(null, type), missing = literal(null, type)] = results.map((result) =>
    coerce(result, type),
  );
  const when = call("is_not_null", [tested], "boolean");
  return { kind: "case", branches: [{ when, result: present }], otherwise: missing, type };
}

function nativeText(type: ValueType): string {
  if (type === "string") return "String";
  return type === "timestamp" || type === "interval"
    ? typeText(type).replace(/\(.*/, "")
    : typeText(type);
}
