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

/** Numbers the distinct rows of `columns`, of which there is one at least, from 0 in order of appearance. */
export function findSeries(columns: readonly Uint32Array[]): {
  readonly firstRows: readonly number[];
  readonly series: Uint32Array;
} {
  const hashes = hashRows(columns);
  const rowCount = hashes.length;
  const firstRows: number[] = [];
  const series = new Uint32Array(rowCount);
  const slotMask = 2 ** Math.ceil(Math.log2(2 * rowCount)) - 1;
  // A hash table of numbers from 1; 0 is a free slot.
  const slots = new Uint32Array(slotMask + 1);
  for (let row = 0; row < rowCount; row += 1) {
    let slot = (hashes[row] as number) & slotMask;
    let found = slots[slot] as number;
    while (found !== 0 && !equalRows(columns, firstRows[found - 1] as number, row)) {
      slot = (slot + 1) & slotMask;
      found = slots[slot] as number;
    }
    if (found === 0) {
      firstRows.push(row);
      found = firstRows.length;
      slots[slot] = found;
    }
    series[row] = found - 1;
  }
  return { firstRows, series };
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
