/** What a Parquet file says of itself: its columns, its row groups, and where the chunks stand. */
import { fromUtf8 } from "#base/bytes.ts";
import {
  binaryAt,
  numberAt,
  readStruct,
  requireNumber,
  requireStruct,
  structAt,
  structsAt,
  type ThriftFields,
} from "./thrift-reader.ts";

/** A file that is read piece by piece. */
export interface ByteSource {
  readonly sizeBytes: number;
  /** Throws where the file has fewer bytes. */
  read(start: number, sizeBytes: number): Uint8Array;
}

export interface FileFooter {
  readonly rowCount: number;
  readonly columns: readonly StoredColumn[];
  readonly groups: readonly StoredGroup[];
}

export interface StoredColumn {
  readonly name: string;
  /** Undefined in files that give none. */
  readonly fieldId: number | undefined;
  readonly type: StoredType;
  readonly required: boolean;
}

export type StoredType = "boolean" | "int64" | "double" | "bytes";

export interface StoredGroup {
  readonly rowCount: number;
  /** In the order of the columns. */
  readonly chunks: readonly StoredChunk[];
}

export interface StoredChunk {
  readonly start: number;
  readonly sizeBytes: number;
  readonly sizeUncompressedBytes: number;
  readonly rowCount: number;
  readonly compressed: boolean;
  /** Undefined where the file does not tell. */
  readonly nullCount: number | undefined;
  /** The bytes of the least and the greatest value, where the file tells them. */
  readonly least: Uint8Array | undefined;
  readonly greatest: Uint8Array | undefined;
}

const MAGIC = "PAR1";
const TAIL_SIZE = 8;
const TYPES: Readonly<Record<number, StoredType>> = {
  0: "boolean",
  2: "int64",
  5: "double",
  6: "bytes",
};
const REQUIRED = 0;
const CODEC_NONE = 0;
const CODEC_ZSTD = 6;

/** Throws an Error where `source` is no file of flat columns of the types that data files have, plain or compressed with zstd. */
export function readFooter(source: ByteSource): FileFooter {
  const { sizeBytes } = source;
  if (sizeBytes < TAIL_SIZE + MAGIC.length) throw new Error("the file is too short");
  const tail = source.read(sizeBytes - TAIL_SIZE, TAIL_SIZE);
  if (fromLatin1(tail.subarray(4)) !== MAGIC) throw new Error("the file does not end as Parquet");
  const footerSize = new DataView(tail.buffer, tail.byteOffset).getUint32(0, true);
  if (footerSize + TAIL_SIZE > sizeBytes) throw new Error("the footer is longer than the file");
  const { fields } = readStruct(source.read(sizeBytes - TAIL_SIZE - footerSize, footerSize));
  const [, ...described] = structsAt(fields, 2);
  const columns = described.map(columnOf);
  const groups = structsAt(fields, 4).map((group) => groupOf(group, columns.length));
  return { rowCount: requireNumber(fields, 3), columns, groups };
}

function columnOf(fields: ThriftFields): StoredColumn {
  const name = fromUtf8(binaryAt(fields, 4) ?? new Uint8Array());
  const type = TYPES[numberAt(fields, 1) ?? -1];
  if (type === undefined) throw new Error(`column ${name} has a type that data files do not have`);
  const required = requireNumber(fields, 3) === REQUIRED;
  return { name, fieldId: numberAt(fields, 9), type, required };
}

function groupOf(fields: ThriftFields, columnCount: number): StoredGroup {
  const chunks = structsAt(fields, 1).map((chunk) => chunkOf(requireStruct(chunk, 3)));
  if (chunks.length !== columnCount) throw new Error("a row group lacks columns");
  return { rowCount: requireNumber(fields, 3), chunks };
}

function chunkOf(meta: ThriftFields): StoredChunk {
  const codec = requireNumber(meta, 4);
  if (codec !== CODEC_NONE && codec !== CODEC_ZSTD)
    throw new Error(`a chunk is compressed in way ${codec}, and only zstd can be read`);
  const dataStart = requireNumber(meta, 9);
  const statistics = structAt(meta, 12);
  return {
    start: Math.min(dataStart, numberAt(meta, 11) ?? dataStart),
    sizeBytes: requireNumber(meta, 7),
    sizeUncompressedBytes: requireNumber(meta, 6),
    rowCount: requireNumber(meta, 5),
    compressed: codec === CODEC_ZSTD,
    nullCount: statistics && numberAt(statistics, 3),
    least: statistics && binaryAt(statistics, 6),
    greatest: statistics && binaryAt(statistics, 5),
  };
}

function fromLatin1(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}
