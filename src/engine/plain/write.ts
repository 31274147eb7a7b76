/** Buffered rows as data files: what WriteFilesRequest says. */

import { floorDivide } from "#base/divide.ts";
import { assert } from "#base/errors.ts";
import { decodeBlock } from "#block/block.ts";
import type { ColumnId, DatabaseId, TableId } from "#model/ids.ts";
import { TIME_COLUMN_ID } from "#model/schema.ts";
import type { FileColumn, WriteFilesRequest, WrittenFile } from "#ports/engine.ts";
import { joinWindows } from "../windows.ts";
import { encodeFile } from "./plain-file.ts";
import {
  batchFrom,
  compareKeys,
  compareRows,
  rowsOf,
  type StampedBatch,
  type StampedRow,
} from "./rows.ts";

/** The files of `request`, window after window, each sorted. */
export function* filesOf(request: WriteFilesRequest): Generator<WrittenFile> {
  const batches = request.blocks.map(({ bytes, stamp }): StampedBatch => {
    const batch = decodeBlock(bytes);
    return { batch, stamps: new BigInt64Array(batch.times.length).fill(stamp) };
  });
  const [first] = batches;
  if (first === undefined) return;
  const tags = request.columns.filter(({ kind }) => kind === "tag");
  const columns = tagsFirst(request.columns);
  assertKnown(batches, columns);
  const columnIds = columns.map(({ id }) => id);
  const rows = batches.flatMap((batch) => rowsOf(batch, columnIds));
  for (const some of cutIntoFiles(rows, request)) {
    some.sort(compareRows(tags.length));
    yield writtenFile(some, columns, first.batch);
  }
}

/** The file of sorted `rows`, whose cells stand for `columns` in order, tags first. */
export function writtenFile(
  rows: readonly StampedRow[],
  columns: readonly FileColumn[],
  ids: { readonly databaseId: DatabaseId; readonly tableId: TableId },
): WrittenFile {
  const tagCount = columns.filter(({ kind }) => kind === "tag").length;
  const stamped = batchFrom(rows, columns, ids);
  return { ...envelopeOf(stamped, rows, tagCount), bytes: encodeFile(stamped) };
}

/** `columns` with tags first, so that rows compare by the first cells. */
export function tagsFirst(columns: readonly FileColumn[]): readonly FileColumn[] {
  const tags = columns.filter(({ kind }) => kind === "tag");
  return [...tags, ...columns.filter(({ kind }) => kind !== "tag")];
}

function assertKnown(batches: readonly StampedBatch[], columns: readonly FileColumn[]): void {
  const known = new Set<ColumnId>(columns.map(({ id }) => id));
  const all = batches.every(({ batch }) => batch.columns.every(({ id }) => known.has(id)));
  assert(all, "a request for files names every column of the rows");
}

function cutIntoFiles(
  rows: readonly StampedRow[],
  { rowCountMin, windowNs }: WriteFilesRequest,
): StampedRow[][] {
  const byWindow = Map.groupBy(rows, ({ time }) => floorDivide(time, windowNs));
  const windows = [...byWindow].toSorted(([a], [b]) => (a < b ? -1 : 1));
  const files = joinWindows(
    windows.map(([number, { length }]) => ({ start: number * windowNs, rowCount: length })),
    windowNs,
    rowCountMin,
  );
  const grouped = Map.groupBy(windows.keys(), (place) => files[place]);
  return [...grouped.values()].map((places) =>
    places.flatMap((place) => windows[place]?.[1] ?? []),
  );
}

function envelopeOf(
  { batch, stamps }: StampedBatch,
  rows: readonly StampedRow[],
  tagCount: number,
): Omit<WrittenFile, "bytes"> {
  const times = batch.times.toSorted();
  const sortedStamps = stamps.toSorted();
  return {
    rowCount: rows.length,
    time: { start: times[0] as bigint, end: times.at(-1) as bigint },
    stampMin: sortedStamps[0] as bigint,
    stampMax: sortedStamps.at(-1) as bigint,
    unique: rows.every((row, i) => {
      const previous = rows[i - 1];
      return previous === undefined || compareKeys(previous, row, tagCount) !== 0;
    }),
    columnIds: [TIME_COLUMN_ID, ...batch.columns.map(({ id }) => id)],
  };
}
