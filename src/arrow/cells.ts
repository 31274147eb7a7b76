/** Cells as Arrow's buffers have them. */
import { concatBytes } from "#base/bytes.ts";
import { floorDivide } from "#base/divide.ts";
import type { IntervalValue } from "#model/query/expression.ts";
import type { TimeUnit } from "#model/query/value-type.ts";

/** Values of any length, one after the other: value i from `offsets[i]` to before `offsets[i + 1]`. */
export interface Bytes {
  readonly bytes: Uint8Array;
  readonly offsets: Int32Array;
}

/** The most bytes of UTF-8 that one unit of UTF-16 takes. */
const UNIT_SIZE_MAX = 3;
const NS_PER_DAY = 86_400_000_000_000n;
const DIVISORS: Readonly<Record<TimeUnit, bigint>> = {
  second: 1_000_000_000n,
  millisecond: 1_000_000n,
  microsecond: 1_000n,
  nanosecond: 1n,
};

/** A bit for each of `marks`, 1 where it is not 0, lowest first. */
export function packBits(marks: Uint8Array): Uint8Array {
  const bits = new Uint8Array((marks.length + 7) >> 3);
  for (let i = 0; i < marks.length; i += 1)
    if (marks[i] !== 0) bits[i >> 3] = (bits[i >> 3] as number) | (1 << (i & 7));
  return bits;
}

/** Texts as UTF-8; a NULL's is empty. */
export function texts(values: readonly (string | null)[]): Bytes {
  let lengthSum = 0;
  let lengthMax = 0;
  for (const value of values) {
    const length = value?.length ?? 0;
    lengthSum += length;
    if (length > lengthMax) lengthMax = length;
  }
  const offsets = new Int32Array(values.length + 1);
  // Most letters take one byte; there is always room for the longest text, whatever is in it.
  const slack = UNIT_SIZE_MAX * lengthMax;
  let bytes = Buffer.allocUnsafeSlow(lengthSum + slack);
  let sizeBytes = 0;
  for (let i = 0; i < values.length; i += 1) {
    if (bytes.length - sizeBytes < slack) {
      const larger = Buffer.allocUnsafeSlow(2 * bytes.length + slack);
      larger.set(bytes.subarray(0, sizeBytes));
      bytes = larger;
    }
    sizeBytes += bytes.write(values[i] ?? "", sizeBytes, "utf8");
    offsets[i + 1] = sizeBytes;
  }
  return { bytes: bytes.subarray(0, sizeBytes), offsets };
}

export function binaries(values: readonly (Uint8Array | null)[]): Bytes {
  const offsets = new Int32Array(values.length + 1);
  for (const [i, value] of values.entries())
    offsets[i + 1] = (offsets[i] as number) + (value?.length ?? 0);
  return { bytes: concatBytes(values.filter((value) => value !== null)), offsets };
}

/** Months, days and nanoseconds, 16 bytes together. */
export function intervals(values: readonly (IntervalValue | null)[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(16 * values.length));
  for (const [i, value] of values.entries()) {
    if (value === null) continue;
    view.setInt32(16 * i, value.months, true);
    view.setInt32(16 * i + 4, Number(value.nanoseconds / NS_PER_DAY), true);
    view.setBigInt64(16 * i + 8, value.nanoseconds % NS_PER_DAY, true);
  }
  return new Uint8Array(view.buffer);
}

/** Whole numbers of 128 bits. */
export function decimals(values: readonly (bigint | null)[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(16 * values.length));
  for (const [i, value] of values.entries()) {
    if (value === null) continue;
    view.setBigInt64(16 * i, BigInt.asIntN(64, value), true);
    view.setBigInt64(16 * i + 8, value >> 64n, true);
  }
  return new Uint8Array(view.buffer);
}

/** Nanoseconds counted in `unit`, rounded down. */
export function timesIn(unit: TimeUnit, values: BigInt64Array): BigInt64Array {
  const divisor = DIVISORS[unit];
  return divisor === 1n ? values : values.map((value) => floorDivide(value, divisor));
}
