/** Row groups and a footer that says where everything stands. */
import { concatBytes, utf8 } from "#base/bytes.ts";
import { type Chunk } from "./chunk.ts";
import type { ParquetColumn, ParquetType } from "./column.ts";
import {
  binary,
  bool,
  encoded,
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
const INT32 = 1;
const INT64 = 2;
/** Bytes of one length, which decimals take. */
const FIXED = 7;
const DECIMAL_SIZE = 16;

interface TypeWords {
  readonly stored: number;
  readonly converted?: number;
  readonly logical?: ThriftStruct;
}

const NANOSECONDS = struct({ 3: NOTHING });

/** Whole numbers of `bits` bits, within those of 32 or 64. */
function whole(bits: 8 | 16 | 32, isSigned: boolean, converted: number): TypeWords {
  return { stored: INT32, converted, logical: { 10: struct({ 1: i8(bits), 2: bool(isSigned) }) } };
}

/** Numbers of the stored types, and how a value is to be understood: in the words of old readers, and of new ones. */
const TYPES: Readonly<Record<ParquetType, TypeWords>> = {
  instant: { stored: INT64, logical: { 8: struct({ 1: bool(false), 2: NANOSECONDS }) } },
  "zoned instant": { stored: INT64, logical: { 8: struct({ 1: bool(true), 2: NANOSECONDS }) } },
  time: { stored: INT64, logical: { 7: struct({ 1: bool(false), 2: NANOSECONDS }) } },
  date: { stored: INT32, converted: 6, logical: { 6: NOTHING } },
  int8: whole(8, true, 15),
  int16: whole(16, true, 16),
  int32: { stored: INT32 },
  int64: { stored: INT64 },
  uint8: whole(8, false, 11),
  uint16: whole(16, false, 12),
  uint32: whole(32, false, 13),
  uint64: { stored: INT64, converted: 14, logical: { 10: struct({ 1: i8(64), 2: bool(false) }) } },
  float: { stored: 4 },
  double: { stored: 5 },
  decimal: { stored: FIXED, converted: 5 },
  boolean: { stored: 0 },
  text: { stored: 6, converted: 0, logical: { 1: NOTHING } },
  bytes: { stored: 6 },
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
  const file = new ParquetFile(columns);
  const parts = [file.begin(), ...groups.map((group) => file.add(group)), file.end()];
  return concatBytes(parts) as Uint8Array<ArrayBuffer>;
}

/** A file in the making, whose bytes are given away as they are made: begin, row groups, end. */
export class ParquetFile {
  readonly #columns: readonly ParquetColumn[];
  /** What the footer says of each. */
  readonly #groups: Uint8Array[] = [];
  #groupsSizeBytes = 0;
  #offset = MAGIC.length;
  #rowCount = 0;

  constructor(columns: readonly ParquetColumn[]) {
    this.#columns = columns;
  }

  /** Bytes of the footer that are held until the end. */
  get footerSizeBytes(): number {
    return this.#groupsSizeBytes;
  }

  begin(): Uint8Array {
    return MAGIC;
  }

  /** The bytes of a row group, which has a chunk for each column. */
  add({ chunks, rowCount }: RowGroup): Uint8Array {
    const start = this.#offset;
    const described = chunks.map((chunk, index) => {
      const chunkStart = this.#offset;
      this.#offset += chunk.bytes.length;
      return describeChunk(this.#columns[index] as ParquetColumn, chunk, chunkStart);
    });
    this.#rowCount += rowCount;
    const range = { start, end: this.#offset };
    const group = encodeStruct(describeGroup({ chunks, rowCount }, described, range));
    this.#groups.push(group);
    this.#groupsSizeBytes += group.length;
    return concatBytes(chunks.map(({ bytes }) => bytes));
  }

  /** The footer, which a reader reads first. */
  end(): Uint8Array {
    const columns = this.#columns;
    const footer = encodeStruct({
      1: i32(FORMAT_VERSION),
      2: list([describeRoot(columns), ...columns.map(describeColumn)]),
      3: i64(this.#rowCount),
      4: list(this.#groups.map(encoded)),
      6: text("tidelake"),
      // The bounds in the statistics are in the order of each column's type.
      7: list(columns.map(() => struct({ 1: NOTHING }))),
    });
    const tail = new Uint8Array(4);
    new DataView(tail.buffer).setUint32(0, footer.length, true);
    return concatBytes([footer, tail, MAGIC]);
  }
}

function describeRoot(columns: readonly ParquetColumn[]): ThriftValue {
  return struct({ 4: text("schema"), 5: i32(columns.length) });
}

function describeColumn({ decimal, fieldId, name, required, type }: ParquetColumn): ThriftValue {
  const { stored, converted, logical } = TYPES[type];
  const { precision, scale } = decimal ?? {};
  const decimalWords =
    decimal && ({ 5: struct({ 1: i32(decimal.scale), 2: i32(decimal.precision) }) } as const);
  const words = logical ?? decimalWords;
  return struct({
    1: i32(stored),
    2: stored === FIXED ? i32(DECIMAL_SIZE) : undefined,
    3: i32(required ? REQUIRED : OPTIONAL),
    4: text(name),
    6: converted === undefined ? undefined : i32(converted),
    7: scale === undefined ? undefined : i32(scale),
    8: precision === undefined ? undefined : i32(precision),
    9: fieldId === undefined ? undefined : i32(fieldId),
    10: words && struct(words),
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
): ThriftStruct {
  const sizeBytes = chunks.reduce((sum, chunk) => sum + chunk.sizeUncompressedBytes, 0);
  return {
    1: list(described),
    2: i64(sizeBytes),
    3: i64(rowCount),
    5: i64(start),
    6: i64(end - start),
  };
}
