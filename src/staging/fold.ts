import { findSeries } from "#block/series.ts";
import { type ColumnBatch, type ColumnData, hasValue } from "#model/batch.ts";

/** Which rows of a batch say something of a series and time that an earlier row has. */
export interface Repeats {
  /** The first row of each series and time, rising. */
  readonly kept: Uint32Array;
  /** For each row, the kept one with its series and time. */
  readonly keptRow: Uint32Array;
}

/** The rows that repeat a series and time; undefined when none does, which is told fast where times rise in each series. */
export function findRepeats(batch: ColumnBatch): Repeats | undefined {
  const { times } = batch;
  const series = seriesOfRows(batch);
  if (timesRise(times, series)) return undefined;
  const keptRow = new Uint32Array(times.length);
  const kept = new Uint32Array(times.length);
  const rowOf = new Map<bigint, number>();
  let keptCount = 0;
  for (let row = 0; row < times.length; row++) {
    const key = (BigInt(series[row] as number) << 64n) | BigInt.asUintN(64, times[row] as bigint);
    const first = rowOf.get(key);
    keptRow[row] = first ?? row;
    if (first !== undefined) continue;
    rowOf.set(key, row);
    kept[keptCount++] = row;
  }
  return keptCount === times.length ? undefined : { kept: kept.subarray(0, keptCount), keptRow };
}

/** Moves the last value of each series and time to the row that is kept. Changes the cells of `data`. */
export function foldColumn(data: ColumnData, keptRow: Uint32Array): void {
  const cells: { [row: number]: unknown } = "codes" in data ? data.codes : data.values;
  const present = "codes" in data ? undefined : data.present;
  for (let row = 0; row < keptRow.length; row++) {
    const target = keptRow[row] as number;
    if (target === row || !hasValue(data, row)) continue;
    cells[target] = cells[row];
    if (present !== undefined) present[target] = 1;
  }
}

/** A number for each row, equal where all tags are. */
function seriesOfRows({ columns, times }: ColumnBatch): Uint32Array {
  const tags = columns.flatMap(({ data }) =>
    data.kind === "tag" && "codes" in data ? [data.codes] : [],
  );
  return tags.length === 0 ? new Uint32Array(times.length) : findSeries(tags).series;
}

function timesRise(times: BigInt64Array, series: Uint32Array): boolean {
  let seriesCount = 0;
  for (const number of series) if (number >= seriesCount) seriesCount = number + 1;
  const last = new BigInt64Array(seriesCount);
  const seen = new Uint8Array(seriesCount);
  for (let row = 0; row < times.length; row++) {
    const number = series[row] as number;
    const time = times[row] as bigint;
    if (seen[number] === 1 && time <= (last[number] as bigint)) return false;
    seen[number] = 1;
    last[number] = time;
  }
  return true;
}
