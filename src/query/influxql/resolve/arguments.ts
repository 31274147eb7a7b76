/** Which types functions take. */
import { refused } from "../check/errors.ts";
import type { Type } from "./types.ts";

/** Functions of values of any type. */
const ANY = new Set(["count", "distinct", "elapsed", "first", "last", "mode", "sample"]);
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

/** Throws `invalid` / `influxql_refused` where the function `name` takes no values of `type`. */
export function requireArgument(name: string, type: Type): void {
  if (type !== "string" && type !== "boolean" && type !== "tag") return;
  if (ANY.has(name) || (type === "boolean" && BOOLEAN.has(name))) return;
  const kind = type === "boolean" ? "boolean" : "string";
  throw refused(
    `unsupported ${SPOKEN[name] ?? name} iterator type: *query.${kind}InterruptIterator`,
  );
}
