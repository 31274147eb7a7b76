/** DELTA_BINARY_PACKED: whole numbers as what each is more than the one before. */
import { NumberReader, unpack } from "./bit-reader.ts";

const GROUP_COUNT = 8;
/** Differences, and sums of them, up to this are exact. */
const EXACT_MAX = 2 ** 52;
/** With less than this, a number up to EXACT_MAX has an exact sum. */
const LEAST_MAX = 2n ** 52n;
const HALF = 2 ** 32;
const MINIBLOCK_MAX = 2 ** 16;

/** Into `target`, which they fill. */
export function readDeltas(bytes: Uint8Array, start: number, target: BigInt64Array): void {
  readMiniblocks(bytes, { start, count: target.length }, (first, size) => {
    target[0] = first;
    return new Adder(target, first, size);
  });
}

/** Numbers as the first one and what is to be added to it, of which `least` is the least. */
export interface Offsets {
  readonly base: bigint;
  readonly offsets: Float64Array;
  readonly least: number;
}

/** `count` numbers; undefined where a float does not hold an offset exactly. */
export function readOffsets(bytes: Uint8Array, start: number, count: number): Offsets | undefined {
  const offsets = new Float64Array(count);
  let base = 0n;
  let adder: OffsetAdder | undefined;
  readMiniblocks(bytes, { start, count }, (first, size) => {
    base = first;
    adder = new OffsetAdder(offsets, size);
    return adder;
  });
  const { isExact = true, least = 0 } = adder ?? {};
  return isExact ? { base, offsets, least } : undefined;
}

/** `begin` is given the first number and how many a block has at most, and answers who takes the blocks. */
function readMiniblocks(
  bytes: Uint8Array,
  { count: allCount, start }: { readonly start: number; readonly count: number },
  begin: (first: bigint, size: number) => { add(bytes: Uint8Array, block: Miniblock): void },
): void {
  const reader = new NumberReader(bytes, start);
  const blockSize = reader.varint();
  const miniblockCount = reader.varint();
  const valueCount = reader.varint();
  const first = reader.zigzagBigint();
  if (valueCount !== allCount) throw new Error("a page has another number of values");
  const size = blockSize / miniblockCount;
  if (!Number.isInteger(size) || size % GROUP_COUNT !== 0 || size === 0 || size > MINIBLOCK_MAX)
    throw new Error("a block of differences has a size that the format does not allow");
  if (allCount === 0) return;
  const adder = begin(first, size);
  for (let at = 1; at < allCount; ) {
    const least = reader.zigzagBigint();
    const widths = Array.from({ length: miniblockCount }, () => reader.byte());
    for (const width of widths) {
      const count = Math.min(size, allCount - at);
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
    const { least } = block;
    if (least <= -LEAST_MAX || least >= LEAST_MAX) return this.#addWide(bytes, block, 0);
    if (Math.abs(this.#offset) > EXACT_MAX / 2) this.#rebase();
    unpack(bytes, block, this.#some);
    const done = this.#addAll(block);
    if (done < block.count) this.#addWide(bytes, block, done);
  }

  /** Answers how many it has added: it ends where numbers are not exact any more, of however many bits they are. */
  #addAll({ at, count, least: leastBig }: Miniblock): number {
    const low = Number(BigInt.asUintN(32, this.#base));
    const high = Number(this.#base >> 32n);
    const halves = this.#halves;
    const some = this.#some;
    const least = Number(leastBig);
    let offset = this.#offset;
    let i = 0;
    for (; i < count; i += 1) {
      const above = some[i] as number;
      const next = offset + (least + above);
      if (above > EXACT_MAX || Math.abs(next) > EXACT_MAX) break;
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

/** Sums of differences as floats. */
class OffsetAdder {
  readonly #offsets: Float64Array;
  readonly #some: Float64Array;
  #last = 0;
  /** Whether all sums were exact. */
  isExact = true;
  least = 0;

  constructor(offsets: Float64Array, miniblockSize: number) {
    this.#offsets = offsets;
    this.#some = new Float64Array(miniblockSize);
  }

  add(bytes: Uint8Array, block: Miniblock): void {
    const { at, count } = block;
    if (block.least <= -LEAST_MAX || block.least >= LEAST_MAX) this.isExact = false;
    if (!this.isExact) return;
    unpack(bytes, block, this.#some);
    const least = Number(block.least);
    const some = this.#some;
    const offsets = this.#offsets;
    let last = this.#last;
    let lowest = this.least;
    let highest = 0;
    let most = 0;
    for (let i = 0; i < count; i += 1) {
      const above = some[i] as number;
      if (above > most) most = above;
      last += least + above;
      offsets[at + i] = last;
      if (last < lowest) lowest = last;
      if (last > highest) highest = last;
    }
    this.#last = last;
    this.least = lowest;
    this.isExact = most <= EXACT_MAX && lowest >= -EXACT_MAX && highest <= EXACT_MAX;
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
