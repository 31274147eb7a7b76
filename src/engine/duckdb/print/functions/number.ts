/** The functions of model/query/functions/number.ts as engine SQL. */
import type { NumberFunction } from "#model/query/functions/number.ts";
import { NAN } from "../literal.ts";
import { named, type Printers } from "./printer.ts";

export const NUMBER: Printers<NumberFunction> = {
  cbrt: named("cbrt"),
  signum: ([a = ""]) => `(CASE WHEN isnan(${a}) THEN ${NAN} ELSE CAST(sign(${a}) AS DOUBLE) END)`,
};
