/** Which files of a table are merged next: a function of the files alone, and of the time of day for what can wait. */
import type { ManifestFile } from "#manifest/manifest-file.ts";
import { mayCoverFile, type RowDelete } from "#model/row-delete.ts";
import { STAMP_NONE, timeOfStamp } from "#model/stamp.ts";
import { hull, type TimeRange } from "#model/time-range.ts";
import { type Generation, windowOf } from "./generations.ts";

export interface PlanSettings {
  readonly generations: readonly Generation[];
  readonly filesPerPlanMax: number;
  /** Bytes of the files of a plan, which are all on the local disk at once; two files may be more. */
  readonly inputSizeMax: number;
  /** Rows of a file, about. */
  readonly rowLimit: number;
  /** Rows of a file of a long window that is closed, about; no fewer than `rowLimit`. */
  readonly longRowLimit: number;
}

export interface PlanTimes {
  /** Windows that end before are closed, if nothing was written into them lately. Nothing but when a plan is made depends on it. */
  readonly nowNs: bigint;
  /** What was written at this time or later was written lately, and more of it is to be expected. */
  readonly latelyNs: bigint;
  /** Older rows are past the table's retention; undefined: none is. */
  readonly keptFromNs: bigint | undefined;
  /** Deletes that are to be carried out: no file that may have rows which they cover is left as it is. */
  readonly deletes?: readonly RowDelete[];
}

/** Files to be replaced by fewer, or by as many that overlap each other no more. */
export type CompactionPlan =
  | {
      readonly kind: "merge";
      readonly inputs: readonly ManifestFile[];
      /** Holds all rows of the inputs. */
      readonly window: TimeRange;
      readonly generation: number;
      /** Rows of a file that comes of it, about. */
      readonly rowCountMax: number;
    }
  /** Written anew without the rows that deletes cover. */
  | {
      readonly kind: "erase";
      readonly inputs: readonly ManifestFile[];
      readonly rowCountMax: number;
    }
  /** All rows of the inputs are past their retention. */
  | { readonly kind: "expire"; readonly inputs: readonly ManifestFile[] };

/** Rows that are written anew for each row that was not in its place yet. */
const REWRITES_MAX = 10;
/** Files of a table that deletes may cover are written anew so many before it is looked again what is to be merged. */
const ERASED_FILES_MAX = 16;
/** So many files are worth it, whatever their size; a window that is not closed has to have as many. */
const FILE_COUNT_MANY = 8;

/**
 * Plans for files of one table, no two of which share a file: first what has expired, then what deletes may cover, then by generation, lowest
 * first. Done again on what came of them, this ends: no plan leaves more files, one that leaves as many leaves some that cover less time
 * together, and of a delete a file is written anew once at most. No file grows beyond its limit of rows or the average of those that it is made of.
 */
export function planCompaction(
  files: readonly ManifestFile[],
  settings: PlanSettings,
  times: PlanTimes,
): readonly CompactionPlan[] {
  const { keptFromNs } = times;
  const expired =
    keptFromNs === undefined ? [] : files.filter(({ file }) => file.time.end < keptFromNs);
  if (expired.length > 0)
    return [{ kind: "expire", inputs: expired.slice(0, settings.filesPerPlanMax) }];
  const erasing = files.filter((one) => hasDeleted(one, times.deletes ?? []));
  const erased = new Set(erasing);
  const others = erasing.length > 0 ? files.filter((one) => !erased.has(one)) : files;
  return [
    ...erasing.slice(0, ERASED_FILES_MAX).map(planErase),
    ...planMerges(others, settings, times),
  ];
}

function hasDeleted({ file, stampAbove }: ManifestFile, deletes: readonly RowDelete[]): boolean {
  return deletes.some((one) => mayCoverFile(one, file, stampAbove));
}

/** Each file by itself: as it is large enough, a merge takes it no more, and if it is not, what is left of it is little to merge. */
function planErase(one: ManifestFile): CompactionPlan {
  return { kind: "erase", inputs: [one], rowCountMax: Math.max(1, one.file.rowCount) };
}

function planMerges(
  files: readonly ManifestFile[],
  settings: PlanSettings,
  times: PlanTimes,
): readonly CompactionPlan[] {
  for (const generation of settings.generations) {
    const plans = [...windowsOf(files, generation)].flatMap((window) =>
      planWindow(window, generation, { settings, times }),
    );
    if (plans.length > 0) return plans;
  }
  return [];
}

interface Window {
  readonly time: TimeRange;
  readonly files: readonly ManifestFile[];
}

/** Windows with at least two files. */
function windowsOf(files: readonly ManifestFile[], generation: Generation): readonly Window[] {
  const windows = new Map<bigint, { time: TimeRange; files: ManifestFile[] }>();
  for (const one of files) {
    const time = windowOf(one.file.time, generation);
    if (time === undefined) continue;
    const window = windows.get(time.start);
    if (window === undefined) windows.set(time.start, { time, files: [one] });
    else window.files.push(one);
  }
  return [...windows.values()].filter((window) => window.files.length > 1);
}

function planWindow(
  { files, time }: Window,
  { isLong, number: generation }: Generation,
  { settings, times }: { settings: PlanSettings; times: PlanTimes },
): readonly CompactionPlan[] {
  const closed = time.end < times.nowNs && writtenNs(files) < times.latelyNs;
  const countMin = closed ? 2 : FILE_COUNT_MANY;
  const rowLimit = isLong && closed ? settings.longRowLimit : settings.rowLimit;
  return choose(files, { ...settings, rowLimit }, countMin).map((chosen) => {
    const inputs = firstOf(chosen, settings);
    const average = Math.ceil(rowCountOf(inputs) / inputs.length);
    const rowCountMax = Math.max(rowLimit, average);
    return { kind: "merge", inputs, window: time, generation, rowCountMax };
  });
}

/** As many of the first of `files` as one plan takes, two at least. */
function firstOf(
  files: readonly ManifestFile[],
  { filesPerPlanMax, inputSizeMax }: PlanSettings,
): readonly ManifestFile[] {
  let sizeBytes = 0;
  let count = 0;
  for (const { file } of files.slice(0, filesPerPlanMax)) {
    sizeBytes += file.sizeBytes;
    if (count >= 2 && sizeBytes > inputSizeMax) break;
    count += 1;
  }
  return files.slice(0, count);
}

type RunLimits = Pick<PlanSettings, "filesPerPlanMax" | "rowLimit">;

/**
 * Files of one window that are worth to be merged: choices that share no file and have `countMin` each, at least. Each is few enough rows for
 * one file, or is bound together by overlaps; its files are in order of their first instants, so its first ones are so, too.
 */
function choose(
  files: readonly ManifestFile[],
  settings: RunLimits,
  countMin: number,
): readonly (readonly ManifestFile[])[] {
  const { filesPerPlanMax, rowLimit } = settings;
  const choices: (readonly ManifestFile[])[] = [];
  let run: ManifestFile[] = [];
  let runRowCount = 0;
  const endRun = () => {
    if (run.length >= countMin && isRunWorthwhile(run)) choices.push(run);
    run = [];
    runRowCount = 0;
  };
  for (const component of componentsOf(files)) {
    const rowCount = rowCountOf(component);
    if (runRowCount + rowCount > rowLimit || run.length >= filesPerPlanMax) endRun();
    if (rowCount > rowLimit) {
      choices.push(...chooseInOverlap(component, settings, countMin));
      continue;
    }
    run.push(...component);
    runRowCount += rowCount;
  }
  endRun();
  return choices;
}

/** Of files that overlap each other and are too many rows for one. */
function chooseInOverlap(
  component: readonly ManifestFile[],
  settings: RunLimits,
  countMin: number,
): readonly (readonly ManifestFile[])[] {
  if (component.length < countMin) return [];
  const base = new Set(heaviestApart(component));
  const others = component.filter((one) => !base.has(one));
  if (rowCountOf(component) <= REWRITES_MAX * rowCountOf(others)) return [component];
  // Few rows beside many: they wait until they are more, together with what else has come late.
  return choose(others, settings, countMin);
}

/** All of it becomes one file. */
function isRunWorthwhile(run: readonly ManifestFile[]): boolean {
  const rowCount = rowCountOf(run);
  const most = run.reduce((max, { file }) => Math.max(max, file.rowCount), 0);
  return run.length >= FILE_COUNT_MANY || rowCount <= REWRITES_MAX * (rowCount - most);
}

/** Files that are bound to each other by overlaps; both they and their files in order of their first instants. */
function componentsOf(files: readonly ManifestFile[]): readonly (readonly ManifestFile[])[] {
  const sorted = files.toSorted((left, right) =>
    compare(left.file.time.start, right.file.time.start),
  );
  const components: ManifestFile[][] = [];
  let covered: TimeRange | undefined;
  for (const one of sorted) {
    const { time } = one.file;
    if (covered !== undefined && time.start <= covered.end) {
      components.at(-1)?.push(one);
      covered = hull(covered, time);
    } else {
      components.push([one]);
      covered = time;
    }
  }
  return components;
}

/** Of `files` that overlap in any way, those without a common instant that have the most rows together. */
function heaviestApart(files: readonly ManifestFile[]): readonly ManifestFile[] {
  const sorted = files.toSorted((left, right) => compare(left.file.time.end, right.file.time.end));
  // The most rows of the first files, and whether the last of them is among those that have them.
  const most = [0];
  const taken: boolean[] = [];
  const before = sorted.map(({ file }) => countEndedBefore(sorted, file.time.start));
  for (const [index, { file }] of sorted.entries()) {
    const without = most[index] ?? 0;
    const included = (most[before[index] ?? 0] ?? 0) + file.rowCount;
    taken.push(included > without);
    most.push(Math.max(included, without));
  }
  const chosen: ManifestFile[] = [];
  for (let count = sorted.length; count > 0; ) {
    const last = sorted[count - 1];
    if (last !== undefined && taken[count - 1] === true) {
      chosen.push(last);
      count = before[count - 1] ?? 0;
    } else count -= 1;
  }
  return chosen;
}

/** How many of `sorted`, by their ends, end before `start`. */
function countEndedBefore(sorted: readonly ManifestFile[], start: bigint): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const end = sorted[middle]?.file.time.end;
    if (end !== undefined && end < start) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** When the newest of their rows were written. */
export function writtenNs(files: readonly ManifestFile[]): bigint {
  const stamp = files.reduce(
    (max, { file }) => (file.stampMax > max ? file.stampMax : max),
    STAMP_NONE,
  );
  return timeOfStamp(stamp);
}

function rowCountOf(files: readonly ManifestFile[]): number {
  return files.reduce((sum, { file }) => sum + file.rowCount, 0);
}

function compare(left: bigint, right: bigint): number {
  if (left === right) return 0;
  return left < right ? -1 : 1;
}
