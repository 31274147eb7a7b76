/** Nanoseconds since the Unix epoch: `start` inclusive, `end` inclusive, for int64 has no room above its maximum. */
export interface TimeRange {
  readonly start: bigint;
  readonly end: bigint;
}

export const TIME_MIN = -(2n ** 63n);
export const TIME_MAX = 2n ** 63n - 1n;
export const ALL_TIME: TimeRange = { start: TIME_MIN, end: TIME_MAX };

/** Whether the two have an instant in common. */
export function overlaps(left: TimeRange, right: TimeRange): boolean {
  return left.start <= right.end && right.start <= left.end;
}

/** The part both have; undefined when there is none. */
export function intersection(left: TimeRange, right: TimeRange): TimeRange | undefined {
  if (!overlaps(left, right)) return undefined;
  return {
    start: left.start > right.start ? left.start : right.start,
    end: left.end < right.end ? left.end : right.end,
  };
}

/** The smallest range that holds both. */
export function hull(left: TimeRange, right: TimeRange): TimeRange {
  return {
    start: left.start < right.start ? left.start : right.start,
    end: left.end > right.end ? left.end : right.end,
  };
}
