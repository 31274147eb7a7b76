import type { Expression } from "#model/query/expression.ts";
import type { ScalarFunction } from "#model/query/functions/scalar.ts";
import { type ListType, listOf, type ValueType } from "#model/query/value-type.ts";
import { coerce } from "../../coerce.ts";
import { planningError } from "../../errors.ts";
import { literal } from "../../fold.ts";
import { call } from "../../operators.ts";
import { type Builder, type CallContext, checkCount, named } from "../builder.ts";
import { alike, checkAtLeast, fitted, listAt, operandAt, textAt, wholeAt } from "./list-types.ts";

/** The most a count can say: all of them. */
const ALL = literal(2n ** 63n - 1n, "int64");
const ONE = literal(1n, "int64");

/** The functions of SQL about lists, by name. */
export const LIST_FUNCTIONS: Readonly<Record<string, Builder>> = {
  ...named("make_array make_list", makeList),
  ...lists("any_value", ofList("list_any_value", "item")),
  ...lists("append push_back", (operands, context) => {
    checkCount(operands, context, 2);
    return added(operands, [0, 1], context);
  }),
  ...lists("prepend push_front", (operands, context) => {
    checkCount(operands, context, 2);
    return added(operands, [1, 0], context);
  }),
  ...lists("concat cat", concatenation),
  ...lists("dims", ofList("list_dims", listOf("uint64"))),
  ...lists("ndims", depth),
  ...lists("distance", distance),
  ...lists("distinct", ofList("list_distinct", "list")),
  ...lists("element extract", element),
  ...lists("empty", ofList("list_is_empty", "boolean")),
  empty: ofList("list_is_empty", "boolean"),
  ...lists("except", ofTwo("list_except")),
  ...lists("intersect", ofTwo("list_intersect")),
  ...lists("union", ofTwo("list_union")),
  ...lists("has contains", has),
  ...lists("has_all", ofTwo("list_has_all", "boolean")),
  ...lists("has_any", ofTwo("list_has_any", "boolean")),
  arrays_overlap: ofTwo("list_has_any", "boolean"),
  ...lists("to_string join", toText),
  ...named("string_to_array string_to_list", fromText),
  ...lists("length", length),
  ...lists("max", ofList("list_max", "item")),
  ...lists("min", ofList("list_min", "item")),
  ...lists("pop_back", part(1n, -2n)),
  ...lists("pop_front", part(2n, -1n)),
  ...lists("position indexof", position),
  ...lists("positions", positions),
  ...lists(
    "remove",
    removal(() => ONE),
  ),
  ...lists(
    "remove_n",
    removal((operands, context) => wholeAt(operands, 2, context)),
  ),
  ...lists(
    "remove_all",
    removal(() => ALL),
  ),
  ...lists(
    "replace",
    replacement(() => ONE),
  ),
  ...lists(
    "replace_n",
    replacement((operands, context) => wholeAt(operands, 3, context)),
  ),
  ...lists(
    "replace_all",
    replacement(() => ALL),
  ),
  ...lists("repeat", repetition),
  ...lists("resize", resize),
  ...lists("reverse", ofList("list_reverse", "list")),
  ...lists("slice", slice),
  ...lists("sort", sort),
  flatten,
};

/** Each name is there as array_… and list_…. */
function lists(names: string, builder: Builder): Record<string, Builder> {
  const both = names.split(" ").flatMap((name) => [`array_${name}`, `list_${name}`]);
  return named(both.join(" "), builder);
}

/** A function of one list. Of a bare NULL it is NULL. */
function ofList(name: ScalarFunction, result: "list" | "item" | ValueType): Builder {
  return (operands, context) => {
    checkCount(operands, context, 1);
    if (operandAt(operands, 0).type === "null") return literal(null, "null");
    const list = listAt(operands, 0, context);
    return call(name, [list], resultType(result, list.type));
  };
}

/** A function of two lists of one type. */
function ofTwo(name: ScalarFunction, result: "list" | "boolean" = "list"): Builder {
  return (operands, context) => {
    checkCount(operands, context, 2);
    const given = [listAt(operands, 0, context), listAt(operands, 1, context)];
    const both = alike(given, [], context);
    if (both.type.item === "null" && result === "list")
      return coerce(operandAt(operands, 0), both.type);
    return call(name, both.lists, resultType(result, both.type));
  };
}

function resultType(result: "list" | "item" | ValueType, list: ListType): ValueType {
  if (result === "list") return list;
  return result === "item" ? list.item : result;
}

function makeList(operands: readonly Expression[], context: CallContext): Expression {
  const { type, items } = alike([], operands, context);
  return call("make_list", items, type);
}

/** A list with an item at one of its ends; `order` says where both are among the arguments. */
function added(
  operands: readonly Expression[],
  order: readonly [number, number],
  context: CallContext,
): Expression {
  const [listIndex, itemIndex] = order;
  const list = listAt(operands, listIndex, context);
  const { type, lists: same, items } = alike([list], [operandAt(operands, itemIndex)], context);
  const one = call("make_list", items, type);
  const both = [...same, one];
  return call("list_concat", listIndex === 0 ? both : both.toReversed(), type);
}

/** Lists of fewer dimensions are items of the others. */
function concatenation(operands: readonly Expression[], context: CallContext): Expression {
  checkAtLeast(operands, context, 1);
  const given = operands.filter(({ type }) => type !== "null");
  if (given.length === 0) return literal(null, "null");
  const depths = given.map((_, index) => depthOf(listAt(given, index, context).type));
  const deepest = Math.max(...depths);
  const level = given.map((operand, index) => {
    let list = operand;
    for (let count = depths[index] ?? 0; count < deepest; count += 1) {
      list = call("make_list", [list], listOf(list.type));
    }
    return list;
  });
  const { type, lists: same } = alike(
    level.map((_, index) => listAt(level, index, context)),
    [],
    context,
  );
  return call("list_concat", same, type);
}

function depthOf(type: ValueType): number {
  return typeof type === "object" && type.kind === "list" ? 1 + depthOf(type.item) : 0;
}

function depth(operands: readonly Expression[], context: CallContext): Expression {
  checkCount(operands, context, 1);
  if (operandAt(operands, 0).type === "null") return literal(null, "uint64");
  const list = listAt(operands, 0, context);
  const known = call("is_not_null", [list], "boolean");
  return {
    kind: "case",
    branches: [{ when: known, result: literal(BigInt(depthOf(list.type)), "uint64") }],
    otherwise: literal(null, "uint64"),
    type: "uint64",
  };
}

function distance(operands: readonly Expression[], context: CallContext): Expression {
  checkCount(operands, context, 2);
  const type = listOf("float64");
  const both = [listAt(operands, 0, context), listAt(operands, 1, context)];
  return call(
    "list_distance",
    both.map((list) => fitted(list, type)),
    "float64",
  );
}

function element(operands: readonly Expression[], context: CallContext): Expression {
  checkCount(operands, context, 2);
  if (operandAt(operands, 0).type === "null") return literal(null, "null");
  const list = listAt(operands, 0, context);
  return call("list_element", [list, wholeAt(operands, 1, context)], list.type.item);
}

function has(operands: readonly Expression[], context: CallContext): Expression {
  checkCount(operands, context, 2);
  const { lists: same, items } = alike(
    [listAt(operands, 0, context)],
    [operandAt(operands, 1)],
    context,
  );
  if (operands.some(({ type }) => type === "null")) return literal(null, "boolean");
  return call("list_has", [...same, ...items], "boolean");
}

function toText(operands: readonly Expression[], context: CallContext): Expression {
  checkCount(operands, context, 2, 3);
  let list: Expression = listAt(operands, 0, context);
  for (let count = depthOf(list.type); count > 1; count -= 1) list = flatten([list], context);
  const texts = fitted(list, listOf("string"));
  const rest = operands.slice(1).map((_, index) => textAt(operands, index + 1, context));
  return call("list_to_text", [texts, ...rest], "string");
}

function fromText(operands: readonly Expression[], context: CallContext): Expression {
  checkCount(operands, context, 2, 3);
  const texts = operands.map((_, index) => textAt(operands, index, context));
  return call("text_to_list", texts, listOf("string"));
}

function length(operands: readonly Expression[], context: CallContext): Expression {
  checkCount(operands, context, 1, 2);
  if (operandAt(operands, 0).type === "null") return literal(null, "uint64");
  const dimension = operands.length === 1 ? ONE : wholeAt(operands, 1, context);
  return call("list_length", [listAt(operands, 0, context), dimension], "uint64");
}

/** A slice between fixed places. */
function part(from: bigint, to: bigint): Builder {
  return (operands, context) => {
    checkCount(operands, context, 1);
    if (operandAt(operands, 0).type === "null") return literal(null, "null");
    const list = listAt(operands, 0, context);
    return call("list_slice", [list, literal(from, "int64"), literal(to, "int64"), ONE], list.type);
  };
}

function slice(operands: readonly Expression[], context: CallContext): Expression {
  checkCount(operands, context, 2, 4);
  if (operandAt(operands, 0).type === "null") return literal(null, "null");
  const list = listAt(operands, 0, context);
  const end = operands.length > 2 ? wholeAt(operands, 2, context) : literal(-1n, "int64");
  const step = operands.length > 3 ? wholeAt(operands, 3, context) : ONE;
  return call("list_slice", [list, wholeAt(operands, 1, context), end, step], list.type);
}

function position(operands: readonly Expression[], context: CallContext): Expression {
  checkCount(operands, context, 2, 3);
  const { lists: same, items } = alike(
    [listAt(operands, 0, context)],
    [operandAt(operands, 1)],
    context,
  );
  const from = operands.length > 2 ? wholeAt(operands, 2, context) : ONE;
  return call("list_position", [...same, ...items, from], "uint64");
}

function positions(operands: readonly Expression[], context: CallContext): Expression {
  checkCount(operands, context, 2);
  const { lists: same, items } = alike(
    [listAt(operands, 0, context)],
    [operandAt(operands, 1)],
    context,
  );
  return call("list_positions", [...same, ...items], listOf("uint64"));
}

type Count = (operands: readonly Expression[], context: CallContext) => Expression;

function removal(count: Count): Builder {
  return (operands, context) => {
    checkCount(operands, context, context.name.endsWith("_n") ? 3 : 2);
    const {
      type,
      lists: same,
      items,
    } = alike([listAt(operands, 0, context)], [operandAt(operands, 1)], context);
    return call("list_remove", [...same, ...items, count(operands, context)], type);
  };
}

function replacement(count: Count): Builder {
  return (operands, context) => {
    checkCount(operands, context, context.name.endsWith("_n") ? 4 : 3);
    const pair = [operandAt(operands, 1), operandAt(operands, 2)];
    const { type, lists: same, items } = alike([listAt(operands, 0, context)], pair, context);
    return call("list_replace", [...same, ...items, count(operands, context)], type);
  };
}

function repetition(operands: readonly Expression[], context: CallContext): Expression {
  checkCount(operands, context, 2);
  const item = operandAt(operands, 0);
  return call("list_repeat", [item, wholeAt(operands, 1, context)], listOf(item.type));
}

function resize(operands: readonly Expression[], context: CallContext): Expression {
  checkCount(operands, context, 2, 3);
  if (operandAt(operands, 0).type === "null") return literal(null, "null");
  const {
    type,
    lists: same,
    items,
  } = alike([listAt(operands, 0, context)], [operandAt(operands, 2)], context);
  return call("list_resize", [...same, wholeAt(operands, 1, context), ...items], type);
}

function sort(operands: readonly Expression[], context: CallContext): Expression {
  checkCount(operands, context, 1, 3);
  if (operands.some(({ type }) => type === "null")) return literal(null, "null");
  const list = listAt(operands, 0, context);
  const descending = wordAt(operands, 1, { ASC: false, DESC: true }, context) ?? false;
  const nullsFirst =
    wordAt(operands, 2, { "NULLS FIRST": true, "NULLS LAST": false }, context) ?? true;
  const flags = [literal(descending, "boolean"), literal(nullsFirst, "boolean")];
  return call("list_sort", [list, ...flags], list.type);
}

/** What a constant word of argument `index` means; undefined where there is none. */
function wordAt(
  operands: readonly Expression[],
  index: number,
  words: Readonly<Record<string, boolean>>,
  context: CallContext,
): boolean | undefined {
  const operand = operands[index];
  if (operand === undefined) return undefined;
  const value = operand.kind === "literal" ? operand.value : null;
  const word = typeof value === "string" ? value.toUpperCase() : "";
  if (Object.hasOwn(words, word)) return words[word];
  const known = Object.keys(words).join(" or ");
  throw planningError(`Function '${context.name}' expects the constant ${known}`);
}

/** Lists of lists lose a level; others stay as they are. */
function flatten(operands: readonly Expression[], context: CallContext): Expression {
  checkCount(operands, context, 1);
  if (operandAt(operands, 0).type === "null") return literal(null, "null");
  const list = listAt(operands, 0, context);
  return depthOf(list.type) > 1 ? call("list_flatten", [list], list.type.item) : list;
}
