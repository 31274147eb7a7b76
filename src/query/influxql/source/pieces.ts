/** Batches of rows, sorted by series, as pieces of one series each. Columns are cut, not copied. */
import type { ResultBatch, ResultColumn } from "#model/query/result.ts";
import { pointColumn, sliceColumn } from "../points/values/columns.ts";
import type { Points, SeriesKey } from "../points.ts";

/** What the fields of the batches are: the time, the dimensions, then the columns of the points. */
export interface PieceFields {
  readonly name: string;
  readonly dimensionCount: number;
}

const NO_TIMES = new BigInt64Array(0);

/** Each series in one piece or several; the last one of each says so. */
export async function* piecesOf(
  batches: AsyncIterable<ResultBatch>,
  fields: PieceFields,
): AsyncGenerator<Points> {
  let held: Points | undefined;
  for await (const batch of batches) {
    for (const piece of cut(batch, fields, held?.series)) {
      if (held !== undefined) yield piece.series === held.series ? held : { ...held, last: true };
      held = piece;
    }
  }
  if (held !== undefined) yield { ...held, last: true };
}

/** Pieces of one batch; that of series `before` bears it as its key. */
function* cut(
  { columns, rowCount }: ResultBatch,
  { dimensionCount, name }: PieceFields,
  before: SeriesKey | undefined,
): Generator<Points> {
  const times = timesOf(columns[0], rowCount);
  const dimensions = columns.slice(1, 1 + dimensionCount).map(textsOf);
  const values = columns.slice(1 + dimensionCount);
  let series = before;
  for (let start = 0; start < rowCount; ) {
    const end = endOfSeries(dimensions, start, rowCount);
    const tags = dimensions.map((texts) => texts?.[start] ?? "");
    if (series === undefined || !tags.every((tag, index) => tag === series?.tags[index]))
      series = { name, tags };
    yield {
      series,
      rowCount: end - start,
      times: times.subarray(start, end),
      columns: values.map((column) => sliceColumn(pointColumn(column), start, end)),
      last: false,
    };
    start = end;
  }
}

/** The first row after `start` that is of another series. */
function endOfSeries(
  dimensions: readonly (readonly (string | null)[] | undefined)[],
  start: number,
  rowCount: number,
): number {
  let end = rowCount;
  for (const texts of dimensions) {
    if (texts === undefined) continue;
    const text = texts[start];
    let row = start + 1;
    while (row < end && texts[row] === text) row += 1;
    end = row;
  }
  return end;
}

function timesOf(column: ResultColumn | undefined, rowCount: number): BigInt64Array {
  if (column?.type === "timestamp" || column?.type === "int64") return column.values;
  return rowCount === 0 ? NO_TIMES : new BigInt64Array(rowCount);
}

function textsOf(column: ResultColumn): readonly (string | null)[] | undefined {
  return column.type === "string" ? column.values : undefined;
}
