/** The functions of structs and maps in model/query/functions/nested.ts as engine SQL. */
import type { NestedFunction } from "#model/query/functions/nested.ts";
import { sqlType } from "../literal.ts";
import { literalOf, named, type Printers } from "./printer.ts";

type PartFunction = Extract<NestedFunction, `${string}struct${string}` | `${string}map${string}`>;

export const PARTS: Printers<PartFunction> = {
  make_struct: (args, { type }) => {
    const members = args.map((member, index) => `'f${index}': ${member}`).join(", ");
    return `CAST({${members}} AS ${sqlType(type)})`;
  },
  struct_member: ([struct = ""], call) =>
    `struct_extract(${struct}, 'f${Number(literalOf(call, 1))}')`,
  make_map: ([keys = "", values = ""], { type }) =>
    `CAST(map(${keys}, ${values}) AS ${sqlType(type)})`,
  map_value: named("map_extract_value"),
  map_keys: named("map_keys"),
  map_values: named("map_values"),
  map_entries: ([map = ""]) =>
    `list_transform(map_entries(${map}), lambda e: {'f0': e.key, 'f1': e.value})`,
  map_cardinality: ([map = ""]) => `CAST(cardinality(${map}) AS UBIGINT)`,
};
