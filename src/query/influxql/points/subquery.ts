import type { Expression } from "../ast.ts";
import type { Points, SeriesKey } from "../points.ts";
import type { ResolvedSelect, VariableInput } from "../resolved.ts";
import { type ConditionRows, type Matcher, rowsWhere } from "./condition.ts";
import { checkMerged, compareSeries, type MergeOptions, RowMerge } from "./merge.ts";
import type { Rows } from "./reduce/reducer.ts";
import {
  ColumnBuilder,
  columnType,
  gather,
  type PointColumn,
  pointColumn,
} from "./values/columns.ts";

export interface SubqueryOptions {
  readonly select: ResolvedSelect;
  readonly condition: Expression | undefined;
  /** Of the SELECT around it. */
  readonly dimensions: readonly string[];
  readonly variables: readonly VariableInput[];
  readonly matcher: Matcher;
}

/** The rows of a subquery as the SELECT around it reads them: of its series, with its variables as columns, by time. */
export async function* subqueryPoints(
  rows: AsyncIterable<Points>,
  options: SubqueryOptions,
): AsyncGenerator<Points> {
  const { select, dimensions } = options;
  const places = dimensions.map((name) => select.dimensions.indexOf(name));
  const regroup = dimensions.length === select.dimensions.length ? undefined : new Regroup(options);
  const contiguous = places.every((place, index) => place === index);
  for await (const piece of rows) {
    const series = {
      name: piece.series.name,
      tags: places.map((place) => piece.series.tags[place] ?? ""),
    };
    const read = readRows(piece, options);
    if (regroup === undefined) {
      yield { series, ...read, rowCount: read.times.length, last: piece.last };
      continue;
    }
    const begins = regroup.add(series, read, piece);
    if (begins && contiguous) yield* regroup.finishOthers();
  }
  if (regroup !== undefined) yield* regroup.finish();
}

/** The rows of `piece` for which the condition is true, with the variables as columns. */
function readRows(piece: Points, options: SubqueryOptions): Rows {
  const { select, condition, variables, matcher } = options;
  const place = new Map<string, number>();
  // Of two columns of one name the first is meant.
  select.outputs.forEach(({ name }, index) => {
    if (!place.has(name)) place.set(name, index);
  });
  const named = (name: string): PointColumn | undefined => {
    const index = place.get(name);
    return index === undefined ? undefined : pointColumn(piece.columns[index]);
  };
  const tag = (name: string): string => {
    const index = select.dimensions.indexOf(name);
    return index < 0 ? "" : (piece.series.tags[index] ?? "");
  };
  const columns = variables.map(({ name, type }) => {
    const column = named(name);
    if (column !== undefined) return castColumn(column, columnType(type));
    if (!select.dimensions.includes(name)) return { type: "null" } as const;
    const text = tag(name);
    return { type: "string", values: Array.from(piece.times, () => text) } as const;
  });
  if (condition === undefined) return { times: piece.times, columns };
  const rows: ConditionRows = { rowCount: piece.rowCount, column: named, tag };
  const chosen = rowsWhere(condition, rows, matcher);
  if (chosen.length === piece.rowCount) return { times: piece.times, columns };
  return {
    times: BigInt64Array.from(chosen, (row) => piece.times[row] ?? 0n),
    columns: columns.map((column) => gather(column, chosen)),
  };
}

function castColumn(column: PointColumn, type: PointColumn["type"]): PointColumn {
  if (column.type === type || column.type === "null") return column;
  const builder = new ColumnBuilder(type, column.values.length);
  for (let row = 0; row < column.values.length; row += 1) builder.pushFrom(column, row);
  return builder.finish();
}

interface Group {
  readonly series: SeriesKey;
  readonly rows: RowMerge;
}

/** Series put together to those of fewer tags. */
class Regroup {
  readonly #options: MergeOptions;
  readonly #keepLists: boolean;
  #groups = new Map<string, Group>();
  #current: string | undefined;
  #lastKey = "";
  /** Rows of all groups. */
  #held = 0;

  constructor({ select, variables }: SubqueryOptions) {
    this.#options = {
      descending: select.descending,
      seriesDescending: select.seriesDescending,
      types: variables.map(({ type }) => columnType(type)),
    };
    this.#keepLists = choosesOneRow(select);
  }

  /** Whether `series` is another than that of the call before. */
  add(series: SeriesKey, rows: Rows, piece: Points): boolean {
    const key = [series.name, ...series.tags].join("\0");
    const begins = this.#current !== undefined && this.#current !== key;
    this.#current = key;
    let group = this.#groups.get(key);
    if (group === undefined) {
      group = { series, rows: new RowMerge(this.#options) };
      this.#groups.set(key, group);
    }
    const inner = [piece.series.name, ...piece.series.tags].join("\0");
    if (inner !== this.#lastKey) group.rows.next();
    this.#lastKey = inner;
    group.rows.add(rows);
    this.#held += rows.times.length;
    checkMerged(this.#held);
    return begins;
  }

  /** All series but the one that was added to last. */
  *finishOthers(): Generator<Points> {
    const current = this.#groups.get(this.#current ?? "");
    const others = [...this.#groups.values()].filter((group) => group !== current);
    this.#groups = new Map(current === undefined ? [] : [[this.#current ?? "", current]]);
    this.#held = current?.rows.count ?? 0;
    yield* this.#emit(others);
  }

  *finish(): Generator<Points> {
    const groups = [...this.#groups.values()];
    this.#groups = new Map();
    yield* this.#emit(groups);
  }

  *#emit(groups: readonly Group[]): Generator<Points> {
    const sign = this.#options.seriesDescending ? -1 : 1;
    const sorted = groups.toSorted(
      (left, right) => compareSeries(left.series, right.series) * sign,
    );
    for (const { series, rows } of sorted) {
      yield { series, ...rows.finish(this.#keepLists), last: true };
    }
  }
}

const ONE_ROW: ReadonlySet<string> = new Set(["first", "last", "min", "max"]);

/** Whether the rows of a subquery are those that one selector chose of each series: they stand in the order of series, not of time. */
function choosesOneRow({ window, inputs, outputs }: ResolvedSelect): boolean {
  const reducers = inputs.filter((input) => input.kind === "reducer");
  const [only] = reducers;
  return (
    window === undefined &&
    only !== undefined &&
    reducers.length === 1 &&
    ONE_ROW.has(only.name) &&
    outputs.every(({ expression }) => expression.kind !== "transform")
  );
}
