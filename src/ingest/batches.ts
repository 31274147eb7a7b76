import { assert } from "#base/errors.ts";
import type { BatchColumn, ColumnBatch, ColumnData } from "#model/batch.ts";
import type { ColumnId } from "#model/ids.ts";
import type { TableSchema } from "#model/schema.ts";
import { hasValue } from "./check-rows.ts";
import type { ValidatedTable } from "./validate.ts";

/** Most rows of one batch: what a flush takes as a whole. */
export const BATCH_ROW_COUNT_MAX = 2 ** 18;

/** The rows of `table` that fit, under the ids of its schema, in batches of at most BATCH_ROW_COUNT_MAX rows. */
export function* toBatches({ parsed, schema, rows }: ValidatedTable): Generator<ColumnBatch> {
  assert(schema !== undefined, "the catalog knows the table");
  const rowCount = rows?.length ?? parsed.times.length;
  for (let start = 0; start < rowCount; start += BATCH_ROW_COUNT_MAX) {
    const end = Math.min(rowCount, start + BATCH_ROW_COUNT_MAX);
    const take: Rows = rows === undefined ? { start, end } : rows.subarray(start, end);
    const columns = parsed.columns.flatMap(({ name, data }): BatchColumn[] => {
      const taken = takeRows(data, take);
      // A column that only rejected lines used has no value here, and may have no id.
      return isEmpty(taken, end - start) ? [] : [{ id: columnId(schema, name, data), data: taken }];
    });
    const { id: tableId, databaseId } = schema;
    const times = takeCells(parsed.times, take);
    yield { databaseId, tableId, times, columns: columns.toSorted((a, b) => a.id - b.id) };
  }
}

/** Rows by number, or a range of them. */
type Rows = Uint32Array | { readonly start: number; readonly end: number };

type Cells = Uint32Array | Uint8Array | Float64Array | BigInt64Array | BigUint64Array;

/** The cells of `rows`, in that order. */
export function takeCells<Array_ extends Cells>(cells: Array_, rows: Rows): Array_ {
  if (!(rows instanceof Uint32Array)) return cells.subarray(rows.start, rows.end) as Array_;
  const taken = new (cells.constructor as new (length: number) => Array_)(rows.length);
  for (let index = 0; index < rows.length; index++)
    taken[index] = cells[rows[index] as number] as never;
  return taken;
}

/** The cells of `rows` of a column, NULLs and dictionary as they were. */
export function takeRows(data: ColumnData, rows: Rows): ColumnData {
  if ("codes" in data) return { ...data, codes: takeCells(data.codes, rows) };
  const present = data.present && { present: takeCells(data.present, rows) };
  switch (data.kind) {
    case "float":
      return { kind: data.kind, values: takeCells(data.values, rows), ...present };
    case "integer":
      return { kind: data.kind, values: takeCells(data.values, rows), ...present };
    case "uinteger":
      return { kind: data.kind, values: takeCells(data.values, rows), ...present };
    case "boolean":
      return { kind: data.kind, values: takeCells(data.values, rows), ...present };
  }
}

function isEmpty(data: ColumnData, rowCount: number): boolean {
  for (let row = 0; row < rowCount; row++) if (hasValue(data, row)) return false;
  return true;
}

function columnId(schema: TableSchema, name: string, { kind }: ColumnData): ColumnId {
  const column = schema.columns.find((known) => known.name === name);
  assert(column?.kind === kind, "the catalog has the column as the rows use it");
  return column.id;
}
