/** Which series, or values of tags, a table has: what SHOW asks of data. */
import type { Expression, SortKey } from "#model/query/expression.ts";
import type { Field, Plan } from "#model/query/plan.ts";
import type { ResultBatch } from "#model/query/result.ts";
import type { ColumnSchema, TableSchema } from "#model/schema.ts";
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

/** Which fields of the table rows have a value in, in the order of its columns. Rejects as `Engine.query`. */
export async function fieldsWithData(
  request: Omit<TagRequest, "tags">,
  reading: Reading,
): Promise<readonly ColumnSchema[]> {
  const columns = new ScanColumns(request.table);
  const fields = request.table.columns.filter(({ kind }) => kind !== "time" && kind !== "tag");
  const inputs = fields.map((field) => columns.input(field));
  const plan: Plan = {
    kind: "aggregate",
    fields: fields.map(({ name }): Field => ({ name, type: "int64" })),
    input: rowsOf(request, columns),
    groups: [],
    aggregates: inputs.map((input) => {
      return { name: "count", arguments: [input], distinct: false, type: "int64" };
    }),
  };
  const found = new Set<ColumnSchema>();
  for await (const batch of readPlan(plan, request.table, reading)) {
    for (const [index, field] of fields.entries()) {
      const column = batch.columns[index];
      if (column?.type === "int64" && (column.values[0] ?? 0n) > 0n) found.add(field);
    }
  }
  return fields.filter((field) => found.has(field));
}

function rowsOf({ condition, table, time }: Omit<TagRequest, "tags">, columns: ScanColumns): Plan {
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
