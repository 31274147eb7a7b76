/** What lies directly in a plan or an expression. */
import type { AggregateCall, Expression, SortKey } from "./expression.ts";
import { childrenOf } from "./expression.ts";
import type { ScalarFunction } from "./functions/scalar.ts";
import type { Plan, ScanPlan, WindowCall } from "./plan.ts";

const CHANCE: ReadonlySet<ScalarFunction> = new Set<ScalarFunction>(["random", "uuid"]);

/** The plans whose rows `plan` takes; those of subqueries in its expressions are not among them. */
export function inputsOf(plan: Plan): readonly Plan[] {
  switch (plan.kind) {
    case "scan":
    case "values":
    case "working":
      return [];
    case "join":
      return [plan.left, plan.right];
    case "set":
      return plan.inputs;
    case "recursive":
      return [plan.base, plan.step];
    default:
      return [plan.input];
  }
}

/** The expressions that `plan` itself holds. */
export function expressionsOf(plan: Plan): readonly Expression[] {
  switch (plan.kind) {
    case "scan":
      return plan.predicate === undefined ? [] : [plan.predicate];
    case "join":
      return plan.condition === undefined ? [] : [plan.condition];
    case "values":
      return plan.rows.flat();
    case "filter":
      return [plan.predicate];
    case "aggregate":
      return [...plan.groups, ...plan.aggregates.flatMap(expressionsOfCall)];
    case "window":
      return plan.calls.flatMap(expressionsOfWindow);
    case "project":
      return plan.expressions;
    case "sort":
      return expressionsOfKeys(plan.keys);
    case "distinct_on":
      return plan.keys;
    case "limit":
    case "set":
    case "unnest":
    case "recursive":
    case "working":
    case "gapfill":
      return [];
  }
}

/** The plans of subqueries in `expression`, at any depth, but not those within these plans. */
export function subqueriesOf(expression: Expression): readonly Plan[] {
  const own = expression.kind === "subquery" ? [expression.plan] : [];
  return [...own, ...childrenOf(expression).flatMap(subqueriesOf)];
}

/** All scans of `plan`, those of subqueries included. */
export function scansOf(plan: Plan): readonly ScanPlan[] {
  const own = plan.kind === "scan" ? [plan] : [];
  const below = [...inputsOf(plan), ...expressionsOf(plan).flatMap(subqueriesOf)];
  return [...own, ...below.flatMap(scansOf)];
}

/** Whether `plan` makes values that are others each time. */
export function hasChance(plan: Plan): boolean {
  return expressionsOf(plan).some(isChance) || inputsOf(plan).some(hasChance);
}

function isChance(expression: Expression): boolean {
  if (expression.kind === "call" && CHANCE.has(expression.name)) return true;
  if (expression.kind === "subquery" && hasChance(expression.plan)) return true;
  return childrenOf(expression).some(isChance);
}

function expressionsOfCall(call: AggregateCall): readonly Expression[] {
  const filter = call.filter === undefined ? [] : [call.filter];
  return [...call.arguments, ...filter, ...expressionsOfKeys(call.orderBy ?? [])];
}

function expressionsOfWindow(call: WindowCall): readonly Expression[] {
  const { arguments: operands, argumentOrder = [], filter, orderBy, partitionBy } = call;
  const condition = filter === undefined ? [] : [filter];
  return [
    ...operands,
    ...condition,
    ...partitionBy,
    ...expressionsOfKeys([...argumentOrder, ...orderBy]),
  ];
}

function expressionsOfKeys(keys: readonly SortKey[]): readonly Expression[] {
  return keys.map(({ expression }) => expression);
}
