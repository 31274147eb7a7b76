/** The functions of model/query/functions/nested.ts as engine SQL. */
import type { NestedFunction } from "#model/query/functions/nested.ts";
import { sqlType } from "../literal.ts";
import type { Printers } from "./printer.ts";

export const NESTED: Printers<NestedFunction> = {
  make_list: (args, { type }) => `CAST([${args.join(", ")}] AS ${sqlType(type)})`,
};
