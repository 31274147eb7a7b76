import type { Expression } from "#model/query/expression.ts";
import { unsupported } from "../../../sql/errors.ts";
import { coerce } from "../coerce.ts";
import { planningError } from "../errors.ts";
import { literal } from "../fold.ts";
import { call, regexpLike } from "../operators.ts";
import {
  argumentError,
  type Builder,
  type CallContext,
  checkCount,
  named,
  simple,
} from "./builder.ts";

const REGEXP_FLAGS = /^[ims]*$/;

/** The functions of SQL about text and regular expressions, by name. */
export const TEXT_FUNCTIONS: Readonly<Record<string, Builder>> = {
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
  ...named("reverse", simple("reverse", ["text"], "string")),
  ...named("repeat", simple("repeat", ["text", "whole"], "string")),
  ...named("concat", concatenation),
  ...named("regexp_like", regexpFunction),
};

function onlySpaces(trim: Builder): Builder {
  return (operands, context) => {
    if (operands.length === 2) throw unsupported(`${context.name} of other characters than spaces`);
    return trim(operands, context);
  };
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
