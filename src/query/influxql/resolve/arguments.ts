/** Which types functions take. */
import { refused } from "../check/errors.ts";
import type { Type } from "./types.ts";

/** Functions of values of any type. */
const ANY = new Set(["count", "distinct", "elapsed", "first", "last", "mode", "sample"]);
/** Functions of booleans, too. */
const BOOLEAN = new Set(["max", "min"]);
/** What 1.x's texts call functions by another name. */
const SPOKEN: Readonly<Record<string, string>> = {
  cumulative_sum: "cumulative sum",
  holt_winters: "elapsed",
  holt_winters_with_fit: "elapsed",
  moving_average: "moving average",
  non_negative_derivative: "derivative",
  non_negative_difference: "difference",
};

/** Whether the function `name` takes values of `type`. */
export function takesType(name: string, type: Type): boolean {
  switch (type) {
    case "boolean":
      return ANY.has(name) || BOOLEAN.has(name);
    case "string":
    case "tag":
      return ANY.has(name);
    default:
      return true;
  }
}

/** Throws `invalid` / `influxql_refused` where the function `name` takes no values of `type`. */
export function requireArgument(name: string, type: Type): void {
  if (takesType(name, type)) return;
  const kind = type === "boolean" ? "boolean" : "string";
  throw refused(
    `unsupported ${SPOKEN[name] ?? name} iterator type: *query.${kind}InterruptIterator`,
  );
}
