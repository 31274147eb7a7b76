/** The functions of model/query/functions/time.ts as engine SQL. */
import type { TimeFunction } from "#model/query/functions/time.ts";
import type { Printers } from "./printer.ts";

export const TIME: Printers<TimeFunction> = {
  make_date: (args) => `CAST(make_date(${args.join(", ")}) - DATE '1970-01-01' AS INTEGER)`,
};
