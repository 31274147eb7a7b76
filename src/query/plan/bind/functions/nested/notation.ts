/** What is written of lists, structs and maps without a function's name, as calls of functions. */
import { assert } from "#base/errors.ts";
import type { Expression } from "#model/query/expression.ts";
import type { BinaryOperator, CallExpression, SqlExpression } from "../../../../sql/ast.ts";
import type { Builder, CallContext } from "../builder.ts";
import { LIST_FUNCTIONS } from "./lists.ts";
import { PART_FUNCTIONS } from "./parts.ts";

/** `value[key]`: an item of a list by its place, a member of a struct by its name, or the value of a map's key. */
export function subscript(operands: readonly Expression[], nowNs: bigint): Expression {
  const [{ type } = { type: "null" }] = operands;
  const list = typeof type === "object" && type.kind === "list";
  const name = list ? "array_element" : "get_field";
  const builder = (list ? LIST_FUNCTIONS : PART_FUNCTIONS)[name];
  return apply(builder, operands, { name, nowNs });
}

/** The arguments of array_slice for `list[from:to:step]`; the list's ends where nothing is said. */
export function sliceOperands(
  expression: Extract<SqlExpression, { kind: "slice" }>,
): readonly SqlExpression[] {
  const { operand, from, to, step } = expression;
  return [operand, from ?? whole(1n), to ?? whole(-1n), ...(step === undefined ? [] : [step])];
}

function whole(value: bigint): SqlExpression {
  return { kind: "literal", value };
}

/** The slice of bound operands. */
export function slice(operands: readonly Expression[], nowNs: bigint): Expression {
  return apply(LIST_FUNCTIONS["array_slice"], operands, { name: "array_slice", nowNs });
}

/** `struct(a, b AS name)` as `named_struct('c0', a, 'name', b)`; other calls as they are. */
export function withNames(expression: CallExpression): CallExpression {
  const { name, arguments: operands } = expression;
  if (name !== "struct" && name !== "row") return expression;
  if (!operands.some(({ kind }) => kind === "named")) return expression;
  const pairs = operands.flatMap((operand, index): SqlExpression[] => {
    const named = operand.kind === "named";
    const label = named ? operand.name : `c${index}`;
    return [{ kind: "literal", value: label }, named ? operand.value : operand];
  });
  return { ...expression, name: "named_struct", arguments: pairs };
}

/** `||`, `@>` and `<@` where one side is a list; undefined for all others. */
export function listOperator(
  operator: BinaryOperator,
  operands: readonly [Expression, Expression],
  nowNs: bigint,
): Expression | undefined {
  const [left, right] = operands.map(
    ({ type }) => typeof type === "object" && type.kind === "list",
  );
  if (!left && !right) return undefined;
  const named = (name: string, sides: readonly Expression[] = operands) =>
    apply(LIST_FUNCTIONS[name], sides, { name, nowNs });
  switch (operator) {
    case "||":
      if (left && right) return named("array_concat");
      return named(left ? "array_append" : "array_prepend");
    case "@>":
      return named("array_has_all");
    case "<@":
      return named("array_has_all", operands.toReversed());
    default:
      return undefined;
  }
}

function apply(
  builder: Builder | undefined,
  operands: readonly Expression[],
  context: CallContext,
): Expression {
  assert(builder !== undefined, "brackets are functions");
  return builder(operands, context);
}
