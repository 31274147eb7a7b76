/** The cells of one field column, and the dictionaries that tags and strings share (docs/formats/block.md). */
import { fromUtf8, utf8 } from "#base/bytes.ts";
import { assert } from "#base/errors.ts";
import type { ColumnData, ColumnDataKind, EncodedTexts } from "#model/batch.ts";
import { type ByteReader, type ByteWriter, damaged } from "./bytes.ts";
import { decodeInt64, encodeInt64 } from "./int64.ts";
import { decodeSequence, encodeSequence, WHOLE_MAX } from "./sequence.ts";

/** Form `decimals`: whole numbers of 1/UNITS[decimals]. */
const UNITS = [1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15];
const RAW = 0xff;
export const ALL_PRESENT = 0;
export const SOME_PRESENT = 1;

type Numbers = Float64Array | BigInt64Array | BigUint64Array;

/** Writes `data`, which is no tag column; its kind and the count of rows are not written. */
export function encodeColumn(writer: ByteWriter, data: ColumnData): void {
  if ("codes" in data) {
    encodeDictionary(writer, data.dictionary);
    encodeSequence(writer, data.codes);
    return;
  }
  encodePresence(writer, data.present);
  switch (data.kind) {
    case "float":
      encodeFloats(writer, gathered(data.values, data.present));
      return;
    case "integer":
      encodeInt64(writer, gathered(data.values, data.present));
      return;
    case "uinteger":
      encodeInt64(writer, asSigned(gathered(data.values, data.present)));
      return;
    case "boolean":
      writer.bytes(packBits(data.values));
  }
}

/** Reads the cells of `rowCount` rows. Throws `corrupt` / `block_damaged`. */
export function decodeColumn(
  reader: ByteReader,
  kind: Exclude<ColumnDataKind, "tag">,
  rowCount: number,
): ColumnData {
  if (kind === "string") {
    const dictionary = decodeDictionary(reader);
    return { kind, codes: decodeCodes(reader, rowCount, dictionary.length), dictionary };
  }
  const present = decodePresence(reader, rowCount);
  const presence = present === undefined ? {} : { present };
  const presentCount = present === undefined ? rowCount : countOnes(present);
  switch (kind) {
    case "float": {
      const values = scattered(decodeFloats(reader, presentCount), present);
      return { kind, values, ...presence };
    }
    case "integer": {
      const values = scattered(decodeInt64(reader, presentCount), present);
      return { kind, values, ...presence };
    }
    case "uinteger": {
      const values = new BigUint64Array(decodeInt64(reader, presentCount).buffer);
      return { kind, values: scattered(values, present), ...presence };
    }
    case "boolean":
      return { kind, values: unpackBits(reader, rowCount), ...presence };
  }
}

/** Writes `texts`, which differ from each other. */
export function encodeDictionary(writer: ByteWriter, texts: readonly string[]): void {
  assert(new Set(texts).size === texts.length, "entries of a dictionary differ");
  const { bytes, lengths } = encodedTexts(texts);
  writer.u32(texts.length);
  writer.u32(bytes.length);
  encodeSequence(writer, lengths);
  writer.bytes(bytes);
}

/** `texts` in UTF-8. */
export function encodedTexts(texts: readonly string[]): EncodedTexts {
  const lengths = new Uint32Array(texts.length);
  for (let index = 0; index < lengths.length; index += 1) {
    const text = texts[index] as string;
    // A half of a surrogate pair has no UTF-8; texts are looked at alone, for two halves may meet when they are joined.
    assert(text.isWellFormed(), "text is Unicode");
    lengths[index] = text.length;
  }
  return { bytes: utf8(texts.join("")), lengths };
}

/** Throws `corrupt` / `block_damaged`. */
export function decodeDictionary(reader: ByteReader): string[] {
  const count = reader.u32();
  const sizeBytes = reader.u32();
  // Entries differ, so at most one is empty; this bounds what the lengths take.
  if (sizeBytes > reader.restBytes || count > sizeBytes + 1) {
    throw damaged("a dictionary does not fit", { count, sizeBytes });
  }
  const lengths = decodeSequence(reader, count);
  const joined = textOf(reader.bytes(sizeBytes));
  const texts: string[] = [];
  let offset = 0;
  for (const length of lengths) {
    if (!(length >= 0 && offset + length <= joined.length)) {
      throw damaged("an entry of a dictionary does not fit", { offset, length });
    }
    const text = joined.slice(offset, offset + length);
    if (!text.isWellFormed()) throw damaged("an entry of a dictionary ends inside a character");
    texts.push(text);
    offset += length;
  }
  if (offset !== joined.length) throw damaged("a dictionary has text left over", { offset });
  if (new Set(texts).size !== count) throw damaged("entries of a dictionary are equal");
  return texts;
}

/** Reads `count` codes of 0 to `codeMax`. Throws `corrupt` / `block_damaged`. */
export function decodeCodes(
  reader: ByteReader,
  count: number,
  codeMax: number,
): Uint32Array<ArrayBuffer> {
  const codes = new Uint32Array(count);
  const values = decodeSequence(reader, count);
  for (let i = 0; i < count; i += 1) {
    const code = values[i] as number;
    if (!(code >= 0 && code <= codeMax)) throw damaged("a code is too large", { code, codeMax });
    codes[i] = code;
  }
  return codes;
}

function textOf(bytes: Uint8Array): string {
  try {
    return fromUtf8(bytes);
  } catch (error) {
    throw damaged("text is not UTF-8", { reason: String(error) });
  }
}

function encodeFloats(writer: ByteWriter, values: Float64Array): void {
  const decimals = decimalsOf(values);
  const wholes = decimals === undefined ? undefined : scaled(values, decimals);
  if (decimals === undefined || wholes === undefined) {
    writer.u8(RAW);
    writer.bytes(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
    return;
  }
  writer.u8(decimals);
  encodeSequence(writer, wholes);
}

function decodeFloats(reader: ByteReader, count: number): Float64Array<ArrayBuffer> {
  const form = reader.u8();
  if (form === RAW) {
    const values = new Float64Array(count);
    new Uint8Array(values.buffer).set(reader.bytes(values.byteLength));
    return values;
  }
  const unit = UNITS[form];
  if (unit === undefined) throw damaged("unknown form of floats", { form });
  const values = decodeSequence(reader, count);
  if (unit > 1) for (let i = 0; i < count; i += 1) values[i] = (values[i] as number) / unit;
  return values;
}

/** The fewest decimals that some value needs and none has more of; undefined where one has too many. */
function decimalsOf(values: Float64Array): number | undefined {
  let decimals = 0;
  for (let i = 0; i < values.length; i += 1) {
    while (!returns(values[i] as number, UNITS[decimals] as number)) {
      decimals += 1;
      if (decimals === UNITS.length) return undefined;
    }
  }
  return decimals;
}

/** `values` as whole numbers of 10^-`decimals`; undefined where that would lose something or lie too far apart. */
function scaled(values: Float64Array, decimals: number): Float64Array | undefined {
  const unit = UNITS[decimals] as number;
  const wholes = new Float64Array(values.length);
  let least = Number.POSITIVE_INFINITY;
  let greatest = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < values.length; i += 1) {
    const value = values[i] as number;
    if (!returns(value, unit)) return undefined;
    const whole = Math.round(value * unit);
    wholes[i] = whole;
    if (whole < least) least = whole;
    if (whole > greatest) greatest = whole;
  }
  return greatest - least > WHOLE_MAX ? undefined : wholes;
}

/** Whether `value` comes back from a whole number of 1/`unit`. -0, NaN and the infinities do not. */
function returns(value: number, unit: number): boolean {
  const whole = Math.round(value * unit);
  return whole / unit === value && Math.abs(whole) <= WHOLE_MAX && !(value === 0 && 1 / value < 0);
}

function encodePresence(writer: ByteWriter, present: Uint8Array | undefined): void {
  if (present === undefined || countOnes(present) === present.length) {
    writer.u8(ALL_PRESENT);
    return;
  }
  writer.u8(SOME_PRESENT);
  writer.bytes(packBits(present));
}

function decodePresence(reader: ByteReader, rowCount: number): Uint8Array | undefined {
  const form = reader.u8();
  if (form === ALL_PRESENT) return undefined;
  if (form === SOME_PRESENT) return unpackBits(reader, rowCount);
  throw damaged("unknown form of presence", { form });
}

/** The values that are present, alone and in an array of their own. */
function gathered<T extends Numbers>(values: T, present: Uint8Array | undefined): T {
  if (present === undefined) return values;
  return values.filter((_, i: number) => present[i] === 1) as T;
}

/** The opposite of `gathered`: one cell a row, 0 for NULL. */
function scattered<T extends Numbers>(dense: T, present: Uint8Array | undefined): T {
  if (present === undefined) return dense;
  const values = new (dense.constructor as new (length: number) => T)(present.length);
  let next = 0;
  for (let row = 0; row < present.length; row += 1) {
    if (present[row] === 0) continue;
    values[row] = dense[next] as number & bigint;
    next += 1;
  }
  return values;
}

function asSigned(values: BigUint64Array): BigInt64Array {
  return new BigInt64Array(values.buffer, values.byteOffset, values.length);
}

function countOnes(bits: Uint8Array): number {
  let count = 0;
  for (let i = 0; i < bits.length; i += 1) count += bits[i] as number;
  return count;
}

/** Eight rows a byte, the first in the lowest bit. */
function packBits(bits: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(Math.ceil(bits.length / 8));
  for (let i = 0; i < bits.length; i += 1) {
    if (bits[i] !== 0) bytes[i >> 3] = (bytes[i >> 3] as number) | (1 << (i & 7));
  }
  return bytes;
}

function unpackBits(reader: ByteReader, rowCount: number): Uint8Array {
  const bytes = reader.bytes(Math.ceil(rowCount / 8));
  const bits = new Uint8Array(rowCount);
  for (let i = 0; i < rowCount; i += 1) bits[i] = ((bytes[i >> 3] as number) >> (i & 7)) & 1;
  return bits;
}
