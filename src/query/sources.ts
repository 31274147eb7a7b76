import type { ScanSource, SourceGroup } from "#model/plan.ts";
import type { TableSchema } from "#model/schema.ts";
import { overlaps, type TimeRange } from "#model/time-range.ts";
import type { View } from "#view/view.ts";

/** A file or a piece of the buffer, as planning sees it. */
interface Candidate {
  readonly source: ScanSource;
  readonly time: TimeRange;
  readonly unique: boolean;
}

/**
 * What of `view` may hold rows of `table` in `time`, grouped so that rows with the same series and time are never in two
 * groups. Sources whose times overlap are merged; one that is alone is read as it is, if it holds no series and time twice.
 */
export function sourceGroups(
  view: View,
  table: TableSchema,
  time: TimeRange,
): readonly SourceGroup[] {
  const candidates = candidatesOf(view, table).filter((candidate) =>
    overlaps(candidate.time, time),
  );
  const sorted = candidates.toSorted((left, right) => compare(left.time.start, right.time.start));
  const groups: { members: Candidate[]; end: bigint }[] = [];
  for (const candidate of sorted) {
    // Two that meet each other and the query's time meet within it, so nothing need be cut to it.
    const { start, end } = candidate.time;
    const open = groups.at(-1);
    if (open !== undefined && start <= open.end) {
      open.members.push(candidate);
      if (end > open.end) open.end = end;
    } else groups.push({ members: [candidate], end });
  }
  return groups.map(({ members }) => ({
    merge: members.length > 1 || members.some(({ unique }) => !unique),
    sources: members.map(({ source }) => source),
  }));
}

function candidatesOf(view: View, table: TableSchema): readonly Candidate[] {
  const files = view.files(table.id).map(({ file, stampAbove }): Candidate => {
    const whole = file.stampMin > stampAbove;
    const source: ScanSource = { kind: "file", file, ...(!whole && { stampAbove }) };
    return { source, time: file.time, unique: file.unique };
  });
  return [...files, ...view.buffers(table.id)];
}

function compare(left: bigint, right: bigint): number {
  if (left === right) return 0;
  return left < right ? -1 : 1;
}
