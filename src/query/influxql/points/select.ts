import type { ResultColumn } from "#model/query/result.ts";
import type { SeriesChunk } from "../answer.ts";
import type { Points } from "../points.ts";
import type { ResolvedSelect } from "../resolved.ts";
import { sameSeries } from "./merge.ts";
import { type Inside, type Outside, rowsOf } from "./rows.ts";
import { pointColumn, sliceColumn } from "./values/columns.ts";
import { Work } from "./values/work.ts";

/** Rows of one chunk. */
const ROWS_MAX = 10_000;

/** What a SELECT answers: series by name and tags, their rows by time; all the other way round where it says DESC. */
export function selectSeries(
  select: ResolvedSelect,
  outside: Outside,
): AsyncIterableIterator<SeriesChunk, undefined> {
  const work = new Work(outside.signal);
  const chunks = chunksOf(select, { ...outside, work });
  return {
    next: () => chunks.next(),
    return: () => {
      // What is at work for a `next` that nobody waits for any more comes to its end first.
      work.stop();
      return chunks.return(undefined);
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}

async function* chunksOf(
  select: ResolvedSelect,
  outside: Inside,
): AsyncGenerator<SeriesChunk, undefined> {
  const columns = [select.timeName, ...select.outputs.map(({ name }) => name)];
  let pending: Points | undefined;
  for await (const points of rowsOf(select, outside)) {
    for (const piece of pieces(points)) {
      if (pending !== undefined) {
        yield chunkOf(select, columns, pending, sameSeries(pending.series, piece.series));
      }
      pending = piece;
    }
  }
  if (pending !== undefined) yield chunkOf(select, columns, pending, false);
}

function* pieces(points: Points): Generator<Points> {
  for (let start = 0; start < points.rowCount; start += ROWS_MAX) {
    const end = Math.min(start + ROWS_MAX, points.rowCount);
    if (start === 0 && end === points.rowCount) {
      yield points;
      return;
    }
    yield {
      ...points,
      rowCount: end - start,
      times: points.times.subarray(start, end),
      columns: points.columns.map((column) => sliceColumn(pointColumn(column), start, end)),
    };
  }
}

function chunkOf(
  { dimensions }: ResolvedSelect,
  columns: readonly string[],
  { series, rowCount, times, columns: cells }: Points,
  partial: boolean,
): SeriesChunk {
  const time: ResultColumn = { type: "timestamp", values: times };
  return {
    name: series.name,
    tags: dimensions.map((key, index) => [key, series.tags[index] ?? ""] as const),
    columns,
    rowCount,
    cells: [time, ...cells],
    partial,
  };
}
