/** Files merged into fewer: what CompactRequest says. */
import { assert } from "#base/errors.ts";
import { nodeOfStamp } from "#model/stamp.ts";
import type { CompactRequest, FileColumn, WrittenFile } from "#ports/engine.ts";
import { compileDeletes } from "./deletes.ts";
import { compareKeys, compareRows, rowsOf, type StampedBatch, type StampedRow } from "./rows.ts";
import { tagsFirst, writtenFile } from "./write.ts";

/** The files of `request`, of whose files `batches` are the rows, in order. */
export function* compactedFiles(
  request: CompactRequest,
  batches: readonly StampedBatch[],
): Generator<WrittenFile> {
  const columns = tagsFirst(request.columns);
  const tagCount = columns.filter(({ kind }) => kind === "tag").length;
  const rows = batches.flatMap((batch, index) => countingRows(request, batch, index));
  const [first] = batches;
  if (first === undefined || rows.length === 0) return;
  const sorted = rows.toSorted(compareRows(tagCount));
  const folded = sameKeys(sorted, tagCount).flatMap((group) => foldGroup(group, columns));
  const slices = cutTime(folded, request.rowCountMax);
  for (const slice of slices)
    yield writtenFile(
      folded.filter(({ time }) => slice.has(time)),
      columns,
      first.batch,
    );
}

function countingRows(
  { columns, deletes, files, time }: CompactRequest,
  batch: StampedBatch,
  index: number,
): StampedRow[] {
  const input = files[index];
  assert(input !== undefined, "each file has its rows");
  const ids = tagsFirst(columns).map(({ id }) => id);
  const known = batch.batch.columns.every(({ id }) => ids.includes(id));
  assert(known, "a request names every column of its files");
  const isDeleted = compileDeletes(deletes, ids);
  return rowsOf(batch, ids).filter(
    (row) =>
      row.stamp > input.stampAbove &&
      row.time >= time.start &&
      row.time <= time.end &&
      !isDeleted(row),
  );
}

/** Rows that follow each other with one series and time. */
function sameKeys(sorted: readonly StampedRow[], tagCount: number): StampedRow[][] {
  const groups: StampedRow[][] = [];
  for (const row of sorted) {
    const group = groups.at(-1);
    const [first] = group ?? [];
    if (group && first && compareKeys(first, row, tagCount) === 0) group.push(row);
    else groups.push([row]);
  }
  return groups;
}

/** Without the rows that newer ones of the same node make superfluous. */
function foldGroup(
  group: readonly StampedRow[],
  columns: readonly FileColumn[],
): readonly StampedRow[] {
  const fields = columns.flatMap(({ kind }, index) =>
    kind === "tag" || kind === "time" ? [] : [index],
  );
  return group.filter((row) => {
    const newer = group.filter(
      ({ stamp }) => stamp > row.stamp && nodeOfStamp(stamp) === nodeOfStamp(row.stamp),
    );
    const superfluous =
      newer.length > 0 &&
      fields.every((index) => !has(row, index) || newer.some((one) => has(one, index)));
    return !superfluous;
  });
}

function has({ cells }: StampedRow, index: number): boolean {
  return (cells[index] ?? null) !== null;
}

/** The times of each file. */
function cutTime(rows: readonly StampedRow[], rowCountMax: number): readonly Set<bigint>[] {
  const counts = new Map<bigint, number>();
  for (const { time } of rows) counts.set(time, (counts.get(time) ?? 0) + 1);
  const fileCount = Math.ceil(rows.length / rowCountMax);
  const slices: Set<bigint>[] = [new Set()];
  let counted = 0;
  for (const [time, count] of [...counts].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    if (counted >= (slices.length * rows.length) / fileCount) slices.push(new Set());
    slices.at(-1)?.add(time);
    counted += count;
  }
  return slices;
}
