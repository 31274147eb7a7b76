/** The cells of one column of one row group. */
import { zstdDecompressSync } from "node:zlib";
import type { RowCells } from "../column.ts";
import { ENCODINGS } from "../encodings.ts";
import type { Texts } from "../texts.ts";
import { copyPlain, joinBytes, readBits, readRuns, readTexts } from "./decodings.ts";
import { type Offsets, readDeltas, readOffsets } from "./deltas.ts";
import type { ByteSource, StoredChunk, StoredColumn } from "./footer.ts";
import { TextCollector } from "./text-collector.ts";
import { numberAt, readStruct, requireNumber, requireStruct } from "./thrift-reader.ts";

const DATA_PAGE = 0;
const DICTIONARY_PAGE = 2;
/** What old writers call codes of a dictionary. */
const OLD_DICTIONARY = 2;
const PAGE_SIZE_MAX = 2 ** 31;

export interface Page {
  readonly rowCount: number;
  readonly encoding: number;
  readonly bytes: Uint8Array;
  /** Where in `bytes` the values begin. */
  readonly start: number;
  /** 1 or 0 a row; undefined where no cell is NULL. */
  readonly present: Uint8Array | undefined;
  readonly valueCount: number;
}

export interface Pages {
  /** Undefined where there is none. */
  readonly dictionary: { readonly bytes: Uint8Array; readonly count: number } | undefined;
  readonly data: Iterable<Page>;
}

type TextCells = Extract<RowCells, { readonly kind: "texts" }>;

/**
 * The cells of a chunk. Whole numbers without a NULL that are all written as codes come as such. Throws an Error where the bytes
 * are not what the footer says.
 */
export function readChunk(source: ByteSource, column: StoredColumn, chunk: StoredChunk): RowCells {
  const pages = pagesOf(source.read(chunk.start, chunk.sizeBytes), column, chunk);
  switch (column.type) {
    case "bytes":
      return readTextChunk(pages, chunk.rowCount);
    case "int64":
      return readWholeChunk(pages, chunk.rowCount);
    case "double":
      return readDoubleChunk(pages, chunk.rowCount);
    case "boolean":
      return readBooleanChunk(pages, chunk.rowCount);
  }
}

/**
 * The cells of a chunk of whole numbers as their first one and what is to be added to it. Undefined where they are not written as
 * differences, one is NULL, or a float does not hold one exactly. Throws as `readChunk`.
 */
export function readChunkOffsets(
  source: ByteSource,
  column: StoredColumn,
  chunk: StoredChunk,
): Offsets | undefined {
  const { data } = pagesOf(source.read(chunk.start, chunk.sizeBytes), column, chunk);
  const [page, ...others] = data;
  if (page?.encoding !== ENCODINGS.delta || page.present !== undefined || others.length > 0)
    return undefined;
  return readOffsets(page.bytes, page.start, chunk.rowCount);
}

/** 1 or 0 for each row of a chunk; undefined where no cell is NULL. */
export function readPresence(
  source: ByteSource,
  column: StoredColumn,
  chunk: StoredChunk,
): Uint8Array | undefined {
  if (column.required || chunk.nullCount === 0) return undefined;
  const { data } = pagesOf(source.read(chunk.start, chunk.sizeBytes), column, chunk);
  const present = new Uint8Array(chunk.rowCount);
  let row = 0;
  for (const page of data) {
    if (page.present === undefined) present.fill(1, row, row + page.rowCount);
    else present.set(page.present, row);
    row += page.rowCount;
  }
  return present;
}

/** The pages of a chunk, inflated one by one. */
export function pagesOf(bytes: Uint8Array, column: StoredColumn, chunk: StoredChunk): Pages {
  const first = readPage(bytes, 0, chunk);
  const hasDictionary = first.type === DICTIONARY_PAGE;
  const dictionary = hasDictionary
    ? { bytes: first.bytes, count: requireNumber(requireStruct(first.header, 7), 1) }
    : undefined;
  const data = dataPages(bytes, hasDictionary ? first.end : 0, { column, chunk });
  return { dictionary, data };
}

function* dataPages(
  bytes: Uint8Array,
  start: number,
  { column, chunk }: { column: StoredColumn; chunk: StoredChunk },
): Generator<Page> {
  let rowCount = 0;
  for (let offset = start; rowCount < chunk.rowCount; ) {
    const page = readPage(bytes, offset, chunk);
    if (page.type !== DATA_PAGE) throw new Error(`a page is of an unknown type ${page.type}`);
    const header = requireStruct(page.header, 5);
    const count = requireNumber(header, 1);
    rowCount += count;
    if (count <= 0 || rowCount > chunk.rowCount) throw new Error("a chunk has too many values");
    const hasNulls = !column.required && chunk.nullCount !== 0;
    yield dataPage(page.bytes, { count, encoding: requireNumber(header, 2) }, { column, hasNulls });
    offset = page.end;
  }
}

function readPage(bytes: Uint8Array, offset: number, { compressed }: StoredChunk) {
  const { fields: header, end: start } = readStruct(bytes, offset);
  const sizeBytes = requireNumber(header, 2);
  const end = start + requireNumber(header, 3);
  if (end > bytes.length || sizeBytes > PAGE_SIZE_MAX) throw new Error("a page is cut off");
  const stored = bytes.subarray(start, end);
  const plain = compressed ? zstdDecompressSync(stored, { maxOutputLength: sizeBytes }) : stored;
  if (plain.length !== sizeBytes) throw new Error("a page has another size than its header says");
  return { type: numberAt(header, 1), header, bytes: plain, end };
}

function dataPage(
  bytes: Uint8Array,
  { count, encoding }: { count: number; encoding: number },
  { column, hasNulls }: { column: StoredColumn; hasNulls: boolean },
): Page {
  const whole = { rowCount: count, encoding, bytes, present: undefined, valueCount: count };
  if (column.required) return { ...whole, start: 0 };
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const levelsSize = view.getUint32(0, true);
  if (!hasNulls) return { ...whole, start: 4 + levelsSize };
  const levels = new Uint32Array(count);
  readRuns(bytes.subarray(0, 4 + levelsSize), 4, 1, levels);
  let valueCount = 0;
  for (let i = 0; i < count; i += 1) valueCount += levels[i] as number;
  const start = 4 + levelsSize;
  if (valueCount === count) return { ...whole, start };
  return { ...whole, start, present: Uint8Array.from(levels), valueCount };
}

/** Codes of a dictionary with `entryCount` entries. */
function readCodes(page: Page, entryCount: number): Uint32Array {
  const codes = new Uint32Array(page.valueCount);
  if (codes.length === 0) return codes;
  readRuns(page.bytes, page.start + 1, codeWidth(page), codes);
  for (let i = 0; i < codes.length; i += 1)
    if ((codes[i] as number) >= entryCount) throw new Error("a code is not in the dictionary");
  return codes;
}

/** How many bits the codes of a page take, which begin behind the byte that says so. */
export function codeWidth({ bytes, start }: Page): number {
  const width = bytes[start];
  if (width === undefined || width > 32) throw new Error("a page of codes is cut off");
  return width;
}

/** Whether its values are codes of a dictionary. */
export function isCoded({ encoding }: Page): boolean {
  return encoding === ENCODINGS.dictionary || encoding === OLD_DICTIONARY;
}

function unknownEncoding({ encoding }: Page): Error {
  return new Error(`a page is in an encoding ${encoding} that data files do not have`);
}

/** Where the cells of pages go, one page behind the other. */
class Cells<T extends Float64Array | BigInt64Array | Uint8Array> {
  readonly values: T;
  #present: Uint8Array | undefined;
  #row = 0;

  constructor(values: T) {
    this.values = values;
  }

  get present(): { readonly present?: Uint8Array } {
    return this.#present === undefined ? {} : { present: this.#present };
  }

  /** `read` fills what it is given with the values of `page`, one after the other. */
  add(page: Page, read: (target: T) => void): void {
    const start = this.#row;
    const end = start + page.rowCount;
    this.#row = end;
    const target = this.values.subarray(start, end) as T;
    if (page.present === undefined) {
      this.#present?.fill(1, start, end);
      read(target);
      return;
    }
    if (this.#present === undefined) {
      this.#present = new Uint8Array(this.values.length);
      this.#present.fill(1, 0, start);
    }
    this.#present.set(page.present, start);
    const dense = target.slice(0, page.valueCount) as T;
    read(dense);
    for (let row = 0, i = 0; row < page.rowCount; row += 1)
      if (page.present[row] === 1) target[row] = dense[i++] as never;
  }
}

function readDoubleChunk({ data, dictionary }: Pages, rowCount: number): RowCells {
  const entries = new Float64Array(dictionary?.count ?? 0);
  if (dictionary !== undefined) copyPlain(dictionary.bytes, 0, entries);
  const cells = new Cells(new Float64Array(rowCount));
  for (const page of data)
    cells.add(page, (target) => {
      if (isCoded(page)) {
        const codes = readCodes(page, entries.length);
        for (let i = 0; i < codes.length; i += 1) target[i] = entries[codes[i] as number] as number;
      } else if (page.encoding === ENCODINGS.split) joinBytes(page.bytes, page.start, target);
      else if (page.encoding === ENCODINGS.plain) copyPlain(page.bytes, page.start, target);
      else throw unknownEncoding(page);
    });
  return { kind: "doubles", values: cells.values, ...cells.present };
}

function readWholeChunk({ data, dictionary }: Pages, rowCount: number): RowCells {
  const entries = new BigInt64Array(dictionary?.count ?? 0);
  if (dictionary !== undefined) copyPlain(dictionary.bytes, 0, entries);
  const pages = [...data];
  if (pages.every((page) => isCoded(page) && page.present === undefined)) {
    const codes = new Uint32Array(rowCount);
    let row = 0;
    for (const page of pages) {
      codes.set(readCodes(page, entries.length), row);
      row += page.rowCount;
    }
    return { kind: "coded wholes", codes, dictionary: entries };
  }
  const cells = new Cells(new BigInt64Array(rowCount));
  for (const page of pages)
    cells.add(page, (target) => {
      if (isCoded(page)) spreadCodes(entries, readCodes(page, entries.length), target);
      else if (page.encoding === ENCODINGS.delta) readDeltas(page.bytes, page.start, target);
      else if (page.encoding === ENCODINGS.plain) copyPlain(page.bytes, page.start, target);
      else throw unknownEncoding(page);
    });
  return { kind: "wholes", values: cells.values, ...cells.present };
}

/** By halves: no bigint is made. */
export function spreadCodes(
  entries: BigInt64Array,
  codes: Uint32Array,
  target: BigInt64Array,
): void {
  const source = new Int32Array(entries.buffer, entries.byteOffset, 2 * entries.length);
  const halves = new Int32Array(target.buffer, target.byteOffset, 2 * target.length);
  for (let i = 0; i < codes.length; i += 1) {
    const code = codes[i] as number;
    halves[2 * i] = source[2 * code] as number;
    halves[2 * i + 1] = source[2 * code + 1] as number;
  }
}

function readBooleanChunk({ data }: Pages, rowCount: number): RowCells {
  const cells = new Cells(new Uint8Array(rowCount));
  for (const page of data)
    cells.add(page, (target) => {
      if (page.encoding === ENCODINGS.plain) return readBits(page.bytes, page.start, target);
      if (page.encoding !== ENCODINGS.rle) throw unknownEncoding(page);
      const values = new Uint32Array(target.length);
      readRuns(page.bytes, page.start + 4, 1, values);
      target.set(values);
    });
  return { kind: "booleans", values: cells.values, ...cells.present };
}

export function readTextChunk({ data, dictionary }: Pages, rowCount: number): TextCells {
  const known = dictionary && readTexts(dictionary.bytes, 0, dictionary.count);
  const texts = new TextCollector(known);
  const codes = new Uint32Array(rowCount);
  let row = 0;
  for (const page of data) {
    const found = textCodes(page, known, texts);
    for (let i = 0, value = 0; i < page.rowCount; i += 1)
      if (page.present === undefined || page.present[i] === 1)
        codes[row + i] = (found[value++] as number) + 1;
    row += page.rowCount;
  }
  return { kind: "texts", codes, dictionary: texts.all };
}

function textCodes(page: Page, known: Texts | undefined, texts: TextCollector): Uint32Array {
  if (isCoded(page)) return readCodes(page, known?.count ?? 0);
  if (page.encoding !== ENCODINGS.plain) throw unknownEncoding(page);
  return texts.add(readTexts(page.bytes, page.start, page.valueCount));
}
