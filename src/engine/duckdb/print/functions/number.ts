/** The functions of model/query/functions/number.ts as engine SQL. */
import type { NumberFunction } from "#model/query/functions/number.ts";
import { INTEGER_RANGES, isInteger } from "#model/query/value-type.ts";
import { NAN, sqlType } from "../literal.ts";
import { type CallPrinter, infix, named, type Printers } from "./printer.ts";

export const NUMBER: Printers<NumberFunction> = {
  cbrt: named("cbrt"),
  signum: ([a = ""]) => `(CASE WHEN isnan(${a}) THEN ${NAN} ELSE CAST(sign(${a}) AS DOUBLE) END)`,
  bit_and: infix("&"),
  bit_or: infix("|"),
  bit_xor: named("xor"),
  shift_left: shift("*"),
  shift_right: shift("//"),
};

/** Times or by a power of two, in 128 bits: the engine's own shifts refuse what is lost, and negative numbers. */
function shift(operator: "*" | "//"): CallPrinter {
  return ([value = "", count = ""], { type }) => {
    const [least, greatest] = isInteger(type) ? INTEGER_RANGES[type] : INTEGER_RANGES.int64;
    const size = greatest - least + 1n;
    const bits = size.toString(2).length - 1;
    const power = `CAST(pow(2, (CAST(${count} AS HUGEINT) % ${bits} + ${bits}) % ${bits}) AS HUGEINT)`;
    const wide = `CAST(${value} AS HUGEINT)`;
    // Halves are rounded down, as bits go.
    if (operator === "//") {
      const floored = `(${wide} - CASE WHEN ${wide} < 0 THEN ${power} - 1 ELSE 0 END) // ${power}`;
      return `CAST(${floored} AS ${sqlType(type)})`;
    }
    const wrapped = `((${wide} * ${power} - ${least}) % ${size} + ${size}) % ${size} + ${least}`;
    return `CAST(${wrapped} AS ${sqlType(type)})`;
  };
}
