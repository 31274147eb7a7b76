import type { Expression } from "#model/query/expression.ts";
import type { TextFunction } from "#model/query/functions/text.ts";
import { typeText } from "#model/query/type-text.ts";
import { coerce } from "../coerce.ts";
import { planningError } from "../errors.ts";
import { literal } from "../fold.ts";
import { call } from "../operators.ts";
import {
  argumentError,
  type Builder,
  type CallContext,
  checkCount,
  named,
  resulting,
  simple,
} from "./builder.ts";

/** The functions of SQL about text, by name. */
export const TEXT_FUNCTIONS: Readonly<Record<string, Builder>> = {
  ...named("ascii", simple("ascii", ["text"], "int32")),
  ...named("bit_length", simple("bit_length", ["text"], "int32")),
  ...named("octet_length", octetLength),
  ...named("chr", simple("chr", ["whole"], "string")),
  ...named("lower", simple("lower", ["text"], "string")),
  ...named("upper", simple("upper", ["text"], "string")),
  ...named("initcap", simple("initcap", ["text"], "string")),
  ...named(
    "length char_length character_length",
    resulting("int32", simple("length", ["text"], "int64")),
  ),
  ...named("trim btrim", trimming("trim", "trim_of")),
  ...named("ltrim", trimming("ltrim", "ltrim_of")),
  ...named("rtrim", trimming("rtrim", "rtrim_of")),
  ...named("lpad", padding("pad_left")),
  ...named("rpad", padding("pad_right")),
  ...named("replace", simple("replace", ["text", "text", "text"], "string")),
  ...named("translate", translation),
  ...named("overlay", overlay),
  ...named("starts_with", simple("starts_with", ["text", "text"], "boolean")),
  ...named("ends_with", simple("ends_with", ["text", "text"], "boolean")),
  ...named("contains", simple("contains", ["text", "text"], "boolean")),
  ...named(
    "strpos instr position",
    resulting("int32", simple("strpos", ["text", "text"], "int64")),
  ),
  ...named("find_in_set", simple("find_in_set", ["text", "text"], "int32")),
  ...named("levenshtein", simple("levenshtein", ["text", "text"], "int32")),
  ...named("split_part", simple("split_part", ["text", "text", "whole"], "string")),
  ...named("substr_index substring_index", substringBefore()),
  ...named("substr substring", substring),
  ...named("left", simple("left", ["text", "whole"], "string")),
  ...named("right", simple("right", ["text", "whole"], "string")),
  ...named("reverse", simple("reverse", ["text"], "string")),
  ...named("repeat", simple("repeat", ["text", "whole"], "string")),
  ...named("to_hex", simple("to_hex", ["whole"], "string")),
  ...named("concat", concatenation),
  ...named("concat_ws", separated),
  ...named("uuid", simple("uuid", [], "string")),
};

function substringBefore(): Builder {
  return simple("substr_index", ["text", "text", "whole"], "string");
}

/** Of spaces, or of the characters that the second argument has. */
function trimming(ofSpaces: "trim" | "ltrim" | "rtrim", ofOthers: TextFunction): Builder {
  return (operands, context) =>
    operands.length === 2
      ? simple(ofOthers, ["text", "text"], "string")(operands, context)
      : simple(ofSpaces, ["text"], "string")(operands, context);
}

/** With spaces where nothing is said. */
function padding(name: TextFunction): Builder {
  return (operands, context) => {
    checkCount(operands, context, 2, 3);
    const filled = operands.length === 3 ? operands : [...operands, literal(" ", "string")];
    return simple(name, ["text", "whole", "text"], "string")(filled, context);
  };
}

function substring(operands: readonly Expression[], context: CallContext): Expression {
  if (operands.length === 1) throw planningError("Substring without for/from is not valid");
  return simple("substr", ["text", "whole", "whole"], "string", 1)(operands, context);
}

/** As many characters give way as `part` has, where nothing is said. */
function overlay(operands: readonly Expression[], context: CallContext): Expression {
  checkCount(operands, context, 3, 4);
  const [, part = literal(null, "string")] = operands;
  const whole =
    operands.length === 4
      ? operands
      : [...operands, simple("length", ["text"], "int64")([part], context)];
  return simple("overlay", ["text", "text", "whole", "whole"], "string")(whole, context);
}

/** A character that is named twice has its last meaning; the engine would take the first. */
function translation(operands: readonly Expression[], context: CallContext): Expression {
  const [text, source, target] = operands;
  const build = simple("translate", ["text", "text", "text"], "string");
  if (source?.kind !== "literal" || target?.kind !== "literal") return build(operands, context);
  if (typeof source.value !== "string" || typeof target.value !== "string" || text === undefined) {
    return build(operands, context);
  }
  const targets = Array.from(target.value);
  const meanings = new Map(
    Array.from(source.value).map((character, index) => [character, targets[index]]),
  );
  // Those that are taken away go last.
  const kept = [...meanings].toSorted(
    ([, a], [, b]) => Number(a === undefined) - Number(b === undefined),
  );
  const from = literal(kept.map(([character]) => character).join(""), "string");
  const to = literal(kept.map(([, meaning]) => meaning ?? "").join(""), "string");
  return build([text, from, to], context);
}

function octetLength(operands: readonly Expression[], context: CallContext): Expression {
  checkCount(operands, context, 1);
  const [operand = literal(null, "null")] = operands;
  if (operand.type === "binary") return call("bytes_length", [operand], "int32");
  return simple("byte_length", ["text"], "int32")(operands, context);
}

function concatenation(operands: readonly Expression[], context: CallContext): Expression {
  if (operands.length === 0) checkCount(operands, context, 1);
  return call("concat", textsOf(operands, context), "string");
}

function separated(operands: readonly Expression[], context: CallContext): Expression {
  if (operands.length < 2) {
    throw planningError(
      `Function 'concat_ws' expects at least 2 arguments but received ${operands.length}`,
    );
  }
  return call("concat_ws", textsOf(operands, context), "string");
}

/** All as text; what has no text of its own is refused. */
function textsOf(operands: readonly Expression[], context: CallContext): Expression[] {
  return operands.map((operand) => {
    const { type } = operand;
    const plain = typeof type === "string" || type.kind === "timestamp" || type.kind === "decimal";
    if (type === "interval") throw argumentError(context, "String", operands, type);
    if (!plain) {
      throw planningError(`Function '${context.name}' does not support ${typeText(type)}`);
    }
    return coerce(operand, "string");
  });
}
