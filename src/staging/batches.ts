import { assert } from "#base/errors.ts";
import type { ParsedTable } from "#lineprotocol/parsed.ts";
import { type BatchColumn, type ColumnBatch, type ColumnData, hasValue } from "#model/batch.ts";
import { type RowSelection, rowCountOf, type StagedTarget } from "./stage.ts";

/** `rows` of `parsed`, under the ids of `target`. */
export function toBatch(
  parsed: ParsedTable,
  rows: RowSelection,
  { columnIds, databaseId, tableId }: StagedTarget,
): ColumnBatch {
  const rowCount = rowCountOf(rows);
  const columns = parsed.columns.flatMap(({ name, data }, index): BatchColumn[] => {
    const taken = takeRows(data, rows);
    // A column that only rejected lines used has no value here, and may have no id.
    if (isEmpty(taken, rowCount)) return [];
    const id = columnIds[index];
    assert(id !== undefined, `column ${name} has values, and no id`);
    return [{ id, data: taken }];
  });
  const times = takeCells(parsed.times, rows);
  return { databaseId, tableId, times, columns: columns.toSorted((a, b) => a.id - b.id) };
}

type Cells = Uint32Array | Uint8Array | Float64Array | BigInt64Array | BigUint64Array;

/** The cells of `rows`, in that order. */
export function takeCells<Array_ extends Cells>(cells: Array_, rows: RowSelection): Array_ {
  if (!(rows instanceof Uint32Array)) return cells.subarray(rows.start, rows.end) as Array_;
  const taken = new (cells.constructor as new (length: number) => Array_)(rows.length);
  for (let index = 0; index < rows.length; index++)
    taken[index] = cells[rows[index] as number] as never;
  return taken;
}

/** The cells of `rows` of a column, NULLs and dictionary as they were. */
export function takeRows(data: ColumnData, rows: RowSelection): ColumnData {
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

/** Whether none of the rows has a value. */
export function isEmpty(data: ColumnData, rowCount: number): boolean {
  for (let row = 0; row < rowCount; row++) if (hasValue(data, row)) return false;
  return true;
}
