/** Rows as the engine holds them: decoded batches, with the order stamp of each row. */
import { compareText } from "#base/bytes.ts";
import type { BatchColumn, ColumnBatch, ColumnData } from "#model/batch.ts";
import type { ColumnId, DatabaseId, TableId } from "#model/ids.ts";
import { type ColumnKind, TIME_COLUMN_ID } from "#model/schema.ts";
import type { OrderStamp } from "#model/stamp.ts";
import type { Value } from "./expression/value.ts";

export interface StampedBatch {
  readonly batch: ColumnBatch;
  /** One for each row. */
  readonly stamps: BigInt64Array;
}

/** One row with the cells of the columns that were asked for, in their order. */
export interface StampedRow {
  readonly time: bigint;
  readonly stamp: OrderStamp;
  readonly cells: readonly Value[];
}

/** The rows of `source`, with the cells of `columnIds`; a column it does not have is NULL. */
export function rowsOf(source: StampedBatch, columnIds: readonly ColumnId[]): StampedRow[] {
  const { batch, stamps } = source;
  const readers = columnIds.map((id) => readerOf(batch, id));
  return Array.from(batch.times, (time, row) => ({
    time,
    stamp: stamps[row] as bigint,
    cells: readers.map((read) => read(row)),
  }));
}

function readerOf(batch: ColumnBatch, id: ColumnId): (row: number) => Value {
  if (id === TIME_COLUMN_ID) return (row) => batch.times[row] as bigint;
  const data = batch.columns.find((column) => column.id === id)?.data;
  if (data === undefined) return () => null;
  if ("codes" in data) {
    const { codes, dictionary } = data;
    return (row) => dictionary[(codes[row] as number) - 1] ?? null;
  }
  const { kind, values, present } = data;
  return (row) => {
    if (present !== undefined && present[row] === 0) return null;
    const value = values[row] as number | bigint;
    return kind === "boolean" ? value !== 0 : value;
  };
}

/** A batch of `rows`, whose cells stand for `columns` in order; columns without a value are left out. */
export function batchFrom(
  rows: readonly StampedRow[],
  columns: readonly { readonly id: ColumnId; readonly kind: ColumnKind }[],
  ids: { readonly databaseId: DatabaseId; readonly tableId: TableId },
): StampedBatch {
  const filled = columns.flatMap(({ id, kind }, index): BatchColumn[] => {
    const cells = rows.map((row) => row.cells[index] ?? null);
    if (kind === "time" || cells.every((cell) => cell === null)) return [];
    return [{ id, data: dataFrom(kind, cells) }];
  });
  return {
    batch: {
      databaseId: ids.databaseId,
      tableId: ids.tableId,
      times: BigInt64Array.from(rows, ({ time }) => time),
      columns: filled.toSorted((left, right) => left.id - right.id),
    },
    stamps: BigInt64Array.from(rows, ({ stamp }) => stamp),
  };
}

function dataFrom(kind: Exclude<ColumnKind, "time">, cells: readonly Value[]): ColumnData {
  if (kind === "tag" || kind === "string") return textFrom(kind, cells as (string | null)[]);
  const present = Uint8Array.from(cells, (cell) => Number(cell !== null));
  switch (kind) {
    case "float":
      return { kind, values: Float64Array.from(cells as number[], (cell) => cell ?? 0), present };
    case "integer":
      return { kind, values: BigInt64Array.from(cells as bigint[], (cell) => cell ?? 0n), present };
    case "uinteger":
      return {
        kind,
        values: BigUint64Array.from(cells as bigint[], (cell) => cell ?? 0n),
        present,
      };
    case "boolean":
      return { kind, values: Uint8Array.from(cells, (cell) => Number(cell === true)), present };
  }
}

function textFrom(kind: "tag" | "string", cells: readonly (string | null)[]): ColumnData {
  const codes = new Map<string, number>();
  const codeOf = (cell: string | null) => {
    if (cell === null) return 0;
    const code = codes.get(cell) ?? codes.size + 1;
    codes.set(cell, code);
    return code;
  };
  return { kind, codes: Uint32Array.from(cells, codeOf), dictionary: [...codes.keys()] };
}

/** By tags, the first `tagCount` cells (NULL first), then time, then stamp. */
export function compareRows(tagCount: number): (left: StampedRow, right: StampedRow) => number {
  return (left, right) => {
    const order = compareKeys(left, right, tagCount);
    return order === 0 ? Number(left.stamp - right.stamp) : order;
  };
}

/** By tags and time; 0 where one row stands for both. */
export function compareKeys(left: StampedRow, right: StampedRow, tagCount: number): number {
  for (let i = 0; i < tagCount; i += 1) {
    const a = (left.cells[i] ?? null) as string | null;
    const b = (right.cells[i] ?? null) as string | null;
    if (a === b) continue;
    if (a === null || b === null) return a === null ? -1 : 1;
    return compareText(a, b);
  }
  return Number(left.time > right.time) - Number(left.time < right.time);
}
