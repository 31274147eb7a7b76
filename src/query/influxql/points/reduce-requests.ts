import type { ResolvedSelect, ResolvedSource, VariableInput } from "../resolved.ts";
import { keepsOwnTime } from "./fold/lanes.ts";
import type { LaneSpec } from "./fold/specs.ts";
import type { PointSource, ReduceRequest, TableSource } from "./source.ts";
import { zonelessWindow } from "./values/window.ts";

export interface ReducedLanes {
  readonly lanes: readonly LaneSpec[];
  /** Whether the one lane chooses rows. */
  readonly selector: boolean;
  readonly beside: readonly VariableInput[];
}

/** What to ask of the source for each table, where it can reduce all lanes of `select` at once; undefined where it cannot. */
export function reduceRequests(
  select: ResolvedSelect,
  { lanes, selector, beside }: ReducedLanes,
  source: PointSource,
): readonly ReduceRequest[] | undefined {
  const reducers = lanes.flatMap(({ reducer }) => (reducer === undefined ? [] : [reducer]));
  const [first] = lanes;
  if (first === undefined || reducers.length < lanes.length) return undefined;
  if (reducers.some(({ name }) => name === "integral")) return undefined;
  const { time } = first;
  if (lanes.some((lane) => lane.time.start !== time.start || lane.time.end !== time.end)) {
    return undefined;
  }
  const window = select.window && zonelessWindow(select.window, select.zone, time);
  if (window === undefined && select.window !== undefined) return undefined;
  const tables = select.sources.filter(isTable);
  const names = new Set(tables.map(({ name }) => name));
  if (tables.length < select.sources.length || names.size < tables.length) return undefined;
  const requests = tables.map((table) => ({
    source: table,
    time,
    dimensions: select.dimensions,
    descending: select.descending,
    seriesDescending: select.seriesDescending,
    window,
    reducers,
    beside,
    ownTime: first.reducer !== undefined && keepsOwnTime(first.reducer, selector, select.window),
    rowsMax: rowsMaxOf(select, lanes),
  }));
  return requests.every((request) => source.canReduce(request)) ? requests : undefined;
}

function isTable(source: ResolvedSource): source is TableSource {
  return source.kind === "table";
}

/** How many buckets of a series are enough, where that is known. */
function rowsMaxOf(
  { limit, offset, fill, window }: ResolvedSelect,
  lanes: readonly LaneSpec[],
): number | undefined {
  if (limit === 0 || fill.kind === "linear" || window === undefined) return undefined;
  if (lanes.some(({ transforms }) => transforms.length > 0)) return undefined;
  // Without empty buckets, each lane counts its own.
  if (fill.kind === "none" && lanes.length > 1) return undefined;
  return limit + offset;
}
