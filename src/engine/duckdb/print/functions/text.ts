/** The functions of model/query/functions/text.ts as engine SQL. */
import type { TextFunction } from "#model/query/functions/text.ts";
import { named, type Printers } from "./printer.ts";

export const TEXT: Printers<TextFunction> = {
  reverse: named("reverse"),
  repeat: named("repeat"),
};
