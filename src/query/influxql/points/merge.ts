/** Series of several streams put into one order, and their rows. */

import { compareText } from "#base/bytes.ts";
import { DbError } from "#base/errors.ts";
import type { Points, SeriesKey } from "../points.ts";
import { HELD_MAX, type Rows } from "./reduce/reducer.ts";
import { ColumnBuilder, type ColumnType, type PointColumn, pointColumn } from "./values/columns.ts";

/** By name, then by the values of tags. */
export function compareSeries(left: SeriesKey, right: SeriesKey): number {
  const byName = compareText(left.name, right.name);
  if (byName !== 0) return byName;
  for (const [index, tag] of left.tags.entries()) {
    const order = compareText(tag, right.tags[index] ?? "");
    if (order !== 0) return order;
  }
  return 0;
}

export function sameSeries(left: SeriesKey, right: SeriesKey): boolean {
  return compareSeries(left, right) === 0;
}

export interface MergeOptions {
  readonly descending: boolean;
  /** Whether series come the other way round. */
  readonly seriesDescending: boolean;
  /** Of the columns of all streams. */
  readonly types: readonly ColumnType[];
}

/** Series in order, and their rows. */
export interface Stream {
  /** Of all its series; undefined where they may have several. */
  readonly name: string | undefined;
  readonly points: AsyncIterable<Points>;
}

interface Head {
  readonly pieces: AsyncIterator<Points>;
  piece: Points;
}

/**
 * All series of `streams` in order; rows of a series that several have by time. Streams of one name each, all different, are read one after the
 * other, however many they are; others at the same time.
 */
export async function* merged(
  streams: readonly Stream[],
  options: MergeOptions,
): AsyncGenerator<Points> {
  const names = new Set(streams.map(({ name }) => name));
  if (streams.length === 1 || (names.size === streams.length && !names.has(undefined))) {
    const sign = options.seriesDescending ? -1 : 1;
    const sorted = streams.toSorted(
      (left, right) => compareText(left.name ?? "", right.name ?? "") * sign,
    );
    for (const { points } of sorted) yield* points;
    return;
  }
  const iterators = streams.map(({ points }) => points[Symbol.asyncIterator]());
  try {
    const heads: Head[] = [];
    for (const pieces of iterators) {
      const first = await pieces.next();
      if (first.done !== true) heads.push({ pieces, piece: first.value });
    }
    while (heads.length > 0) yield* nextSeries(heads, options);
  } finally {
    for (const pieces of iterators) await pieces.return?.();
  }
}

/** The series that comes first; heads that end leave `heads`. */
async function* nextSeries(heads: Head[], options: MergeOptions): AsyncGenerator<Points> {
  const [first, ...others] = heads;
  if (first === undefined) return;
  const sign = options.seriesDescending ? -1 : 1;
  const { series } = others.reduce(
    (least, { piece }) => (compareSeries(piece.series, least.series) * sign < 0 ? piece : least),
    first.piece,
  );
  const sharing = heads.filter(({ piece }) => sameSeries(piece.series, series));
  const rows = new RowMerge(options);
  for (const head of sharing) {
    rows.next();
    let more = true;
    while (more && sameSeries(head.piece.series, series)) {
      if (sharing.length === 1) yield head.piece;
      else rows.add(rowsIn(head.piece));
      more = await advance(head, heads);
    }
  }
  if (sharing.length > 1) yield { series, ...rows.finish(), last: true };
}

async function advance(head: Head, heads: Head[]): Promise<boolean> {
  const next = await head.pieces.next();
  if (next.done === true) {
    heads.splice(heads.indexOf(head), 1);
    return false;
  }
  head.piece = next.value;
  return true;
}

export function rowsIn(points: Points): Rows {
  return { times: points.times, columns: points.columns.map(pointColumn) };
}

/** Rows of several lists, each by time, in the order of time; of one time those of earlier lists first. */
export class RowMerge {
  readonly #descending: boolean;
  readonly #pieces: Rows[] = [];
  readonly #builders: readonly ColumnBuilder[];
  /** Where lists end, counted in rows. */
  readonly #ends: number[] = [];
  #count = 0;

  constructor({ descending, types }: Omit<MergeOptions, "seriesDescending">) {
    this.#descending = descending;
    this.#builders = types.map((type) => new ColumnBuilder(type));
  }

  get count(): number {
    return this.#count;
  }

  /** What is added from here on is another list. */
  next(): void {
    if (this.#count > (this.#ends.at(-1) ?? 0)) this.#ends.push(this.#count);
  }

  add(rows: Rows): void {
    this.#pieces.push(rows);
    this.#count += rows.times.length;
    checkMerged(this.#count);
  }

  /** All rows; with `keepLists` list by list. */
  finish(keepLists = false): Rows & { readonly rowCount: number } {
    this.next();
    const times = new BigInt64Array(this.#count);
    let filled = 0;
    for (const piece of this.#pieces) {
      times.set(piece.times, filled);
      filled += piece.times.length;
    }
    const order = keepLists ? undefined : orderOf(times, this.#ends, this.#descending);
    const columns = this.#builders.map((builder, index) => this.#column(builder, index, order));
    const sorted =
      order === undefined ? times : BigInt64Array.from(order, (row) => times[row] ?? 0n);
    return { times: sorted, columns, rowCount: this.#count };
  }

  #column(builder: ColumnBuilder, index: number, order: Int32Array | undefined): PointColumn {
    for (const { times, columns } of this.#pieces) {
      const column = columns[index] ?? { type: "null" };
      for (let row = 0; row < times.length; row += 1) builder.pushFrom(column, row);
    }
    const whole = builder.finish();
    if (order === undefined) return whole;
    const sorted = new ColumnBuilder(builder.type, order.length);
    for (const row of order) sorted.pushFrom(whole, row);
    return sorted.finish();
  }
}

/** Throws `exceeded` / `influxql_rows_held` where `count` rows are too many to be put in order at once. */
export function checkMerged(count: number): void {
  if (count <= HELD_MAX) return;
  throw new DbError(
    "exceeded",
    "influxql_rows_held",
    `rows of several series are put in order of time, and that takes more than ${HELD_MAX} of them at once: use a shorter time range, or group by more tags`,
    { detail: { max: HELD_MAX } },
  );
}

/** The rows of lists that end at `ends`, merged two by two; undefined where they are in order already. */
function orderOf(
  times: BigInt64Array,
  ends: readonly number[],
  descending: boolean,
): Int32Array | undefined {
  if (ends.length < 2) return undefined;
  let order = Int32Array.from(times, (_, row) => row);
  let bounds = [0, ...ends];
  while (bounds.length > 2) {
    const target = new Int32Array(order.length);
    const after = [0];
    for (let list = 0; list + 1 < bounds.length; list += 2) {
      const start = bounds[list] ?? 0;
      const middle = bounds[list + 1] ?? start;
      const end = bounds[list + 2] ?? middle;
      mergeTwo({ order, target, times, descending }, [start, middle, end]);
      after.push(end);
    }
    order = target;
    bounds = after;
  }
  return order;
}

interface MergeArrays {
  readonly order: Int32Array;
  readonly target: Int32Array;
  readonly times: BigInt64Array;
  readonly descending: boolean;
}

function mergeTwo(
  { order, target, times, descending }: MergeArrays,
  [start, middle, end]: readonly [number, number, number],
): void {
  let left = start;
  let right = middle;
  for (let into = start; into < end; into += 1) {
    const a = order[left] ?? 0;
    const b = order[right] ?? 0;
    const [timeA, timeB] = [times[a] ?? 0n, times[b] ?? 0n];
    const fromRight =
      left >= middle || (right < end && (descending ? timeB > timeA : timeB < timeA));
    target[into] = fromRight ? b : a;
    if (fromRight) right += 1;
    else left += 1;
  }
}
