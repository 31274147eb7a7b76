/** Which series, or values of tags, a table has: what SHOW asks of data. */
import type { Expression, SortKey } from "#model/query/expression.ts";
import type { Field, Plan } from "#model/query/plan.ts";
import type { ResultBatch } from "#model/query/result.ts";
import type { TableSchema } from "#model/schema.ts";
import type { TimeRange } from "#model/time-range.ts";
import { filtered } from "../../plan/conditions.ts";
import type { Expression as InfluxExpression } from "../ast.ts";
import { ScanColumns } from "./columns.ts";
import { conditionOf } from "./condition/condition.ts";
import { type Reading, readPlan } from "./reading.ts";
import { tagOf } from "./rows.ts";

export interface TagRequest {
  readonly table: TableSchema;
  /** Names of tags; one that the table has not is NULL in all rows. Without any there is one row, of no columns, where there is data. */
  readonly tags: readonly string[];
  readonly time: TimeRange;
  /** WHERE without what it says of time. */
  readonly condition: InfluxExpression | undefined;
}

/**
 * The combinations of values of `tags` that rows of the table have, each once, in columns of strings in the order of `tags`; sorted by
 * bytes, what is missing (NULL) first. Rejects as `Engine.query`.
 */
export function distinctTags(request: TagRequest, reading: Reading): AsyncIterable<ResultBatch> {
  const columns = new ScanColumns(request.table);
  const groups = request.tags.map((name) => tagOf(columns, name));
  const fields = request.tags.map((name): Field => ({ name, type: "string" }));
  const rows = rowsOf(request, columns);
  // One row that tells whether there is any.
  const plan: Plan =
    groups.length === 0
      ? { kind: "limit", fields: [], input: nothingOf(rows), countMax: 1n, offset: 0n }
      : sorted({ kind: "aggregate", fields, input: rows, groups, aggregates: [] });
  return readPlan(plan, request.table, reading);
}

function rowsOf({ condition, table, time }: TagRequest, columns: ScanColumns): Plan {
  const conditions =
    condition === undefined ? [] : [conditionOf(condition, { columns, measurement: table.name })];
  return filtered(columns.scan(time), conditions);
}

function nothingOf(input: Plan): Plan {
  return { kind: "project", fields: [], input, expressions: [] };
}

function sorted(plan: Plan): Plan {
  const keys = plan.fields.map(({ type }, index): SortKey => {
    const expression: Expression = { kind: "input", index, type };
    return { expression, descending: false, nullsFirst: true };
  });
  return { kind: "sort", fields: plan.fields, input: plan, keys };
}
