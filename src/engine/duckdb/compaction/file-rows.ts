/** The rows of many files in one range of time, under one numbering; their fields, column by column. */
import { fromUtf8 } from "#base/bytes.ts";
import { assert } from "#base/errors.ts";
import type { BlockSeries } from "#block/block.ts";
import type { ColumnId } from "#model/ids.ts";
import type { RowDelete } from "#model/row-delete.ts";
import { TIME_COLUMN_ID } from "#model/schema.ts";
import { overlaps, type TimeRange } from "#model/time-range.ts";
import type { RowCells } from "#parquet/column.ts";
import { spreadCodes } from "#parquet/read/chunk-reader.ts";
import type { StoredGroup } from "#parquet/read/footer.ts";
import { type Texts, textAt } from "#parquet/texts.ts";
import type { Rows } from "../files/rows.ts";
import { joinSeries } from "../files/series.ts";
import { ORDER_FIELD_ID } from "../print/scan.ts";
import { deletedRows } from "./deleted-rows.ts";
import type { OpenFile } from "./open-file.ts";

/** Rows of one row group. */
export interface Piece {
  readonly file: OpenFile;
  readonly group: StoredGroup;
  /** Which rows; undefined: all of the group. */
  readonly chosen: Uint32Array | undefined;
  readonly rowCount: number;
}

interface PieceKeys {
  readonly piece: Piece;
  readonly times: BigInt64Array;
  readonly series: BlockSeries;
  readonly stamps: Coded;
}

interface Coded {
  readonly codes: Uint32Array;
  readonly dictionary: BigInt64Array;
}

export interface FileRows {
  /** Numbered from 0, piece by piece. */
  readonly rows: Rows;
  readonly pieces: readonly Piece[];
}

/** Which rows count, and the tags that they may have. */
export interface WantedRows {
  readonly time: TimeRange;
  readonly tagIds: readonly ColumnId[];
  /** Rows that one of these covers do not count. */
  readonly deletes: readonly RowDelete[];
}

/** The rows of `files` that are wanted. Throws `corrupt` / `file_damaged`. */
export function rowsOfFiles(files: readonly OpenFile[], wanted: WantedRows): FileRows {
  const { tagIds, time } = wanted;
  const keys: PieceKeys[] = [];
  for (const file of files) {
    if (!overlaps(file.envelope.time, time)) continue;
    for (const group of file.groups) {
      if (!overlaps(file.timeOf(group), time)) continue;
      const some = keysOf(file, group, wanted);
      if (some.piece.rowCount > 0) keys.push(some);
    }
  }
  return { rows: joinKeys(keys, tagIds), pieces: keys.map(({ piece }) => piece) };
}

/** The times of a row group. */
export function timesOf(file: OpenFile, group: StoredGroup): BigInt64Array {
  const cells = file.read(group, TIME_COLUMN_ID);
  if (cells?.kind === "wholes") return cells.values;
  assert(cells?.kind === "coded wholes", "every data file has times");
  const times = new BigInt64Array(cells.codes.length);
  spreadCodes(cells.dictionary, cells.codes, times);
  return times;
}

function keysOf(file: OpenFile, group: StoredGroup, wanted: WantedRows): PieceKeys {
  const times = timesOf(file, group);
  const stamps = codedOf(file.read(group, ORDER_FIELD_ID));
  const chosen = choose(file, { group, times, stamps }, wanted);
  const piece = { file, group, chosen, rowCount: chosen?.length ?? group.rowCount };
  const series = seriesOf(piece, wanted.tagIds);
  if (chosen === undefined) return { piece, times, series, stamps };
  const codes = chosen.map((row) => stamps.codes[row] as number);
  return {
    piece,
    times: chosenTimes(times, chosen),
    series,
    stamps: { codes, dictionary: stamps.dictionary },
  };
}

/** Rows that are wanted, with a stamp above the one from which the file counts; undefined where all are. */
function choose(
  file: OpenFile,
  { group, stamps, times }: { group: StoredGroup; times: BigInt64Array; stamps: Coded },
  { deletes, time }: WantedRows,
): Uint32Array | undefined {
  const { stampAbove, stampMin } = file.envelope;
  const bounds = file.timeOf(group);
  const inTime = bounds.start >= time.start && bounds.end <= time.end;
  const inRange = (range: TimeRange) => rangeTester(times, range);
  const deleted = deletedRows({ file, group, stamps, inRange }, deletes);
  if (inTime && stampMin > stampAbove && deleted === undefined) return undefined;
  const counts = Uint8Array.from(stamps.dictionary, (stamp) => Number(stamp > stampAbove));
  const chosen = new Uint32Array(times.length);
  let count = 0;
  const isIn = inTime ? () => true : rangeTester(times, time);
  for (let row = 0; row < times.length; row += 1)
    if (counts[stamps.codes[row] as number] === 1 && isIn(row) && deleted?.[row] !== 1)
      chosen[count++] = row;
  return chosen.slice(0, count);
}

/** The halves of a time compare without a bigint for each. */
function rangeTester(times: BigInt64Array, { end, start }: TimeRange): (row: number) => boolean {
  const halves = new Int32Array(times.buffer, times.byteOffset, 2 * times.length);
  const startLow = Number(BigInt.asUintN(32, start));
  const startHigh = Number(BigInt.asIntN(64, start) >> 32n);
  const endLow = Number(BigInt.asUintN(32, end));
  const endHigh = Number(BigInt.asIntN(64, end) >> 32n);
  return (row) => {
    const low = (halves[2 * row] as number) >>> 0;
    const high = halves[2 * row + 1] as number;
    return (
      (high > startHigh || (high === startHigh && low >= startLow)) &&
      (high < endHigh || (high === endHigh && low <= endLow))
    );
  };
}

function chosenTimes(times: BigInt64Array, chosen: Uint32Array): BigInt64Array {
  const some = new BigInt64Array(chosen.length);
  spreadCodes(times, chosen, some);
  return some;
}

function codedOf(cells: RowCells | undefined): Coded {
  if (cells?.kind === "coded wholes") return cells;
  assert(cells?.kind === "wholes", "every data file has order stamps");
  const dictionary = BigInt64Array.from(new Set(cells.values));
  const codeOf = new Map([...dictionary].map((stamp, code) => [stamp, code]));
  return { codes: Uint32Array.from(cells.values, (stamp) => codeOf.get(stamp) ?? 0), dictionary };
}

/** Rows come series by series: where a tag changes from row to row, another run of one series begins. */
function seriesOf(
  { chosen, file, group, rowCount }: Piece,
  tagIds: readonly ColumnId[],
): BlockSeries {
  const tags = tagIds.flatMap((id) => {
    const cells = file.read(group, id);
    if (cells === undefined) return [];
    assert(cells.kind === "texts", "tags are texts");
    const codes = chosen?.map((row) => cells.codes[row] as number) ?? cells.codes;
    return [{ id, codes, dictionary: cells.dictionary }];
  });
  const begins = new Uint8Array(rowCount);
  if (rowCount > 0) begins[0] = 1;
  for (const { codes } of tags)
    for (let row = 1; row < rowCount; row += 1) if (codes[row] !== codes[row - 1]) begins[row] = 1;
  const rows = new Uint32Array(rowCount);
  let run = -1;
  for (let row = 0; row < rowCount; row += 1) {
    run += begins[row] as number;
    rows[row] = run;
  }
  return {
    seriesCount: run + 1,
    rows,
    tags: tags.map(({ id, codes, dictionary }) => {
      return { id, codes: codes.filter((_, row) => begins[row] === 1), ...listOf(dictionary) };
    }),
  };
}

function listOf(texts: Texts): { readonly dictionary: readonly string[] } {
  const { count } = texts;
  return {
    dictionary: Array.from({ length: count }, (_, index) => fromUtf8(textAt(texts, index))),
  };
}

function joinKeys(keys: readonly PieceKeys[], tagIds: readonly ColumnId[]): Rows {
  const all = joinSeries(
    keys.map(({ series }) => series),
    tagIds,
  );
  const count = keys.reduce((sum, { piece }) => sum + piece.rowCount, 0);
  const times = new BigInt64Array(count);
  const series = new Uint32Array(count);
  const stamps = sortedStamps(keys);
  const codeOf = new Map([...stamps].map((stamp, code) => [stamp, code]));
  const stampCodes = new Uint32Array(count);
  let start = 0;
  for (const [index, one] of keys.entries()) {
    times.set(one.times, start);
    const numbers = all.numbers[index] as Uint32Array;
    const codes = Uint32Array.from(one.stamps.dictionary, (stamp) => codeOf.get(stamp) ?? 0);
    const runs = one.series.rows;
    for (let row = 0; row < runs.length; row += 1) {
      series[start + row] = numbers[runs[row] as number] as number;
      stampCodes[start + row] = codes[one.stamps.codes[row] as number] as number;
    }
    start += runs.length;
  }
  return { count, times, series, all, stampCodes, stamps };
}

function sortedStamps(keys: readonly PieceKeys[]): BigInt64Array {
  const stamps = new Set<bigint>();
  for (const { stamps: coded } of keys) for (const stamp of coded.dictionary) stamps.add(stamp);
  return BigInt64Array.from(stamps).toSorted();
}
