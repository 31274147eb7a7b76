/** Runs in parts: of whole windows each, one statement after the other. */
import type { Expression, SelectStatement, Source } from "../ast.ts";
import { checkGrouping } from "../check/dimensions.ts";
import { isMathName } from "../check/expressions.ts";
import type { TimeWindow } from "../resolved.ts";

/** Statements of one run. */
const PART_COUNT_MAX = 128;
/** So often a run is done in as many parts as before; then in half of them. */
const RUNS_ALIKE = 16;

/** Functions whose rows of a window are made of that window alone. */
const OF_ONE_WINDOW: ReadonlySet<string> = new Set([
  "bottom",
  "count",
  "distinct",
  "first",
  "last",
  "max",
  "mean",
  "median",
  "min",
  "mode",
  "percentile",
  "sample",
  "spread",
  "stddev",
  "sum",
  "top",
]);

/** Whether each window of `select`, and of its subqueries, has the same rows whatever other windows are read with it. */
export function hasLoneWindows(select: SelectStatement, window: TimeWindow): boolean {
  const { fields, fill } = select;
  // Of a series with rows in another window, an empty one counts 0.
  const countsEmpty = fields.some(({ expression }) => calls(expression, "count"));
  if (fill.kind === "null" ? countsEmpty : fill.kind !== "none") return false;
  return hasLoneRows(select) && select.from.every((source) => isLone(source, { select, window }));
}

function isLone(
  source: Source,
  around: { readonly select: SelectStatement; readonly window: TimeWindow },
): boolean {
  if (source.kind === "measurement") return true;
  const { select } = source;
  const { zone } = around.select;
  // Nulls of subqueries are no rows.
  if (select.zone !== zone || (select.fill.kind !== "null" && select.fill.kind !== "none"))
    return false;
  const window = checkGrouping(select, { nowNs: 0n, zone }).window ?? around.window;
  const isWithin =
    zone === undefined
      ? around.window.everyNs % window.everyNs === 0n &&
        (around.window.offsetNs - window.offsetNs) % window.everyNs === 0n
      : around.window.everyNs === window.everyNs && around.window.offsetNs === window.offsetNs;
  if (!isWithin || !hasLoneRows(select)) return false;
  return select.from.every((inner) => isLone(inner, { select, window }));
}

function hasLoneRows(select: SelectStatement): boolean {
  const { fields, limit, offset, seriesLimit, seriesOffset } = select;
  if (limit > 0 || offset > 0 || seriesLimit > 0 || seriesOffset > 0) return false;
  return fields.every(({ expression }) => isOfOneWindow(expression));
}

function isOfOneWindow(expression: Expression): boolean {
  switch (expression.kind) {
    case "parenthesized":
      return isOfOneWindow(expression.expression);
    case "binary":
      return isOfOneWindow(expression.left) && isOfOneWindow(expression.right);
    case "call":
      return (
        (OF_ONE_WINDOW.has(expression.name) || isMathName(expression.name)) &&
        expression.arguments.every(isOfOneWindow)
      );
    default:
      return true;
  }
}

function calls(expression: Expression, name: string): boolean {
  switch (expression.kind) {
    case "parenthesized":
      return calls(expression.expression, name);
    case "binary":
      return calls(expression.left, name) || calls(expression.right, name);
    case "call":
      return expression.name === name || expression.arguments.some((one) => calls(one, name));
    default:
      return false;
  }
}

/** In how many parts the runs of each query are done: as many as the last ones took, until fewer may do. */
export class PartCounts {
  /** Those in more than one, by the key of the query. */
  readonly #counts = new Map<string, { readonly count: number; readonly runsLeft: number }>();

  of(key: string): number {
    return this.#counts.get(key)?.count ?? 1;
  }

  /** A run was too much: the next one has twice as many. False where there are as many as may be. */
  raise(key: string): boolean {
    const count = this.of(key) * 2;
    if (count > PART_COUNT_MAX) return false;
    this.#counts.set(key, { count, runsLeft: RUNS_ALIKE });
    return true;
  }

  /** A run is done. */
  keep(key: string): void {
    const known = this.#counts.get(key);
    if (known === undefined) return;
    const { count, runsLeft } = known;
    if (runsLeft > 1) this.#counts.set(key, { count, runsLeft: runsLeft - 1 });
    else if (count > 2) this.#counts.set(key, { count: count / 2, runsLeft: RUNS_ALIKE });
    else this.#counts.delete(key);
  }

  /** Forgets the queries that `isThere` does not know. */
  forget(isThere: (key: string) => boolean): void {
    for (const key of this.#counts.keys()) if (!isThere(key)) this.#counts.delete(key);
  }
}
