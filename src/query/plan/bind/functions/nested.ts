import type { Expression } from "#model/query/expression.ts";
import { listOf } from "#model/query/value-type.ts";
import { coerce } from "../coerce.ts";
import { call } from "../operators.ts";
import { type Builder, type CallContext, commonArgumentType, named } from "./builder.ts";

/** The functions of SQL about lists, structs and maps, by name. */
export const NESTED_FUNCTIONS: Readonly<Record<string, Builder>> = {
  ...named("make_array make_list", makeList),
};

function makeList(operands: readonly Expression[], context: CallContext): Expression {
  const type = operands.length === 0 ? "int64" : commonArgumentType(operands, context);
  const items = operands.map((operand) => coerce(operand, type));
  return call("make_list", items, listOf(type));
}
