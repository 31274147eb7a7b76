/** The rows of a scan, row group by row group: which of them are wanted, and their columns. */
import { setImmediate } from "node:timers/promises";
import type { DataFile } from "#model/data-file.ts";
import type { ScanColumn, ScanPlan } from "#model/query/plan.ts";
import { intersection, overlaps, type TimeRange } from "#model/time-range.ts";
import type { OpenFile } from "../duckdb/compaction/open-file.ts";
import { compilePredicate } from "../plain/expression/evaluate.ts";
import type { Value } from "../plain/expression/value.ts";
import { firstAtLeast, type Numbers, type Runs, type Times } from "./chunk.ts";
import type { AskedGroup, ChunkCache, GroupOfFile, ToldGroup } from "./chunk-cache.ts";
import { applyCondition, applyPresence, mayPass } from "./condition.ts";
import { numberColumnsOf, type Shape } from "./shape.ts";

/** What the files of a plan may hold together. */
const ROWS_MAX = 8_000_000;
/** They may all be open at once. */
const FILES_MAX = 200;
/** After so many rows the process gets to its other work: some milliseconds. */
const TURN_ROW_COUNT = 100_000;

/** Rows of a row group that are wanted. */
export interface Piece {
  readonly group: GroupOfFile;
  readonly file: DataFile;
  readonly times: Times;
  readonly runs: Runs;
  /** Rows of one run each, in order. */
  readonly ranges: readonly Range[];
  /** 1 where a row in a range passes all conditions; undefined where all do. */
  readonly mask: Uint8Array | undefined;
}

export interface Range {
  readonly run: number;
  readonly start: number;
  readonly end: number;
}

/** Files and the times of their rows that are read. */
export interface Part {
  readonly file: DataFile;
  readonly times: readonly TimeRange[];
}

/** What a scan would read, where each row is in one file alone; undefined where that is not so, or too much. */
export function partsOf(scan: ScanPlan): readonly Part[] | undefined {
  // Deletes ask for order stamps, which are not among what is kept here.
  const hasDeletes = scan.groups.some(({ deletes }) => deletes !== undefined);
  return hasDeletes ? undefined : filesOf(scan);
}

function filesOf({ groups, time }: ScanPlan): readonly Part[] | undefined {
  const parts: Part[] = [];
  let rowCount = 0;
  for (const { merge, sources, times = [time] } of groups) {
    const within = times.flatMap((range) => intersection(range, time) ?? []);
    for (const source of sources) {
      if (source.kind !== "file") return undefined;
      const { file, stampAbove } = source;
      const read = within.filter((range) => overlaps(range, file.time));
      if (read.length === 0) continue;
      if (stampAbove !== undefined && file.stampMin <= stampAbove) return undefined;
      if (merge || !file.unique) return undefined;
      parts.push({ file, times: read });
      rowCount += file.rowCount;
    }
  }
  return rowCount <= ROWS_MAX && parts.length <= FILES_MAX ? parts : undefined;
}

/** Gives a file on the local disk, opened; it stays so while the query runs. */
export type OpenDataFile = (file: DataFile) => Promise<OpenFile>;

/**
 * The pieces of what `shape` scans that have rows. Undefined stands for one whose columns are not of the form that loops need, and for all where
 * too much would be decoded for the first time. Rejects as OpenFile throws, with `file_vanished`, or with the reason of `signal`.
 */
export async function* readPieces(
  shape: Shape,
  parts: readonly Part[],
  { cache, open, signal }: { cache: ChunkCache; open: OpenDataFile; signal: AbortSignal },
): AsyncGenerator<Piece | undefined> {
  const passes = compilePredicate(shape.tagPredicate);
  const wanted = await wantedGroups(shape, parts, { cache, open });
  const columns = numberColumnsOf(shape);
  if (!cache.admits(wanted.map((one) => askedOf(columns, one)))) {
    yield undefined;
    return;
  }
  let rowCount = 0;
  for (const one of wanted) {
    const piece = await readPiece({ shape, passes, ...one }, cache);
    if (piece?.ranges.length !== 0) yield piece;
    rowCount += piece?.ranges.reduce((count, { end, start }) => count + end - start, 0) ?? 0;
    if (rowCount < TURN_ROW_COUNT) continue;
    rowCount = 0;
    await setImmediate();
    signal.throwIfAborted();
  }
}

/** What of a row group is read. */
function askedOf(columns: readonly ScanColumn[], { file, place }: WantedGroup): AskedGroup {
  const ids = columns.map(({ id }) => id).filter((id) => file.columnIds.includes(id));
  return { group: place, numberIds: ids };
}

/** The row groups of `parts` that may have rows which `shape` asks for. */
async function wantedGroups(
  shape: Shape,
  parts: readonly Part[],
  { cache, open }: { cache: ChunkCache; open: OpenDataFile },
): Promise<readonly WantedGroup[]> {
  const wanted: WantedGroup[] = [];
  for (const { file, times } of parts) {
    const opened = () => open(file);
    const groups = await cache.groups(file.key, opened);
    for (const [index, { group, texts, time }] of groups.entries()) {
      const within = times.flatMap((range) => intersection(range, time) ?? []);
      if (within.length === 0 || !mayHold(shape, texts)) continue;
      wanted.push({ file, place: { key: file.key, index, group, open: opened }, within });
    }
  }
  return wanted;
}

/** Whether rows of a row group may be of the tags that are asked for. */
function mayHold({ scan, tagPredicate }: Shape, texts: ToldGroup["texts"]): boolean {
  if (tagPredicate === undefined) return true;
  return mayPass(tagPredicate, (index) => texts.get(scan.columns[index]?.id ?? -1));
}

interface WantedGroup {
  readonly file: DataFile;
  readonly place: GroupOfFile;
  /** The times of its rows that are read. */
  readonly within: readonly TimeRange[];
}

interface Reading extends WantedGroup {
  readonly shape: Shape;
  readonly passes: (row: readonly Value[]) => boolean;
}

async function readPiece(reading: Reading, cache: ChunkCache): Promise<Piece | undefined> {
  const { file, place, shape } = reading;
  const times = await cache.times(place);
  if (times === undefined) return undefined;
  const tagIds = shape.scan.tags.map(({ id }) => id).filter((id) => file.columnIds.includes(id));
  const runs = await cache.runs(place, tagIds, times);
  if (runs === undefined) return undefined;
  const ranges = rangesOf(reading, times, runs);
  const piece = { group: place, file, times, runs, ranges, mask: undefined };
  if (shape.conditions.length === 0 || ranges.length === 0) return edged(piece, shape.edge);
  const mask = await maskOf(piece, shape, cache);
  return mask && edged({ ...piece, mask }, shape.edge);
}

/** `piece` with the first or the last row of each range alone. */
function edged(piece: Piece, edge: Shape["edge"]): Piece {
  if (edge === undefined) return piece;
  const { mask } = piece;
  const ranges = piece.ranges.flatMap(({ end, run, start }) => {
    let row = edge === "last" ? end - 1 : start;
    while (row >= start && row < end && mask?.[row] === 0) row += edge === "last" ? -1 : 1;
    return row >= start && row < end ? [{ run, start: row, end: row + 1 }] : [];
  });
  return { ...piece, ranges };
}

/** The rows that `scan` wants by tags and time. */
function rangesOf({ passes, shape, within }: Reading, times: Times, runs: Runs): Range[] {
  const { columns } = shape.scan;
  const bounds = within.map(({ end, start }) => [
    Number(start - times.base),
    Number(end - times.base) + 1,
  ]);
  const codes = columns.map(({ id }) => runs.tags.get(id));
  const ranges: Range[] = [];
  for (let run = 0; run + 1 < runs.starts.length; run += 1) {
    const row = codes.map((tag) => tag?.texts[tag.codes[run] as number] ?? null);
    if (shape.tagPredicate !== undefined && !passes(row)) continue;
    const first = runs.starts[run] as number;
    const last = runs.starts[run + 1] as number;
    for (const [from = 0, to = 0] of bounds) {
      const start = firstAtLeast(times.offsets, first, last, from);
      const end = firstAtLeast(times.offsets, start, last, to);
      if (start < end) ranges.push({ run, start, end });
    }
  }
  return ranges;
}

/** Undefined where a field cannot be had as floats. */
async function maskOf(
  { file, group, ranges, times }: Piece,
  { conditions, scan }: Shape,
  cache: ChunkCache,
): Promise<Uint8Array | undefined> {
  const mask = new Uint8Array(times.offsets.length).fill(1);
  for (const condition of conditions) {
    const presence = condition.test === "any_present";
    const fields: (Numbers | undefined)[] = [];
    for (const index of presence ? condition.indexes : [condition.index]) {
      const numbers = await numbersOf(cache, { file, group }, scan.columns[index] as ScanColumn);
      if (numbers === "inexact") return undefined;
      fields.push(numbers);
    }
    for (const { start, end } of ranges) {
      if (presence) applyPresence(fields, mask, [start, end]);
      else applyCondition(condition, fields[0], mask, [start, end]);
    }
  }
  return mask;
}

/** Undefined where all of the column's cells are NULL; "inexact" where floats do not hold them. */
export async function numbersOf(
  cache: ChunkCache,
  { file, group }: Pick<Piece, "file" | "group">,
  column: ScanColumn,
): Promise<Numbers | "inexact" | undefined> {
  if (!file.columnIds.includes(column.id)) return undefined;
  return (await cache.numbers(group, column)) ?? "inexact";
}
