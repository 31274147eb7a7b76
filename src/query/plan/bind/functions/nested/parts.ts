import type { Expression } from "#model/query/expression.ts";
import { typeText } from "#model/query/type-text.ts";
import {
  type ListType,
  listOf,
  type MapType,
  type Member,
  structOf,
  type ValueType,
} from "#model/query/value-type.ts";
import { planningError } from "../../errors.ts";
import { literal } from "../../fold.ts";
import { call } from "../../operators.ts";
import { type Builder, type CallContext, checkCount, named } from "../builder.ts";
import { alike, checkAtLeast, fitted, listAt, operandAt } from "./list-types.ts";

/** The functions of SQL about structs and maps, by name. */
export const PART_FUNCTIONS: Readonly<Record<string, Builder>> = {
  ...named("struct row", (operands, context) => {
    checkAtLeast(operands, context, 1);
    return structFrom(operands.map((value, index) => ({ name: `c${index}`, value })));
  }),
  named_struct: namedStruct,
  get_field: field,
  map: mapOfLists,
  make_map: makeMap,
  ...named("map_extract element_at", (operands, context) => {
    checkCount(operands, context, 2);
    const map = mapAt(operands, context);
    const value = valueAt(map, operandAt(operands, 1));
    return call("make_list", [value], listOf(map.type.value));
  }),
  map_keys: ofMap("map_keys", ({ key }) => listOf(key)),
  map_values: ofMap("map_values", ({ value }) => listOf(value)),
  map_entries: ofMap("map_entries", ({ key, value }) =>
    listOf(
      structOf([
        { name: "key", type: key },
        { name: "value", type: value },
      ]),
    ),
  ),
  cardinality,
};

interface NamedValue {
  readonly name: string;
  readonly value: Expression;
}

function structFrom(members: readonly NamedValue[]): Expression {
  const types = members.map(({ name, value }): Member => ({ name, type: value.type }));
  return call(
    "make_struct",
    members.map(({ value }) => value),
    structOf(types),
  );
}

/** Names and values in turn. */
function namedStruct(operands: readonly Expression[], context: CallContext): Expression {
  checkAtLeast(operands, context, 2);
  if (operands.length % 2 !== 0) {
    throw planningError(
      `named_struct requires an even number of arguments, got ${operands.length} instead`,
    );
  }
  const members = Array.from({ length: operands.length / 2 }, (_, index) => {
    const name = operandAt(operands, 2 * index);
    if (name.kind !== "literal" || typeof name.value !== "string" || name.value === "") {
      throw planningError(
        `named_struct requires ${2 * index + 1}-th (0-indexed: ${2 * index}) field name as constant non-empty string`,
      );
    }
    return { name: name.value, value: operandAt(operands, 2 * index + 1) };
  });
  return structFrom(members);
}

/** A member of a struct by its constant name, or the value of a map's key. */
function field(operands: readonly Expression[], context: CallContext): Expression {
  checkCount(operands, context, 2);
  const [value, key] = [operandAt(operands, 0), operandAt(operands, 1)];
  const { type } = value;
  if (type === "null") return literal(null, "null");
  if (typeof type === "object" && type.kind === "map") {
    return valueAt(value as Expression & { readonly type: MapType }, key);
  }
  if (typeof type !== "object" || type.kind !== "struct") {
    throw planningError(
      `The expression to get an indexed field is only valid for \`Struct\`, \`Map\` or \`Null\` types, got ${typeText(type)}`,
    );
  }
  if (key.kind !== "literal" || typeof key.value !== "string") {
    throw planningError("Field name must be a non-empty string");
  }
  const index = type.members.findIndex(({ name }) => name === key.value);
  const member = type.members[index];
  if (member === undefined) {
    const names = type.members.map(({ name }) => name).join(", ");
    throw planningError(`Field ${key.value.slice(0, 100)} not found in struct; it has ${names}`);
  }
  return call("struct_member", [value, literal(BigInt(index), "int64")], member.type);
}

function valueAt(map: Expression & { readonly type: MapType }, key: Expression): Expression {
  return call("map_value", [map, fitted(key, map.type.key)], map.type.value);
}

/** A list of keys and a list of values. */
function mapOfLists(operands: readonly Expression[], context: CallContext): Expression {
  checkCount(operands, context, 2);
  return mapFrom(listAt(operands, 0, context), listAt(operands, 1, context));
}

/** Keys and values in turn; of two lists that stand for `MAP {…}` as well. */
function makeMap(operands: readonly Expression[], context: CallContext): Expression {
  if (operands.length % 2 !== 0) {
    throw planningError("make_map requires an even number of arguments");
  }
  const turns = [0, 1].map((turn) => operands.filter((_, index) => index % 2 === turn));
  const [keys, values] = turns.map((items) => {
    const made = alike([], items, context);
    return call("make_list", made.items, made.type) as Expression & { readonly type: ListType };
  });
  return keys === undefined || values === undefined ? literal(null, "null") : mapFrom(keys, values);
}

function mapFrom(
  keys: Expression & { readonly type: ListType },
  values: Expression & { readonly type: ListType },
): Expression {
  const type: MapType = { kind: "map", key: keys.type.item, value: values.type.item };
  return call("make_map", [keys, values], type);
}

function mapAt(
  operands: readonly Expression[],
  context: CallContext,
): Expression & { readonly type: MapType } {
  const operand = operandAt(operands, 0);
  if (typeof operand.type === "object" && operand.type.kind === "map") {
    return operand as Expression & { readonly type: MapType };
  }
  throw planningError(
    `Function '${context.name}' expects a map but received ${typeText(operand.type)}`,
  );
}

function ofMap(
  name: "map_keys" | "map_values" | "map_entries",
  result: (type: MapType) => ValueType,
): Builder {
  return (operands, context) => {
    checkCount(operands, context, 1);
    const map = mapAt(operands, context);
    return call(name, [map], result(map.type));
  };
}

function cardinality(operands: readonly Expression[], context: CallContext): Expression {
  checkCount(operands, context, 1);
  const { type } = operandAt(operands, 0);
  if (type === "null") return literal(null, "uint64");
  const map = typeof type === "object" && type.kind === "map";
  const operand = map ? operandAt(operands, 0) : listAt(operands, 0, context);
  return call(map ? "map_cardinality" : "list_cardinality", [operand], "uint64");
}
