/**
 * Whole numbers in few bytes, without a general codec: offsets from the least one in as many byte planes as the
 * greatest needs, of the numbers, of their differences, or of runs of equal ones (docs/formats/block.md).
 */
import { assert } from "#base/errors.ts";
import { type ByteReader, type ByteWriter, damaged } from "./bytes.ts";

/** Whole numbers from -WHOLE_MAX to WHOLE_MAX, whose greatest is less than 2^53 above the least. */
export type Wholes = Float64Array | Uint32Array;

/** Of any numbers up to here the difference is exact. */
export const WHOLE_MAX = 2 ** 53 - 1;

const PLAIN = 0x00;
const DELTA = 0x10;
const RUNS = 0x20;
/** What a form's own fields take at most, so that it must save more than that to be chosen. */
const FORM_SIZE_MAX = 32;

interface Shape {
  least: number;
  spread: number;
  deltaLeast: number;
  deltaSpread: number;
  runCount: number;
}

/** Writes `values`; their count is not written. */
export function encodeSequence(writer: ByteWriter, values: Wholes): void {
  if (values.length > 0) encodeForm(writer, values, true);
}

/** Reads `count` numbers. Throws `corrupt` / `block_damaged`. */
export function decodeSequence(reader: ByteReader, count: number): Float64Array<ArrayBuffer> {
  return count > 0 ? decodeForm(reader, count, true) : new Float64Array(0);
}

function encodeForm(writer: ByteWriter, values: Wholes, runsAllowed: boolean): void {
  const count = values.length;
  const shape = shapeOf(values);
  assert(shape.spread <= WHOLE_MAX, "the numbers of a sequence lie too far apart");
  const plainSize = planeCount(shape.spread) * count;
  const deltaSize = planeCount(shape.deltaSpread) * (count - 1);
  const bestSize = Math.min(plainSize, deltaSize);
  const runSize = shape.runCount * (planeCount(shape.spread) + planeCount(count)) + FORM_SIZE_MAX;
  if (runsAllowed && runSize < bestSize) {
    encodeRuns(writer, values, shape.runCount);
  } else if (deltaSize + FORM_SIZE_MAX < plainSize) {
    writer.u8(DELTA | planeCount(shape.deltaSpread));
    writer.i64(BigInt(values[0] as number));
    writer.i64(BigInt(shape.deltaLeast));
    const deltas = new Float64Array(count - 1);
    for (let i = 1; i < count; i += 1) {
      deltas[i - 1] = (values[i] as number) - (values[i - 1] as number);
    }
    writePlanes(writer, deltas, shape.deltaLeast, planeCount(shape.deltaSpread));
  } else {
    writer.u8(PLAIN | planeCount(shape.spread));
    writer.i64(BigInt(shape.least));
    writePlanes(writer, values, shape.least, planeCount(shape.spread));
  }
}

function decodeForm(
  reader: ByteReader,
  count: number,
  runsAllowed: boolean,
): Float64Array<ArrayBuffer> {
  const head = reader.u8();
  const form = head & 0xf0;
  const planes = head & 0x0f;
  if (planes > 7) throw damaged("too many planes", { planes });
  if (form === PLAIN) {
    const least = wholeOf(reader.i64());
    return readPlanes(reader, count, least, planes);
  }
  if (form === DELTA) {
    const values = new Float64Array(count);
    let value = wholeOf(reader.i64());
    const deltas = readPlanes(reader, count - 1, wholeOf(reader.i64()), planes);
    values[0] = value;
    for (let i = 1; i < count; i += 1) {
      value += deltas[i - 1] as number;
      values[i] = value;
    }
    return values;
  }
  if (form === RUNS && runsAllowed) return decodeRuns(reader, count);
  throw damaged("unknown form of a sequence", { form });
}

/** One pass, about 4 ns a number. */
function shapeOf(values: Wholes): Shape {
  let previous = values[0] as number;
  let least = previous;
  let greatest = previous;
  let deltaLeast = Number.POSITIVE_INFINITY;
  let deltaGreatest = Number.NEGATIVE_INFINITY;
  let runCount = 1;
  for (let i = 1; i < values.length; i += 1) {
    const value = values[i] as number;
    const delta = value - previous;
    if (delta !== 0) runCount += 1;
    if (value < least) least = value;
    if (value > greatest) greatest = value;
    if (delta < deltaLeast) deltaLeast = delta;
    if (delta > deltaGreatest) deltaGreatest = delta;
    previous = value;
  }
  const single = values.length === 1;
  return {
    least,
    spread: greatest - least,
    deltaLeast: single ? 0 : deltaLeast,
    deltaSpread: single ? 0 : deltaGreatest - deltaLeast,
    runCount,
  };
}

/** Bytes that `spread` needs; 8 says that it does not fit into a sequence. */
function planeCount(spread: number): number {
  if (spread > WHOLE_MAX) return 8;
  let planes = 0;
  for (let rest = spread; rest >= 1; rest /= 256) planes += 1;
  return planes;
}

function writePlanes(writer: ByteWriter, values: Wholes, least: number, planes: number): void {
  const count = values.length;
  const bytes = writer.reserve(planes * count);
  for (let plane = 0; plane < Math.min(planes, 4); plane += 1) {
    writeLowPlane(bytes.subarray(plane * count, (plane + 1) * count), values, least, plane * 8);
  }
  for (let plane = 4; plane < planes; plane += 1) {
    const unit = 256 ** plane;
    for (let i = 0; i < count; i += 1) {
      bytes[plane * count + i] = Math.floor(((values[i] as number) - least) / unit) % 256;
    }
  }
}

/** The four lower planes need no division. */
function writeLowPlane(plane: Uint8Array, values: Wholes, least: number, shift: number): void {
  for (let i = 0; i < values.length; i += 1) plane[i] = ((values[i] as number) - least) >>> shift;
}

function readPlanes(
  reader: ByteReader,
  count: number,
  least: number,
  planes: number,
): Float64Array<ArrayBuffer> {
  const bytes = reader.bytes(planes * count);
  const values = new Float64Array(count);
  if (planes === 0) return values.fill(least);
  for (let i = 0; i < count; i += 1) values[i] = least + (bytes[i] as number);
  for (let plane = 1; plane < planes; plane += 1) {
    const unit = 256 ** plane;
    const offset = plane * count;
    for (let i = 0; i < count; i += 1) {
      values[i] = (values[i] as number) + (bytes[offset + i] as number) * unit;
    }
  }
  return values;
}

function encodeRuns(writer: ByteWriter, values: Wholes, runCount: number): void {
  const runs = new Float64Array(runCount);
  const lengths = new Float64Array(runCount);
  let run = 0;
  let start = 0;
  for (let i = 1; i <= values.length; i += 1) {
    if (i < values.length && values[i] === values[start]) continue;
    runs[run] = values[start] as number;
    lengths[run] = i - start;
    start = i;
    run += 1;
  }
  writer.u8(RUNS);
  writer.u32(runCount);
  encodeForm(writer, runs, false);
  encodeForm(writer, lengths, false);
}

function decodeRuns(reader: ByteReader, count: number): Float64Array<ArrayBuffer> {
  const runCount = reader.u32();
  if (runCount === 0 || runCount > count) throw damaged("wrong count of runs", { runCount, count });
  const runs = decodeForm(reader, runCount, false);
  const lengths = decodeForm(reader, runCount, false);
  const values = new Float64Array(count);
  let end = 0;
  for (let run = 0; run < runCount; run += 1) {
    const start = end;
    end += lengths[run] as number;
    if (!(end > start && end <= count)) throw damaged("a run does not fit", { run, end, count });
    values.fill(runs[run] as number, start, end);
  }
  if (end !== count) throw damaged("runs end too early", { end, count });
  return values;
}

function wholeOf(value: bigint): number {
  const whole = Number(value);
  if (!Number.isSafeInteger(whole))
    throw damaged("a number is too large", { value: String(value) });
  return whole;
}
