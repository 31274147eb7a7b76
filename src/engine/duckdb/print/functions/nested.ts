/** The functions of model/query/functions/nested.ts as engine SQL. */
import type { NestedFunction } from "#model/query/functions/nested.ts";
import { LISTS } from "./lists.ts";
import { PARTS } from "./parts.ts";
import type { Printers } from "./printer.ts";

export const NESTED: Printers<NestedFunction> = { ...LISTS, ...PARTS };
