import type { Expression } from "#model/query/expression.ts";
import type { Plan } from "#model/query/plan.ts";
import { call } from "./bind/operators.ts";

/** The conditions that must all be true for `predicate` to be true. */
export function conjunctsOf(predicate: Expression | undefined): readonly Expression[] {
  if (predicate === undefined) return [];
  return predicate.kind === "call" && predicate.name === "and"
    ? predicate.arguments.flatMap(conjunctsOf)
    : [predicate];
}

/** Conditions as one; undefined when there are none. */
export function allOf(conditions: readonly Expression[]): Expression | undefined {
  return conditions.length < 2 ? conditions[0] : call("and", conditions, "boolean");
}

/** Rows of `plan` for which all `conditions` are true. */
export function filtered(plan: Plan, conditions: readonly Expression[]): Plan {
  const predicate = allOf(conditions);
  if (predicate === undefined) return plan;
  return { kind: "filter", fields: plan.fields, input: plan, predicate };
}
