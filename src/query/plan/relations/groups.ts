import { DbError } from "#base/errors.ts";
import type { AggregateCall, Expression } from "#model/query/expression.ts";
import type { Field, Plan } from "#model/query/plan.ts";
import type { GroupBy, GroupItem, SqlExpression } from "../../sql/ast.ts";
import { shown } from "../../sql/errors.ts";
import type { Binder } from "../bind/bind.ts";
import { standInOf } from "../bind/calls/calls.ts";
import { planningError } from "../bind/errors.ts";
import { qualifiedName, type Scope } from "../bind/scope.ts";
import { changeOuter, collectInputs, mapAggregate } from "../moving.ts";
import { ExpressionNumbers, mapChildren } from "../tree.ts";
import { nullable } from "./environment.ts";
import { type Item, type NamedExpression, positionOf } from "./items.ts";

/** Sets of groups that GROUPING SETS, ROLLUP and CUBE may make. */
const SETS_MAX = 4_096;

/** What the rows of a SELECT are grouped by. */
export interface Groups {
  readonly groups: readonly NamedExpression[];
  /** Positions in `groups`; undefined where there is one set, of all. */
  readonly sets: readonly (readonly number[])[] | undefined;
}

/** What names mean in GROUP BY. */
export interface GroupNames {
  readonly binder: Binder;
  readonly items: readonly Item[];
  readonly aliases: ReadonlyMap<string, Expression>;
}

export function bindGroups(groupBy: GroupBy, names: GroupNames): Groups {
  if (groupBy === "all") return { groups: names.items.filter(hasNoAggregate), sets: undefined };
  const simple = groupBy.flatMap((item) => (item.kind === "expression" ? item.expression : []));
  if (simple.length === groupBy.length) {
    return { groups: simple.map((expression) => bindGroup(expression, names)), sets: undefined };
  }
  const groups: NamedExpression[] = [];
  const numbers = new ExpressionNumbers();
  const places = new Map<number, number>();
  const placeOf = (expression: SqlExpression): number => {
    const group = bindGroup(expression, names);
    const number = numbers.numberOf(group.expression);
    const place = places.get(number) ?? groups.push(group) - 1;
    places.set(number, place);
    return place;
  };
  let sets: readonly (readonly number[])[] = [[]];
  for (const item of groupBy) {
    const more = setsOf(item, placeOf);
    if (sets.length * more.length > SETS_MAX) throw tooManySets();
    sets = sets.flatMap((set) => more.map((other) => [...new Set([...set, ...other])]));
  }
  return { groups, sets };
}

function setsOf(
  item: GroupItem,
  placeOf: (expression: SqlExpression) => number,
): readonly (readonly number[])[] {
  if (item.kind === "expression") return [[placeOf(item.expression)]];
  const sets = item.sets.map((set) => set.map(placeOf));
  switch (item.kind) {
    case "sets":
      return sets;
    case "rollup":
      return Array.from({ length: sets.length + 1 }, (_, left) =>
        sets.slice(0, sets.length - left).flat(),
      );
    case "cube": {
      if (2 ** sets.length > SETS_MAX) throw tooManySets();
      return Array.from({ length: 2 ** sets.length }, (_, left) =>
        sets.filter((_set, index) => (left & (1 << index)) === 0).flat(),
      );
    }
  }
}

function tooManySets(): DbError {
  return new DbError(
    "exceeded",
    "sql_too_complex",
    `GROUP BY makes more than ${SETS_MAX} sets of groups: name fewer columns in CUBE, or write the sets that are needed.`,
    { detail: { sizeMax: SETS_MAX } },
  );
}

/** A whole number is a position in the SELECT list; columns come before aliases. */
function bindGroup(group: SqlExpression, { aliases, binder, items }: GroupNames): NamedExpression {
  const position = positionOf(group);
  if (position === undefined) {
    const expression = binder.bind(group, { name: "GROUP BY", aggregates: false, last: aliases });
    return checkedGroup({ name: binder.text(group), expression }, binder);
  }
  const item = items[position - 1];
  if (item !== undefined) return checkedGroup(item, binder);
  throw planningError(
    `Cannot find column with position ${position} in SELECT clause. Valid columns: 1 to ${items.length}`,
  );
}

function checkedGroup({ name, expression }: NamedExpression, binder: Binder): NamedExpression {
  if (!hasNoAggregate({ expression })) {
    throw planningError("Aggregate functions are not allowed in GROUP BY");
  }
  return { name, expression: binder.use(expression) };
}

function hasNoAggregate({ expression }: Pick<NamedExpression, "expression">): boolean {
  const inputs = new Set<number>();
  collectInputs(expression, inputs);
  return [...inputs].every((index) => index >= 0);
}

/** Rows of `input` as their groups, and the way that expressions over the former are put over the latter. */
export interface Grouped {
  readonly plan: Extract<Plan, { kind: "aggregate" }>;
  /**
   * Windows stay what stands for them; fills are fields behind those of `plan`. Throws DbError `invalid` / `sql_planning` for a column
   * that is in no group.
   */
  readonly regroup: (expression: Expression, clause: string) => Expression;
}

/** An aggregate and its text. */
export interface NamedAggregate {
  readonly call: AggregateCall;
  readonly text: string;
}

export function groupedRows(
  input: Plan,
  { groups, sets }: Groups,
  aggregates: readonly NamedAggregate[],
  scope: Scope,
): Grouped {
  const numbers = new ExpressionNumbers();
  const places = new Map(
    groups.map(({ expression }, place) => [numbers.numberOf(expression), place]),
  );
  const named = sets !== undefined || aggregates.some(({ call }) => call.name === "grouping");
  const below = named ? withGroups(input, groups) : input;
  const groupAt = (place: number): Expression => {
    const expression = groups[place]?.expression ?? { kind: "literal", value: null, type: "null" };
    if (!named) return expression;
    return { kind: "input", index: input.fields.length + place, type: expression.type };
  };
  const groupOf = (expression: Expression): Expression => {
    const place = places.get(numbers.numberOf(expression));
    if (place !== undefined) return groupAt(place);
    throw planningError("Argument expressions to GROUPING must appear in GROUP BY");
  };
  const plan: Grouped["plan"] = {
    kind: "aggregate",
    fields: [
      ...groups.map(({ name, expression }) => {
        const field = groupField(name, expression, input);
        return sets === undefined ? field : nullable(field);
      }),
      ...aggregates.map(({ call, text }) => ({ name: text, type: call.type })),
    ],
    input: below,
    groups: groups.map((_, place) => groupAt(place)),
    ...(named ? { groupingSets: sets ?? [groups.map((_, place) => place)] } : {}),
    aggregates: aggregates.map(({ call }) =>
      call.name === "grouping" ? mapAggregate(call, groupOf) : call,
    ),
  };
  return { plan, regroup: regrouping({ groups, aggregates, scope, numbers, places }) };
}

function groupField(name: string, expression: Expression, input: Plan): Field {
  const column = expression.kind === "input" ? input.fields[expression.index]?.column : undefined;
  return { name, type: expression.type, ...(column === undefined ? {} : { column }) };
}

/** `input` with the groups as columns at its end, so that sets of them and `grouping` mean the same ones. */
function withGroups(input: Plan, groups: readonly NamedExpression[]): Plan {
  const own = input.fields.map(({ type }, index): Expression => ({ kind: "input", index, type }));
  return {
    kind: "project",
    fields: [
      ...input.fields,
      ...groups.map(({ name, expression }) => groupField(name, expression, input)),
    ],
    input,
    expressions: [...own, ...groups.map(({ expression }) => expression)],
  };
}

interface Regrouping {
  readonly groups: readonly NamedExpression[];
  readonly aggregates: readonly NamedAggregate[];
  readonly scope: Scope;
  readonly numbers: ExpressionNumbers;
  readonly places: ReadonlyMap<number, number>;
}

/** Puts groups and aggregates in place of the expressions that compute them. */
function regrouping(parts: Regrouping): Grouped["regroup"] {
  const { aggregates, groups, numbers, places } = parts;
  const regroup = (expression: Expression, clause: string): Expression => {
    const { type } = expression;
    const place = places.get(numbers.numberOf(expression));
    if (place !== undefined) return { kind: "input", index: place, type };
    if (expression.kind !== "input") {
      const changed = mapChildren(expression, (child) => regroup(child, clause));
      if (changed.kind !== "subquery") return changed;
      const plan = changeOuter(changed.plan, (outer, depth) => {
        if (outer.level > 1) return { ...outer, level: outer.level + depth };
        const input = regroup({ kind: "input", index: outer.index, type: outer.type }, clause);
        const index = input.kind === "input" ? input.index : outer.index;
        return { ...outer, level: 1 + depth, index };
      });
      return { ...changed, plan };
    }
    const standIn = standInOf(expression.index);
    if (standIn?.kind === "aggregate") {
      return { kind: "input", index: groups.length + standIn.place, type };
    }
    if (standIn?.kind === "fill") {
      return { kind: "input", index: groups.length + aggregates.length + standIn.place, type };
    }
    if (standIn !== undefined) return expression;
    throw notGrouped(expression.index, clause, parts);
  };
  return regroup;
}

function notGrouped(
  index: number,
  clause: string,
  { aggregates, groups, scope }: Regrouping,
): DbError {
  const found = scope.columns[index];
  const column = found === undefined ? "" : qualifiedName(found.relation, found.field.name);
  const allowed = [...groups.map(({ name }) => name), ...aggregates.map(({ text }) => text)];
  return planningError(
    `Column in ${clause} must be in GROUP BY or an aggregate function: While expanding wildcard, ` +
      `column "${shown(column)}" must appear in the GROUP BY clause or must be part of an aggregate function, ` +
      `currently only "${shown(allowed.join(", "))}" appears in the SELECT clause satisfies this requirement`,
    { detail: { column: shown(column) } },
  );
}
