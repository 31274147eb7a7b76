/** The columns of one row group of a data file, decoded: as numbers that loops can run over, and the series that its rows are in. */
import { fromUtf8 } from "#base/bytes.ts";
import type { ColumnId } from "#model/ids.ts";
import type { RowCells } from "#parquet/column.ts";
import { spreadCodes } from "#parquet/read/chunk-reader.ts";
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
  const values = wholesOf(cells);
  if (values === undefined || values.length === 0) return undefined;
  let base = values[0] as bigint;
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
  if (least < 0) {
    base += BigInt(least);
    for (let row = 0; row < offsets.length; row += 1)
      offsets[row] = (offsets[row] as number) - least;
  }
  return { base, offsets };
}

/** Undefined where a number is none that a float holds exactly. Unsigned ones have the bits of signed ones. */
export function numbersFrom(cells: RowCells, unsigned: boolean): Numbers | undefined {
  if (cells.kind === "doubles") return cells;
  const present = "present" in cells ? cells.present : undefined;
  const values = wholesOf(cells);
  if (values === undefined) return undefined;
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

export function textsFrom({ codes, dictionary }: Extract<RowCells, { kind: "texts" }>): CodedTexts {
  return { codes, texts: [null, ...allTexts(dictionary)] };
}

/**
 * The runs of `rowCount` rows with these tags. Undefined where the times of a run do not rise: then the file is not sorted as
 * data files are.
 */
export function runsOf(
  tags: ReadonlyMap<ColumnId, CodedTexts>,
  { offsets }: Times,
): Runs | undefined {
  const begins = new Uint8Array(offsets.length);
  begins[0] = 1;
  for (const { codes } of tags.values())
    for (let row = 1; row < begins.length; row += 1)
      if (codes[row] !== codes[row - 1]) begins[row] = 1;
  const starts: number[] = [];
  for (let row = 0; row < begins.length; row += 1) {
    if (begins[row] === 1) starts.push(row);
    else if ((offsets[row] as number) < (offsets[row - 1] as number)) return undefined;
  }
  const ofRuns = new Map(
    [...tags].map(([id, { codes, texts }]) => [
      id,
      { codes: Uint32Array.from(starts, (row) => codes[row] as number), texts },
    ]),
  );
  return { starts: Uint32Array.from([...starts, offsets.length]), tags: ofRuns };
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

function wholesOf(cells: RowCells): BigInt64Array | undefined {
  if (cells.kind === "wholes") return cells.values;
  if (cells.kind !== "coded wholes") return undefined;
  const values = new BigInt64Array(cells.codes.length);
  spreadCodes(cells.dictionary, cells.codes, values);
  return values;
}

function allTexts(texts: Texts): string[] {
  return Array.from({ length: texts.count }, (_, index) => fromUtf8(textAt(texts, index)));
}
