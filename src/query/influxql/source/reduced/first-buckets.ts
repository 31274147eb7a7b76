/** LIMIT over buckets of time: the first ones are looked for where data begins, or ends, before all is read. */
import type { Plan, ScanPlan } from "#model/query/plan.ts";
import { hull, intersection, type TimeRange } from "#model/time-range.ts";
import { type FirstByTime, stepsOf } from "../../../plan/optimize/first-by-time.ts";
import type { ReduceRequest } from "../../points/source.ts";
import type { TimeWindow } from "../../resolved.ts";

/** More are asked of all files at once. */
const BUCKETS_MAX = 10_000;
/** Of so many buckets some may be empty; the next step reads so many times as many. */
const GROWTH = 32n;
const STEP_COUNT_MAX = 2;
/** A step that reads a quarter of all time saves little. */
const SHARE = 4n;

/**
 * The times that may hold the first buckets of `plan`, which has its sources, or the first or last row that is asked for; undefined where
 * that is not known, or saves nothing.
 */
export function firstBuckets(plan: Plan, request: ReduceRequest): FirstByTime | undefined {
  const scan = scanOf(plan);
  // Of several series nobody knows where each begins.
  if (scan === undefined || request.dimensions.length > 0) return undefined;
  const { reducers, rowsMax, window } = request;
  const [only] = reducers;
  const rowCount = window === undefined ? 1 : (rowsMax ?? Number.POSITIVE_INFINITY);
  if (rowCount > BUCKETS_MAX) return undefined;
  if (window !== undefined) return firstRead(scan, rowCount, stepsOfBuckets(scan, request, window));
  if (reducers.length > 1 || (only?.name !== "first" && only?.name !== "last")) return undefined;
  return firstRead(scan, rowCount, stepsOf(scan, rowCount, only.name === "last"));
}

function firstRead(
  scan: ScanPlan,
  rowCount: number,
  times: readonly TimeRange[],
): FirstByTime | undefined {
  return times.length > 0 ? { rowCount, scan, times } : undefined;
}

function stepsOfBuckets(
  scan: ScanPlan,
  { descending, rowsMax = 0 }: ReduceRequest,
  window: TimeWindow,
): readonly TimeRange[] {
  const whole = timeOfFiles(scan);
  if (whole === undefined) return [];
  const times: TimeRange[] = [];
  let length = BigInt(rowsMax + 1) * window.everyNs;
  for (let step = 0; step < STEP_COUNT_MAX; step += 1) {
    if (length * SHARE > whole.end - whole.start) break;
    // Rows that are in no file yet are of any time.
    times.push(
      descending
        ? { start: bucketStart(whole.end - length, window), end: scan.time.end }
        : { start: scan.time.start, end: bucketStart(whole.start + length, window) - 1n },
    );
    length *= GROWTH;
  }
  return times;
}

function scanOf(plan: Plan): ScanPlan | undefined {
  switch (plan.kind) {
    case "scan":
      return plan;
    case "project":
    case "sort":
    case "filter":
    case "aggregate":
      return scanOf(plan.input);
    default:
      return undefined;
  }
}

/** In which rows of files lie, of those that are asked for. */
function timeOfFiles({ groups, time }: ScanPlan): TimeRange | undefined {
  const times = groups.flatMap(({ sources }) =>
    sources.flatMap((source) =>
      source.kind === "file" ? (intersection(source.file.time, time) ?? []) : [],
    ),
  );
  return times.length === 0 ? undefined : times.reduce(hull);
}

function bucketStart(time: bigint, { everyNs, offsetNs }: TimeWindow): bigint {
  const rest = (time - offsetNs) % everyNs;
  return time - (rest < 0n ? rest + everyNs : rest);
}
