/** Row groups and a footer that says where everything stands. */
import { concatBytes, utf8 } from "#base/bytes.ts";
import { type Chunk } from "./chunk.ts";
import type { ParquetColumn, ParquetType } from "./column.ts";
import {
  binary,
  bool,
  encodeStruct,
  i8,
  i32,
  i64,
  list,
  struct,
  type ThriftStruct,
  type ThriftValue,
  text,
} from "./thrift.ts";

const MAGIC = utf8("PAR1");
const FORMAT_VERSION = 1;
const REQUIRED = 0;
const OPTIONAL = 1;
const NOTHING = struct({});

/** Numbers of the stored types, and how a value is to be understood: in the words of old readers, and of new ones. */
const TYPES: Readonly<
  Record<
    ParquetType,
    { readonly stored: number; readonly converted?: number; readonly logical?: ThriftStruct }
  >
> = {
  instant: { stored: 2, logical: { 8: struct({ 1: bool(false), 2: struct({ 3: NOTHING }) }) } },
  int64: { stored: 2 },
  uint64: { stored: 2, converted: 14, logical: { 10: struct({ 1: i8(64), 2: bool(false) }) } },
  double: { stored: 5 },
  boolean: { stored: 0 },
  text: { stored: 6, converted: 0, logical: { 1: NOTHING } },
};

/** Rows that stand together: a chunk of each column, in order. */
export interface RowGroup {
  readonly rowCount: number;
  readonly chunks: readonly Chunk[];
}

/** The bytes of a file with `columns`, of which each row group has a chunk. */
export function encodeParquet(
  columns: readonly ParquetColumn[],
  groups: readonly RowGroup[],
): Uint8Array<ArrayBuffer> {
  const parts: Uint8Array[] = [MAGIC];
  let offset = MAGIC.length;
  const described = groups.map((group) => {
    const start = offset;
    const chunks = group.chunks.map((chunk, index) => {
      const chunkStart = offset;
      parts.push(chunk.bytes);
      offset += chunk.bytes.length;
      return describeChunk(columns[index] as ParquetColumn, chunk, chunkStart);
    });
    return describeGroup(group, chunks, { start, end: offset });
  });
  const footer = encodeStruct({
    1: i32(FORMAT_VERSION),
    2: list([describeRoot(columns), ...columns.map(describeColumn)]),
    3: i64(groups.reduce((sum, { rowCount }) => sum + rowCount, 0)),
    4: list(described),
    6: text("tidelake"),
    // The bounds in the statistics are in the order of each column's type.
    7: list(columns.map(() => struct({ 1: NOTHING }))),
  });
  const tail = new Uint8Array(4);
  new DataView(tail.buffer).setUint32(0, footer.length, true);
  return concatBytes([...parts, footer, tail, MAGIC]) as Uint8Array<ArrayBuffer>;
}

function describeRoot(columns: readonly ParquetColumn[]): ThriftValue {
  return struct({ 4: text("schema"), 5: i32(columns.length) });
}

function describeColumn({ name, fieldId, type, required }: ParquetColumn): ThriftValue {
  const { stored, converted, logical } = TYPES[type];
  return struct({
    1: i32(stored),
    3: i32(required ? REQUIRED : OPTIONAL),
    4: text(name),
    6: converted === undefined ? undefined : i32(converted),
    9: i32(fieldId),
    10: logical === undefined ? undefined : struct(logical),
  });
}

function describeChunk(column: ParquetColumn, chunk: Chunk, offset: number): ThriftValue {
  const dataStart = offset + chunk.dataOffset;
  const meta = struct({
    1: i32(TYPES[column.type].stored),
    2: list(chunk.encodings.map(i32)),
    3: list([binary(utf8(column.name))]),
    4: i32(chunk.codec),
    5: i64(chunk.rowCount),
    6: i64(chunk.sizeUncompressedBytes),
    7: i64(chunk.bytes.length),
    9: i64(dataStart),
    11: chunk.dataOffset === 0 ? undefined : i64(offset),
    12: chunk.statistics,
  });
  return struct({ 2: i64(offset), 3: meta });
}

function describeGroup(
  { chunks, rowCount }: RowGroup,
  described: readonly ThriftValue[],
  { start, end }: { readonly start: number; readonly end: number },
): ThriftValue {
  const sizeBytes = chunks.reduce((sum, chunk) => sum + chunk.sizeUncompressedBytes, 0);
  return struct({
    1: list(described),
    2: i64(sizeBytes),
    3: i64(rowCount),
    5: i64(start),
    6: i64(end - start),
  });
}
