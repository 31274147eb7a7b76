import { DbError } from "#base/errors.ts";
import { TIME_MIN } from "#model/time-range.ts";
import type { Fill } from "../../ast.ts";
import type { Lane } from "../reduce/reducer.ts";
import {
  ColumnBuilder,
  type ColumnType,
  gather,
  type PointColumn,
  type PointValue,
  TimeBuilder,
  valueAt,
} from "../values/columns.ts";
import type { Windows } from "../values/window.ts";

/** Buckets of one series. */
const BUCKETS_MAX = 4_000_000;

export interface FillOptions {
  readonly fill: Fill;
  readonly windows: Windows;
  readonly descending: boolean;
  /** Whether empty buckets count 0 where nothing else is said. */
  readonly counts: boolean;
}

/** Adds a row for each empty bucket between the ends of the time range. A series without rows stays so. */
export function filled(lane: Lane, options: FillOptions): Lane {
  if (lane.times.length === 0 || options.fill.kind === "none") return lane;
  const { times, rows } = withEmpty(lane.times, options);
  const beside = lane.beside.map((column) => gather(column, rows));
  return { times, values: filledValues(lane, { times, rows }, options), beside };
}

interface Placed {
  readonly times: BigInt64Array;
  /** The row of the lane at each time, -1 where it has none. */
  readonly rows: Int32Array;
}

function withEmpty(own: BigInt64Array, { windows, descending }: FillOptions): Placed {
  const { start, end } = windows.range;
  const [from, to] = [start, end].map((edge) => windows.bucketAt(edge).start) as [bigint, bigint];
  const [first, final] = descending ? [to, from] : [from, to];
  const walk = windows.walk(first === TIME_MIN ? (own[0] ?? 0n) : first, descending);
  const times = new TimeBuilder();
  const rows: number[] = [];
  let row = 0;
  const pushRow = (timeNs: bigint): void => {
    times.push(timeNs);
    rows.push(row);
    row += 1;
  };
  const inside = (timeNs: bigint): boolean =>
    descending ? timeNs >= final && final !== TIME_MIN : timeNs <= final;
  while (row < own.length || inside(walk.timeNs)) {
    const next = own[row];
    if (next !== undefined && (descending ? next >= walk.timeNs : next <= walk.timeNs)) {
      pushRow(next);
    } else {
      times.push(walk.timeNs);
      rows.push(-1);
    }
    if (rows.length > BUCKETS_MAX) throw tooMany();
    walk.advance();
  }
  return { times: times.finish(), rows: Int32Array.from(rows) };
}

function tooMany(): DbError {
  return new DbError(
    "exceeded",
    "influxql_too_many_buckets",
    `max-select-buckets limit exceeded: a series has more than ${BUCKETS_MAX} buckets; use a shorter time range or larger buckets`,
    { detail: { max: BUCKETS_MAX } },
  );
}

function filledValues(lane: Lane, { times, rows }: Placed, options: FillOptions): PointColumn {
  const { fill, counts } = options;
  const { values } = lane;
  switch (fill.kind) {
    case "none":
    case "null":
      return counts ? withValue(values, rows, 0n) : gather(values, rows);
    case "number":
      return withValue(values, rows, castFill(fill.value, values.type));
    case "previous":
      return gather(values, carried(rows));
    case "linear":
      return linear(lane, { times, rows }, options.windows.window?.everyNs ?? 1n);
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

function withValue(column: PointColumn, rows: Int32Array, value: PointValue | null): PointColumn {
  const builder = new ColumnBuilder(column.type, rows.length);
  for (const row of rows) {
    if (row < 0) builder.push(value);
    else builder.pushFrom(column, row);
  }
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
function linear(lane: Lane, { times, rows }: Placed, everyNs: bigint): PointColumn {
  const { values } = lane;
  const builder = new ColumnBuilder(values.type, rows.length);
  const numeric = values.type === "float64" || values.type === "int64" || values.type === "uint64";
  let previous = -1;
  let next = 0;
  for (let i = 0; i < rows.length; i += 1) {
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
  }
  return builder.finish();
}

type Place = readonly [x: number, y: PointValue | null];

function onLine(x: number, [x1, y1]: Place, [x2, y2]: Place): number {
  const slope = (Number(y2) - Number(y1)) / (x2 - x1);
  return slope * (x - x1) + Number(y1);
}
