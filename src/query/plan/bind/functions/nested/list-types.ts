/** What the functions of lists ask of their arguments' types. */
import type { Expression } from "#model/query/expression.ts";
import { typeText } from "#model/query/type-text.ts";
import {
  isInteger,
  type ListType,
  listOf,
  sameType,
  type ValueType,
} from "#model/query/value-type.ts";
import { coerce, commonType, explicitCast } from "../../coerce.ts";
import { planningError } from "../../errors.ts";
import { literal } from "../../fold.ts";
import { commonParted, isParted, valueOf } from "../../nested-types.ts";
import { type CallContext, checkCount } from "../builder.ts";

/** The type that values of all these have in one list: text gives way to what else there is. Undefined when there is none. */
function itemType(items: readonly Expression[]): ValueType | undefined {
  const others = items.filter(({ type }) => type !== "string" && type !== "null");
  if (others.length === 0) return items.some(({ type }) => type === "string") ? "string" : "null";
  if (others.some(({ type }) => isParted(type))) return commonParted(others, itemType);
  return commonType(others, "float64");
}

/** Argument `index`; NULL where it is missing. */
export function operandAt(operands: readonly Expression[], index: number): Expression {
  return operands[index] ?? literal(null, "null");
}

/** Argument `index`, a list; a bare NULL is one of NULLs. Throws DbError `invalid` / `sql_planning`. */
export function listAt(
  operands: readonly Expression[],
  index: number,
  context: CallContext,
): Expression & { readonly type: ListType } {
  const operand = operandAt(operands, index);
  if (operand.type === "null") return coerce(operand, listOf("null")) as Typed<ListType>;
  if (typeof operand.type === "object" && operand.type.kind === "list") {
    return operand as Typed<ListType>;
  }
  throw planningError(
    `Function '${context.name}' expects a list but received ${typeText(operand.type)}`,
  );
}

type Typed<Type extends ValueType> = Expression & { readonly type: Type };

/** Argument `index` as int64. */
export function wholeAt(
  operands: readonly Expression[],
  index: number,
  context: CallContext,
): Expression {
  const operand = operandAt(operands, index);
  if (operand.type === "null" || isInteger(operand.type)) return coerce(operand, "int64");
  throw planningError(
    `Function '${context.name}' expects a whole number but received ${typeText(operand.type)}`,
  );
}

/** Argument `index` as text. */
export function textAt(
  operands: readonly Expression[],
  index: number,
  context: CallContext,
): Expression {
  const operand = operandAt(operands, index);
  if (operand.type === "null" || operand.type === "string") return coerce(operand, "string");
  throw planningError(
    `Function '${context.name}' expects a text but received ${typeText(operand.type)}`,
  );
}

/** Lists and single items with one type of items. Throws DbError `invalid` / `sql_planning`. */
export function alike(
  lists: readonly (Expression & { readonly type: ListType })[],
  items: readonly Expression[],
  context: CallContext,
): { readonly type: ListType; readonly lists: Expression[]; readonly items: Expression[] } {
  const item = itemType([...lists.map(({ type }) => valueOf(type.item)), ...items]);
  if (item === undefined) {
    const types = [...lists, ...items].map(({ type }) => typeText(type)).join(", ");
    throw planningError(`Function '${context.name}' has no common type for ${types}`);
  }
  const type = listOf(item);
  return {
    type,
    lists: lists.map((list) => fitted(list, type)),
    items: items.map((one) => fitted(one, item)),
  };
}

/** `expression` as `type`. Throws DbError `unsupported` / `sql_unsupported` where no such cast exists. */
export function fitted(expression: Expression, type: ValueType): Expression {
  return sameType(expression.type, type) ? expression : explicitCast(expression, type, false);
}

/** As `checkCount`, of any number above. */
export function checkAtLeast(
  operands: readonly Expression[],
  context: CallContext,
  countMin: number,
): void {
  if (operands.length < countMin) checkCount(operands, context, countMin);
}
