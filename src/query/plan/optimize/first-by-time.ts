/** ORDER BY time LIMIT n: the newest or oldest rows are looked for where they most likely are, before all is read. */
import type { Plan, ScanPlan, SourceGroup } from "#model/query/plan.ts";
import { hull, intersection, type TimeRange } from "#model/time-range.ts";
import { mapPlans } from "../moving.ts";

/** More rows are asked of all files at once: what a step gives is held until it is known to be enough. */
const ROW_COUNT_MAX = 10_000n;
/** Rows that the first step reads, at least; the next reads so many times as many. */
const ROWS_READ_MIN = 8_192;
const GROWTH = 32;
const STEP_COUNT_MAX = 2;
/** Conditions may leave out most rows, so a step reads some times what it is to give. */
const ROWS_READ_FACTOR = 4;
/** A step that reads most of all rows saves nothing. */
const SHARE_MAX = 0.25;
/** Halvings of a range of time in search of where a step begins. */
const HALVINGS = 40;

/** A plan that gives the first rows by time, and the times that are read in its stead, one after the other. */
export interface FirstByTime {
  /** As many rows as this are the answer, whatever else there is. */
  readonly rowCount: number;
  readonly scan: ScanPlan;
  readonly times: readonly TimeRange[];
}

/** Undefined where `plan`, whose scans have their sources, does not give the first rows by time, or is small. */
export function firstByTime(plan: Plan): FirstByTime | undefined {
  const limit = withoutProjects(plan);
  if (limit.kind !== "limit" || limit.countMax === undefined) return undefined;
  if (limit.countMax === 0n || limit.countMax + limit.offset > ROW_COUNT_MAX) return undefined;
  const sort = withoutProjects(limit.input);
  const key = sort.kind === "sort" ? sort.keys[0] : undefined;
  if (sort.kind !== "sort" || key?.expression.kind !== "input") return undefined;
  const scan = scanOfTime(sort.input, key.expression.index);
  if (scan === undefined) return undefined;
  const wanted = Number(limit.countMax + limit.offset);
  const times = stepsOf(scan, wanted * ROWS_READ_FACTOR, key.descending);
  return times.length > 0 ? { rowCount: Number(limit.countMax), scan, times } : undefined;
}

/** `plan` with `scan` in place of the one scan that is in it. */
export function withScan(plan: Plan, scan: ScanPlan): Plan {
  return plan.kind === "scan" ? scan : mapPlans(plan, (input) => withScan(input, scan));
}

function withoutProjects(plan: Plan): Plan {
  return plan.kind === "project" ? withoutProjects(plan.input) : plan;
}

/** The scan whose time is field `index` of `plan`, where nothing but conditions and projections is between. */
function scanOfTime(plan: Plan, index: number): ScanPlan | undefined {
  switch (plan.kind) {
    case "scan":
      return plan.columns[index]?.kind === "time" ? plan : undefined;
    case "filter":
      return scanOfTime(plan.input, index);
    case "project": {
      const below = plan.expressions[index];
      return below?.kind === "input" ? scanOfTime(plan.input, below.index) : undefined;
    }
    default:
      return undefined;
  }
}

/** Rows of a file, taken to lie evenly in its time. */
interface Rows {
  readonly time: TimeRange;
  readonly count: number;
}

/** Times from the newest, or oldest, on, each with more rows than the one before; the first has `wanted` at least, by what files say. */
export function stepsOf(scan: ScanPlan, wanted: number, descending: boolean): readonly TimeRange[] {
  const files = filesOf(scan.groups, scan.time);
  const [first] = files;
  if (first === undefined) return [];
  const whole = files.reduce((time, file) => hull(time, file.time), first.time);
  const all = files.reduce((sum, { count }) => sum + count, 0);
  const steps: TimeRange[] = [];
  let rowCount = Math.max(wanted, ROWS_READ_MIN);
  for (let step = 0; step < STEP_COUNT_MAX && rowCount < all * SHARE_MAX; step += 1) {
    const { start, end } = reachOf(files, whole, { rowCount, descending });
    // Rows that are in no file yet are of any time.
    steps.push(descending ? { start, end: scan.time.end } : { start: scan.time.start, end });
    rowCount *= GROWTH;
  }
  return steps;
}

function filesOf(groups: readonly SourceGroup[], time: TimeRange): readonly Rows[] {
  const files = new Map<string, Rows>();
  for (const { sources } of groups) {
    for (const source of sources) {
      if (source.kind !== "file") continue;
      const { key, rowCount, time: own } = source.file;
      const cut = intersection(own, time);
      const all = { time: own, count: rowCount };
      if (cut !== undefined) files.set(key, { time: cut, count: countIn(all, cut) });
    }
  }
  return [...files.values()];
}

/** The time from the newest, or oldest, on in which about `rowCount` rows lie, of which there are more in `whole`. */
function reachOf(
  files: readonly Rows[],
  { start, end }: TimeRange,
  { rowCount, descending }: { readonly rowCount: number; readonly descending: boolean },
): TimeRange {
  const reach = (distance: bigint): TimeRange =>
    descending ? { start: end - distance, end } : { start, end: start + distance };
  let low = 0n;
  let high = end - start;
  for (let halving = 0; halving < HALVINGS && low < high; halving += 1) {
    const middle = (low + high) / 2n;
    const count = files.reduce((sum, file) => sum + countIn(file, reach(middle)), 0);
    if (count >= rowCount) high = middle;
    else low = middle + 1n;
  }
  return reach(high);
}

function countIn({ count, time }: Rows, range: TimeRange): number {
  const cut = intersection(time, range);
  if (cut === undefined) return 0;
  return (count * (Number(cut.end - cut.start) + 1)) / (Number(time.end - time.start) + 1);
}
