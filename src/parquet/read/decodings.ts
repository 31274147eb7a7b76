/** The values of pages, by encoding: the other way round than `../encodings.ts`, for all that the format allows there. */
import { type Texts } from "../texts.ts";
import { NumberReader, unpack } from "./bit-reader.ts";

const GROUP_COUNT = 8;
/** Sums of differences up to this are exact. */
const EXACT_MAX = 2 ** 52;
const EXACT_BITS = 52;
/** With less than this, a number of EXACT_BITS bits has an exact sum. */
const LEAST_MAX = 2n ** 52n;
const HALF = 2 ** 32;

/** RLE: runs and groups of eight, in `width` bits each, into `target`, which they fill. Answers where they end. */
export function readRuns(
  bytes: Uint8Array,
  start: number,
  width: number,
  target: Uint32Array,
): number {
  const reader = new NumberReader(bytes, start);
  let at = 0;
  while (at < target.length) {
    const head = reader.varint();
    if (head % 2 === 0) {
      const end = Math.min(target.length, at + head / 2);
      target.fill(reader.fixed(Math.ceil(width / 8)), at, end);
      if (end === at) throw new Error("a run is empty");
      at = end;
      continue;
    }
    const groupCount = (head - 1) / 2;
    const count = Math.min(target.length - at, groupCount * GROUP_COUNT);
    const sizeBytes = groupCount * width;
    if (count === 0 || reader.offset + Math.ceil((count * width) / 8) > bytes.length)
      throw new Error("a page is cut off");
    unpack(bytes, { offset: reader.offset, count, width }, target.subarray(at));
    reader.offset += sizeBytes;
    at += count;
  }
  return reader.offset;
}

/** DELTA_BINARY_PACKED into `target`, which it fills. */
export function readDeltas(bytes: Uint8Array, start: number, target: BigInt64Array): void {
  const reader = new NumberReader(bytes, start);
  const blockCount = reader.varint();
  const miniblockCount = reader.varint();
  const totalCount = reader.varint();
  const first = reader.zigzagBigint();
  if (totalCount !== target.length) throw new Error("a page has another number of values");
  if (target.length === 0) return;
  target[0] = first;
  const miniblockSize = blockCount / miniblockCount;
  if (!Number.isInteger(miniblockSize) || miniblockSize % 8 !== 0 || miniblockSize === 0)
    throw new Error("a block of differences has a size that the format does not allow");
  const adder = new Adder(target, first);
  const some = new Float64Array(miniblockSize);
  for (let at = 1; at < target.length; ) {
    const least = reader.zigzagBigint();
    const widths = Array.from({ length: miniblockCount }, () => reader.byte());
    for (const width of widths) {
      if (at >= target.length) break;
      const count = Math.min(miniblockSize, target.length - at);
      const sizeBytes = (miniblockSize * width) / 8;
      if (width > 64 || reader.offset + Math.ceil((count * width) / 8) > bytes.length)
        throw new Error("a page is cut off");
      if (width <= EXACT_BITS && adder.addsExactly(least)) {
        unpack(bytes, { offset: reader.offset, count, width }, some);
        adder.addAll(some, { at, count, least: Number(least) });
      } else {
        const wide = { at, count, least, width };
        adder.addWide(bytes.subarray(reader.offset), wide);
      }
      reader.offset += sizeBytes;
      at += count;
    }
  }
}

/** Sums of differences: as numbers as long as those are exact, which is nearly always. */
class Adder {
  readonly #target: BigInt64Array;
  readonly #halves: Int32Array;
  #base: bigint;
  #offset = 0;

  constructor(target: BigInt64Array, first: bigint) {
    this.#target = target;
    this.#halves = new Int32Array(target.buffer, target.byteOffset, 2 * target.length);
    this.#base = first;
  }

  addsExactly(least: bigint): boolean {
    if (Math.abs(this.#offset) > EXACT_MAX / 2) this.#rebase();
    return -LEAST_MAX < least && least < LEAST_MAX;
  }

  /** `least` and each of `some` are so small that their sums are exact, or the differences are added as bigints. */
  addAll(
    some: Float64Array,
    { at, count, least }: { at: number; count: number; least: number },
  ): void {
    const low = Number(BigInt.asUintN(32, this.#base));
    const high = Number(BigInt.asIntN(64, this.#base) >> 32n);
    const halves = this.#halves;
    let offset = this.#offset;
    for (let i = 0; i < count; i += 1) {
      const next = offset + (least + (some[i] as number));
      if (Math.abs(next) > EXACT_MAX) {
        this.#offset = offset;
        return this.#addRest(some, { at: at + i, from: i, count, least });
      }
      offset = next;
      const offsetHigh = Math.floor(offset / HALF);
      const sum = low + (offset - offsetHigh * HALF);
      const carry = sum >= HALF ? 1 : 0;
      halves[2 * (at + i)] = sum | 0;
      halves[2 * (at + i) + 1] = (high + offsetHigh + carry) | 0;
    }
    this.#offset = offset;
  }

  /** Differences of any size, one by one. */
  addWide(
    bytes: Uint8Array,
    { at, count, least, width }: { at: number; count: number; least: bigint; width: number },
  ): void {
    this.#rebase();
    for (let i = 0; i < count; i += 1) {
      const delta = least + wideAt(bytes, i * width, width);
      this.#base = BigInt.asIntN(64, this.#base + delta);
      this.#target[at + i] = this.#base;
    }
  }

  #addRest(
    some: Float64Array,
    { at, from, count, least }: { at: number; from: number; count: number; least: number },
  ): void {
    this.#rebase();
    for (let i = from; i < count; i += 1) {
      this.#base = BigInt.asIntN(64, this.#base + BigInt(least) + BigInt(some[i] as number));
      this.#target[at + i - from] = this.#base;
    }
  }

  #rebase(): void {
    this.#base = BigInt.asIntN(64, this.#base + BigInt(this.#offset));
    this.#offset = 0;
  }
}

/** The number of `width` bits that begins at bit `start`. */
function wideAt(bytes: Uint8Array, start: number, width: number): bigint {
  let value = 0n;
  for (let bit = 0; bit < width; bit += 1) {
    const at = start + bit;
    if (((bytes[at >> 3] as number) >> (at & 7)) % 2 === 1) value |= 1n << BigInt(bit);
  }
  return value;
}

/** BYTE_STREAM_SPLIT into `target`, which it fills. */
export function joinBytes(bytes: Uint8Array, start: number, target: Float64Array): void {
  const count = target.length;
  if (start + 8 * count > bytes.length) throw new Error("a page is cut off");
  const joined = new Uint8Array(target.buffer, target.byteOffset, target.byteLength);
  for (let plane = 0; plane < 8; plane += 1) {
    const from = start + plane * count;
    for (let i = 0; i < count; i += 1) joined[8 * i + plane] = bytes[from + i] as number;
  }
}

/** Values of eight bytes as they are. */
export function copyPlain(
  bytes: Uint8Array,
  start: number,
  target: Float64Array | BigInt64Array,
): void {
  if (start + target.byteLength > bytes.length) throw new Error("a page is cut off");
  const raw = new Uint8Array(target.buffer, target.byteOffset, target.byteLength);
  raw.set(bytes.subarray(start, start + target.byteLength));
}

/** One bit each. */
export function readBits(bytes: Uint8Array, start: number, target: Uint8Array): void {
  if (start + Math.ceil(target.length / 8) > bytes.length) throw new Error("a page is cut off");
  for (let i = 0; i < target.length; i += 1)
    target[i] = ((bytes[start + (i >> 3)] as number) >> (i & 7)) & 1;
}

/** `count` texts, each behind its size. */
export function readTexts(bytes: Uint8Array, start: number, count: number): Texts {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const ends = new Uint32Array(count);
  const all = new Uint8Array(Math.max(0, bytes.length - start - 4 * count));
  let from = start;
  let end = 0;
  for (let i = 0; i < count; i += 1) {
    const sizeBytes = view.getUint32(from, true);
    from += 4;
    if (from + sizeBytes > bytes.length) throw new Error("a page is cut off");
    all.set(bytes.subarray(from, from + sizeBytes), end);
    from += sizeBytes;
    end += sizeBytes;
    ends[i] = end;
  }
  return { count, bytes: all.subarray(0, end), ends };
}
