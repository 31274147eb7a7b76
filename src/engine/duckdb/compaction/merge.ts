/** Data files into fewer ones: in slices of time, each column decoded, ordered and encoded over all files at once. */
import { assert } from "#base/errors.ts";
import type { TimeRange } from "#model/time-range.ts";
import { hull, intersection } from "#model/time-range.ts";
import type { WrittenFile } from "#ports/engine.ts";
import { FileDraft, inOrder, takerOf } from "../files/draft.ts";
import { type Rows, sortRows, splitByPlace } from "../files/rows.ts";
import { ORDER_FIELD_ID } from "../print/scan.ts";
import { fieldCells, fieldPresence } from "./field-cells.ts";
import { type FileRows, rowsOfFiles } from "./file-rows.ts";
import { foldRows } from "./fold.ts";
import type { MergeRequest, OnStep } from "./messages.ts";
import { OpenFile } from "./open-file.ts";
import { cutTime, type Slice } from "./slices.ts";

/** What a row takes while its slice is merged: keys, order, and one column at a time, with what decoding it takes. */
const ROW_SIZE = 96;
/** Texts are in memory as bytes, as what they are told apart by, and once more while they are written. */
const TEXT_COPIES = 4;

/** The files of `request`, one slice of time after the other. Throws `not_found` / `file_vanished` or `corrupt` / `file_damaged`. */
export function* mergeFiles(request: MergeRequest, onStep: OnStep): Generator<WrittenFile> {
  using opened = new DisposableStack();
  const files = request.files.map((file) => opened.use(new OpenFile(file)));
  assertKnown(files, request);
  const [first, ...others] = files.map(({ envelope }) => envelope.time);
  const time = first && intersection(others.reduce(hull, first), request.time);
  if (time === undefined) return;
  const rowCountMax = batchRowCount(files, request.memorySizeMax);
  const sliceRowCount = Math.min(request.rowCountMax, rowCountMax);
  const slices = cutTime(files, time, { rowCountMax: sliceRowCount, onStep });
  for (const batch of inBatches(slices, rowCountMax)) {
    yield* mergeSlices(files, batch, { request, onStep });
  }
}

/** A column that nobody names would be lost. */
function assertKnown(files: readonly OpenFile[], { columns }: MergeRequest): void {
  const known = new Set<number | undefined>([ORDER_FIELD_ID, ...columns.map(({ id }) => id)]);
  const all = files.every(({ fieldIds }) => fieldIds.every((id) => known.has(id)));
  assert(all, "a request names every column of its files");
}

/** As many rows as half of the memory holds; the rest is for what is not collected yet. */
function batchRowCount(files: readonly OpenFile[], memorySizeMax: number): number {
  const rowCount = files.reduce((sum, { envelope }) => sum + envelope.rowCount, 0);
  const textSize = files.reduce((sum, file) => sum + file.textSizeMax, 0);
  const rowSize = ROW_SIZE + (TEXT_COPIES * textSize) / Math.max(1, rowCount);
  return Math.max(1, Math.floor(memorySizeMax / 2 / rowSize));
}

/** Slices that are merged together: a file that has rows in several of them is read once. */
function* inBatches(slices: readonly Slice[], rowCountMax: number): Generator<readonly Slice[]> {
  let batch: Slice[] = [];
  let rowCount = 0;
  for (const slice of slices) {
    if (batch.length > 0 && rowCount + slice.rowCount > rowCountMax) {
      yield batch;
      batch = [];
      rowCount = 0;
    }
    batch.push(slice);
    rowCount += slice.rowCount;
  }
  if (batch.length > 0) yield batch;
}

function* mergeSlices(
  files: readonly OpenFile[],
  slices: readonly Slice[],
  { onStep, request }: { request: MergeRequest; onStep: OnStep },
): Generator<WrittenFile> {
  const { columns, rowGroupSize, zstdLevel } = request;
  const times = slices.map(({ time }) => time);
  const tagIds = columns.filter(({ kind }) => kind === "tag").map(({ id }) => id);
  const { deletes = [] } = request;
  const found = rowsOfFiles(files, { time: times.reduce(hull), tagIds, deletes });
  const { pieces, rows } = found;
  if (rows.count === 0) return;
  onStep();
  const sorted = foldRows(rows, sortRows(rows), () => presencesOf(found, request, onStep));
  const parts = splitByPlace(sorted, slicesOf(rows, times), slices.length);
  const drafts = parts.map((part) => new FileDraft(rows, part, { rowGroupSize, zstdLevel }));
  onStep();
  for (const column of inOrder(columns)) {
    const take = takerOf(column, rows, () => fieldCells(column, pieces, rows.count));
    if (take === undefined) continue;
    for (const draft of drafts) {
      draft.put(column, take);
      onStep();
    }
  }
  for (const draft of drafts) yield draft.finish(columns);
}

function* presencesOf(
  { pieces, rows }: FileRows,
  { columns }: MergeRequest,
  onStep: OnStep,
): Generator<Uint8Array | undefined> {
  for (const { id, kind } of columns) {
    if (kind === "time" || kind === "tag") continue;
    yield fieldPresence(id, pieces, rows.count);
    onStep();
  }
}

/** The slice of each row. `times` follow each other. */
function slicesOf({ count, times: all }: Rows, times: readonly TimeRange[]): Uint32Array {
  const sliceOf = new Uint32Array(count);
  if (times.length === 1) return sliceOf;
  let slice = 0;
  for (let row = 0; row < count; row += 1) {
    const time = all[row] as bigint;
    // Rows come series by series, and in each by time: the next slice is the same or one of the next, but for each first row.
    while (slice > 0 && time < (times[slice] as TimeRange).start) slice -= 1;
    while (time > (times[slice] as TimeRange).end) slice += 1;
    sliceOf[row] = slice;
  }
  return sliceOf;
}
