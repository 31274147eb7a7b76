/** The cells of one column in one row group as pages, each in the encoding that takes least. */
import { constants, zstdCompressSync } from "node:zlib";
import { concatBytes } from "#base/bytes.ts";
import { BitWriter, bitWidth } from "./bits.ts";
import type { ParquetCells, ParquetColumn } from "./column.ts";
import { type Coded, codeDoubles, codeUsed, offsetsFromFirst } from "./dictionary.ts";
import {
  DELTA_SPREAD_MAX,
  ENCODINGS,
  putDeltas,
  putLongRuns,
  putRun,
  putRuns,
  splitBytes,
  type WidthOf,
  wholeBytes,
} from "./encodings.ts";
import {
  type Bounds,
  boundsOfBooleans,
  boundsOfDoubles,
  boundsOfTexts,
  boundsOfWholes,
  statistics,
} from "./statistics.ts";
import { plainTexts, type Texts } from "./texts.ts";
import { encodeStruct, i32, struct, type ThriftValue } from "./thrift.ts";

/** Numbers of the ways to compress. */
const CODECS = { none: 0, zstd: 6 } as const;
/**
 * Chunks of fewer bytes stay as they are: setting zstd up takes 35 µs, a third of the thread's time for a file of twenty rows
 * (`node bench/cardinality.ts tables`).
 */
const COMPRESSED_SIZE_MIN = 512;
const EMPTY = new Uint8Array();
const DATA_PAGE = 0;
const DICTIONARY_PAGE = 2;

/** A column chunk: its pages, and what the footer says of it. */
export interface Chunk {
  readonly bytes: Uint8Array;
  /** Where in `bytes` the page of values begins; before it stands the dictionary, if there is one. */
  readonly dataOffset: number;
  readonly sizeUncompressedBytes: number;
  readonly codec: number;
  readonly rowCount: number;
  readonly encodings: readonly number[];
  readonly statistics: ThriftValue;
}

/** How the values that are not NULL are written. */
interface Body {
  readonly encoding: number;
  readonly bytes: Uint8Array;
  readonly dictionary?: { readonly bytes: Uint8Array; readonly count: number };
  readonly bounds: Bounds | undefined;
}

/** The level of zstd where none is asked for: little time. */
export const ZSTD_LEVEL_FAST = 3;

/** The pages of `cells`, of which there is one at least. A higher level of zstd takes more time and fewer bytes. */
export function encodeChunk(
  column: ParquetColumn,
  cells: ParquetCells,
  zstdLevel = ZSTD_LEVEL_FAST,
): Chunk {
  if (cells.kind === "text runs" && !isLong(cells))
    return encodeChunk(column, spreadRuns(cells), zstdLevel);
  const rowCount = rowCountOf(cells);
  const presence = presenceOf(cells);
  const body = bodyOf(column, cells, presence);
  const levels = column.required ? EMPTY : encodeLevels(presence, rowCount);
  const sizeBytes = levels.length + body.bytes.length + (body.dictionary?.bytes.length ?? 0);
  const codec = sizeBytes < COMPRESSED_SIZE_MIN ? CODECS.none : CODECS.zstd;
  const pageForm = { codec, zstdLevel };
  const dictionary =
    body.dictionary === undefined
      ? { bytes: EMPTY, sizeUncompressedBytes: 0 }
      : encodePage(DICTIONARY_PAGE, body.dictionary.bytes, pageForm, {
          7: struct({ 1: i32(body.dictionary.count), 2: i32(ENCODINGS.plain) }),
        });
  const data = encodePage(DATA_PAGE, concatBytes([levels, body.bytes]), pageForm, {
    5: struct({
      1: i32(rowCount),
      2: i32(body.encoding),
      3: i32(ENCODINGS.rle),
      4: i32(ENCODINGS.rle),
    }),
  });
  const encodings = new Set<number>([ENCODINGS.rle, body.encoding]);
  if (body.dictionary !== undefined) encodings.add(ENCODINGS.plain);
  return {
    bytes: concatBytes([dictionary.bytes, data.bytes]),
    dataOffset: dictionary.bytes.length,
    sizeUncompressedBytes: dictionary.sizeUncompressedBytes + data.sizeUncompressedBytes,
    codec,
    rowCount,
    encodings: [...encodings],
    statistics: statistics(presence?.nullCount ?? 0, body.bounds),
  };
}

/** A page's header and its bytes, compressed or not; the sizes that the format counts include the header. */
function encodePage(
  type: number,
  bytes: Uint8Array,
  { codec, zstdLevel }: { readonly codec: number; readonly zstdLevel: number },
  rest: Readonly<Record<number, ThriftValue>>,
): { readonly bytes: Uint8Array; readonly sizeUncompressedBytes: number } {
  const stored = codec === CODECS.none ? bytes : compressed(bytes, zstdLevel);
  const header = encodeStruct({
    1: i32(type),
    2: i32(bytes.length),
    3: i32(stored.length),
    ...rest,
  });
  return {
    bytes: concatBytes([header, stored]),
    sizeUncompressedBytes: header.length + bytes.length,
  };
}

function compressed(bytes: Uint8Array, level: number): Uint8Array {
  return zstdCompressSync(bytes, { params: { [constants.ZSTD_c_compressionLevel]: level } });
}

type TextRuns = Extract<ParquetCells, { readonly kind: "text runs" }>;

/** Runs are kept where they have this many rows on average. */
const RUN_LENGTH_MIN = 16;

function isLong({ lengths }: TextRuns): boolean {
  return sumOf(lengths) >= RUN_LENGTH_MIN * lengths.length;
}

function spreadRuns({ codes, dictionary, lengths }: TextRuns): ParquetCells {
  const spread = new Uint32Array(sumOf(lengths));
  let start = 0;
  for (let run = 0; run < codes.length; run += 1) {
    const end = start + (lengths[run] as number);
    spread.fill(codes[run] as number, start, end);
    start = end;
  }
  return { kind: "texts", codes: spread, dictionary };
}

function sumOf(lengths: Uint32Array): number {
  let sum = 0;
  for (let i = 0; i < lengths.length; i += 1) sum += lengths[i] as number;
  return sum;
}

interface Presence {
  /** 1 or 0 a row, or a run. */
  readonly present: Uint8Array;
  /** Rows of each run, where there are runs. */
  readonly lengths?: Uint32Array;
  readonly nullCount: number;
}

function rowCountOf(cells: ParquetCells): number {
  if ("lengths" in cells) return sumOf(cells.lengths);
  if (cells.kind === "fixed") return cells.bytes.length / cells.size;
  return "codes" in cells ? cells.codes.length : cells.values.length;
}

/** Undefined where no cell is NULL. */
function presenceOf(cells: ParquetCells): Presence | undefined {
  if (cells.kind === "coded wholes") return undefined;
  const marks = "codes" in cells ? cells.codes : cells.present;
  if (marks === undefined || !marks.includes(0)) return undefined;
  const lengths = "lengths" in cells ? cells.lengths : undefined;
  const present = new Uint8Array(marks.length);
  let nullCount = 0;
  for (let i = 0; i < marks.length; i += 1) {
    if (marks[i] === 0) nullCount += lengths === undefined ? 1 : (lengths[i] as number);
    else present[i] = 1;
  }
  return { present, nullCount, ...(lengths && { lengths }) };
}

/** Definition levels: which cells are not NULL. */
function encodeLevels(presence: Presence | undefined, rowCount: number): Uint8Array {
  const runs = new BitWriter();
  if (presence === undefined) putRun(runs, 1, rowCount, 1);
  else putEither(runs, { values: new Uint32Array(presence.present), ...presence }, 1);
  const levels = new BitWriter();
  levels.fixed(runs.sizeBytes, 4);
  levels.bytes(runs.written());
  return levels.written();
}

/** Values a row, or a run. */
interface RowsOrRuns {
  readonly values: Uint32Array;
  readonly lengths?: Uint32Array;
}

function putEither(writer: BitWriter, { lengths, values }: RowsOrRuns, width: number): void {
  if (lengths === undefined) putRuns(writer, values, width);
  else putLongRuns(writer, { values, lengths }, width);
}

function bodyOf(column: ParquetColumn, cells: ParquetCells, presence: Presence | undefined): Body {
  switch (cells.kind) {
    case "texts":
      return textBody(codeUsed(cells.codes, cells.dictionary.count), cells.dictionary);
    case "text runs":
      return runBody(cells);
    case "doubles":
      return doubleBody(gathered(cells.values, presence));
    case "wholes":
      return wholeBody(gathered(cells.values, presence), column.type === "uint64");
    case "coded wholes":
      return codedWholeBody(cells.codes, cells.dictionary);
    case "booleans":
      return booleanBody(gathered(cells.values, presence));
    case "fixed":
      return fixedBody(cells.bytes, cells.size, presence);
  }
}

type Values = Float64Array | BigInt64Array | Uint8Array;

function gathered<T extends Values>(values: T, presence: Presence | undefined): T {
  if (presence === undefined) return values;
  const { present } = presence;
  return values.filter((_, i: number) => present[i] === 1) as T;
}

function fixedBody(bytes: Uint8Array, size: number, presence: Presence | undefined): Body {
  if (presence === undefined) return { encoding: ENCODINGS.plain, bytes, bounds: undefined };
  const { nullCount, present } = presence;
  const kept = new Uint8Array(bytes.length - nullCount * size);
  let end = 0;
  for (let i = 0; i < present.length; i += 1) {
    if (present[i] === 0) continue;
    kept.set(bytes.subarray(i * size, (i + 1) * size), end);
    end += size;
  }
  return { encoding: ENCODINGS.plain, bytes: kept, bounds: undefined };
}

function textBody({ codes, distinct }: Coded<Uint32Array>, dictionary: Texts): Body {
  const bounds = boundsOfTexts(dictionary, distinct);
  // Texts that hardly repeat need no codes.
  if (codes.length > 0 && 2 * distinct.length <= codes.length + 1) {
    const plain = plainTexts(dictionary, distinct);
    return { ...codedBody({ values: codes }, plain, distinct.length), bounds };
  }
  const indexes = codes.map((code) => distinct[code] as number);
  return { encoding: ENCODINGS.plain, bytes: plainTexts(dictionary, indexes), bounds };
}

/** Runs without the NULLs: long runs repeat, so codes pay. */
function runBody({ codes, dictionary, lengths }: TextRuns): Body {
  const { codes: used, distinct } = codeUsed(codes, dictionary.count);
  if (distinct.length === 0) return { encoding: ENCODINGS.plain, bytes: EMPTY, bounds: undefined };
  const usedLengths = lengths.filter((_, run) => codes[run] !== 0);
  const plain = plainTexts(dictionary, distinct);
  return {
    ...codedBody({ values: used, lengths: usedLengths }, plain, distinct.length),
    bounds: boundsOfTexts(dictionary, distinct),
  };
}

function doubleBody(values: Float64Array): Body {
  if (values.length === 0) return { encoding: ENCODINGS.plain, bytes: EMPTY, bounds: undefined };
  const coded = codeDoubles(values);
  if (coded === undefined) return { ...rawDoubles(values), bounds: boundsOfDoubles(values) };
  const { codes, distinct } = coded;
  return {
    ...codedBody({ values: codes }, bytesOf(distinct), distinct.length),
    bounds: boundsOfDoubles(distinct),
  };
}

/** Doubles whose forms are weighed: 4,096 tell what all do, within some per cent. */
const SAMPLE_COUNT = 4_096;

/** Numbers with few decimals come again and compress better as they are, others byte by byte. */
function rawDoubles(values: Float64Array): Omit<Body, "bounds"> {
  // Where nothing is compressed, both take the same.
  if (values.byteLength < COMPRESSED_SIZE_MIN)
    return { encoding: ENCODINGS.plain, bytes: bytesOf(values) };
  const sample = values.subarray(0, SAMPLE_COUNT);
  return sizeOf(bytesOf(sample)) < sizeOf(splitBytes(sample))
    ? { encoding: ENCODINGS.plain, bytes: bytesOf(values) }
    : { encoding: ENCODINGS.split, bytes: splitBytes(values) };
}

function sizeOf(bytes: Uint8Array): number {
  return zstdCompressSync(bytes).length;
}

function wholeBody(values: BigInt64Array, unsigned: boolean): Body {
  const bounds = boundsOfWholes(values, unsigned);
  const [first] = values;
  const offsets = offsetsFromFirst(values, DELTA_SPREAD_MAX);
  if (first === undefined || offsets === undefined)
    return { encoding: ENCODINGS.plain, bytes: bytesOf(values), bounds };
  const deltas = (some: Float64Array, widthOf: WidthOf) => {
    const writer = new BitWriter();
    putDeltas(writer, { first, offsets: some }, widthOf);
    return writer.written();
  };
  const sample = offsets.subarray(0, CODE_SAMPLE_COUNT);
  const whole = isWholeBetter((widthOf) => deltas(sample, widthOf));
  const bytes = deltas(offsets, whole ? wholeBytes : bitWidth);
  return { encoding: ENCODINGS.delta, bytes, bounds };
}

/** Numbers whose widths are weighed. */
const CODE_SAMPLE_COUNT = 16_384;

/**
 * Whether a sample, encoded in whole bytes, takes less than one in as many bits as are needed: it does where numbers follow from those before
 * them, as in measurements over time, for a compressor sees that only in bytes. What is not compressed takes less in bits.
 *
 * Ten floats that are whole numbers, as a load from 0 to 100: 4.7 bytes a row instead of 6.4 (`node bench/bytes.ts`).
 */
function isWholeBetter(encode: (widthOf: WidthOf) => Uint8Array): boolean {
  const bits = encode(bitWidth);
  if (bits.length < COMPRESSED_SIZE_MIN) return false;
  return sizeOf(encode(wholeBytes)) < sizeOf(bits);
}

function codedWholeBody(codes: Uint32Array, dictionary: BigInt64Array): Body {
  const { codes: used, distinct } = codeUsed(
    codes.map((code) => code + 1),
    dictionary.length,
  );
  const values = new BigInt64Array(distinct.length);
  for (const [index, entry] of distinct.entries()) values[index] = dictionary[entry] as bigint;
  return {
    ...codedBody({ values: used }, bytesOf(values), values.length),
    bounds: boundsOfWholes(values, false),
  };
}

function booleanBody(values: Uint8Array): Body {
  const writer = new BitWriter();
  const range = { start: 0, end: values.length, count: values.length };
  writer.packed(new Uint32Array(values), range, 1);
  return { encoding: ENCODINGS.plain, bytes: writer.written(), bounds: boundsOfBooleans(values) };
}

function codedBody(codes: RowsOrRuns, dictionary: Uint8Array, count: number): Omit<Body, "bounds"> {
  return {
    encoding: ENCODINGS.dictionary,
    bytes: codesInBytes(codes, codeWidth(codes, count)),
    dictionary: { bytes: dictionary, count },
  };
}

function codeWidth({ lengths, values }: RowsOrRuns, count: number): number {
  // Long runs take no more in one form than in the other.
  if (lengths !== undefined) return bitWidth(count - 1);
  const sample = { values: values.subarray(0, CODE_SAMPLE_COUNT) };
  const whole = isWholeBetter((widthOf) => codesInBytes(sample, widthOf(count - 1)));
  return whole ? wholeBytes(count - 1) : bitWidth(count - 1);
}

function codesInBytes(codes: RowsOrRuns, width: number): Uint8Array {
  const writer = new BitWriter();
  writer.byte(width);
  putEither(writer, codes, width);
  return writer.written();
}

function bytesOf(values: Float64Array | BigInt64Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}
