/**
 * Columns to and from the engine's vectors, byte for byte. The only file that calls the engine's raw bindings, which check
 * neither sizes nor types.
 */
import duckdb from "@duckdb/node-bindings";
import { utf8 } from "#base/bytes.ts";
import { assert } from "#base/errors.ts";

/** The most rows of a chunk. */
export const CHUNK_ROW_COUNT_MAX = 2048;

export type Chunk = duckdb.DataChunk;
type Vector = duckdb.Vector;

/** A column as the engine stores its cells: fixed-size values, or texts by code (0 is NULL). */
export type RawColumn =
  | {
      readonly kind: "values";
      readonly values: RawValues;
      readonly present: Uint8Array | undefined;
    }
  | { readonly kind: "texts"; readonly codes: Uint32Array; readonly dictionary: readonly string[] }
  /** NULL in every row. */
  | { readonly kind: "nulls" };

export type RawValues = Float64Array | BigInt64Array | BigUint64Array | Uint32Array | Uint8Array;

const STRING_SIZE = 16;
/** Where a list's items begin, and how many they are, 8 bytes each. */
const LIST_SIZE = 16;
/** Texts up to this size lie within their 16 bytes. */
const STRING_INLINE_MAX = 12;
/** A power of two, about the rows of a chunk. */
const TEXT_PLACES = 4096;

interface Range {
  readonly start: number;
  readonly count: number;
}

/** Writes rows of `column` into column `index` of a fresh or reset chunk, whose type for it is the fitting one. */
export function fillColumn(
  chunk: duckdb.DataChunk,
  index: number,
  column: RawColumn,
  { start, count }: Range,
): void {
  const vector = duckdb.data_chunk_get_vector(chunk, index);
  switch (column.kind) {
    case "values":
      fillValues(vector, column.values, start, count);
      if (column.present !== undefined) {
        fillValidity(vector, count, presenceBits(column.present, start, count));
      }
      return;
    case "texts":
      fillTexts(vector, column, start, count);
      return;
    case "nulls":
      fillValidity(vector, count, new Uint8Array(bitsSize(count)));
  }
}

function fillValues(vector: Vector, values: RawValues, start: number, count: number): void {
  const size = values.BYTES_PER_ELEMENT;
  assert(start + count <= values.length, "a column has a cell for each row");
  const buffer = values.buffer as ArrayBuffer;
  duckdb.copy_data_to_vector(vector, 0, buffer, values.byteOffset + start * size, count * size);
}

/** Each text once per chunk; other rows copy its 16 bytes, which hold the text or point to it. 3 times as fast as text by text. */
function fillTexts(
  vector: Vector,
  { codes, dictionary }: Extract<RawColumn, { kind: "texts" }>,
  start: number,
  count: number,
): void {
  const rowOf = new Map<number, number>();
  const rows = new Int32Array(count);
  const bits = new Uint8Array(bitsSize(count));
  let nulls = false;
  for (let i = 0; i < count; i += 1) {
    const code = codes[start + i] as number;
    if (code === 0) {
      nulls = true;
      rows[i] = -1;
      continue;
    }
    bits[i >> 3] = (bits[i >> 3] as number) | (1 << (i & 7));
    let row = rowOf.get(code);
    if (row === undefined) {
      row = i;
      rowOf.set(code, i);
      duckdb.vector_assign_string_element_len(vector, i, utf8(dictionary[code - 1] ?? ""));
    }
    rows[i] = row;
  }
  if (rowOf.size > 0 && rowOf.size < count) repeatTexts(vector, rows);
  if (nulls) fillValidity(vector, count, bits);
}

function repeatTexts(vector: Vector, rows: Int32Array): void {
  const raw = duckdb.vector_get_data(vector, rows.length * STRING_SIZE);
  const source = new Int32Array(raw.buffer, raw.byteOffset, rows.length * 4);
  const target = new Int32Array(rows.length * 4);
  for (let i = 0; i < rows.length; i += 1) {
    const from = 4 * (rows[i] as number);
    if (from < 0) continue;
    target[4 * i] = source[from] as number;
    target[4 * i + 1] = source[from + 1] as number;
    target[4 * i + 2] = source[from + 2] as number;
    target[4 * i + 3] = source[from + 3] as number;
  }
  duckdb.copy_data_to_vector(vector, 0, target.buffer, 0, target.byteLength);
}

function fillValidity(vector: Vector, count: number, bits: Uint8Array<ArrayBuffer>): void {
  duckdb.vector_ensure_validity_writable(vector);
  duckdb.copy_data_to_vector_validity(vector, 0, bits.buffer, 0, bitsSize(count));
}

/** Whole words of 64 bits. */
function bitsSize(count: number): number {
  return Math.ceil(count / 64) * 8;
}

function presenceBits(present: Uint8Array, start: number, count: number): Uint8Array<ArrayBuffer> {
  const bits = new Uint8Array(bitsSize(count));
  for (let i = 0; i < count; i += 1) {
    bits[i >> 3] = (bits[i >> 3] as number) | ((present[start + i] as number) << (i & 7));
  }
  return bits;
}

/** The first `count` cells of a column, or of what lies in one; they are valid until their chunk is let go. */
export interface Cells {
  readonly vector: Vector;
  readonly count: number;
  /** Where each of them lies, where they do not lie in order. */
  readonly places?: Uint32Array;
}

export function cellsOf(chunk: Chunk, index: number, count: number): Cells {
  return { vector: duckdb.data_chunk_get_vector(chunk, index), count };
}

/** Member `index` of each struct. */
export function memberCells(cells: Cells, index: number): Cells {
  return { ...cells, vector: duckdb.struct_vector_get_child(cells.vector, index) };
}

/** The items of all lists, one after the other, and how many each has; `present` says which are there. */
export function itemCells(cells: Cells, present: Uint8Array) {
  const raw = readCells(cells, LIST_SIZE);
  const words = new Uint32Array(raw.buffer, raw.byteOffset, cells.count * (LIST_SIZE / 4));
  const lengths = new Uint32Array(cells.count);
  let count = 0;
  let inOrder = true;
  for (let i = 0; i < cells.count; i += 1) {
    if (present[i] === 0) continue;
    const length = words[4 * i + 2] as number;
    if (length > 0 && words[4 * i] !== count) inOrder = false;
    lengths[i] = length;
    count += length;
  }
  const vector = duckdb.list_vector_get_child(cells.vector);
  // Rows may share the items of one list.
  const items: Cells = inOrder
    ? { vector, count }
    : { vector, count, places: itemPlaces(words, lengths, count) };
  return { items, lengths };
}

function itemPlaces(words: Uint32Array, lengths: Uint32Array, count: number): Uint32Array {
  const places = new Uint32Array(count);
  let at = 0;
  for (let i = 0; i < lengths.length; i += 1) {
    const start = words[4 * i] as number;
    for (let item = 0; item < (lengths[i] as number); item += 1) {
      places[at] = start + item;
      at += 1;
    }
  }
  return places;
}

/** The bytes of `cells`, `size` each. */
export function readCells({ vector, count, places }: Cells, size: number): Uint8Array {
  if (count === 0) return new Uint8Array(0);
  if (places === undefined) return duckdb.vector_get_data(vector, count * size);
  const source = duckdb.vector_get_data(vector, heightOf(places) * size);
  const bytes = new Uint8Array(count * size);
  for (let i = 0; i < count; i += 1) {
    const from = (places[i] as number) * size;
    bytes.set(source.subarray(from, from + size), i * size);
  }
  return bytes;
}

/** Writes 1 or 0 a cell to `target`; answers whether any is 0. */
export function readPresence({ vector, count, places }: Cells, target: Uint8Array): boolean {
  const height = places === undefined ? count : heightOf(places);
  // No bits stand for no NULLs, whatever the types say.
  const bits = duckdb.vector_get_validity(vector, bitsSize(height)) as Uint8Array | null;
  if (bits === null) {
    target.fill(1, 0, count);
    return false;
  }
  let nulls = false;
  for (let i = 0; i < count; i += 1) {
    const place = places === undefined ? i : (places[i] as number);
    const bit = ((bits[place >> 3] as number) >> (place & 7)) & 1;
    target[i] = bit;
    if (bit === 0) nulls = true;
  }
  return nulls;
}

/** How many cells there are up to the last of `places`. */
function heightOf(places: Uint32Array): number {
  return places.reduce((height, place) => Math.max(height, place + 1), 0);
}

/** The bytes of each of `cells`, copied; NULL where `present` is 0. */
export function readBinaries(cells: Cells, present: Uint8Array): (Uint8Array | null)[] {
  const raw = readCells(cells, STRING_SIZE);
  const bytes = Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength);
  return Array.from({ length: cells.count }, (_, i) =>
    present[i] === 0 ? null : Uint8Array.from(readBytes(bytes, i)),
  );
}

/**
 * The bytes of all texts one after the other, copied, and the size of each. None is NULL. The engine puts texts side by side, so
 * that most of the time one copy takes all those of a chunk.
 */
export function readTexts(cells: Cells): {
  readonly bytes: Uint8Array;
  readonly sizes: Uint32Array;
} {
  const raw = readCells(cells, STRING_SIZE);
  const words = new Uint32Array(raw.buffer, raw.byteOffset, cells.count * (STRING_SIZE / 4));
  const sizes = new Uint32Array(cells.count);
  let total = 0;
  for (let i = 0; i < cells.count; i += 1) {
    sizes[i] = words[4 * i] as number;
    total += words[4 * i] as number;
  }
  const bytes = new Uint8Array(total);
  let at = 0;
  for (let i = 0; i < cells.count; ) {
    const { count, size } = runOf(words, sizes, i);
    const inline = size <= STRING_INLINE_MAX && count === 1;
    const start = raw.byteOffset + i * STRING_SIZE;
    const source = inline
      ? raw.subarray(i * STRING_SIZE + 4, i * STRING_SIZE + 4 + size)
      : duckdb.get_data_from_pointer(raw.buffer as ArrayBuffer, start + 8, size);
    bytes.set(source, at);
    at += size;
    i += count;
  }
  return { bytes, sizes };
}

/** How many texts from `start` on lie side by side, and their size together. One that lies in its 16 bytes is alone. */
function runOf(words: Uint32Array, sizes: Uint32Array, start: number) {
  let size = sizes[start] as number;
  let count = 1;
  if (size <= STRING_INLINE_MAX) return { count, size };
  const first = addressAt(words, start);
  for (let i = start + 1; i < sizes.length; i += 1) {
    const own = sizes[i] as number;
    if (own <= STRING_INLINE_MAX || addressAt(words, i) !== first + size) break;
    size += own;
    count += 1;
  }
  return { count, size };
}

/** Where a text lies, below 2^53. */
function addressAt(words: Uint32Array, row: number): number {
  return (words[4 * row + 3] as number) * 2 ** 32 + (words[4 * row + 2] as number);
}

/** Collects texts of a result as codes: 0 is NULL, `code` stands for `dictionary[code - 1]`. */
export class TextReader {
  readonly codes: Uint32Array;
  /** A text may be in it more than once. */
  readonly dictionary: string[] = [];
  /** By hash of a text's 16 bytes, their last row there; 0 where there was none. A clash costs an entry, no more. */
  readonly #places = new Uint32Array(TEXT_PLACES);
  #rowCount = 0;

  constructor(rowCountMax: number) {
    this.codes = new Uint32Array(rowCountMax);
  }

  /** Adds `cells`, NULL where `present` is 0. */
  read(cells: Cells, present: Uint8Array): void {
    const { count } = cells;
    const raw = readCells(cells, STRING_SIZE);
    const bytes = Buffer.from(raw.buffer, raw.byteOffset, count * STRING_SIZE);
    const words = new Int32Array(raw.buffer, raw.byteOffset, count * 4);
    // Longer texts are pointers, which mean something in this chunk alone.
    this.#places.fill(0);
    const offset = this.#rowCount;
    for (let i = 0; i < count; i += 1) {
      if (present[i] === 0) continue;
      const place = hashString(words, 4 * i);
      const known = (this.#places[place] as number) - 1;
      if (known >= 0 && sameString(words, 4 * known, 4 * i)) {
        this.codes[offset + i] = this.codes[offset + known] as number;
      } else {
        this.codes[offset + i] = this.dictionary.push(readText(bytes, i));
        this.#places[place] = i + 1;
      }
    }
    this.#rowCount += count;
  }
}

function hashString(words: Int32Array, at: number): number {
  let hash = Math.imul(words[at] as number, 0x9e3779b1) ^ (words[at + 1] as number);
  hash = Math.imul(hash, 0x85ebca6b) ^ (words[at + 2] as number);
  hash = Math.imul(hash ^ (hash >>> 15), 0xc2b2ae35) ^ (words[at + 3] as number);
  hash = Math.imul(hash ^ (hash >>> 13), 0x27d4eb2f);
  return (hash ^ (hash >>> 16)) & (TEXT_PLACES - 1);
}

function sameString(words: Int32Array, left: number, right: number): boolean {
  return (
    words[left] === words[right] &&
    words[left + 1] === words[right + 1] &&
    words[left + 2] === words[right + 2] &&
    words[left + 3] === words[right + 3]
  );
}

function readText(bytes: Buffer, row: number): string {
  const size = bytes.readUInt32LE(row * STRING_SIZE);
  const at = row * STRING_SIZE + 4;
  if (size <= STRING_INLINE_MAX) return bytes.toString("utf8", at, at + size);
  const text = readBytes(bytes, row);
  return Buffer.from(text.buffer, text.byteOffset, size).toString("utf8");
}

/** The bytes that row `row` holds or points to, where the engine has them. */
function readBytes(bytes: Buffer, row: number): Uint8Array {
  const at = row * STRING_SIZE;
  const size = bytes.readUInt32LE(at);
  if (size <= STRING_INLINE_MAX) return bytes.subarray(at + 4, at + 4 + size);
  const buffer = bytes.buffer as ArrayBuffer;
  return duckdb.get_data_from_pointer(buffer, bytes.byteOffset + at + 8, size);
}
