/** The encodings of values that we write, of those the Parquet format has. */
import { type BitWriter, bitWidth } from "./bits.ts";

/** Numbers of the encodings in the format. */
export const ENCODINGS = { plain: 0, rle: 3, delta: 5, dictionary: 8, split: 9 } as const;

/** Equal numbers become a run from here on; fewer cost less among the packed ones. */
const RUN_COUNT_MIN = 24;
const GROUP_COUNT = 8;

/** RLE: runs of equal numbers, and groups of eight in `width` bits each. */
export function putRuns(writer: BitWriter, values: Uint32Array, width: number): void {
  let packedStart = 0;
  let start = 0;
  while (start < values.length) {
    const value = values[start];
    let end = start + 1;
    while (end < values.length && values[end] === value) end += 1;
    // What is packed before a run is whole groups, filled up from the run itself.
    const lack = (packedStart - start) & (GROUP_COUNT - 1);
    if (end - start >= lack + RUN_COUNT_MIN) {
      const runStart = start + lack;
      putGroups(writer, values.subarray(packedStart, runStart), width);
      putRun(writer, value as number, end - runStart, width);
      packedStart = end;
    }
    start = end;
  }
  putGroups(writer, values.subarray(packedStart), width);
}

/** RLE of runs, as they are but for neighbours with one value. */
export function putLongRuns(
  writer: BitWriter,
  { lengths, values }: { readonly values: Uint32Array; readonly lengths: Uint32Array },
  width: number,
): void {
  let run = 0;
  while (run < values.length) {
    const value = values[run] as number;
    let count = 0;
    for (; run < values.length && values[run] === value; run += 1) count += lengths[run] as number;
    putRun(writer, value, count, width);
  }
}

/** A run of `count` times `value`. */
export function putRun(writer: BitWriter, value: number, count: number, width: number): void {
  writer.varint(2 * count);
  writer.fixed(value, Math.ceil(width / 8));
}

function putGroups(writer: BitWriter, values: Uint32Array, width: number): void {
  if (values.length === 0) return;
  const groupCount = Math.ceil(values.length / GROUP_COUNT);
  writer.varint(2 * groupCount + 1);
  const range = { start: 0, end: values.length, count: groupCount * GROUP_COUNT };
  writer.packed(values, range, width);
}

const DELTA_BLOCK_COUNT = 128;
const DELTA_MINIBLOCK_COUNT = 32;
const MINIBLOCKS = DELTA_BLOCK_COUNT / DELTA_MINIBLOCK_COUNT;
/** Differences up to here are exact, and so are the differences of those. */
export const DELTA_SPREAD_MAX = 2 ** 51;

/** The bits of a number: as many as it needs, or those filled up to whole bytes, in which a compressor sees what comes again. */
export type WidthOf = (most: number) => number;

export function wholeBytes(most: number): number {
  return 8 * Math.ceil(bitWidth(most) / 8);
}

/**
 * DELTA_BINARY_PACKED of `first + offset`, for `offsets` that begin with 0 and of which none is further than DELTA_SPREAD_MAX from 0.
 * There is one offset at least.
 */
export function putDeltas(
  writer: BitWriter,
  { first, offsets }: { readonly first: bigint; readonly offsets: Float64Array },
  widthOf: WidthOf,
): void {
  writer.varint(DELTA_BLOCK_COUNT);
  writer.varint(MINIBLOCKS);
  writer.varint(offsets.length);
  putZigzag(writer, first);
  const deltas = new Float64Array(DELTA_BLOCK_COUNT);
  for (let start = 1; start < offsets.length; start += DELTA_BLOCK_COUNT) {
    const count = Math.min(DELTA_BLOCK_COUNT, offsets.length - start);
    let least = Number.POSITIVE_INFINITY;
    for (let i = 0; i < count; i += 1) {
      const delta = (offsets[start + i] as number) - (offsets[start + i - 1] as number);
      deltas[i] = delta;
      if (delta < least) least = delta;
    }
    for (let i = 0; i < count; i += 1) deltas[i] = (deltas[i] as number) - least;
    putDeltaBlock(writer, least, deltas.subarray(0, count), widthOf);
  }
}

function putDeltaBlock(
  writer: BitWriter,
  least: number,
  deltas: Float64Array,
  widthOf: WidthOf,
): void {
  const count = deltas.length;
  writer.varint(least < 0 ? -2 * least - 1 : 2 * least);
  const widths = Array.from({ length: MINIBLOCKS }, (_, index) => {
    const start = index * DELTA_MINIBLOCK_COUNT;
    return widthOf(greatest(deltas, start, Math.min(count, start + DELTA_MINIBLOCK_COUNT)));
  });
  for (const width of widths) writer.byte(width);
  for (const [index, width] of widths.entries()) {
    const start = index * DELTA_MINIBLOCK_COUNT;
    // A miniblock without a number takes no bytes.
    if (start >= count || width === 0) continue;
    const end = Math.min(count, start + DELTA_MINIBLOCK_COUNT);
    writer.packed(deltas, { start, end, count: DELTA_MINIBLOCK_COUNT }, width);
  }
}

function greatest(values: Float64Array, start: number, end: number): number {
  let most = 0;
  for (let i = start; i < end; i += 1) {
    const value = values[i] as number;
    if (value > most) most = value;
  }
  return most;
}

function putZigzag(writer: BitWriter, value: bigint): void {
  let rest = value < 0n ? -2n * value - 1n : 2n * value;
  while (rest >= 0x80n) {
    writer.byte(Number(rest & 0x7fn) | 0x80);
    rest >>= 7n;
  }
  writer.byte(Number(rest));
}

/** BYTE_STREAM_SPLIT: the first bytes of all values, then all second ones, and on. */
export function splitBytes(values: Float64Array): Uint8Array {
  const count = values.length;
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  const split = new Uint8Array(bytes.length);
  for (let i = 0, offset = 0; i < count; i += 1, offset += 8)
    for (let plane = 0; plane < 8; plane += 1)
      split[plane * count + i] = bytes[offset + plane] as number;
  return split;
}
