import type { ScanSource, SourceGroup } from "#model/query/plan.ts";
import { cutOf, mayCoverFile, type RowDelete } from "#model/row-delete.ts";
import type { TableSchema } from "#model/schema.ts";
import { hull, intersection, overlaps, type TimeRange } from "#model/time-range.ts";
import type { View } from "#view/view.ts";

/** A file or a piece of the buffer, as planning sees it. */
interface Candidate {
  readonly source: ScanSource;
  /** Of its rows, cut to the time that is asked for. */
  readonly time: TimeRange;
  readonly unique: boolean;
  /** Those that may cover some of its rows. */
  readonly deletes: readonly RowDelete[];
}

/** Ranges of time that a plan names; with more, the nearest are joined. */
const RANGE_COUNT_MAX = 16;
/** Of more sources that are to be merged, it is not looked where one is alone. */
const LOOKED_AT_MAX = 100;

/**
 * What of `view` may hold rows of `table` in `time`, grouped so that rows with the same series and time are never in two
 * groups. Only what must be is merged: the times at which sources overlap, and sources that hold a series and time twice. A piece of
 * the buffer is a group of its own where it is alone: engines merge it faster.
 */
export function sourceGroups(
  view: View,
  table: TableSchema,
  time: TimeRange,
): readonly SourceGroup[] {
  const candidates = candidatesOf(view, table, time).flatMap((candidate): Candidate[] => {
    const cut = intersection(candidate.time, time);
    return cut === undefined ? [] : [{ ...candidate, time: cut }];
  });
  const sorted = candidates.toSorted((left, right) => compare(left.time.start, right.time.start));
  const merged = joinNearest(mergedTimes(sorted));
  const apart = sorted.filter((one) => !merged.some((range) => overlaps(range, one.time)));
  const all = sorted.map((one) => one.time);
  const plain = merged.length === 0 ? [] : gapsOf(merged, all.reduce(hull));
  return [
    groupOf(apart, { merge: false }),
    ...(merged.length > 0
      ? [
          ...mergedGroups(within(sorted, merged), merged),
          groupOf(within(without(sorted, apart), plain), { merge: false, times: plain }),
        ]
      : []),
  ].filter(({ sources }) => sources.length > 0);
}

/** The times at which there may be two rows of one series and time: rising ranges without a common instant. */
function mergedTimes(sorted: readonly Candidate[]): readonly TimeRange[] {
  const found: TimeRange[] = [];
  let covered: bigint | undefined;
  for (const { time, unique } of sorted) {
    const { start, end } = time;
    if (!unique) found.push(time);
    else if (covered !== undefined && start <= covered)
      found.push({ start, end: end < covered ? end : covered });
    if (covered === undefined || end > covered) covered = end;
  }
  return joinTouching(found);
}

/** What is merged of `candidates`, at `merged`. */
function mergedGroups(
  candidates: readonly Candidate[],
  merged: readonly TimeRange[],
): readonly SourceGroup[] {
  const together = [groupOf(candidates, { merge: true, times: merged })];
  if (candidates.length > LOOKED_AT_MAX) return together;
  const alone = new Map<Candidate, TimeRange[]>();
  const mixed: TimeRange[] = [];
  for (const range of merged) {
    for (const piece of pieces(range, candidates)) {
      const [one, ...others] = within(candidates, [piece]);
      if (one?.source.kind !== "buffer" || others.length > 0) mixed.push(piece);
      else alone.set(one, [...(alone.get(one) ?? []), piece]);
    }
  }
  const apart = [...alone].map(([one, times]) => ({ candidates: [one], times }));
  const groups = [{ candidates: within(candidates, mixed), times: joinTouching(mixed) }, ...apart];
  if (groups.some(({ times }) => times.length > RANGE_COUNT_MAX)) return together;
  return groups.map(({ times, ...group }) => groupOf(group.candidates, { merge: true, times }));
}

/** `range`, cut where one of `candidates` begins or has ended. */
function pieces(range: TimeRange, candidates: readonly Candidate[]): readonly TimeRange[] {
  const edges = candidates.flatMap(({ time }) => [time.start, time.end + 1n]);
  const inside = edges.filter((edge) => edge > range.start && edge <= range.end);
  const starts = [...new Set([range.start, ...inside])].toSorted(compare);
  return starts.map((start, index) => ({ start, end: (starts[index + 1] ?? range.end + 1n) - 1n }));
}

/** `ranges`, which begin one after the other, without a common instant: those that touch as one. */
function joinTouching(ranges: readonly TimeRange[]): readonly TimeRange[] {
  const joined: TimeRange[] = [];
  for (const range of ranges) {
    const last = joined.at(-1);
    if (last !== undefined && range.start <= last.end + 1n)
      joined[joined.length - 1] = hull(last, range);
    else joined.push(range);
  }
  return joined;
}

/** At most RANGE_COUNT_MAX ranges, which cover all of `ranges`. */
function joinNearest(ranges: readonly TimeRange[]): readonly TimeRange[] {
  if (ranges.length <= RANGE_COUNT_MAX) return ranges;
  const gaps = ranges.slice(1).map(({ start }, index) => ({
    index: index + 1,
    length: start - (ranges[index]?.end ?? start),
  }));
  const kept = gaps
    .toSorted((left, right) => compare(right.length, left.length))
    .slice(0, RANGE_COUNT_MAX - 1);
  const cuts = [0, ...kept.map(({ index }) => index).toSorted((a, b) => a - b), ranges.length];
  return cuts.slice(1).map((end, index) => ranges.slice(cuts[index], end).reduce(hull));
}

/** What of `whole` lies outside of `ranges`, which rise within it. */
function gapsOf(ranges: readonly TimeRange[], whole: TimeRange): readonly TimeRange[] {
  const gaps: TimeRange[] = [];
  let { start } = whole;
  for (const range of ranges) {
    if (range.start > start) gaps.push({ start, end: range.start - 1n });
    start = range.end + 1n;
  }
  if (start <= whole.end) gaps.push({ start, end: whole.end });
  return gaps;
}

function within(candidates: readonly Candidate[], ranges: readonly TimeRange[]) {
  return candidates.filter(({ time }) => ranges.some((range) => overlaps(range, time)));
}

function without(candidates: readonly Candidate[], others: readonly Candidate[]) {
  const left = new Set(others);
  return candidates.filter((one) => !left.has(one));
}

function groupOf(
  candidates: readonly Candidate[],
  how: Pick<SourceGroup, "merge" | "times">,
): SourceGroup {
  const deletes = [...new Set(candidates.flatMap((one) => one.deletes))];
  const sources = candidates.map(({ source }) => source);
  return { ...how, ...(deletes.length > 0 && { deletes }), sources };
}

function candidatesOf(view: View, table: TableSchema, time: TimeRange): readonly Candidate[] {
  const pending = view.deletes(table.id).filter((one) => overlaps(one.time, time));
  const files = view.files(table.id, time).map(({ file, stampAbove }): Candidate => {
    const whole = file.stampMin > stampAbove;
    const source: ScanSource = { kind: "file", file, ...(!whole && { stampAbove }) };
    const deletes = pending.filter((one) => mayCoverFile(one, file, stampAbove));
    return { source, time: file.time, unique: file.unique, deletes };
  });
  const buffers = view.buffers(table.id).map((buffer): Candidate => {
    const deletes = pending.filter(
      (one) => overlaps(one.time, buffer.time) && buffer.stampAbove < cutOf(one, buffer.node),
    );
    return { ...buffer, deletes };
  });
  return [...files, ...buffers];
}

function compare(left: bigint, right: bigint): number {
  if (left === right) return 0;
  return left < right ? -1 : 1;
}
