/** The columns of one row group of a data file, decoded: as numbers that loops can run over, and the series that its rows are in. */
import { fromUtf8 } from "#base/bytes.ts";
import type { ColumnId } from "#model/ids.ts";
import type { RowCells } from "#parquet/column.ts";
import type { Offsets } from "#parquet/read/deltas.ts";
import type { TextRuns } from "#parquet/read/text-runs.ts";
import { type Texts, textAt } from "#parquet/texts.ts";

/** Times of rows: `base` and what is added to it, exact as a float. */
export interface Times {
  readonly base: bigint;
  /** Not negative. */
  readonly offsets: Float64Array;
}

/** Numbers as floats, exact for whole ones; `present` is 1 or 0 a row, absent where no cell is NULL. */
export interface Numbers {
  readonly values: Float64Array;
  readonly present?: Uint8Array;
}

/** Texts by code; code 0 is NULL. */
export interface CodedTexts {
  readonly codes: Uint32Array;
  readonly texts: readonly (string | null)[];
}

/** Rows that follow each other and have the same tags: run n goes from `starts[n]` to before `starts[n + 1]`. */
export interface Runs {
  readonly starts: Uint32Array;
  /** For each tag that the file has, a code a run. */
  readonly tags: ReadonlyMap<ColumnId, CodedTexts>;
}

const HALF = 2 ** 32;
/** The high halves of whole numbers that floats hold exactly. */
const EXACT_HIGH_MAX = 2 ** 20;

/** Undefined where the times are too far from each other for a float. */
export function timesFrom(cells: RowCells): Times | undefined {
  if (cells.kind === "wholes") return timesOfWholes(cells.values);
  if (cells.kind !== "coded wholes") return undefined;
  const times = timesOfWholes(cells.dictionary);
  return times && { base: times.base, offsets: spread(times.offsets, cells.codes) };
}

function timesOfWholes(values: BigInt64Array): Times | undefined {
  if (values.length === 0) return undefined;
  const halves = new Int32Array(values.buffer, values.byteOffset, 2 * values.length);
  const baseLow = (halves[0] as number) >>> 0;
  const baseHigh = halves[1] as number;
  const offsets = new Float64Array(values.length);
  let least = 0;
  for (let row = 0; row < offsets.length; row += 1) {
    const low = (halves[2 * row] as number) >>> 0;
    const high = (halves[2 * row + 1] as number) - baseHigh;
    if (high > EXACT_HIGH_MAX || high < -EXACT_HIGH_MAX) return undefined;
    const offset = high * HALF + (low - baseLow);
    offsets[row] = offset;
    if (offset < least) least = offset;
  }
  return timesOf({ base: values[0] as bigint, offsets, least });
}

/** It takes the offsets over. */
export function timesOf({ base, least, offsets }: Offsets): Times {
  if (least === 0) return { base, offsets };
  for (let row = 0; row < offsets.length; row += 1) offsets[row] = (offsets[row] as number) - least;
  return { base: base + BigInt(least), offsets };
}

/** Undefined where a number is none that a float holds exactly. Unsigned ones have the bits of signed ones. */
export function numbersFrom(cells: RowCells, unsigned: boolean): Numbers | undefined {
  switch (cells.kind) {
    case "doubles":
      return cells;
    case "coded wholes": {
      const numbers = numbersOfWholes({ values: cells.dictionary }, unsigned);
      return numbers && { values: spread(numbers.values, cells.codes) };
    }
    case "wholes":
      return numbersOfWholes(cells, unsigned);
    default:
      return undefined;
  }
}

interface Wholes {
  readonly values: BigInt64Array;
  readonly present?: Uint8Array;
}

function numbersOfWholes({ present, values }: Wholes, unsigned: boolean): Numbers | undefined {
  const halves = new Int32Array(values.buffer, values.byteOffset, 2 * values.length);
  const numbers = new Float64Array(values.length);
  for (let row = 0; row < numbers.length; row += 1) {
    const high = halves[2 * row + 1] as number;
    if (present?.[row] === 0) continue;
    if (high > EXACT_HIGH_MAX || high < (unsigned ? 0 : -EXACT_HIGH_MAX)) return undefined;
    numbers[row] = high * HALF + ((halves[2 * row] as number) >>> 0);
  }
  return present === undefined ? { values: numbers } : { values: numbers, present };
}

/** The entry of each code. */
function spread(entries: Float64Array, codes: Uint32Array): Float64Array {
  const values = new Float64Array(codes.length);
  for (let row = 0; row < values.length; row += 1)
    values[row] = entries[codes[row] as number] as number;
  return values;
}

/**
 * The runs of rows with these tags. Undefined where the times of a run do not rise: then the file is not sorted as data files are.
 */
export function runsOf(
  tags: ReadonlyMap<ColumnId, TextRuns>,
  { offsets }: Times,
): Runs | undefined {
  const starts = startsOf(tags, offsets.length);
  for (let run = 0; run + 1 < starts.length; run += 1)
    if (!rises(offsets, starts[run] as number, starts[run + 1] as number)) return undefined;
  const ofRuns = new Map(
    [...tags].map(([id, { dictionary, runs }]) => [
      id,
      { codes: valuesAt(runs, starts), texts: [null, ...allTexts(dictionary)] },
    ]),
  );
  return { starts, tags: ofRuns };
}

/** The rows with which a tag changes, and the end. */
function startsOf(tags: ReadonlyMap<ColumnId, TextRuns>, rowCount: number): Uint32Array {
  const begins = new Uint8Array(rowCount);
  for (const { runs } of tags.values()) for (const end of runs.ends) begins[end] = 1;
  const starts = [0];
  for (let row = begins.indexOf(1, 1); row > 0; row = begins.indexOf(1, row + 1)) starts.push(row);
  return Uint32Array.from([...starts, rowCount]);
}

/** Whether none of the rows from `start` to before `end` is earlier than the one before it. */
function rises(offsets: Float64Array, start: number, end: number): boolean {
  for (let row = start + 1; row < end; row += 1)
    if ((offsets[row] as number) < (offsets[row - 1] as number)) return false;
  return true;
}

/** The values of the rows at `starts`, but for the last, which is the end. */
function valuesAt({ ends, values }: TextRuns["runs"], starts: Uint32Array): Uint32Array {
  const found = new Uint32Array(starts.length - 1);
  for (let i = 0, run = 0; i < found.length; i += 1) {
    while ((ends[run] as number) <= (starts[i] as number)) run += 1;
    found[i] = values[run] as number;
  }
  return found;
}

/** The first row from `start` to before `end`, whose times rise, that is at `offset` or later; `end` where none is. */
export function firstAtLeast(
  offsets: Float64Array,
  start: number,
  end: number,
  offset: number,
): number {
  let low = start;
  let high = end;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((offsets[middle] as number) < offset) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Writes `base` and `offset`, which is not negative, as element `index` of `halves`, those of a BigInt64Array. */
export function putTime(halves: Uint32Array, index: number, base: bigint, offset: number): void {
  const low = Number(BigInt.asUintN(32, base)) + (offset % HALF);
  const high = Number(base >> 32n) + Math.floor(offset / HALF) + Math.floor(low / HALF);
  halves[2 * index] = low;
  halves[2 * index + 1] = high;
}

/** Writes a whole number that a float holds exactly as element `index` of `halves`, those of an array of 64-bit integers. */
export function putWhole(halves: Uint32Array, index: number, value: number): void {
  const high = Math.floor(value / HALF);
  halves[2 * index] = value - high * HALF;
  halves[2 * index + 1] = high;
}

function allTexts(texts: Texts): string[] {
  return Array.from({ length: texts.count }, (_, index) => fromUtf8(textAt(texts, index)));
}
