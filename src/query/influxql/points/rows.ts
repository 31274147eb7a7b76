import { intersection, type TimeRange } from "#model/time-range.ts";
import type { Random } from "#ports/random.ts";
import type { Points, SeriesKey } from "../points.ts";
import type { ResolvedSelect, ResolvedSource, VariableInput } from "../resolved.ts";
import type { Matcher } from "./condition.ts";
import { Defaults } from "./fold/join.ts";
import { type LaneContext, type LaneWork, reducedWork, rowWork } from "./fold/lanes.ts";
import { Quota } from "./fold/quota.ts";
import { outputColumn, SeriesFold } from "./fold/series.ts";
import { type LaneSpec, type LaneSpecs, laneSpecs, unknownLanes } from "./fold/specs.ts";
import { merged, rowsIn, type Stream, sameSeries } from "./merge.ts";
import { reduceRequests } from "./reduce-requests.ts";
import { limitSeries } from "./series-limit.ts";
import type { BestRows, PointSource } from "./source.ts";
import { subqueryPoints } from "./subquery.ts";
import { columnType, pointColumn, sliceColumn } from "./values/columns.ts";
import type { Work } from "./values/work.ts";
import { besideOf, isSelector, keyOfVariable, variablesOf } from "./variables.ts";

/** What a SELECT needs beside itself. */
export interface Outside {
  readonly source: PointSource;
  readonly random: Random;
  readonly matcher: Matcher;
  /** Aborted when the statement is to end. */
  readonly signal: AbortSignal;
}

/** What a SELECT and those within it need. */
export interface Inside extends Outside {
  readonly work: Work;
}

/** The rows of a SELECT, with its outputs as columns. Series without rows do not come. */
export function rowsOf(select: ResolvedSelect, outside: Inside): AsyncIterable<Points> {
  return select.raw ? rawRows(select, outside) : foldedRows(select, outside);
}

async function* rawRows(select: ResolvedSelect, outside: Inside): AsyncGenerator<Points> {
  const variables = variablesOf(select);
  const indexOf = indexIn(variables);
  const rowsMax = select.limit === 0 ? undefined : select.limit + select.offset;
  const asked = { variables, time: select.time, rowsMax, best: undefined };
  const points = sourcePoints(select, outside, asked);
  let series: SeriesKey | undefined;
  let quota = new Quota(select);
  let defaults = new Defaults(select.fill);
  for await (const piece of points) {
    if (series === undefined || !sameSeries(series, piece.series)) {
      series = piece.series;
      quota = new Quota(select);
      defaults = new Defaults(select.fill);
    }
    const [start, end] = quota.take(piece.rowCount);
    const whole = start === 0 && end === piece.rowCount;
    const columns = piece.columns.map((column, index) => {
      const known = pointColumn(column);
      return defaults.apply(whole ? known : sliceColumn(known, start, end), index);
    });
    const cells = {
      rowCount: end - start,
      columnOf: (expression: { readonly kind: string; readonly index?: number }) => {
        const input =
          expression.kind === "input" ? select.inputs[expression.index ?? -1] : undefined;
        const column = input?.kind === "variable" ? columns[indexOf(input)] : undefined;
        return column ?? ({ type: "null" } as const);
      },
    };
    yield {
      series,
      rowCount: cells.rowCount,
      times: whole ? piece.times : piece.times.subarray(start, end),
      columns: select.outputs.map((output) => outputColumn(output, cells)),
      last: piece.last,
    };
  }
}

function indexIn(variables: readonly VariableInput[]): (variable: VariableInput) => number {
  const places = new Map(variables.map((variable, index) => [keyOfVariable(variable), index]));
  return (variable) => places.get(keyOfVariable(variable)) ?? -1;
}

async function* foldedRows(select: ResolvedSelect, outside: Inside): AsyncGenerator<Points> {
  const specs = laneSpecs(select);
  const { points, newWorks } = foldInput(select, specs, outside);
  const indexOfBeside = indexIn(besideOf(select));
  const newFold = ({ name }: SeriesKey): SeriesFold =>
    new SeriesFold({
      select,
      work: outside.work,
      works: newWorks(),
      unknown: unknownLanes(select, specs.lanes, name),
      laneOf: specs.laneOf,
      besideOf: (expression) =>
        expression.kind === "beside" ? indexOfBeside(expression.input) : -1,
    });
  let current: { readonly series: SeriesKey; readonly fold: SeriesFold } | undefined;
  for await (const piece of points) {
    if (current !== undefined && !sameSeries(current.series, piece.series)) {
      yield { series: current.series, ...(await current.fold.finish()), last: true };
      current = undefined;
    }
    current ??= { series: piece.series, fold: newFold(piece.series) };
    const { series, fold } = current;
    if (fold.spent) continue;
    const rows = await fold.add(rowsIn(piece));
    if (rows !== undefined && rows.rowCount > 0) yield { series, ...rows, last: false };
  }
  if (current !== undefined)
    yield { series: current.series, ...(await current.fold.finish()), last: true };
}

interface FoldInput {
  readonly points: AsyncIterable<Points>;
  readonly newWorks: () => readonly LaneWork[];
}

/** What lanes work on: rows that the source has reduced, where it can, else rows as they are. */
function foldInput(select: ResolvedSelect, specs: LaneSpecs, outside: Inside): FoldInput {
  const { lanes } = specs;
  const [only] = lanes;
  const selector =
    lanes.length === 1 &&
    only?.reducer !== undefined &&
    only.transforms.length === 0 &&
    isSelector(only.reducer);
  const beside = besideOf(select);
  const readTime = hullOf(lanes, select);
  const columnCount = Math.max(lanes.length + beside.length, select.outputs.length);
  const { random, work } = outside;
  const context = { select, selector, random, work, columnCount, readTime };
  const requests = reduceRequests(select, { lanes, selector, beside }, outside.source);
  if (requests !== undefined) {
    const types = [
      ...lanes.map(({ reducer }) => columnType(reducer?.type)),
      ...besideTypes(beside),
    ];
    const streams = requests.map((request) => {
      const { source: table } = request;
      const points = outside.source.reduced(request);
      const limited = limitSeries(points, { select, table, source: outside.source });
      return { name: table.name, points: limited };
    });
    const read: LaneContext = {
      ...context,
      indexOf: () => -1,
      beside: beside.map(({ type }, index) => ({
        index: lanes.length + index,
        type: columnType(type),
      })),
    };
    return {
      points: merged(streams, { ...ordersOf(select), types }),
      newWorks: () => lanes.map((spec, index) => reducedWork(spec, index, read)),
    };
  }
  const variables = variablesOf(select);
  const indexOf = indexIn(variables);
  const alone = lanes.length === 1;
  const planned = lanes.map((spec) => ({ spec, end: { reached: false, hadTooFew: true, alone } }));
  const read: LaneContext = {
    ...context,
    indexOf,
    beside: beside.map((variable) => ({
      index: indexOf(variable),
      type: columnType(variable.type),
    })),
  };
  return {
    points: sourcePoints(select, outside, {
      variables,
      time: readTime,
      rowsMax: undefined,
      best: bestOf(select, lanes),
    }),
    newWorks: () => planned.map(({ spec, end }) => rowWork(spec, read, end)),
  };
}

/** What `top` or `bottom` needs, where it is one of all rows. */
function bestOf(
  { dimensions, window }: ResolvedSelect,
  [lane, ...others]: readonly LaneSpec[],
): BestRows | undefined {
  const { reducer, transforms } = lane ?? {};
  if (reducer === undefined || window !== undefined) return undefined;
  if ([...dimensions, ...others, ...(transforms ?? []), ...reducer.keys].length > 0)
    return undefined;
  const { argument: variable, name, parameter: count } = reducer;
  if ((name !== "top" && name !== "bottom") || count === undefined) return undefined;
  return { variable, count, least: name === "bottom" };
}

function besideTypes(beside: readonly VariableInput[]) {
  return beside.map(({ type }) => columnType(type));
}

function hullOf(lanes: readonly LaneSpec[], { time }: ResolvedSelect): TimeRange {
  return lanes.reduce(
    (whole, lane) => ({
      start: lane.time.start < whole.start ? lane.time.start : whole.start,
      end: lane.time.end > whole.end ? lane.time.end : whole.end,
    }),
    time,
  );
}

interface SourceRequest {
  readonly variables: readonly VariableInput[];
  readonly time: TimeRange;
  readonly rowsMax: number | undefined;
  readonly best: BestRows | undefined;
}

/** Rows of all sources of `select`. */
function sourcePoints(
  select: ResolvedSelect,
  outside: Inside,
  request: SourceRequest,
): AsyncIterable<Points> {
  const streams = select.sources.map((source): Stream => {
    const points = pointsOf(source, select, outside, request);
    // A subquery has the limits of what is around it in its own.
    if (source.kind !== "table") return { name: undefined, points };
    const limited = limitSeries(points, { select, table: source, source: outside.source });
    return { name: source.name, points: limited };
  });
  return merged(streams, {
    ...ordersOf(select),
    types: request.variables.map(({ type }) => columnType(type)),
  });
}

function ordersOf({ descending, seriesDescending }: ResolvedSelect) {
  return { descending, seriesDescending };
}

function pointsOf(
  source: ResolvedSource,
  select: ResolvedSelect,
  outside: Inside,
  request: SourceRequest,
): AsyncIterable<Points> {
  if (source.kind === "table") {
    const { dimensions } = select;
    return outside.source.raw({ ...request, ...ordersOf(select), source, dimensions });
  }
  const inner = widened(source.select, request.time);
  return subqueryPoints(rowsOf(inner, outside), {
    select: inner,
    condition: source.condition,
    dimensions: select.dimensions,
    variables: request.variables,
    matcher: outside.matcher,
  });
}

/** A subquery of which rows around its time are asked. */
function widened(select: ResolvedSelect, asked: TimeRange): ResolvedSelect {
  if (asked.start >= select.time.start && asked.end <= select.time.end) return select;
  const time = intersection(select.ownTime, asked);
  return time === undefined ? select : { ...select, time };
}
