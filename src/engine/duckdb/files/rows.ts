/** The rows of many blocks, in the order files have them, and cut into files. */
import { floorDivide } from "#base/divide.ts";
import type { BlockParts } from "#block/block.ts";
import type { ColumnId } from "#model/ids.ts";
import type { OrderStamp } from "#model/stamp.ts";
import type { TimeRange } from "#model/time-range.ts";
import { joinWindows } from "../../windows.ts";
import { type AllSeries, joinSeries, numbersTo, sortByCode } from "./series.ts";

/** A block that was begun to be read. */
export interface StampedParts {
  readonly parts: BlockParts;
  readonly stamp: OrderStamp;
}

/** All rows, numbered from 0 block by block. */
export interface Rows {
  readonly count: number;
  readonly times: BigInt64Array;
  /** The series of each row. */
  readonly series: Uint32Array;
  readonly all: AllSeries;
  /** The order stamp of each row: an index into `stamps`, which rise. */
  readonly stampCodes: Uint32Array;
  readonly stamps: BigInt64Array;
}

/** How rows are cut into files. */
export interface Cut {
  readonly windowNs: bigint;
  readonly rowCountMin: number;
}

/** The rows of `blocks`, whose tags are all among `tagIds`. */
export function rowsOf(blocks: readonly StampedParts[], tagIds: readonly ColumnId[]): Rows {
  const all = joinSeries(
    blocks.map(({ parts }) => parts.series),
    tagIds,
  );
  const count = blocks.reduce((sum, { parts }) => sum + parts.header.rowCount, 0);
  const times = new BigInt64Array(count);
  const series = new Uint32Array(count);
  const stamps = BigInt64Array.from(new Set(blocks.map(({ stamp }) => stamp))).toSorted();
  const codeOf = new Map([...stamps].map((stamp, code) => [stamp, code]));
  const stampCodes = new Uint32Array(count);
  let start = 0;
  for (const [index, { parts, stamp }] of blocks.entries()) {
    const end = start + parts.header.rowCount;
    times.set(parts.times, start);
    stampCodes.fill(codeOf.get(stamp) ?? 0, start, end);
    const numbers = all.numbers[index] as Uint32Array;
    const { rows } = parts.series;
    for (let row = 0; row < rows.length; row += 1)
      series[start + row] = numbers[rows[row] as number] as number;
    start = end;
  }
  return { count, times, series, all, stampCodes, stamps };
}

/** The rows of each file, sorted by tags, time and order stamp; files in order of their first window. */
export function cutIntoFiles(rows: Rows, cut: Cut): readonly Uint32Array[] {
  const { fileCount, fileOf } = filesOf(rows.times, cut);
  return splitByPlace(sortRows(rows), fileOf, fileCount);
}

/** The rows of each of `placeCount` places, in the order of `sorted`; places without a row are left out. */
export function splitByPlace(
  sorted: Uint32Array,
  placeOf: Uint32Array,
  placeCount: number,
): readonly Uint32Array[] {
  if (placeCount === 1) return [sorted];
  const byPlace = sortByCode(sorted, placeOf, placeCount);
  const parts: Uint32Array[] = [];
  let start = 0;
  while (start < byPlace.length) {
    const place = placeOf[byPlace[start] as number];
    let end = start + 1;
    while (end < byPlace.length && placeOf[byPlace[end] as number] === place) end += 1;
    parts.push(byPlace.subarray(start, end));
    start = end;
  }
  return parts;
}

/** Rows of one row group: which they are, and which series they have, one after the other. */
export interface GroupRows {
  readonly rows: Uint32Array;
  readonly series: Uint32Array;
  /** How many rows each of `series` has. */
  readonly lengths: Uint32Array;
}

/** Groups of `rowCountMax` of the rows of a file, the last one of fewer. */
export function rowGroups(
  { series }: Rows,
  sorted: Uint32Array,
  rowCountMax: number,
): readonly GroupRows[] {
  const groups: GroupRows[] = [];
  for (let start = 0; start < sorted.length; start += rowCountMax) {
    const rows = sorted.subarray(start, start + rowCountMax);
    const numbers = new Uint32Array(rows.length);
    const lengths = new Uint32Array(rows.length);
    let count = 0;
    for (let i = 0; i < rows.length; i += 1) {
      const number = series[rows[i] as number] as number;
      if (count === 0 || numbers[count - 1] !== number) numbers[count++] = number;
      lengths[count - 1] = (lengths[count - 1] as number) + 1;
    }
    groups.push({ rows, series: numbers.slice(0, count), lengths: lengths.slice(0, count) });
  }
  return groups;
}

/** Whether no two rows that follow each other in `sorted` have one series and time. */
export function isUnique({ series, times }: Rows, sorted: Uint32Array): boolean {
  const halves = new Int32Array(times.buffer);
  for (let i = 1; i < sorted.length; i += 1) {
    const before = sorted[i - 1] as number;
    const row = sorted[i] as number;
    if (series[before] !== series[row]) continue;
    if (halves[2 * before] === halves[2 * row] && halves[2 * before + 1] === halves[2 * row + 1])
      return false;
  }
  return true;
}

/** From the least to the greatest time and stamp of `some` rows, of which there is one at least. */
export function rangesOf(
  rows: Rows,
  some: Uint32Array,
): { readonly time: TimeRange; readonly stampMin: OrderStamp; readonly stampMax: OrderStamp } {
  const { stampCodes, stamps, times } = rows;
  const compare = timeComparer(times);
  let first = some[0] as number;
  let final = first;
  let least = stamps.length - 1;
  let greatest = 0;
  for (let i = 0; i < some.length; i += 1) {
    const row = some[i] as number;
    const code = stampCodes[row] as number;
    if (compare(row, first) < 0) first = row;
    else if (compare(row, final) > 0) final = row;
    if (code < least) least = code;
    if (code > greatest) greatest = code;
  }
  return {
    time: { start: times[first] as bigint, end: times[final] as bigint },
    stampMin: stamps[least] as bigint,
    stampMax: stamps[greatest] as bigint,
  };
}

/** All rows by tags, time and order stamp. */
export function sortRows(rows: Rows): Uint32Array<ArrayBuffer> {
  const { all, count, series } = rows;
  const rankOf = new Uint32Array(all.count);
  for (let rank = 0; rank < all.count; rank += 1) rankOf[all.sorted[rank] as number] = rank;
  const ranks = new Uint32Array(count);
  for (let row = 0; row < count; row += 1) ranks[row] = rankOf[series[row] as number] as number;
  const sorted = sortByCode(numbersTo(count), ranks, all.count);
  const compare = comparer(rows);
  let scratch = new Uint32Array(0);
  let start = 0;
  while (start < count) {
    const rank = ranks[sorted[start] as number];
    // Most rows come in order of time: where one rises from the one before, a run goes on.
    const runs = [0];
    let end = start + 1;
    for (; end < count && ranks[sorted[end] as number] === rank; end += 1)
      if (compare(sorted[end - 1] as number, sorted[end] as number) > 0) runs.push(end - start);
    if (runs.length > 1) {
      if (scratch.length < end - start) scratch = new Uint32Array(2 * (end - start));
      mergeRuns(sorted.subarray(start, end), { runs, scratch, compare });
    }
    start = end;
  }
  return sorted;
}

interface Runs {
  /** Where each run of sorted rows begins. */
  readonly runs: readonly number[];
  /** As many places as there are rows, at least. */
  readonly scratch: Uint32Array;
  readonly compare: (left: number, right: number) => number;
}

/** Sorts `rows`, two runs into one at a time. */
function mergeRuns(rows: Uint32Array, { compare, runs, scratch }: Runs): void {
  let starts = runs;
  let source = rows;
  let target = scratch.subarray(0, rows.length);
  while (starts.length > 1) {
    for (let run = 0; run < starts.length; run += 2) {
      const start = starts[run] as number;
      const middle = starts[run + 1] ?? rows.length;
      const end = starts[run + 2] ?? rows.length;
      mergeTwo({ source, target, compare }, { start, middle, end });
    }
    starts = starts.filter((_, run) => run % 2 === 0);
    [source, target] = [target, source];
  }
  if (source !== rows) rows.set(source);
}

function mergeTwo(
  { compare, source, target }: Pick<Runs, "compare"> & { source: Uint32Array; target: Uint32Array },
  { end, middle, start }: { start: number; middle: number; end: number },
): void {
  let left = start;
  let right = middle;
  for (let place = start; place < end; place += 1) {
    const fromLeft =
      right >= end ||
      (left < middle && compare(source[left] as number, source[right] as number) <= 0);
    target[place] = source[fromLeft ? left++ : right++] as number;
  }
}

/** By time, then stamp. */
function comparer({ stampCodes, times }: Rows): (left: number, right: number) => number {
  const compareTimes = timeComparer(times);
  return (left, right) =>
    compareTimes(left, right) ||
    (stampCodes[left] as number) - (stampCodes[right] as number) ||
    left - right;
}

/** The halves of a time compare without a bigint for each. */
function timeComparer(times: BigInt64Array): (left: number, right: number) => number {
  const halves = new Int32Array(times.buffer);
  return (left, right) => {
    const high = (halves[2 * left + 1] as number) - (halves[2 * right + 1] as number);
    if (high !== 0) return high;
    return ((halves[2 * left] as number) >>> 0) - ((halves[2 * right] as number) >>> 0);
  };
}

interface Window {
  readonly index: number;
  readonly start: bigint;
  rowCount: number;
}

/** The file of each row. */
function filesOf(
  times: BigInt64Array,
  { rowCountMin, windowNs }: Cut,
): { readonly fileOf: Uint32Array; readonly fileCount: number } {
  const windowOf = new Uint32Array(times.length);
  const windows = countWindows(times, windowNs, windowOf);
  const sorted = windows.toSorted((left, right) => (left.start < right.start ? -1 : 1));
  const files = joinWindows(sorted, windowNs, rowCountMin);
  const ofWindow = new Uint32Array(windows.length);
  for (const [place, { index }] of sorted.entries()) ofWindow[index] = files[place] as number;
  for (let row = 0; row < windowOf.length; row += 1)
    windowOf[row] = ofWindow[windowOf[row] as number] as number;
  return { fileOf: windowOf, fileCount: new Set(files).size };
}

/** Writes the index of each row's window into `windowOf`. */
function countWindows(
  times: BigInt64Array,
  windowNs: bigint,
  windowOf: Uint32Array,
): readonly Window[] {
  const windows: Window[] = [];
  const byNumber = new Map<bigint, Window>();
  let current: Window | undefined;
  let end = 0n;
  for (let row = 0; row < times.length; row += 1) {
    const time = times[row] as bigint;
    if (current === undefined || time < current.start || time >= end) {
      const number = floorDivide(time, windowNs);
      const start = number * windowNs;
      current = byNumber.get(number);
      if (current === undefined) {
        current = { index: windows.length, start, rowCount: 0 };
        windows.push(current);
        byNumber.set(number, current);
      }
      end = start + windowNs;
    }
    current.rowCount += 1;
    windowOf[row] = current.index;
  }
  return windows;
}
