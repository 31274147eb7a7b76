/** Files of the manifest as bytes: docs/formats/manifest.md. */
import { createHash } from "node:crypto";
import { zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { concatBytes, fromUtf8, utf8 } from "#base/bytes.ts";
import { crc32 } from "#base/crc32.ts";
import { DbError } from "#base/errors.ts";
import { decodeStored, v } from "#base/schema.ts";
import type { ColumnId, DatabaseId, NodeNumber, RowDeleteId, TableId } from "#model/ids.ts";
import type { ManifestFile } from "./manifest-file.ts";

/** Files, packed: some forty bytes each. */
export interface PackedFiles {
  /** Tells them from all other files, in any packing. */
  readonly digest: string;
  /** The CRC-32 of each key, four bytes each, and then the columns. */
  readonly bytes: Uint8Array;
}

const HASH_SIZE = 4;
const DIGEST_DIGITS = 32;
const DIGITS = /^-?\d{1,20}$/;
/** Of the columns of one part, unpacked: hundreds of times what the largest part has. */
const COLUMNS_SIZE_MAX = 2 ** 28;

/** One call for a column, for a schema of each value takes a thousand files some ten milliseconds. */
const wholeNumbers = v.custom<readonly number[]>((column) => isColumn(column, isWhole));
const texts = v.custom<readonly string[]>((column) => isColumn(column, isText));
const digits = v.custom<readonly string[]>((column) => isColumn(column, isDigits));
const booleans = v.custom<readonly boolean[]>((column) => isColumn(column, isFlag));
/** Arrays with a value for each file, large numbers as their digits; `columns` has numbers of `columnSets`. */
const columnsSchema = v.object({
  key: texts,
  databaseId: wholeNumbers,
  tableId: wholeNumbers,
  sizeBytes: wholeNumbers,
  checksum: wholeNumbers,
  rowCount: wholeNumbers,
  start: digits,
  end: digits,
  stampMin: digits,
  stampMax: digits,
  stampAbove: digits,
  unique: booleans,
  columns: wholeNumbers,
  node: wholeNumbers,
  /** 0 of a file that has none; absent where none has one. */
  deletesBelow: v.optional(wholeNumbers),
  columnSets: v.array(wholeNumbers),
});
type Columns = v.InferOutput<typeof columnsSchema>;

export function packFiles(files: readonly ManifestFile[]): PackedFiles {
  const hashes = new Uint8Array(HASH_SIZE * files.length);
  const view = new DataView(hashes.buffer);
  for (const [index, { file }] of files.entries())
    view.setUint32(HASH_SIZE * index, hashOf(file.key), true);
  const columns = utf8(JSON.stringify(columnsOf(files)));
  const digest = createHash("sha256").update(columns).digest("hex").slice(0, DIGEST_DIGITS);
  return { digest, bytes: concatBytes([hashes, zstdCompressSync(columns)]) };
}

/** The `count` files in `bytes`; throws `corrupt` / `record_malformed`, which names `what`, where they are others. */
export function unpackFiles(bytes: Uint8Array, count: number, what: string): ManifestFile[] {
  const columns = decodeStored(columnsSchema, parse(bytes.subarray(HASH_SIZE * count)), what);
  const { columnSets, ...perFile } = columns;
  const isComplete =
    Object.values(perFile).every((column) => (column?.length ?? count) === count) &&
    columns.columns.every((set) => set < columnSets.length);
  if (isComplete) return columns.key.map((_, index) => fileAt(columns, index));
  throw new DbError("corrupt", "record_malformed", `${what}: it does not have ${count} files`, {
    detail: { what, count },
  });
}

function columnsOf(files: readonly ManifestFile[]): Columns {
  const of = <Value>(read: (one: ManifestFile) => Value) => files.map(read);
  const columnSets = new Map<string, number>();
  const columns = of(({ file }) =>
    columnSets.getOrInsertComputed(file.columnIds.join(), () => columnSets.size),
  );
  return {
    key: of(({ file }) => file.key),
    databaseId: of(({ file }) => file.databaseId),
    tableId: of(({ file }) => file.tableId),
    sizeBytes: of(({ file }) => file.sizeBytes),
    checksum: of(({ file }) => file.checksum),
    rowCount: of(({ file }) => file.rowCount),
    start: of(({ file }) => String(file.time.start)),
    end: of(({ file }) => String(file.time.end)),
    stampMin: of(({ file }) => String(file.stampMin)),
    stampMax: of(({ file }) => String(file.stampMax)),
    stampAbove: of(({ stampAbove }) => String(stampAbove)),
    unique: of(({ file }) => file.unique),
    columns,
    node: of(({ file }) => file.node),
    ...(files.some(({ file }) => file.deletesBelow !== undefined) && {
      deletesBelow: of(({ file }) => file.deletesBelow ?? 0),
    }),
    columnSets: [...columnSets.keys()].map((ids) => (ids === "" ? [] : ids.split(",").map(Number))),
  };
}

/** Lengths and sets were checked: each column has a value at `index`. */
function fileAt(columns: Columns, index: number): ManifestFile {
  const deletesBelow = (columns.deletesBelow?.[index] ?? 0) as RowDeleteId;
  return {
    file: {
      key: columns.key[index] as string,
      databaseId: columns.databaseId[index] as DatabaseId,
      tableId: columns.tableId[index] as TableId,
      sizeBytes: columns.sizeBytes[index] as number,
      checksum: columns.checksum[index] as number,
      rowCount: columns.rowCount[index] as number,
      time: {
        start: BigInt(columns.start[index] as string),
        end: BigInt(columns.end[index] as string),
      },
      stampMin: BigInt(columns.stampMin[index] as string),
      stampMax: BigInt(columns.stampMax[index] as string),
      unique: columns.unique[index] as boolean,
      columnIds: columns.columnSets[columns.columns[index] as number] as ColumnId[],
      node: columns.node[index] as NodeNumber,
      ...(deletesBelow > 0 && { deletesBelow }),
    },
    stampAbove: BigInt(columns.stampAbove[index] as string),
  };
}

function isColumn(column: unknown, isValue: (value: unknown) => boolean): boolean {
  return Array.isArray(column) && column.every(isValue);
}

function isWhole(value: unknown): boolean {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

function isText(value: unknown): boolean {
  return typeof value === "string";
}

function isDigits(value: unknown): boolean {
  return typeof value === "string" && DIGITS.test(value);
}

function isFlag(value: unknown): boolean {
  return typeof value === "boolean";
}

function parse(columns: Uint8Array): unknown {
  try {
    const plain = zstdDecompressSync(columns, { maxOutputLength: COLUMNS_SIZE_MAX });
    return JSON.parse(fromUtf8(plain));
  } catch {
    return undefined;
  }
}

/** Keys that are looked for among packed files, most of which do not have them. */
export class KeySearch {
  readonly keys: ReadonlySet<string>;
  readonly #hashes: ReadonlySet<number>;
  /** By the low 16 bits of hashes, whether there is any. */
  readonly #flags = new Uint8Array(2 ** 16);

  constructor(keys: ReadonlySet<string>) {
    this.keys = keys;
    this.#hashes = new Set([...keys].map(hashOf));
    for (const hash of this.#hashes) this.#flags[hash & 0xffff] = 1;
  }

  /** Whether one of the `count` files in `bytes` may have one of the keys; almost always false where none has. */
  mayBeIn(bytes: Uint8Array, count: number): boolean {
    return mayHold(bytes, HASH_SIZE * count, this.#flags, this.#hashes);
  }
}

function hashOf(key: string): number {
  return crc32(utf8(key));
}

/** Whether one of the little-endian numbers in the first `size` of `bytes` is in `hashes`. */
function mayHold(
  bytes: Uint8Array,
  size: number,
  flags: Uint8Array,
  hashes: ReadonlySet<number>,
): boolean {
  for (let at = 0; at < size; at += HASH_SIZE) {
    const low = (bytes[at] as number) | ((bytes[at + 1] as number) << 8);
    if (flags[low] === 0) continue;
    const high = (bytes[at + 2] as number) | ((bytes[at + 3] as number) << 8);
    if (hashes.has(high * 2 ** 16 + low)) return true;
  }
  return false;
}
