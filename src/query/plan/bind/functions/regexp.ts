import type { Expression } from "#model/query/expression.ts";
import { listOf, type ValueType } from "#model/query/value-type.ts";
import { unsupported } from "../../../sql/errors.ts";
import { coerce } from "../coerce.ts";
import { planningError } from "../errors.ts";
import { literal } from "../fold.ts";
import { call, comparison } from "../operators.ts";
import { argumentError, type Builder, type CallContext, checkCount, named } from "./builder.ts";

const FLAGS = /^[imsU]*$/;
const MATCH_COUNT_MAX = 1000n;

/** The functions of SQL about regular expressions, by name. */
export const REGEXP_FUNCTIONS: Readonly<Record<string, Builder>> = {
  ...named("regexp_like", (operands, context) => {
    const [text, pattern, flags] = checked(operands, context, "text text text?");
    return call("regexp_like", [text, withFlags(pattern, flags, context)], "boolean");
  }),
  ...named("regexp_count", regexpCount),
  ...named("regexp_match", regexpMatch),
  ...named("regexp_replace", regexpReplace),
  ...named("regexp_instr", regexpPosition),
};

/** The arguments with their types; a `?` stands behind those that may be missing. */
function checked(
  operands: readonly Expression[],
  context: CallContext,
  parameters: string,
): [Expression, Expression, ...(Expression | undefined)[]] {
  const names = parameters.split(" ");
  const countMin = names.filter((name) => !name.endsWith("?")).length;
  checkCount(operands, context, countMin, names.length);
  const [first, second, ...more] = operands.map((operand, index) => {
    const whole = names[index]?.startsWith("whole") ?? false;
    const type: ValueType = whole ? "int64" : "string";
    const fits = operand.type === "null" || (whole ? isWhole(operand) : operand.type === "string");
    if (!fits) throw argumentError(context, whole ? "Integer" : "String", operands, operand.type);
    return coerce(operand, type);
  });
  const none = literal(null, "string");
  return [first ?? none, second ?? none, ...more];
}

function isWhole({ type }: Expression): boolean {
  return typeof type === "string" && /^u?int/.test(type);
}

/** `pattern` with `flags` in front of it; NULL and nothing are no flags. */
function withFlags(
  pattern: Expression,
  flags: Expression | undefined,
  context: CallContext,
): Expression {
  if (flags === undefined) return pattern;
  if (flags.kind !== "literal") return withComputedFlags(pattern, flags);
  const known = typeof flags.value === "string" ? [...new Set(flags.value)].join("") : "";
  if (known.includes("g")) {
    throw planningError(`${context.name}() does not support the "global" option`);
  }
  if (!FLAGS.test(known)) {
    throw planningError(`Function '${context.name}' supports the flags i, m, s and U`);
  }
  if (known === "") return pattern;
  return pattern.kind === "literal" && typeof pattern.value === "string"
    ? literal(`(?${known})${pattern.value}`, "string")
    : call("concat_operator", [literal(`(?${known})`, "string"), pattern], "string");
}

function withComputedFlags(pattern: Expression, flags: Expression): Expression {
  const parts = [literal("(?", "string"), flags, literal(")", "string"), pattern];
  const when = comparison("!=", flags, literal("", "string"));
  return {
    kind: "case",
    branches: [{ when, result: call("concat_operator", parts, "string") }],
    otherwise: pattern,
    type: "string",
  };
}

/** `text` from character `start` on. */
function from(text: Expression, start: Expression | undefined, context: CallContext): Expression {
  if (start === undefined) return text;
  if (start.kind === "literal" && typeof start.value === "bigint" && start.value < 1n) {
    throw planningError(`${context.name}() requires start to be 1 based`);
  }
  return call("substr", [text, start], "string");
}

function regexpCount(operands: readonly Expression[], context: CallContext): Expression {
  const [text, pattern, start, flags] = checked(operands, context, "text text whole? text?");
  const flagged = withFlags(pattern, flags, context);
  const count = call("regexp_count", [from(text, start, context), flagged], "int64");
  if (flags === undefined || pattern.kind === "literal") return count;
  // With flags in front of it, nothing is a pattern.
  const when = call("not_equal", [pattern, literal("", "string")], "boolean");
  return {
    kind: "case",
    branches: [{ when, result: count }],
    otherwise: literal(0n, "int64"),
    type: "int64",
  };
}

function regexpMatch(operands: readonly Expression[], context: CallContext): Expression {
  const [text, pattern, flags] = checked(operands, context, "text text text?");
  return call("regexp_match", [text, withFlags(pattern, flags, context)], listOf("string"));
}

function regexpReplace(operands: readonly Expression[], context: CallContext): Expression {
  checkCount(operands, context, 3, 4);
  const [text, pattern, replacement = literal(null, "string"), flags] = checked(
    operands,
    context,
    "text text text text?",
  );
  const replaced = (flagged: Expression, all: boolean): Expression =>
    call("regexp_replace", [text, flagged, replacement, literal(all, "boolean")], "string");
  if (flags === undefined) return replaced(pattern, false);
  if (flags.kind === "literal") {
    const known = typeof flags.value === "string" ? flags.value : "";
    const others = literal(known.replaceAll("g", ""), "string");
    return replaced(withFlags(pattern, others, context), known.includes("g"));
  }
  const nothing = literal("", "string");
  const others = call("replace", [flags, literal("g", "string"), nothing], "string");
  const flagged = withFlags(pattern, others, context);
  const when = call("contains", [flags, literal("g", "string")], "boolean");
  return {
    kind: "case",
    branches: [{ when, result: replaced(flagged, true) }],
    otherwise: replaced(flagged, false),
    type: "string",
  };
}

function regexpPosition(operands: readonly Expression[], context: CallContext): Expression {
  const [text, pattern, start, match = literal(1n, "int64"), flags, group] = checked(
    operands,
    context,
    "text text whole? whole? text? whole?",
  );
  if (group !== undefined && (group.kind !== "literal" || group.value !== 0n)) {
    throw unsupported("regexp_instr of a group");
  }
  if (match.kind !== "literal" || typeof match.value !== "bigint") {
    throw unsupported("regexp_instr of a match that is no constant");
  }
  if (match.value < 1n || match.value > MATCH_COUNT_MAX) {
    throw planningError(`regexp_instr() takes matches 1 to ${MATCH_COUNT_MAX}`);
  }
  const flagged = withFlags(pattern, flags, context);
  const found = call("regexp_instr", [from(text, start, context), flagged, match], "int64");
  if (start === undefined) return found;
  const skipped = call("subtract", [start, literal(1n, "int64")], "int64");
  return {
    kind: "case",
    branches: [
      {
        when: call("greater", [found, literal(0n, "int64")], "boolean"),
        result: call("add", [found, skipped], "int64"),
      },
    ],
    otherwise: found,
    type: "int64",
  };
}
