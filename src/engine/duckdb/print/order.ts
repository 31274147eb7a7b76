/** Keys that rows are sorted by, as engine SQL. */
import type { SortKey } from "#model/query/expression.ts";
import { printExpression } from "./expression.ts";
import type { Names } from "./names.ts";

/** ` ORDER BY …`, or nothing. */
export function printOrder(keys: readonly SortKey[] | undefined, names: Names): string {
  // A literal orders nothing; the engine would take some for the place of a column.
  const effective = (keys ?? []).filter(({ expression }) => expression.kind !== "literal");
  if (effective.length === 0) return "";
  const printed = effective.map((key) => {
    return `${printExpression(key.expression, names)} ${printDirection(key)}`;
  });
  return ` ORDER BY ${printed.join(", ")}`;
}

/** What stands behind a key. */
export function printDirection({
  descending,
  nullsFirst,
}: Pick<SortKey, "descending" | "nullsFirst">): string {
  return `${descending ? "DESC" : "ASC"} NULLS ${nullsFirst ? "FIRST" : "LAST"}`;
}
