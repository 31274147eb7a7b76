import type { Expression } from "#model/query/expression.ts";
import type { Plan, WindowCall } from "#model/query/plan.ts";
import type { Query, Select, SqlExpression } from "../../sql/ast.ts";
import { checkNoGaps, withGaps } from "../aggregation/gapfill.ts";
import { withWindows } from "../aggregation/windows.ts";
import type { Binder, Clause } from "../bind/bind.ts";
import { standInOf } from "../bind/calls/calls.ts";
import { namesOf } from "../bind/calls/window.ts";
import { planningError } from "../bind/errors.ts";
import { scopeOf } from "../bind/scope.ts";
import { conjunctsOf, filtered } from "../conditions.ts";
import { mapWindow } from "../moving.ts";
import { mapChildren } from "../tree.ts";
import { binderFor, type Environment, type Rows } from "./environment.ts";
import { planFrom } from "./from.ts";
import { bindGroups, groupedRows } from "./groups.ts";
import { aliasesOf, bindItems, type Item, outputsOf } from "./items.ts";
import { bindKeys, type Key, limited, planOutput } from "./output.ts";
import { unnestedRows } from "./unnest.ts";

/** What of a query is around its SELECT. */
export type Tail = Pick<Query, "orderBy" | "limit" | "offset">;

/** The part of a SELECT above its rows or groups: all expressions are over the fields of `plan`. */
export interface Upper {
  readonly plan: Plan;
  readonly items: readonly Item[];
  readonly keys: readonly Key[];
  /** DISTINCT ON. */
  readonly on: readonly Expression[];
  readonly windows: readonly WindowCall[];
  /** Lists made of aggregates, whose items stand in the others. */
  readonly lists: readonly Expression[];
  /** Each must be true of rows that have their windows. */
  readonly qualify: readonly Expression[];
}

/** The rows of a SELECT. Throws as `planStatement`. */
export function planSelect(select: Select, tail: Tail, environment: Environment): Rows {
  const from = planFrom(select.from, environment);
  const scope = scopeOf(from.columns, environment.parent);
  const binder = binderFor(scope, environment, namesOf(select.windows));
  const where = bindIf(select.where, binder, { name: "WHERE", aggregates: false });
  const items = bindItems(select.items, binder, scope);
  const aliases = aliasesOf(select.items, items);
  const groups = bindGroups(select.groupBy, { binder, items, aliases });
  const last = aliases;
  const having = bindIf(select.having, binder, { name: "HAVING", aggregates: true, last });
  const keys = bindKeys(tail.orderBy, binder, items, outputsOf(items));
  const on = bindOn(select, binder, aliases);
  const rows = unnestedRows(filtered(from.plan, where), binder.unnests);
  const inQualify: Clause = { name: "QUALIFY", aggregates: true, windows: true, last };
  const qualify = bindIf(select.qualify, binder, inQualify);
  const { calls } = binder;
  if (select.qualify !== undefined && calls.windows.length === 0) {
    throw planningError(
      "QUALIFY clause requires window functions in the SELECT list or QUALIFY clause",
    );
  }
  const { lists, windows } = calls;
  let upper: Upper = { plan: rows, items, keys, on, lists, windows, qualify };
  const grouped = groups.groups.length > 0 || groups.sets !== undefined || having.length > 0;
  if (grouped || calls.aggregates.length > 0) {
    const aggregates = calls.aggregates.map((call, index) => {
      return { call, text: calls.aggregateTexts[index] ?? "" };
    });
    const { plan, regroup } = groupedRows(rows, groups, aggregates, scope);
    const passed = having.map((condition) => regroup(condition, "HAVING"));
    const filled = withGaps(plan, groups.groups, calls);
    upper = changed({ ...upper, plan: filtered(filled, passed) }, regroup);
  } else {
    checkNoGaps(calls);
  }
  const distinct = select.distinct === "rows";
  const { output, visible } = planOutput(windowed(itemized(upper), calls.windowTexts), distinct);
  return visible(limited(output, tail, environment));
}

/** The conditions that `predicate` says must be true. */
function bindIf(
  predicate: SqlExpression | undefined,
  binder: Binder,
  clause: Clause,
): readonly Expression[] {
  return predicate === undefined ? [] : conjunctsOf(binder.bindCondition(predicate, clause));
}

/** `upper` with a row for each item of its lists. */
function itemized(upper: Upper): Upper {
  if (upper.lists.length === 0) return upper;
  const first = upper.plan.fields.length;
  const plan = unnestedRows(
    upper.plan,
    upper.lists.map((list) => ({ list, level: 1 })),
  );
  const place = (expression: Expression): Expression => {
    if (expression.kind !== "input") return mapChildren(expression, place);
    const standIn = standInOf(expression.index);
    if (standIn?.kind !== "item") return expression;
    return { ...expression, index: first + standIn.place };
  };
  return changed({ ...upper, plan, lists: [] }, place);
}

/** `upper` with what its windows give. */
function windowed(upper: Upper, texts: readonly string[]): Upper {
  const { plan, place } = withWindows(upper.plan, upper.windows, texts);
  const placed = changed({ ...upper, plan, windows: [] }, place);
  return { ...placed, plan: filtered(plan, placed.qualify) };
}

/** `upper` with `change` applied to its expressions. */
function changed(
  upper: Upper,
  change: (expression: Expression, clause: string) => Expression,
): Upper {
  const { items, keys, lists, on, plan, qualify, windows } = upper;
  return {
    plan,
    items: items.map((item) => ({ ...item, expression: change(item.expression, "SELECT") })),
    keys: keys.map((key) => ({ ...key, expression: change(key.expression, "ORDER BY") })),
    on: on.map((expression) => change(expression, "DISTINCT ON")),
    lists: lists.map((list) => change(list, "SELECT")),
    windows: windows.map((call) => mapWindow(call, (part) => change(part, "OVER"))),
    qualify: qualify.map((condition) => change(condition, "QUALIFY")),
  };
}

function bindOn(
  { distinct }: Select,
  binder: Binder,
  last: ReadonlyMap<string, Expression>,
): readonly Expression[] {
  if (typeof distinct === "string") return [];
  const clause: Clause = { name: "DISTINCT ON", aggregates: true, windows: true, last };
  return distinct.map((expression) => binder.bind(expression, clause));
}
