import { DbError } from "#base/errors.ts";
import { TIME_MIN } from "#model/time-range.ts";
import type { Fill } from "../../ast.ts";
import type { Lane } from "../reduce/reducer.ts";
import {
  ColumnBuilder,
  type ColumnType,
  gatherInTurns,
  type PointColumn,
  type PointValue,
  RowBuilder,
  TimeBuilder,
  valueAt,
} from "../values/columns.ts";
import type { Windows } from "../values/window.ts";
import type { Work } from "../values/work.ts";

/** Buckets of one series, times the columns that are made of them. */
const CELLS_MAX = 4_000_000;
/** What it takes to place a bucket. */
const PLACE_STEPS = 20;

export interface FillOptions {
  readonly fill: Fill;
  readonly windows: Windows;
  readonly descending: boolean;
  /** Whether empty buckets count 0 where nothing else is said. */
  readonly counts: boolean;
  /** No more than the first so many rows are wanted. Undefined: all. */
  readonly rowsMax: number | undefined;
  /** How many columns of a series there are at the same time. */
  readonly columnCount: number;
  readonly work: Work;
}

/** Adds a row for each empty bucket between the ends of the time range. A series without rows stays so. */
export async function filled(lane: Lane, options: FillOptions): Promise<Lane> {
  if (lane.times.length === 0 || options.fill.kind === "none") return lane;
  const { times, rows } = await withEmpty(lane.times, options);
  const beside: PointColumn[] = [];
  for (const column of lane.beside) beside.push(await gatherInTurns(column, rows, options.work));
  return { times, values: await filledValues(lane, { times, rows }, options), beside };
}

interface Placed {
  readonly times: BigInt64Array;
  /** The row of the lane at each time, -1 where it has none. */
  readonly rows: Int32Array;
}

async function withEmpty(own: BigInt64Array, options: FillOptions): Promise<Placed> {
  const { windows, descending, work } = options;
  const countMax = Math.floor(CELLS_MAX / options.columnCount);
  const rowsMax = options.rowsMax ?? Number.POSITIVE_INFINITY;
  const from = windows.bucketAt(windows.range.start).start;
  const to = windows.bucketAt(windows.range.end).start;
  const [first, final] = descending ? [to, from] : [from, to];
  const walk = windows.walk(first === TIME_MIN ? (own[0] ?? 0n) : first, descending);
  const times = new TimeBuilder();
  const rows = new RowBuilder();
  let row = 0;
  const place = (): void => {
    if (rows.count === countMax) throw tooMany(countMax);
    const next = own[row];
    const has = next !== undefined && (descending ? next >= walk.timeNs : next <= walk.timeNs);
    times.push(has ? next : walk.timeNs);
    rows.push(has ? row : -1);
    if (has) row += 1;
    walk.advance();
  };
  const inside = (timeNs: bigint): boolean =>
    descending ? timeNs >= final && final !== TIME_MIN : timeNs <= final;
  while (rows.count < rowsMax && (row < own.length || inside(walk.timeNs))) {
    place();
    const pause = work.did(PLACE_STEPS);
    if (pause !== undefined) await pause;
  }
  return { times: times.finish(), rows: rows.finish() };
}

function tooMany(countMax: number): DbError {
  return new DbError(
    "exceeded",
    "influxql_too_many_buckets",
    `max-select-buckets limit exceeded: a series of this statement has more than ${countMax} buckets: its columns have at most ${CELLS_MAX} values together; use a shorter time range, larger buckets, fewer columns or LIMIT`,
    { detail: { max: countMax } },
  );
}

async function filledValues(
  lane: Lane,
  { times, rows }: Placed,
  options: FillOptions,
): Promise<PointColumn> {
  const { fill, counts, work } = options;
  const { values } = lane;
  switch (fill.kind) {
    case "none":
    case "null":
      return counts
        ? withValue(values, rows, { value: 0n, work })
        : gatherInTurns(values, rows, work);
    case "number":
      return withValue(values, rows, { value: castFill(fill.value, values.type), work });
    case "previous":
      return gatherInTurns(values, carried(rows), work);
    case "linear":
      return linear(lane, { times, rows }, options);
  }
}

/** A number of fill() as a value of another type: of texts empty, of booleans false. */
function castFill(value: number, type: ColumnType): PointValue | null {
  switch (type) {
    case "float64":
    case "int64":
    case "uint64":
      return value;
    case "string":
      return "";
    case "boolean":
      return false;
    case "null":
      return null;
  }
}

async function withValue(
  column: PointColumn,
  rows: Int32Array,
  { value, work }: { readonly value: PointValue | null; readonly work: Work },
): Promise<PointColumn> {
  const builder = new ColumnBuilder(column.type, rows.length);
  await work.inBlocks(rows.length, (start, end) => {
    for (const row of rows.subarray(start, end)) {
      if (row < 0) builder.push(value);
      else builder.pushFrom(column, row);
    }
  });
  return builder.finish();
}

/** Each row without one has the last one before it. */
function carried(rows: Int32Array): Int32Array {
  let last = -1;
  return rows.map((row) => {
    if (row >= 0) last = row;
    return last;
  });
}

/** Values on the line between their neighbours, of whole numbers towards zero. */
async function linear(
  lane: Lane,
  { times, rows }: Placed,
  { windows, work }: FillOptions,
): Promise<PointColumn> {
  const { values } = lane;
  const everyNs = windows.window?.everyNs ?? 1n;
  const builder = new ColumnBuilder(values.type, rows.length);
  const numeric = values.type === "float64" || values.type === "int64" || values.type === "uint64";
  let previous = -1;
  let next = 0;
  const push = (i: number): void => {
    const row = rows[i] ?? -1;
    if (row >= 0) {
      previous = row;
      next = row + 1;
      builder.pushFrom(values, row);
    } else if (!numeric || previous < 0 || next >= lane.times.length) {
      builder.push(null);
    } else {
      const step = (index: number, of: BigInt64Array): number =>
        Number((of[index] ?? 0n) / everyNs);
      builder.push(
        onLine(
          step(i, times),
          [step(previous, lane.times), valueAt(values, previous)],
          [step(next, lane.times), valueAt(values, next)],
        ),
      );
    }
  };
  await work.inBlocks(rows.length, (start, end) => {
    for (let i = start; i < end; i += 1) push(i);
  });
  return builder.finish();
}

type Place = readonly [x: number, y: PointValue | null];

function onLine(x: number, [x1, y1]: Place, [x2, y2]: Place): number {
  const slope = (Number(y2) - Number(y1)) / (x2 - x1);
  return slope * (x - x1) + Number(y1);
}
