/** Expressions and plans that are put somewhere else: over other fields, or more or fewer subqueries deep. */
import type { AggregateCall, Expression, SortKey } from "#model/query/expression.ts";
import { childrenOf } from "#model/query/expression.ts";
import type { Plan, WidePlan, WindowCall } from "#model/query/plan.ts";
import type { ValueType } from "#model/query/value-type.ts";
import { expressionsOf, inputsOf } from "#model/query/walk.ts";
import { mapChildren } from "./tree.ts";

type Change = (expression: Expression) => Expression;
/** What stands for a field of a row. */
export type ChangeInput = (index: number, type: ValueType) => Expression;
type Outer = Extract<Expression, { kind: "outer" }>;

/** Adds the positions of all fields that `expression` names to `indexes`, those that its subqueries name included. */
export function collectInputs(expression: Expression, indexes: Set<number>): void {
  if (expression.kind === "input") indexes.add(expression.index);
  if (expression.kind === "subquery") collectOuter(expression.plan, indexes);
  for (const child of childrenOf(expression)) collectInputs(child, indexes);
}

/** Adds the fields that `plan` names of the row right around it. */
export function collectOuter(plan: Plan, indexes: Set<number>): void {
  visitOuter(plan, 0, ({ level, index }) => {
    if (level === 1) indexes.add(index);
  });
}

/** Whether `expression` depends on rows of the statement around its own. */
export function hasOuter(expression: Expression): boolean {
  if (expression.kind === "outer") return true;
  if (expression.kind === "subquery" && planHasOuter(expression.plan, 1)) return true;
  return childrenOf(expression).some(hasOuter);
}

/** Whether `plan` names a row `above` or more levels around it. */
function planHasOuter(plan: Plan, above: number): boolean {
  let found = false;
  visitOuter(plan, 0, ({ level }) => {
    found ||= level > above;
  });
  return found;
}

export function hasSubquery(expression: Expression): boolean {
  return expression.kind === "subquery" || childrenOf(expression).some(hasSubquery);
}

/** `expression` with each input, in subqueries too, replaced; there only another field can stand, or what is computed from fields. */
export function changeInputs(expression: Expression, change: ChangeInput): Expression {
  switch (expression.kind) {
    case "input":
      return change(expression.index, expression.type);
    case "subquery": {
      const changed = mapChildren(expression, (child) => changeInputs(child, change));
      if (changed.kind !== "subquery") return changed;
      const plan = changeOuter(expression.plan, ({ level, index, type }, depth) =>
        level === 1
          ? raised(change(index, type), depth + 1)
          : { kind: "outer", level: level + depth, index, type },
      );
      return { ...changed, plan };
    }
    default:
      return mapChildren(expression, (child) => changeInputs(child, change));
  }
}

/** `expression` with each input moved to its place in `places`; what has none stays. */
export function moveInputs(
  expression: Expression,
  places: ReadonlyMap<number, number>,
): Expression {
  return changeInputs(expression, (index, type) => ({
    kind: "input",
    index: places.get(index) ?? index,
    type,
  }));
}

/** `expression` as it is named from `levels` subqueries further in. */
function raised(expression: Expression, levels: number): Expression {
  if (levels === 0) return expression;
  switch (expression.kind) {
    case "input":
      return { ...expression, kind: "outer", level: levels };
    case "outer":
      return { ...expression, level: expression.level + levels };
    case "subquery": {
      const changed = mapChildren(expression, (child) => raised(child, levels));
      if (changed.kind !== "subquery") return changed;
      return { ...changed, plan: deepened(expression.plan, levels) };
    }
    default:
      return mapChildren(expression, (child) => raised(child, levels));
  }
}

/** A condition as it stands in a lateral side, one row further in. */
export function raisedOuter(conjunct: Expression): Expression {
  switch (conjunct.kind) {
    case "outer":
      return { ...conjunct, level: conjunct.level + 1 };
    case "subquery": {
      const changed = mapChildren(conjunct, raisedOuter);
      if (changed.kind !== "subquery") return changed;
      const plan = changeOuter(changed.plan, (outer, depth) => ({
        ...outer,
        level: outer.level + depth + (outer.level > 1 ? 1 : 0),
      }));
      return { ...changed, plan };
    }
    default:
      return mapChildren(conjunct, raisedOuter);
  }
}

/** `plan` as it stands `levels` subqueries further in, or out where that is negative. */
export function deepened(plan: Plan, levels: number): Plan {
  if (levels === 0) return plan;
  return changeOuter(plan, (outer, depth) => ({
    ...outer,
    level: outer.level + depth + levels,
  }));
}

/**
 * `plan` with all changed that it names of rows around it. `level` of what `change` is given counts from `plan` outwards, 1 is
 * the row that holds it; the answer stands `depth` subqueries within `plan`.
 */
export function changeOuter(
  plan: Plan,
  change: (outer: Outer, depth: number) => Expression,
  depth = 0,
): Plan {
  const changed: Change = (expression) => {
    switch (expression.kind) {
      case "outer":
        return expression.level > depth
          ? change({ ...expression, level: expression.level - depth }, depth)
          : expression;
      case "subquery": {
        const own = mapChildren(expression, changed);
        return own.kind === "subquery"
          ? { ...own, plan: changeOuter(expression.plan, change, depth + 1) }
          : own;
      }
      default:
        return mapChildren(expression, changed);
    }
  };
  return mapPlans(mapExpressions(plan, changed), (input, index) =>
    changeOuter(input, change, depth + stepInto(plan, index)),
  );
}

function visitOuter(plan: Plan, depth: number, visit: (outer: Outer) => void): void {
  const visitExpression = (expression: Expression): void => {
    if (expression.kind === "outer" && expression.level > depth)
      visit({ ...expression, level: expression.level - depth });
    if (expression.kind === "subquery") visitOuter(expression.plan, depth + 1, visit);
    for (const child of childrenOf(expression)) visitExpression(child);
  };
  for (const expression of expressionsOf(plan)) visitExpression(expression);
  for (const [index, input] of inputsOf(plan).entries())
    visitOuter(input, depth + stepInto(plan, index), visit);
}

/** Levels that lie between `plan` and its input `index`. */
function stepInto(plan: Plan, index: number): number {
  return plan.kind === "join" && plan.lateral && index === 1 ? 1 : 0;
}

/** `plan` with `change` applied to its inputs. */
export function mapPlans(plan: Plan, change: (input: Plan, index: number) => Plan): Plan {
  switch (plan.kind) {
    case "scan":
    case "values":
    case "working":
      return plan;
    case "join":
      return { ...plan, left: change(plan.left, 0), right: change(plan.right, 1) };
    case "set":
      return { ...plan, inputs: plan.inputs.map(change) };
    case "recursive":
      return { ...plan, base: change(plan.base, 0), step: change(plan.step, 1) };
    default:
      return { ...plan, input: change(plan.input, 0) };
  }
}

/** `plan` with `change` applied to the expressions that it holds itself. */
export function mapExpressions(plan: Plan, change: Change): Plan {
  switch (plan.kind) {
    case "scan":
      return plan.predicate === undefined ? plan : { ...plan, predicate: change(plan.predicate) };
    case "values":
      return { ...plan, rows: plan.rows.map((row) => row.map(change)) };
    case "filter":
      return { ...plan, predicate: change(plan.predicate) };
    case "aggregate":
      return {
        ...plan,
        groups: plan.groups.map(change),
        aggregates: plan.aggregates.map((call) => mapAggregate(call, change)),
      };
    case "project":
      return { ...plan, expressions: plan.expressions.map(change) };
    case "sort":
      return { ...plan, keys: mapKeys(plan.keys, change) };
    case "limit":
      return plan;
    default:
      return mapWide(plan, change);
  }
}

function mapWide(plan: WidePlan, change: Change): WidePlan {
  switch (plan.kind) {
    case "join":
      return plan.condition === undefined ? plan : { ...plan, condition: change(plan.condition) };
    case "window":
      return { ...plan, calls: plan.calls.map((call) => mapWindow(call, change)) };
    case "distinct_on":
      return { ...plan, keys: plan.keys.map(change) };
    default:
      return plan;
  }
}

export function mapAggregate(call: AggregateCall, change: Change): AggregateCall {
  const { filter, orderBy } = call;
  return {
    ...call,
    arguments: call.arguments.map(change),
    ...(filter === undefined ? {} : { filter: change(filter) }),
    ...(orderBy === undefined ? {} : { orderBy: mapKeys(orderBy, change) }),
  };
}

export function mapWindow(call: WindowCall, change: Change): WindowCall {
  const { filter, argumentOrder } = call;
  return {
    ...call,
    arguments: call.arguments.map(change),
    ...(filter === undefined ? {} : { filter: change(filter) }),
    ...(argumentOrder === undefined ? {} : { argumentOrder: mapKeys(argumentOrder, change) }),
    partitionBy: call.partitionBy.map(change),
    orderBy: mapKeys(call.orderBy, change),
  };
}

function mapKeys(keys: readonly SortKey[], change: Change): readonly SortKey[] {
  return keys.map((key) => ({ ...key, expression: change(key.expression) }));
}
