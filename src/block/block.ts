/** Rows of one table as bytes that can be read alone (docs/formats/block.md). */
import { crc32 } from "#base/crc32.ts";
import { assert, DbError } from "#base/errors.ts";
import type { BatchColumn, ColumnBatch, ColumnData, ColumnDataKind } from "#model/batch.ts";
import type { ColumnId, DatabaseId, TableId } from "#model/ids.ts";
import type { TimeRange } from "#model/time-range.ts";
import { ByteReader, ByteWriter, damaged } from "./bytes.ts";
import { decodeColumn, encodeColumn } from "./column.ts";
import { decodeInt64, encodeInt64 } from "./int64.ts";
import { decodeTags, encodeTags, spread, type TagCells } from "./series.ts";

/** The most rows of a block. */
export const BLOCK_ROW_COUNT_MAX = 2 ** 20;
/** The most columns of a block. */
const BLOCK_COLUMN_COUNT_MAX = 2 ** 16 - 1;

/** What a block says of itself before its cells. */
export interface BlockHeader {
  readonly databaseId: DatabaseId;
  readonly tableId: TableId;
  readonly rowCount: number;
  /** From its least to its greatest timestamp. */
  readonly time: TimeRange;
  /** In ascending order of id. */
  readonly columns: readonly { readonly id: ColumnId; readonly kind: ColumnDataKind }[];
}

const MAGIC = 0xb1;
const VERSION = 1;
const CHECKSUM_OFFSET = 4;
const COVERED_OFFSET = 8;
const ID_MAX = 2 ** 32 - 1;
/** In the order of their numbers in the bytes. */
const KINDS = ["tag", "string", "float", "integer", "uinteger", "boolean"] as const;

/** The bytes of `batch`, which has 1 to BLOCK_ROW_COUNT_MAX rows and keeps the rules of ColumnBatch. */
export function encodeBlock(batch: ColumnBatch): Uint8Array<ArrayBuffer> {
  assertBatch(batch);
  const { databaseId, tableId, times, columns } = batch;
  const writer = beginBlock({
    databaseId,
    tableId,
    rowCount: times.length,
    time: rangeOf(times),
    columns: columns.map(({ id, data }) => ({ id, kind: data.kind })),
  });
  encodeInt64(writer, times);
  const tags = batch.columns.flatMap(({ data }) => (data.kind === "tag" ? [data as TagCells] : []));
  if (tags.length > 0) encodeTags(writer, tags);
  for (const { data } of batch.columns) if (data.kind !== "tag") encodeColumn(writer, data);
  return finishBlock(writer);
}

/** A block that says what `header` does; its cells follow, as `encodeBlock` writes them. The header keeps the rules of a block. */
export function beginBlock(header: BlockHeader): ByteWriter {
  const { databaseId, tableId, rowCount, time, columns } = header;
  assertHeader(header);
  const writer = new ByteWriter(256 + 16 * rowCount);
  writer.u8(MAGIC);
  writer.u8(VERSION);
  writer.bytes(new Uint8Array(COVERED_OFFSET - 2));
  writer.u32(databaseId);
  writer.u32(tableId);
  writer.u32(rowCount);
  writer.i64(time.start);
  writer.i64(time.end);
  writer.u32(columns.length);
  for (const { id, kind } of columns) {
    writer.u32(id);
    writer.u8(KINDS.indexOf(kind));
  }
  return writer;
}

/** The bytes of a block all of whose cells are written. */
export function finishBlock(writer: ByteWriter): Uint8Array<ArrayBuffer> {
  const bytes = writer.finish();
  new DataView(bytes.buffer).setUint32(CHECKSUM_OFFSET, checksum(bytes), true);
  return bytes;
}

/**
 * The rows of a block, in arrays of their own; `bytes` may lie anywhere in a larger buffer.
 *
 * Throws `corrupt` / `block_damaged`, or `unsupported` / `block_version` for a block of a later version.
 */
export function decodeBlock(bytes: Uint8Array): ColumnBatch {
  const { header, times, series, fields } = readBlock(bytes);
  const { databaseId, tableId } = header;
  const tags = series.tags.map(({ id, codes, dictionary }): BatchColumn => {
    return { id, data: { kind: "tag", codes: spread(codes, series.rows), dictionary } };
  });
  const columns = [...tags, ...fields].toSorted((left, right) => left.id - right.id);
  return { databaseId, tableId, times, columns };
}

/** A block whose tags are told once for each series, and whose fields are decoded when they are asked for. */
export interface BlockParts {
  readonly header: BlockHeader;
  readonly times: BigInt64Array;
  readonly series: BlockSeries;
  /** In ascending order of id; can be gone through once. Throws as decodeBlock does. */
  readonly fields: Iterable<BatchColumn>;
}

/** The distinct rows of tags. Without a tag there is one series. */
export interface BlockSeries {
  readonly seriesCount: number;
  /** The number of each row's series, from 0. */
  readonly rows: Uint32Array;
  /** A code for each series. */
  readonly tags: readonly ({ readonly id: ColumnId } & TagCells)[];
}

/** Begins to read a block. Throws as decodeBlock does. */
export function readBlock(bytes: Uint8Array): BlockParts {
  const reader = openBlock(bytes);
  const header = decodeHeader(reader);
  const { columns, rowCount } = header;
  const times = decodeInt64(reader, rowCount);
  const tagIds = columns.filter(({ kind }) => kind === "tag").map(({ id }) => id);
  const series = decodeSeries(reader, tagIds, rowCount);
  return { header, times, series, fields: decodeFields(reader, header) };
}

function decodeSeries(
  reader: ByteReader,
  tagIds: readonly ColumnId[],
  rowCount: number,
): BlockSeries {
  if (tagIds.length === 0) return { seriesCount: 1, rows: new Uint32Array(rowCount), tags: [] };
  const { seriesCount, rows, tags } = decodeTags(reader, tagIds.length, rowCount);
  const named = tags.map((cells, index) => ({ id: tagIds[index] as ColumnId, ...cells }));
  return { seriesCount, rows, tags: named };
}

function* decodeFields(
  reader: ByteReader,
  { columns, rowCount }: BlockHeader,
): Generator<BatchColumn> {
  for (const { id, kind } of columns)
    if (kind !== "tag") yield { id, data: decodeColumn(reader, kind, rowCount) };
  if (reader.restBytes > 0) throw damaged("it has bytes left over", { count: reader.restBytes });
}

/** What a block holds, without its cells; its checksum is checked. Throws as decodeBlock does. */
export function readBlockHeader(bytes: Uint8Array): BlockHeader {
  return decodeHeader(openBlock(bytes));
}

function assertBatch({ times, columns }: ColumnBatch): void {
  for (const { data } of columns) assertCells(data, times.length);
}

function assertHeader({ databaseId, tableId, rowCount, columns }: BlockHeader): void {
  assert(rowCount > 0 && rowCount <= BLOCK_ROW_COUNT_MAX, `a block cannot hold ${rowCount} rows`);
  assert(columns.length <= BLOCK_COLUMN_COUNT_MAX, "a block has too many columns");
  for (const id of [databaseId, tableId]) {
    assert(Number.isInteger(id) && id >= 0 && id <= ID_MAX, `${id} is no id`);
  }
  let previous = 0;
  for (const { id } of columns) {
    assert(Number.isInteger(id) && id > previous && id <= ID_MAX, "ids of columns rise from 1");
    previous = id;
  }
}

/** Holds `data` to the rules of ColumnData. */
export function assertCells(data: ColumnData, rowCount: number): void {
  if ("codes" in data) {
    assert(data.codes.length === rowCount, "a column has a code for each row");
    const known = greatest(data.codes) <= data.dictionary.length;
    assert(known, "a code stands for an entry of the dictionary");
    return;
  }
  assert(data.values.length === rowCount, "a column has a value for each row");
  const { present } = data;
  if (present === undefined) return;
  assert(present.length === rowCount && greatest(present) <= 1, "presence is 0 or 1 a row");
}

function greatest(values: Uint32Array | Uint8Array): number {
  let most = 0;
  for (let i = 0; i < values.length; i += 1)
    if ((values[i] as number) > most) most = values[i] ?? 0;
  return most;
}

function rangeOf(times: BigInt64Array): TimeRange {
  let start = times[0] ?? 0n;
  let end = start;
  for (const time of times) {
    if (time < start) start = time;
    else if (time > end) end = time;
  }
  return { start, end };
}

/** A reader behind the checksum, which is right. */
function openBlock(bytes: Uint8Array): ByteReader {
  const reader = new ByteReader(bytes, 0);
  const magic = reader.u8();
  const version = reader.u8();
  reader.bytes(CHECKSUM_OFFSET - 2);
  const stored = reader.u32();
  const computed = checksum(bytes);
  if (stored !== computed) throw damaged("its checksum is wrong", { stored, computed });
  if (magic !== MAGIC) throw damaged("it does not begin as a block", { magic });
  if (version !== VERSION) {
    throw new DbError("unsupported", "block_version", "the block is of a later version", {
      detail: { version, known: VERSION },
    });
  }
  return reader;
}

/** Of all bytes but the checksum itself. */
function checksum(bytes: Uint8Array): number {
  return crc32(bytes.subarray(COVERED_OFFSET), crc32(bytes.subarray(0, CHECKSUM_OFFSET)));
}

function decodeHeader(reader: ByteReader): BlockHeader {
  const databaseId = reader.u32() as DatabaseId;
  const tableId = reader.u32() as TableId;
  const rowCount = reader.u32();
  const time = { start: reader.i64(), end: reader.i64() };
  const columnCount = reader.u32();
  if (rowCount === 0 || rowCount > BLOCK_ROW_COUNT_MAX || time.start > time.end) {
    throw damaged("its header is wrong", { rowCount });
  }
  if (columnCount > BLOCK_COLUMN_COUNT_MAX) throw damaged("too many columns", { columnCount });
  const columns: { id: ColumnId; kind: ColumnDataKind }[] = [];
  let previous = 0;
  for (let i = 0; i < columnCount; i += 1) {
    const id = reader.u32();
    const kind = KINDS[reader.u8()];
    if (kind === undefined || id <= previous) throw damaged("a column is wrong", { id, previous });
    columns.push({ id: id as ColumnId, kind });
    previous = id;
  }
  return { databaseId, tableId, rowCount, time, columns };
}
