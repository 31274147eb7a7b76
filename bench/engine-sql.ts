/** What a node asks of its engine for a statement on files that need no merge. */
import { printPlan } from "#engine/duckdb/print/plan.ts";
import type { DataFile } from "#model/data-file.ts";
import type { ColumnId, DatabaseId, NodeNumber, TableId } from "#model/ids.ts";
import type { ColumnKind, TableSchema } from "#model/schema.ts";
import { ALL_TIME } from "#model/time-range.ts";
import { planStatement } from "#query/plan/plan.ts";
import { parseStatement } from "#query/sql/statement.ts";

/** Columns of `cpuLines`, numbered as a node numbers them: tags first, fields as the first row has them. */
const COLUMNS: readonly (readonly [name: string, kind: ColumnKind])[] = [
  ["time", "time"],
  ["host", "tag"],
  ["load", "float"],
  ["temp", "float"],
  ["free", "integer"],
];
const TABLE: TableSchema = {
  id: 1 as TableId,
  databaseId: 1 as DatabaseId,
  name: "cpu",
  columns: COLUMNS.map(([name, kind], id) => ({ id: id as ColumnId, name, kind })),
};

/** The engine's SQL for `text` over the rows of `cpuLines`, which are in the files at `paths`. */
export function engineSql(text: string, paths: readonly string[]): string {
  const sources = paths.map((key) => ({ kind: "file", file: fileAt(key) }) as const);
  const plan = planStatement(parseStatement(text), {
    findTable: () => TABLE,
    findSystemTable: () => undefined,
    tableNames: () => [TABLE.name],
    systemTableNames: () => [],
    kept: () => ALL_TIME,
    sources: () => [{ merge: false, sources }],
    fileCount: () => paths.length,
    parameters: {},
    nowNs: 0n,
  });
  const places = new Map(paths.map((path) => [path, path]));
  return printPlan(plan, { findBuffer: () => undefined, paths: places });
}

function fileAt(key: string): DataFile {
  return {
    key,
    databaseId: TABLE.databaseId,
    tableId: TABLE.id,
    sizeBytes: 0,
    checksum: 0,
    rowCount: 0,
    time: ALL_TIME,
    stampMin: 1n,
    stampMax: 1n,
    unique: true,
    columnIds: TABLE.columns.map(({ id }) => id),
    node: 1 as NodeNumber,
  };
}
