import { findZone, type Zone } from "#model/time/zone.ts";
import { TIME_MAX, TIME_MIN, type TimeRange } from "#model/time-range.ts";
import type { TimeWindow } from "../../resolved.ts";

/** A stretch of time: `start` inclusive, `end` exclusive. */
export interface Bucket {
  readonly start: bigint;
  readonly end: bigint;
}

/** Before all there is; the local time of no bucket. */
const LONG_AGO = -(1n << 80n);

/** A stretch of time in which clocks do not change, and which buckets begin in it. Local times are nanoseconds, as if in UTC. */
interface Steady {
  readonly start: bigint;
  /** Undefined: it has no end. */
  readonly end: bigint | undefined;
  /** How far clocks are ahead of UTC. */
  readonly aheadNs: bigint;
  /** The local time of the last bucket that began before. Those of later local times begin in this stretch. */
  readonly lastLocal: bigint;
}

/**
 * Into which buckets GROUP BY time puts rows; without it all of them into the one that WHERE bounds. Buckets lie beside each other, each instant
 * in one.
 *
 * A bucket begins when clocks first show its local time, or when they pass it over. Where they change by a bucket or more, buckets of before end
 * with the first that begins after, so that those of an hour are an hour, also the one that comes twice.
 */
export class Windows {
  readonly window: TimeWindow | undefined;
  readonly range: TimeRange;
  readonly #zone: Zone | undefined;
  #steady: Steady | undefined;

  constructor(window: TimeWindow | undefined, zone: string | undefined, range: TimeRange) {
    this.window = window;
    this.range = range;
    const found = zone === undefined ? undefined : findZone(zone);
    this.#zone = found?.fixedNs === 0n ? undefined : found;
  }

  /** The bucket of an instant. Where clocks change, one that is shorter or longer than others. */
  bucketAt(timeNs: bigint): Bucket {
    if (this.window === undefined) return { start: this.range.start, end: this.range.end + 1n };
    const { everyNs, offsetNs } = this.window;
    const time = timeNs - offsetNs;
    const start = this.#startAt(time, everyNs);
    const end = this.#endAt(time, everyNs);
    return {
      start: start <= TIME_MIN ? TIME_MIN : start + offsetNs,
      end: end >= TIME_MAX ? TIME_MAX : end + offsetNs,
    };
  }

  /** The time of the row of a bucket: when it begins, 0 where that is without bounds. */
  rowTime(bucket: Bucket): bigint {
    return bucket.start === TIME_MIN ? 0n : bucket.start;
  }

  /** Where the buckets that lie beside each other begin, from that on which begins at `timeNs`. */
  walk(timeNs: bigint, descending: boolean): BucketWalk {
    const everyNs = this.window?.everyNs ?? 0n;
    const windows = this.#zone === undefined ? undefined : this;
    return new BucketWalk(timeNs, descending ? -everyNs : everyNs, windows);
  }

  #startAt(timeNs: bigint, everyNs: bigint): bigint {
    for (let time = timeNs; ; ) {
      const { start, aheadNs, lastLocal } = this.#steadyAt(time, everyNs);
      const local = floor(time + aheadNs, everyNs);
      if (local > lastLocal) return greater(local - aheadNs, start);
      time = start - 1n;
    }
  }

  #endAt(timeNs: bigint, everyNs: bigint): bigint {
    let steady = this.#steadyAt(timeNs, everyNs);
    let local = greater(floor(timeNs + steady.aheadNs, everyNs), steady.lastLocal);
    for (;;) {
      const next = greater(local + everyNs - steady.aheadNs, steady.start);
      if (steady.end === undefined || next < steady.end) return next;
      steady = this.#steadyAt(steady.end, everyNs);
      local = steady.lastLocal;
    }
  }

  #steadyAt(timeNs: bigint, everyNs: bigint): Steady {
    const known = this.#steady;
    if (known !== undefined && timeNs >= known.start)
      if (known.end === undefined || timeNs < known.end) return known;
    this.#steady = steadyAt(timeNs, everyNs, this.#zone);
    return this.#steady;
  }
}

function steadyAt(timeNs: bigint, everyNs: bigint, zone: Zone | undefined): Steady {
  if (zone === undefined)
    return { start: LONG_AGO, end: undefined, aheadNs: 0n, lastLocal: LONG_AGO };
  const { start, end, offsetNs: aheadNs } = zone.stretchAt(timeNs);
  if (start === undefined) return { start: LONG_AGO, end, aheadNs, lastLocal: LONG_AGO };
  const before = zone.offsetAt(start - 1n);
  const keepsGrid = absolute(before - aheadNs) >= everyNs;
  const lastLocal = floor(start - 1n + (keepsGrid ? aheadNs : before), everyNs);
  return { start, end, aheadNs, lastLocal };
}

/**
 * The window without a zone that has the buckets of `window` in `zone` over all of `range`. Undefined where clocks change there, unless it is by
 * whole buckets: hours stay hours.
 */
export function zonelessWindow(
  window: TimeWindow,
  zone: string | undefined,
  { start, end }: TimeRange,
): TimeWindow | undefined {
  const found = zone === undefined ? undefined : findZone(zone);
  if (found === undefined) return window;
  const { everyNs, offsetNs } = window;
  const moved = (ahead: bigint): TimeWindow => ({ everyNs, offsetNs: offsetNs - ahead });
  if (found.fixedNs !== undefined) return moved(found.fixedNs);
  // Buckets may begin before the range and end behind it; clocks are looked at where a bucket would lie without its offset.
  const around = everyNs + absolute(offsetNs);
  const [first, final] = [start - around, end + around];
  if (first < TIME_MIN || final > TIME_MAX) return undefined;
  const ahead = found.offsetAt(first);
  for (const other of found.offsetsWithin(first, final))
    if ((other - ahead) % everyNs !== 0n) return undefined;
  return moved(ahead);
}

/** Steps from bucket to bucket. */
class BucketWalk {
  #time: bigint;
  readonly #step: bigint;
  /** Undefined where all buckets have one length. */
  readonly #windows: Windows | undefined;

  constructor(timeNs: bigint, step: bigint, windows: Windows | undefined) {
    this.#time = timeNs;
    this.#step = step;
    this.#windows = windows;
  }

  get timeNs(): bigint {
    return this.#time;
  }

  advance(): void {
    if (this.#windows === undefined) this.#time += this.#step;
    else if (this.#step < 0n) this.#time = this.#windows.bucketAt(this.#time - 1n).start;
    else this.#time = this.#windows.bucketAt(this.#time).end;
  }
}

/** The first row at or behind `from`, before `to`, whose time is not in the bucket; times rise, or fall. */
export function bucketEnd(times: BigInt64Array, from: number, to: number, bucket: Bucket): number {
  let inside = from;
  let outside = from + 1;
  while (outside < to && holds(bucket, times[outside] ?? bucket.end)) {
    inside = outside;
    outside = Math.min(to, outside + (outside - from) + 1);
  }
  while (outside - inside > 1) {
    const middle = (inside + outside) >> 1;
    if (holds(bucket, times[middle] ?? bucket.end)) inside = middle;
    else outside = middle;
  }
  return outside;
}

/** Whether the instant lies in the bucket. */
export function holds({ start, end }: Bucket, timeNs: bigint): boolean {
  return timeNs >= start && timeNs < end;
}

/** The last whole number of `by` that is not beyond `value`. */
function floor(value: bigint, by: bigint): bigint {
  const rest = value % by;
  return value - (rest < 0n ? rest + by : rest);
}

function greater(left: bigint, right: bigint): bigint {
  return left > right ? left : right;
}

function absolute(value: bigint): bigint {
  return value < 0n ? -value : value;
}
