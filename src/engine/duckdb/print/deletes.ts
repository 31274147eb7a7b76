/** What a delete of rows leaves, as a condition of engine SQL over rows of `k<id>` and the stamp `o`. */

import type { RowDelete, TagCondition } from "#model/row-delete.ts";
import { TIME_COLUMN_ID } from "#model/schema.ts";
import { NODE_NUMBER_MAX } from "#model/stamp.ts";
import { TIME_MAX, TIME_MIN } from "#model/time-range.ts";
import { printText } from "./literal.ts";

/** True of the rows that `one` does not cover; never NULL. */
export function printDelete({ condition, cuts, time }: RowDelete): string {
  const conditions = [cutsText(cuts)];
  if (time.start > TIME_MIN) conditions.push(`k${TIME_COLUMN_ID} >= ${time.start}`);
  if (time.end < TIME_MAX) conditions.push(`k${TIME_COLUMN_ID} <= ${time.end}`);
  if (condition !== undefined) conditions.push(tagsText(condition));
  return `NOT (${conditions.join(" AND ")})`;
}

/** The lowest bits of a stamp are its node's number (`model/stamp.ts`). */
function cutsText(cuts: RowDelete["cuts"]): string {
  const covered = cuts.map(
    ({ node, stamp }) => `((o & ${NODE_NUMBER_MAX}) = ${node} AND o <= ${stamp})`,
  );
  return covered.length === 0 ? "FALSE" : `(${covered.join(" OR ")})`;
}

function tagsText(condition: TagCondition): string {
  if (condition.kind === "in") {
    const { columnId, negated, values } = condition;
    if (values.length === 0) return negated ? "TRUE" : "FALSE";
    const list = values.map(printText).join(", ");
    return `coalesce(k${columnId}, '') ${negated ? "NOT IN" : "IN"} (${list})`;
  }
  const parts = condition.conditions.map(tagsText);
  if (parts.length === 0) return condition.kind === "and" ? "TRUE" : "FALSE";
  return `(${parts.join(condition.kind === "and" ? " AND " : " OR ")})`;
}
