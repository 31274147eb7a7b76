/** Least and greatest value of a column in a row group, as readers skip by them. */
import { type Texts, textAt } from "./texts.ts";
import { binary, i64, struct, type ThriftValue } from "./thrift.ts";

/** The bytes of the least and the greatest value. */
export interface Bounds {
  readonly least: Uint8Array;
  readonly greatest: Uint8Array;
}

/** Longer texts are not told: a reader then reads. */
const TEXT_SIZE_MAX = 256;

/** Thrift's `Statistics`. */
export function statistics(nullCount: number, bounds: Bounds | undefined): ThriftValue {
  if (bounds === undefined) return struct({ 3: i64(nullCount) });
  return struct({
    3: i64(nullCount),
    5: binary(bounds.greatest),
    6: binary(bounds.least),
  });
}

/** Undefined for no value, and for a NaN, which has no place in the order. */
export function boundsOfDoubles(values: Float64Array): Bounds | undefined {
  let least = Number.POSITIVE_INFINITY;
  let greatest = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < values.length; i += 1) {
    const value = values[i] as number;
    if (Number.isNaN(value)) return undefined;
    if (value < least) least = value;
    if (value > greatest) greatest = value;
  }
  if (values.length === 0) return undefined;
  // Zero of either sign may be among the values, and is found whichever is asked for.
  return {
    least: bytesOfDouble(least === 0 ? -0 : least),
    greatest: bytesOfDouble(greatest === 0 ? 0 : greatest),
  };
}

/** Undefined for no value. */
export function boundsOfWholes(values: BigInt64Array, unsigned: boolean): Bounds | undefined {
  if (values.length === 0) return undefined;
  const halves = new Int32Array(values.buffer, values.byteOffset, 2 * values.length);
  const flip = unsigned ? -(2 ** 31) : 0;
  let least = 0;
  let greatest = 0;
  for (let i = 1; i < values.length; i += 1) {
    if (compareHalves(halves, i, least, flip) < 0) least = i;
    else if (compareHalves(halves, i, greatest, flip) > 0) greatest = i;
  }
  return { least: bytesOfWhole(values, least), greatest: bytesOfWhole(values, greatest) };
}

/** Of the texts that `indexes` name. Undefined for no text, and for long ones. */
export function boundsOfTexts(texts: Texts, indexes: Uint32Array): Bounds | undefined {
  if (indexes.length === 0) return undefined;
  let least = textAt(texts, indexes[0] as number);
  let greatest = least;
  for (let i = 1; i < indexes.length; i += 1) {
    const text = textAt(texts, indexes[i] as number);
    if (Buffer.compare(text, least) < 0) least = text;
    else if (Buffer.compare(text, greatest) > 0) greatest = text;
  }
  if (least.length > TEXT_SIZE_MAX || greatest.length > TEXT_SIZE_MAX) return undefined;
  return { least, greatest };
}

/** Undefined for no value. `values` are 0 and 1. */
export function boundsOfBooleans(values: Uint8Array): Bounds | undefined {
  if (values.length === 0) return undefined;
  const least = Uint8Array.of(values.includes(0) ? 0 : 1);
  const greatest = Uint8Array.of(values.includes(1) ? 1 : 0);
  return { least, greatest };
}

/** Compares high halves, then low ones, without a bigint for each number. */
function compareHalves(halves: Int32Array, left: number, right: number, flip: number): number {
  const high =
    ((halves[2 * left + 1] as number) ^ flip) - ((halves[2 * right + 1] as number) ^ flip);
  if (high !== 0) return high;
  return ((halves[2 * left] as number) >>> 0) - ((halves[2 * right] as number) >>> 0);
}

function bytesOfDouble(value: number): Uint8Array {
  return new Uint8Array(Float64Array.of(value).buffer);
}

function bytesOfWhole(values: BigInt64Array, index: number): Uint8Array {
  return new Uint8Array(values.slice(index, index + 1).buffer);
}
