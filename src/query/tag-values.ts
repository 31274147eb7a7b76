import type { ColumnId } from "#model/ids.ts";
import type { Expression } from "#model/query/expression.ts";
import type { Field, Plan, ScanPlan } from "#model/query/plan.ts";
import type { TableSchema } from "#model/schema.ts";
import { ALL_TIME } from "#model/time-range.ts";
import type { WriteToken } from "#model/write-token.ts";
import type { Engine } from "#ports/engine.ts";
import type { Views } from "#view/views.ts";
import { finds } from "./influxql/source/condition/pattern.ts";
import { sourceGroups } from "./sources.ts";

/** Which values of a tag are asked for. */
export interface TagValueQuestion {
  readonly table: TableSchema;
  /** Undefined: a tag that no row has. */
  readonly columnId: ColumnId | undefined;
  /** As those of InfluxQL, so that what is deleted is what a SELECT shows; matches anywhere. */
  readonly pattern: string;
  /** At most so many are given. */
  readonly countMax: number;
  /** No more are given once they have more characters than this. */
  readonly lengthMax: number;
}

const FIELD: Field = { name: "value", type: "string" };
const VALUE: Expression = { kind: "input", index: 0, type: "string" };
const EMPTY: Expression = { kind: "literal", value: "", type: "string" };

/**
 * The values of a tag that match, in a view that holds the writes of `tokens`; the empty text where a row lacks the tag. Rejects as
 * `Views.acquire` and `Engine.query`.
 */
export async function findTagValues(
  { engine, views }: { readonly engine: Engine; readonly views: Views },
  question: TagValueQuestion,
  tokens: readonly WriteToken[],
  signal: AbortSignal,
): Promise<readonly string[]> {
  using view = await views.acquire(tokens, signal);
  const { columnId, countMax, lengthMax, pattern, table } = question;
  const input: Plan =
    columnId === undefined
      ? { kind: "values", fields: [FIELD], rows: [[EMPTY]] }
      : distinctValues({
          ...tagScan(table, columnId),
          groups: sourceGroups(view, table, ALL_TIME),
        });
  const predicate = finds(pattern, VALUE, false);
  const fields = [FIELD];
  const plan: Plan = {
    kind: "limit",
    fields,
    input: { kind: "filter", fields, input, predicate },
    countMax: BigInt(countMax),
    offset: 0n,
  };
  const values: string[] = [];
  let length = 0;
  for await (const { columns } of engine.query(plan, signal))
    for (const column of columns) {
      if (column.type !== "string") continue;
      for (const value of column.values) {
        values.push(value ?? "");
        length += value?.length ?? 0;
        if (length > lengthMax) return values;
      }
    }
  return values;
}

function tagScan(table: TableSchema, columnId: ColumnId): ScanPlan {
  const tags = table.columns
    .filter(({ kind }) => kind === "tag")
    .map(({ id }) => ({ id, kind: "tag" as const }));
  return {
    kind: "scan",
    fields: [{ ...FIELD, column: "tag" }],
    tableId: table.id,
    tags,
    columns: [{ id: columnId, kind: "tag" }],
    time: ALL_TIME,
    groups: [],
  };
}

/** Each value once; the empty text for NULL. */
function distinctValues(input: ScanPlan): Plan {
  const group: Expression = {
    kind: "call",
    name: "coalesce",
    arguments: [VALUE, EMPTY],
    type: "string",
  };
  return { kind: "aggregate", fields: [FIELD], input, groups: [group], aggregates: [] };
}
