import type { Builder } from "../builder.ts";
import { LIST_FUNCTIONS } from "./lists.ts";
import { PART_FUNCTIONS } from "./parts.ts";
import { SERIES_FUNCTIONS } from "./series.ts";

/** The functions of SQL about lists, structs and maps, by name. */
export const NESTED_FUNCTIONS: Readonly<Record<string, Builder>> = {
  ...LIST_FUNCTIONS,
  ...PART_FUNCTIONS,
  ...SERIES_FUNCTIONS,
};
