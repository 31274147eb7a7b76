/** Buffered rows as data files: what WriteFilesRequest says. */

import { assert } from "#base/errors.ts";
import { BLOCK_ROW_COUNT_MAX } from "#block/block.ts";
import { type ColumnId } from "#model/ids.ts";
import { TIME_COLUMN_ID } from "#model/schema.ts";
import type { FileColumn, WriteFilesRequest, WrittenFile } from "#ports/engine.ts";
import { floorDivide } from "./expression/calendar.ts";
import { encodeFile } from "./plain-file.ts";
import {
  batchFrom,
  compareKeys,
  compareRows,
  rowsOf,
  type StampedBatch,
  type StampedRow,
} from "./rows.ts";

/** The files of `batches`, window after window, each sorted. Rows are not folded. */
export function* filesOf(
  request: WriteFilesRequest,
  batches: readonly StampedBatch[],
): Generator<WrittenFile> {
  const [first] = batches;
  if (first === undefined) return;
  // Tags lead, so that rows compare by the first cells.
  const tags = request.columns.filter(({ kind }) => kind === "tag");
  const columns = [...tags, ...request.columns.filter(({ kind }) => kind !== "tag")];
  assertKnown(batches, columns);
  const columnIds = columns.map(({ id }) => id);
  const rows = batches.flatMap((batch) => rowsOf(batch, columnIds));
  const rowCountMax = Math.min(request.rowCountMax, BLOCK_ROW_COUNT_MAX);
  for (const window of windowsOf(rows, request.windowNs)) {
    window.sort(compareRows(tags.length));
    for (let start = 0; start < window.length; start += rowCountMax) {
      const some = window.slice(start, start + rowCountMax);
      const stamped = batchFrom(some, columns, first.batch);
      yield { ...envelopeOf(stamped, some, tags.length), bytes: encodeFile(stamped) };
    }
  }
}

function assertKnown(batches: readonly StampedBatch[], columns: readonly FileColumn[]): void {
  const known = new Set<ColumnId>(columns.map(({ id }) => id));
  const all = batches.every(({ batch }) => batch.columns.every(({ id }) => known.has(id)));
  assert(all, "a request for files names every column of the rows");
}

/** Rows by the window their time lies in, in order of time. */
function windowsOf(rows: readonly StampedRow[], windowNs: bigint): StampedRow[][] {
  const windows = Map.groupBy(rows, ({ time }) => floorDivide(time, windowNs));
  return [...windows].toSorted(([a], [b]) => Number(a - b)).map(([, window]) => window);
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
