import { assert } from "#base/errors.ts";
import type { ColumnId } from "#model/ids.ts";
import type { TableSchema } from "#model/schema.ts";
import {
  type RowSelection,
  rowCountOf,
  type StagedBody,
  type StagedColumn,
  type StagedRows,
} from "#staging/stage.ts";
import type { ValidatedTable } from "./validate.ts";

/** Most rows of one table that ride together: what a flush takes as a whole. */
export const BATCH_ROW_COUNT_MAX = 2 ** 18;

/** The rows of `table` that fit, under the ids of its schema, in parts of at most BATCH_ROW_COUNT_MAX rows. */
export function* toStagedRows(
  body: StagedBody,
  { index, rows, schema }: ValidatedTable,
): Generator<StagedRows> {
  assert(schema !== undefined, "the catalog knows the table");
  const { databaseId, id: tableId } = schema;
  const columnIds = body.tables[index]?.columns.map((column) => columnId(schema, column)) ?? [];
  const target = { databaseId, tableId, columnIds };
  const rowCount = rowCountOf(rows);
  for (let start = 0; start < rowCount; start += BATCH_ROW_COUNT_MAX) {
    const end = Math.min(rowCount, start + BATCH_ROW_COUNT_MAX);
    yield { body, tableIndex: index, rows: part(rows, start, end), target };
  }
}

/** Parts that go into one flush: at most BATCH_ROW_COUNT_MAX rows together. */
export function* groupRows(parts: readonly StagedRows[]): Generator<readonly StagedRows[]> {
  let group: StagedRows[] = [];
  let rowCount = 0;
  for (const staged of parts) {
    const count = rowCountOf(staged.rows);
    if (group.length > 0 && rowCount + count > BATCH_ROW_COUNT_MAX) {
      yield group;
      group = [];
      rowCount = 0;
    }
    group.push(staged);
    rowCount += count;
  }
  yield group;
}

function part(rows: RowSelection, start: number, end: number): RowSelection {
  if (rows instanceof Uint32Array) return rows.subarray(start, end);
  return { start: rows.start + start, end: rows.start + end };
}

/** Undefined where the catalog has no such column: then rejected lines alone used it. */
function columnId(schema: TableSchema, { kind, name }: StagedColumn): ColumnId | undefined {
  const column = schema.columns.find((known) => known.name === name);
  return column?.kind === kind ? column.id : undefined;
}
