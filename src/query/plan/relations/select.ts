import type { Expression } from "#model/query/expression.ts";
import type { Plan } from "#model/query/plan.ts";
import type { Query, Select } from "../../sql/ast.ts";
import { unsupported } from "../../sql/errors.ts";
import type { Binder, Clause } from "../bind/bind.ts";
import { scopeOf } from "../bind/scope.ts";
import { conjunctsOf, filtered } from "../conditions.ts";
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
}

/** The rows of a SELECT. Throws as `planStatement`. */
export function planSelect(select: Select, tail: Tail, environment: Environment): Rows {
  if (select.windows.length > 0 || select.qualify !== undefined)
    throw unsupported("window functions");
  const from = planFrom(select.from, environment);
  const scope = scopeOf(from.columns, environment.parent);
  const binder = binderFor(scope, environment);
  const where =
    select.where === undefined
      ? undefined
      : binder.bindCondition(select.where, { name: "WHERE", aggregates: false });
  const items = bindItems(select.items, binder, scope);
  const aliases = aliasesOf(select.items, items);
  const groups = bindGroups(select.groupBy, { binder, items, aliases });
  const inHaving: Clause = { name: "HAVING", aggregates: true, last: aliases };
  const having =
    select.having === undefined ? undefined : binder.bindCondition(select.having, inHaving);
  const keys = bindKeys(tail.orderBy, binder, items, outputsOf(items));
  const on = bindOn(select, binder, aliases);
  const rows = unnestedRows(filtered(from.plan, conjunctsOf(where)), binder.unnests);
  let upper: Upper = { plan: rows, items, keys, on };
  const grouped = groups.groups.length > 0 || groups.sets !== undefined || having !== undefined;
  if (grouped || binder.aggregates.length > 0) {
    const aggregates = binder.aggregates.map((call, index) => {
      return { call, text: binder.aggregateTexts[index] ?? "" };
    });
    const { plan, regroup } = groupedRows(rows, groups, aggregates, scope);
    const passed = having === undefined ? [] : [regroup(having, "HAVING")];
    upper = changed({ ...upper, plan: filtered(plan, passed) }, regroup);
  }
  const distinct = select.distinct === "rows";
  const { output, visible } = planOutput(upper, distinct);
  return visible(limited(output, tail, environment));
}

/** `upper` with `change` applied to its expressions. */
function changed(
  upper: Upper,
  change: (expression: Expression, clause: string) => Expression,
): Upper {
  const { items, keys, on, plan } = upper;
  return {
    plan,
    items: items.map((item) => ({ ...item, expression: change(item.expression, "SELECT") })),
    keys: keys.map((key) => ({ ...key, expression: change(key.expression, "ORDER BY") })),
    on: on.map((expression) => change(expression, "DISTINCT ON")),
  };
}

function bindOn(
  { distinct }: Select,
  binder: Binder,
  last: ReadonlyMap<string, Expression>,
): readonly Expression[] {
  if (typeof distinct === "string") return [];
  const clause: Clause = { name: "DISTINCT ON", aggregates: true, last };
  return distinct.map((expression) => binder.bind(expression, clause));
}
