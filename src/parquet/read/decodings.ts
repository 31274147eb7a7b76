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
const MINIBLOCK_MAX = 2 ** 16;

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
  const blockSize = reader.varint();
  const miniblockCount = reader.varint();
  const valueCount = reader.varint();
  const first = reader.zigzagBigint();
  if (valueCount !== target.length) throw new Error("a page has another number of values");
  const size = blockSize / miniblockCount;
  if (!Number.isInteger(size) || size % GROUP_COUNT !== 0 || size === 0 || size > MINIBLOCK_MAX)
    throw new Error("a block of differences has a size that the format does not allow");
  if (target.length === 0) return;
  target[0] = first;
  const adder = new Adder(target, first, size);
  for (let at = 1; at < target.length; ) {
    const least = reader.zigzagBigint();
    const widths = Array.from({ length: miniblockCount }, () => reader.byte());
    for (const width of widths) {
      const count = Math.min(size, target.length - at);
      if (count === 0) break;
      const end = reader.offset + Math.ceil((count * width) / 8);
      if (width > 64 || end > bytes.length) throw new Error("a page is cut off");
      adder.add(bytes, { offset: reader.offset, at, count, least, width });
      reader.offset += (size * width) / 8;
      at += count;
    }
  }
}

interface Miniblock {
  /** Where its bytes begin. */
  readonly offset: number;
  /** Where its values go. */
  readonly at: number;
  readonly count: number;
  readonly least: bigint;
  readonly width: number;
}

/** Sums of differences: as numbers as long as those are exact, which is nearly always. */
class Adder {
  readonly #target: BigInt64Array;
  readonly #halves: Int32Array;
  readonly #some: Float64Array;
  /** The last value is `base` and `offset`. */
  #base: bigint;
  #offset = 0;

  constructor(target: BigInt64Array, first: bigint, miniblockSize: number) {
    this.#target = target;
    this.#halves = new Int32Array(target.buffer, target.byteOffset, 2 * target.length);
    this.#some = new Float64Array(miniblockSize);
    this.#base = first;
  }

  add(bytes: Uint8Array, block: Miniblock): void {
    const { least, width } = block;
    if (width > EXACT_BITS || least <= -LEAST_MAX || least >= LEAST_MAX)
      return this.#addWide(bytes, block, 0);
    if (Math.abs(this.#offset) > EXACT_MAX / 2) this.#rebase();
    unpack(bytes, block, this.#some);
    const done = this.#addAll(block);
    if (done < block.count) this.#addWide(bytes, block, done);
  }

  /** Answers how many it has added: it ends where sums are not exact any more. */
  #addAll({ at, count, least: leastBig }: Miniblock): number {
    const low = Number(BigInt.asUintN(32, this.#base));
    const high = Number(this.#base >> 32n);
    const halves = this.#halves;
    const some = this.#some;
    const least = Number(leastBig);
    let offset = this.#offset;
    let i = 0;
    for (; i < count; i += 1) {
      const next = offset + (least + (some[i] as number));
      if (Math.abs(next) > EXACT_MAX) break;
      offset = next;
      const offsetHigh = Math.floor(offset / HALF);
      const sum = low + (offset - offsetHigh * HALF);
      const carry = sum >= HALF ? 1 : 0;
      halves[2 * (at + i)] = sum | 0;
      halves[2 * (at + i) + 1] = (high + offsetHigh + carry) | 0;
    }
    this.#offset = offset;
    return i;
  }

  /** Differences of any size, one by one, from number `from` on. */
  #addWide(bytes: Uint8Array, { at, count, least, offset, width }: Miniblock, from: number): void {
    this.#rebase();
    const own = bytes.subarray(offset);
    for (let i = from; i < count; i += 1) {
      const delta = least + wideAt(own, i * width, width);
      this.#base = BigInt.asIntN(64, this.#base + delta);
      this.#target[at + i] = this.#base;
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
