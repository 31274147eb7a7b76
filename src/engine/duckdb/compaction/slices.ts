/** Where time is cut, so that a slice has few enough rows. */
import type { TimeRange } from "#model/time-range.ts";
import { overlaps } from "#model/time-range.ts";
import { timesOf } from "./file-rows.ts";
import type { OnStep } from "./messages.ts";
import type { OpenFile } from "./open-file.ts";

export interface Slice {
  readonly time: TimeRange;
  /** About. */
  readonly rowCount: number;
}

const BUCKET_COUNT = 4_096;
/** Buckets are so much smaller than slices, that slices are about equal. */
const BUCKETS_PER_SLICE_MIN = 8;
const HALF = 2 ** 32;

/**
 * `time` in slices that follow each other without a gap, with at most `rowCountMax` rows of `files` each, about; one instant is never cut.
 * There are no more of them than that many rows need.
 */
export function cutTime(
  files: readonly OpenFile[],
  time: TimeRange,
  { onStep, rowCountMax }: { readonly rowCountMax: number; readonly onStep: OnStep },
): readonly Slice[] {
  const rowCount = files.reduce((sum, { envelope }) => sum + envelope.rowCount, 0);
  if (rowCount <= rowCountMax) return [{ time, rowCount }];
  const options = { rowCountMax: rowCountMax / BUCKETS_PER_SLICE_MIN, onStep };
  return joined(divided(files, time, options), time, rowCountMax);
}

/** Pieces of `time` with at most `rowCountMax` rows, or of one instant. */
function divided(
  files: readonly OpenFile[],
  time: TimeRange,
  options: { readonly rowCountMax: number; readonly onStep: OnStep },
): readonly Slice[] {
  const lengthNs = (time.end - time.start) / BigInt(BUCKET_COUNT) + 1n;
  const counts = new Float64Array(BUCKET_COUNT);
  for (const file of files) {
    if (!overlaps(file.envelope.time, time)) continue;
    for (const group of file.groups) {
      if (!overlaps(file.timeOf(group), time)) continue;
      countTimes(timesOf(file, group), { time, lengthNs }, counts);
      options.onStep();
    }
  }
  return Array.from(counts, (rowCount, index): Slice => {
    const start = time.start + BigInt(index) * lengthNs;
    const end = start + lengthNs - 1n;
    return { time: { start, end: end < time.end ? end : time.end }, rowCount };
  }).flatMap((slice) => {
    const { end, start } = slice.time;
    if (start > end) return [];
    return slice.rowCount > options.rowCountMax && start < end
      ? divided(files, slice.time, options)
      : [slice];
  });
}

/** Far from the start, a time may be counted beside its bucket: slices are then less equal, but no row is lost. */
function countTimes(
  times: BigInt64Array,
  { lengthNs, time }: { time: TimeRange; lengthNs: bigint },
  counts: Float64Array,
): void {
  const halves = new Int32Array(times.buffer, times.byteOffset, 2 * times.length);
  const startLow = Number(BigInt.asUintN(32, time.start));
  const startHigh = Number(BigInt.asIntN(64, time.start) >> 32n);
  const span = Number(time.end - time.start);
  const length = Number(lengthNs);
  for (let i = 0; i < times.length; i += 1) {
    const low = (halves[2 * i] as number) >>> 0;
    const offset = ((halves[2 * i + 1] as number) - startHigh) * HALF + (low - startLow);
    if (offset < 0 || offset > span) continue;
    const bucket = Math.min(BUCKET_COUNT - 1, Math.floor(offset / length));
    counts[bucket] = (counts[bucket] as number) + 1;
  }
}

function joined(pieces: readonly Slice[], time: TimeRange, rowCountMax: number): readonly Slice[] {
  const total = pieces.reduce((sum, piece) => sum + piece.rowCount, 0);
  const sliceCount = Math.max(1, Math.ceil(total / rowCountMax));
  const slices: Slice[] = [];
  let { start } = time;
  let before = 0;
  let counted = 0;
  for (const piece of pieces) {
    counted += piece.rowCount;
    const full = counted >= ((slices.length + 1) * total) / sliceCount;
    if (!full || slices.length === sliceCount - 1) continue;
    slices.push({ time: { start, end: piece.time.end }, rowCount: counted - before });
    start = piece.time.end + 1n;
    before = counted;
  }
  if (start <= time.end)
    slices.push({ time: { start, end: time.end }, rowCount: counted - before });
  return slices;
}
