/** The values of pages, by encoding: the other way round than `../encodings.ts`, for all that the format allows there. */
import { type Texts } from "../texts.ts";
import { NumberReader, unpack } from "./bit-reader.ts";

const GROUP_COUNT = 8;

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

/** Numbers that stand for several rows: `values[n]` goes up to before row `ends[n]`, and neighbours differ. */
export interface NumberRuns {
  readonly values: number[];
  readonly ends: number[];
}

/** As readRuns, of `count` numbers: what is written as a run is not spread. */
export function readRunEnds(
  bytes: Uint8Array,
  start: number,
  { count: rowCount, width }: { readonly count: number; readonly width: number },
): NumberRuns {
  const runs: NumberRuns = { values: [], ends: [] };
  const reader = new NumberReader(bytes, start);
  let packed = new Uint32Array(0);
  for (let at = 0; at < rowCount; ) {
    const head = reader.varint();
    if (head % 2 === 0) {
      const end = Math.min(rowCount, at + head / 2);
      if (end === at) throw new Error("a run is empty");
      addRun(runs, reader.fixed(Math.ceil(width / 8)), end);
      at = end;
      continue;
    }
    const groupCount = (head - 1) / 2;
    const count = Math.min(rowCount - at, groupCount * GROUP_COUNT);
    if (count === 0 || reader.offset + Math.ceil((count * width) / 8) > bytes.length)
      throw new Error("a page is cut off");
    if (packed.length < count) packed = new Uint32Array(count);
    unpack(bytes, { offset: reader.offset, count, width }, packed);
    for (let i = 0; i < count; i += 1) addRun(runs, packed[i] as number, at + i + 1);
    reader.offset += groupCount * width;
    at += count;
  }
  return runs;
}

/** Behind the others, to before row `end`. */
export function addRun({ ends, values }: NumberRuns, value: number, end: number): void {
  const last = values.length - 1;
  if (last >= 0 && values[last] === value) ends[last] = end;
  else {
    values.push(value);
    ends.push(end);
  }
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
