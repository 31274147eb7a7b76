/** Rows of a scan in order of tags, time, and other tags: runs, whose times rise already, are merged by sorting numbers. */
import { compareText } from "#base/bytes.ts";
import type { SortKey } from "#model/query/expression.ts";
import type { Plan, ScanColumn, ScanPlan } from "#model/query/plan.ts";
import { rowCountOf } from "./gathered.ts";
import type { Piece } from "./pieces.ts";

/** Whole numbers up to this are exact as floats. */
const EXACT_MAX = 2 ** 53;
/** Times are counted in the largest of these that they are multiples of. */
const UNITS = [1e9, 1e6, 1e3, 1] as const;

export interface RowOrder {
  /** Tags by which rows are sorted before their time. */
  readonly groups: readonly ScanColumn[];
  /** Tags by which those of one time are. */
  readonly ties: readonly ScanColumn[];
  /** All the other way round. */
  readonly descending: boolean;
}

/** The places of rows, in order: piece, row in it, and the run that it is in. */
export interface Places {
  readonly pieces: Uint32Array;
  readonly rows: Uint32Array;
  readonly runs: Uint32Array;
}

/** The order that `plan`, a sort directly over the rows of `scan`, asks for; undefined where it is of another kind. */
export function orderOf(
  { keys }: Extract<Plan, { kind: "sort" }>,
  { columns }: ScanPlan,
): RowOrder | undefined {
  const sorted = keys.map(({ expression }) =>
    expression.kind === "input" ? columns[expression.index] : undefined,
  );
  const known = sorted.flatMap((column) => column ?? []);
  const timeAt = known.findIndex(({ kind }) => kind === "time");
  const others = known.filter(({ kind }) => kind !== "time");
  const fits =
    known.length === keys.length &&
    others.length === keys.length - 1 &&
    others.every(({ kind }) => kind === "tag");
  const descending = keys[0]?.descending ?? false;
  if (timeAt < 0 || !fits || !keys.every((key) => isPlain(key, descending))) return undefined;
  return { groups: known.slice(0, timeAt), ties: known.slice(timeAt + 1), descending };
}

/** NULL is least. */
function isPlain(key: SortKey, descending: boolean): boolean {
  return key.descending === descending && key.nullsFirst === !descending;
}

/** A range of rows of one series. */
interface Run {
  readonly piece: number;
  readonly run: number;
  readonly start: number;
  readonly end: number;
  /** Tags of the order, those of groups first. */
  readonly tags: readonly (string | null)[];
}

/** Where the wanted rows of `pieces` are, in order; undefined where their times are too far from each other to be told apart as floats. */
export function placesInOrder(pieces: readonly Piece[], order: RowOrder): Places | undefined {
  const runs = runsOf(pieces, order).toSorted((left, right) => compareTags(left.tags, right.tags));
  const clock = clockOf(pieces, runs);
  if (clock === undefined) return undefined;
  const count = pieces.reduce((sum, piece) => sum + rowCountOf(piece), 0);
  const places = {
    pieces: new Uint32Array(count),
    rows: new Uint32Array(count),
    runs: new Uint32Array(count),
  };
  let next = 0;
  for (let first = 0; first < runs.length; ) {
    const end = endOfGroup(runs, first, order.groups.length);
    const added = mergeGroup(runs.slice(first, end), { pieces, clock, places, next });
    if (added === undefined) return undefined;
    next += added;
    first = end;
  }
  if (order.descending)
    for (const list of [places.pieces, places.rows, places.runs]) list.reverse();
  return places;
}

function runsOf(pieces: readonly Piece[], { groups, ties }: RowOrder): readonly Run[] {
  return pieces.flatMap(({ ranges, runs }, piece) => {
    const tags = [...groups, ...ties].map(({ id }) => runs.tags.get(id));
    return ranges.map(({ end, run, start }): Run => {
      const texts = tags.map((tag) => tag?.texts[tag.codes[run] as number] ?? null);
      return { piece, run, start, end, tags: texts };
    });
  });
}

function compareTags(left: readonly (string | null)[], right: readonly (string | null)[]): number {
  for (const [index, one] of left.entries()) {
    const other = right[index] ?? null;
    if (one === other) continue;
    if (one === null || other === null) return one === null ? -1 : 1;
    return compareText(one, other);
  }
  return 0;
}

function endOfGroup(runs: readonly Run[], first: number, count: number): number {
  const tags = runs[first]?.tags.slice(0, count) ?? [];
  let end = first + 1;
  while (end < runs.length && tags.every((tag, index) => runs[end]?.tags[index] === tag)) end += 1;
  return end;
}

/** How times of pieces become small whole numbers: what is added to the offsets of each, and what a unit of the sum is. */
interface PieceClock {
  readonly ahead: readonly number[];
  readonly unit: number;
  /** Above all of them. */
  readonly limit: number;
}

function clockOf(pieces: readonly Piece[], runs: readonly Run[]): PieceClock | undefined {
  let base = pieces[0]?.times.base ?? 0n;
  for (const { times } of pieces) if (times.base < base) base = times.base;
  const ahead = pieces.map(({ times }) => Number(times.base - base));
  let unitAt = 0;
  let most = 0;
  for (const { end, piece, start } of runs) {
    const offsets = (pieces[piece] as Piece).times.offsets;
    const before = ahead[piece] as number;
    most = Math.max(most, before + (offsets[end - 1] as number));
    for (let row = start; row < end; row += 1)
      while ((before + (offsets[row] as number)) % (UNITS[unitAt] as number) !== 0) unitAt += 1;
  }
  const unit = UNITS[unitAt] as number;
  return most < EXACT_MAX ? { ahead, unit, limit: Math.floor(most / unit) + 1 } : undefined;
}

interface Merging {
  readonly pieces: readonly Piece[];
  readonly clock: PieceClock;
  readonly places: Places;
  /** Where the rows of the group begin. */
  readonly next: number;
}

/** Puts the rows of `runs`, which are sorted by ties, by time; answers how many. */
function mergeGroup(
  runs: readonly Run[],
  { clock, next, pieces, places }: Merging,
): number | undefined {
  if (clock.limit * runs.length >= EXACT_MAX) return undefined;
  const total = runs.reduce((sum, { end, start }) => sum + end - start, 0);
  const keys = new Float64Array(total);
  const rows = new Uint32Array(total);
  /** For each run the place in `rows` of its next row. */
  const cursors = new Uint32Array(runs.length);
  let count = 0;
  for (const [rank, { end, piece, start }] of runs.entries()) {
    cursors[rank] = count;
    const { mask, times } = pieces[piece] as Piece;
    const ahead = clock.ahead[piece] as number;
    for (let row = start; row < end; row += 1) {
      if (mask?.[row] === 0) continue;
      rows[count] = row;
      keys[count] = ((ahead + (times.offsets[row] as number)) / clock.unit) * runs.length + rank;
      count += 1;
    }
  }
  const sorted = keys.subarray(0, count);
  if (runs.length > 1) sorted.sort();
  for (let index = 0; index < count; index += 1) {
    const rank = (sorted[index] as number) % runs.length;
    const { piece, run } = runs[rank] as Run;
    const cursor = cursors[rank] as number;
    cursors[rank] = cursor + 1;
    places.pieces[next + index] = piece;
    places.rows[next + index] = rows[cursor] as number;
    places.runs[next + index] = run;
  }
  return count;
}
