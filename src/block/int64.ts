/** 64-bit whole numbers as a sequence of offsets, where those are small enough (docs/formats/block.md). */
import { type ByteReader, type ByteWriter, damaged } from "./bytes.ts";
import { decodeSequence, encodeSequence, WHOLE_MAX } from "./sequence.ts";

/** Forms 0 to 3: offsets in units of 1000^form. */
const UNITS = [1, 1e3, 1e6, 1e9] as const;
const RAW = 0xff;
const LOW_COUNT = 2 ** 32;

/** Writes `values`; their count is not written. Unsigned numbers are given as signed ones of the same bits. */
export function encodeInt64(writer: ByteWriter, values: BigInt64Array): void {
  if (values.length === 0) return;
  let least = values[0] as bigint;
  let greatest = least;
  for (let i = 1; i < values.length; i += 1) {
    const value = values[i] as bigint;
    if (value < least) least = value;
    else if (value > greatest) greatest = value;
  }
  if (greatest - least > BigInt(WHOLE_MAX)) {
    writer.u8(RAW);
    writer.bytes(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
    return;
  }
  const offsets = offsetsFrom(least, values);
  const form = unitForm(offsets);
  const unit = UNITS[form] as number;
  if (unit > 1) for (let i = 0; i < offsets.length; i += 1) offsets[i] = (offsets[i] ?? 0) / unit;
  writer.u8(form);
  writer.i64(least);
  encodeSequence(writer, offsets);
}

/** Reads `count` numbers. Throws `corrupt` / `block_damaged`. */
export function decodeInt64(reader: ByteReader, count: number): BigInt64Array<ArrayBuffer> {
  const values = new BigInt64Array(count);
  if (count === 0) return values;
  const form = reader.u8();
  if (form === RAW) {
    new Uint8Array(values.buffer).set(reader.bytes(values.byteLength));
    return values;
  }
  const unit = UNITS[form];
  if (unit === undefined) throw damaged("unknown form of whole numbers", { form });
  const least = reader.i64();
  const offsets = decodeSequence(reader, count);
  addOffsets(values, least, offsets, unit);
  return values;
}

/**
 * Works on the halves of each number (all machines that Node runs on are little-endian): about 2 ns a row, where
 * bigint arithmetic takes 40.
 */
function offsetsFrom(least: bigint, values: BigInt64Array): Float64Array {
  const halves = new Int32Array(values.buffer, values.byteOffset, 2 * values.length);
  const leastLow = Number(BigInt.asUintN(32, least));
  const leastHigh = Number(least >> 32n);
  const offsets = new Float64Array(values.length);
  for (let i = 0; i < offsets.length; i += 1) {
    const low = (halves[2 * i] as number) >>> 0;
    const high = halves[2 * i + 1] as number;
    offsets[i] = (high - leastHigh) * LOW_COUNT + (low - leastLow);
  }
  return offsets;
}

function addOffsets(
  values: BigInt64Array,
  least: bigint,
  offsets: Float64Array,
  unit: number,
): void {
  const halves = new Uint32Array(values.buffer, values.byteOffset, 2 * values.length);
  const leastLow = Number(BigInt.asUintN(32, least));
  const leastHigh = Number(least >> 32n);
  for (let i = 0; i < offsets.length; i += 1) {
    const offset = (offsets[i] as number) * unit;
    const low = leastLow + (offset >>> 0);
    halves[2 * i] = low;
    halves[2 * i + 1] = leastHigh + Math.floor(offset / LOW_COUNT) + (low >= LOW_COUNT ? 1 : 0);
  }
}

/** The form with the largest unit that divides all `offsets`. Timestamps are often whole seconds. */
function unitForm(offsets: Float64Array): number {
  let form = UNITS.length - 1;
  for (let i = 0; i < offsets.length && form > 0; i += 1) {
    while (form > 0 && !divides(UNITS[form] as number, offsets[i] as number)) form -= 1;
  }
  return form;
}

function divides(unit: number, offset: number): boolean {
  const quotient = offset / unit;
  return Math.floor(quotient) === quotient && quotient * unit === offset;
}
