import type { ColumnId, DatabaseId, TableId } from "#model/ids.ts";
import type { SourceGroup } from "#model/query/plan.ts";
import type { ColumnKind, TableSchema } from "#model/schema.ts";
import { ALL_TIME } from "#model/time-range.ts";
import type { PlanContext } from "./context.ts";

/** A table of tests: a tag and a field of each kind. */
export const HOME = tableOf(7, "home", {
  time: "time",
  room: "tag",
  temp: "float",
  hum: "integer",
  u: "uinteger",
  ok: "boolean",
  note: "string",
});
const MIXED = tableOf(8, "Mixed", { time: "time", Host: "tag" });

/** A context of tests with `HOME`, another table and a system table; `groups` hold every table's rows. */
export function homeContext(
  groups: readonly SourceGroup[] = [{ merge: false, sources: [] }],
): PlanContext {
  return {
    findTable: (name) => [HOME, MIXED].find((table) => table.name === name),
    findSystemTable: (name) =>
      name !== "nodes"
        ? undefined
        : {
            fields: [
              { name: "name", type: "string" },
              { name: "running", type: "boolean" },
            ],
            rows: [
              ["a", true],
              ["b", null],
            ],
          },
    tableNames: () => ["home", "Mixed"],
    sources: () => groups,
    parameters: { from: "2020-01-01T00:00:00Z", skip: 5n, room: "Kitchen", nothing: null },
    nowNs: 1_700_000_000_000_000_000n,
    kept: () => ALL_TIME,
  };
}

function tableOf(
  id: number,
  name: string,
  kinds: Readonly<Record<string, ColumnKind>>,
): TableSchema {
  const columns = Object.entries(kinds).map(([column, kind], index) => ({
    id: index as ColumnId,
    name: column,
    kind,
  }));
  return { id: id as TableId, databaseId: 1 as DatabaseId, name, columns };
}
