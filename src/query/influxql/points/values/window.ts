import { findZone, type Zone } from "#model/time/zone.ts";
import { TIME_MAX, TIME_MIN, type TimeRange } from "#model/time-range.ts";
import type { TimeWindow } from "../../resolved.ts";

/** A stretch of time: `start` inclusive, `end` exclusive. */
export interface Bucket {
  readonly start: bigint;
  readonly end: bigint;
}

/** Into which buckets GROUP BY time puts rows; without it all of them into the one that WHERE bounds. */
export class Windows {
  readonly window: TimeWindow | undefined;
  readonly range: TimeRange;
  readonly #zone: Zone | undefined;

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
    const ahead = this.#aheadAt(time);
    const into = modulo(time + ahead, everyNs);
    const [start, end] = [time - into, time - into + everyNs];
    const first = this.#moved(start, ahead - this.#aheadAt(start));
    const behind = this.#aheadAt(end);
    const final = this.#moved(end, ahead - behind);
    // An end that clocks pass over is where they do so.
    const isThere = final > time && this.#aheadAt(final) === behind;
    return {
      start: start <= TIME_MIN ? TIME_MIN : (first <= time ? first : start) + offsetNs,
      end: end >= TIME_MAX ? TIME_MAX : (isThere ? final : end) + offsetNs,
    };
  }

  /** The time of the row of a bucket: when it begins, 0 where that is without bounds. */
  rowTime(bucket: Bucket): bigint {
    return bucket.start === TIME_MIN ? 0n : bucket.start;
  }

  /** Where the buckets that lie beside each other from that of `timeNs` on begin. */
  walk(timeNs: bigint, descending: boolean): BucketWalk {
    const everyNs = this.window?.everyNs ?? 0n;
    return new BucketWalk(timeNs, descending ? -everyNs : everyNs, this.#zone);
  }

  #aheadAt(timeNs: bigint): bigint {
    return this.#zone?.offsetAt(timeNs) ?? 0n;
  }

  /** An edge where clocks are `by` behind those it was found with; as long as that is less than a bucket. */
  #moved(edge: bigint, by: bigint): bigint {
    return absolute(by) < (this.window?.everyNs ?? 0n) ? edge + by : edge;
  }
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

/** Steps from bucket to bucket; clocks that change between two make a step longer or shorter. */
class BucketWalk {
  #time: bigint;
  #ahead: bigint;
  readonly #step: bigint;
  readonly #zone: Zone | undefined;

  constructor(timeNs: bigint, step: bigint, zone: Zone | undefined) {
    this.#time = timeNs;
    this.#step = step;
    this.#zone = zone;
    this.#ahead = zone?.offsetAt(timeNs) ?? 0n;
  }

  get timeNs(): bigint {
    return this.#time;
  }

  advance(): void {
    this.#time += this.#step;
    if (this.#zone === undefined) return;
    const ahead = this.#zone.offsetAt(this.#time - 1n);
    if (ahead === this.#ahead) return;
    const by = this.#ahead - ahead;
    if (absolute(by) < absolute(this.#step)) this.#time += by;
    this.#ahead = ahead;
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

function modulo(value: bigint, by: bigint): bigint {
  const rest = value % by;
  return rest < 0n ? rest + by : rest;
}

function absolute(value: bigint): bigint {
  return value < 0n ? -value : value;
}
