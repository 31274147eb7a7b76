/** Tag columns: each distinct row of tags once, and the number of its series for every row (docs/formats/block.md). */
import type { ByteReader, ByteWriter } from "./bytes.ts";
import { damaged } from "./bytes.ts";
import { decodeCodes, decodeDictionary, encodeDictionary } from "./column.ts";
import { encodeSequence } from "./sequence.ts";

/** The cells of one tag column. */
export interface TagCells {
  readonly codes: Uint32Array;
  readonly dictionary: readonly string[];
}

/** Writes `tags`, of which there is at least one; their count and that of the rows are not written. */
export function encodeTags(writer: ByteWriter, tags: readonly TagCells[]): void {
  const { firstRows, series } = findSeries(tags.map(({ codes }) => codes));
  writer.u32(firstRows.length);
  for (const { codes, dictionary } of tags) {
    encodeDictionary(writer, dictionary);
    encodeSequence(
      writer,
      Uint32Array.from(firstRows, (row) => codes[row] as number),
    );
  }
  encodeSequence(writer, series);
}

/** Reads `tagCount` columns of `rowCount` rows: their codes for each series, and the series of each row. */
export function decodeTags(
  reader: ByteReader,
  tagCount: number,
  rowCount: number,
): {
  readonly seriesCount: number;
  readonly rows: Uint32Array;
  readonly tags: readonly TagCells[];
} {
  const seriesCount = reader.u32();
  if (seriesCount === 0 || seriesCount > rowCount) {
    throw damaged("wrong count of series", { seriesCount, rowCount });
  }
  const tags = Array.from({ length: tagCount }, () => {
    const dictionary = decodeDictionary(reader);
    return { codes: decodeCodes(reader, seriesCount, dictionary.length), dictionary };
  });
  return { seriesCount, rows: decodeCodes(reader, rowCount, seriesCount - 1), tags };
}

/** The codes of rows, of those of series. */
export function spread(codes: Uint32Array, series: Uint32Array): Uint32Array {
  const rows = new Uint32Array(series.length);
  for (let row = 0; row < rows.length; row += 1) {
    rows[row] = codes[series[row] as number] as number;
  }
  return rows;
}

/** The distinct rows of some columns. */
export interface FoundSeries {
  readonly firstRows: readonly number[];
  readonly series: Uint32Array;
}

/** Rows that one row may be compared with, on the average: with more, somebody has chosen tags that meet. */
const PROBE_COUNT = 16;

/** Numbers the distinct rows of `columns`, of which there is one at least, from 0 in order of appearance. */
export function findSeries(columns: readonly Uint32Array[]): FoundSeries {
  return hashedSeries(columns) ?? sortedSeries(columns);
}

/** Undefined where it would take too long. */
function hashedSeries(columns: readonly Uint32Array[]): FoundSeries | undefined {
  const hashes = hashRows(columns);
  const rowCount = hashes.length;
  const firstRows: number[] = [];
  const series = new Uint32Array(rowCount);
  const slotMask = 2 ** Math.ceil(Math.log2(2 * rowCount)) - 1;
  // A hash table of numbers from 1; 0 is a free slot.
  const slots = new Uint32Array(slotMask + 1);
  let probesLeft = PROBE_COUNT * rowCount;
  for (let row = 0; row < rowCount; row += 1) {
    let slot = (hashes[row] as number) & slotMask;
    let found = slots[slot] as number;
    while (found !== 0 && !equalRows(columns, firstRows[found - 1] as number, row)) {
      slot = (slot + 1) & slotMask;
      found = slots[slot] as number;
      probesLeft -= 1;
    }
    if (probesLeft < 0) return undefined;
    if (found === 0) {
      firstRows.push(row);
      found = firstRows.length;
      slots[slot] = found;
    }
    series[row] = found - 1;
  }
  return { firstRows, series };
}

function sortedSeries(columns: readonly Uint32Array[]): FoundSeries {
  const rowCount = columns[0]?.length ?? 0;
  const rows = new Uint32Array(rowCount);
  for (let row = 0; row < rowCount; row += 1) rows[row] = row;
  rows.sort((left, right) => compareRows(columns, left, right) || left - right);
  // For each row, the first that is like it; then its number.
  const series = new Uint32Array(rowCount);
  let first = rows[0] ?? 0;
  for (const row of rows) {
    if (compareRows(columns, first, row) !== 0) first = row;
    series[row] = first;
  }
  const firstRows: number[] = [];
  for (let row = 0; row < rowCount; row += 1) {
    first = series[row] as number;
    series[row] = first === row ? firstRows.push(row) - 1 : (series[first] as number);
  }
  return { firstRows, series };
}

function compareRows(columns: readonly Uint32Array[], left: number, right: number): number {
  for (const codes of columns) {
    const apart = (codes[left] as number) - (codes[right] as number);
    if (apart !== 0) return apart;
  }
  return 0;
}

function hashRows(columns: readonly Uint32Array[]): Uint32Array {
  const hashes = new Uint32Array(columns[0]?.length ?? 0);
  for (const codes of columns) {
    for (let row = 0; row < hashes.length; row += 1) {
      const mixed = Math.imul((hashes[row] as number) ^ (codes[row] as number), 0x9e3779b1);
      hashes[row] = mixed ^ (mixed >>> 15);
    }
  }
  return hashes;
}

function equalRows(columns: readonly Uint32Array[], left: number, right: number): boolean {
  for (const codes of columns) if (codes[left] !== codes[right]) return false;
  return true;
}
