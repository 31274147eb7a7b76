/** Which files compaction leaves of years of regular points: its own planner decides, on files that are only named. */
import { generationsOf } from "#compaction/generations.ts";
import { fileRowLimits } from "#compaction/layout.ts";
import { type CompactionPlan, planCompaction } from "#compaction/plan.ts";
import type { ManifestFile } from "#manifest/manifest-file.ts";
import type { DataFile } from "#model/data-file.ts";
import type { DatabaseId, NodeNumber, TableId } from "#model/ids.ts";
import { STAMP_NONE } from "#model/stamp.ts";
import { hull, TIME_MAX, type TimeRange } from "#model/time-range.ts";
import { COMPACTION_DEFAULTS } from "#node/config.ts";

/** About: what a time, a code and a number of three digits take. */
const ROW_SIZE = 2;
const DAY_NS = 86_400_000_000_000n;

export interface History {
  readonly startNs: bigint;
  /** Whole days. */
  readonly dayCount: number;
  readonly rowsPerDay: number;
  /** As `--compaction-row-limit`. */
  readonly rowLimit: number;
}

/** The times of the files of `history`, when there is nothing left to merge: whole days each, one after the other. */
export function filesAtRest(history: History): readonly TimeRange[] {
  const { dayCount, rowLimit, rowsPerDay, startNs } = history;
  const days = Array.from({ length: dayCount }, (_, day): ManifestFile => {
    const start = startNs + BigInt(day) * DAY_NS;
    return fileOf({ start, end: start + DAY_NS - 1n }, rowsPerDay);
  });
  const { filesPerPlanMax, gen2DurationMs, inputSizeMax, multipliers } = COMPACTION_DEFAULTS;
  const generations = generationsOf(gen2DurationMs, multipliers);
  const limits = fileRowLimits([{ rowCount: 1, sizeBytes: ROW_SIZE }], rowLimit);
  const settings = { generations, filesPerPlanMax, inputSizeMax, ...limits };
  const times = { nowNs: TIME_MAX, latelyNs: TIME_MAX, keptFromNs: undefined };
  let files: readonly ManifestFile[] = days;
  for (;;) {
    const plans = planCompaction(files, settings, times);
    if (plans.length === 0) break;
    const taken = new Set(plans.flatMap(({ inputs }) => inputs));
    files = [...files.filter((one) => !taken.has(one)), ...plans.map(merged)];
  }
  return files
    .map(({ file }) => file.time)
    .toSorted((left, right) => Number(left.start - right.start));
}

/** Files that have no instant in common are merged only where one file holds all of their rows. */
function merged({ inputs }: CompactionPlan): ManifestFile {
  const rowCount = inputs.reduce((sum, { file }) => sum + file.rowCount, 0);
  return fileOf(inputs.map(({ file }) => file.time).reduce(hull), rowCount);
}

function fileOf(time: TimeRange, rowCount: number): ManifestFile {
  const file: DataFile = {
    key: `${time.start} ${time.end}`,
    time,
    rowCount,
    sizeBytes: rowCount * ROW_SIZE,
    databaseId: 1 as DatabaseId,
    tableId: 1 as TableId,
    checksum: 0,
    stampMin: STAMP_NONE,
    stampMax: STAMP_NONE,
    unique: true,
    columnIds: [],
    node: 0 as NodeNumber,
  };
  return { file, stampAbove: STAMP_NONE };
}
