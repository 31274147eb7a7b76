/** Gives the scans of a finished plan what holds their rows. */
import type { Expression } from "#model/query/expression.ts";
import type { Plan, ScanPlan } from "#model/query/plan.ts";
import { expressionsOf } from "#model/query/walk.ts";
import { hasSubquery, mapExpressions, mapPlans } from "../moving.ts";
import { mapChildren } from "../tree.ts";

/** `plan` with the sources of all its scans, those of subqueries included. */
export function withSources(plan: Plan, sourcesOf: (scan: ScanPlan) => ScanPlan["groups"]): Plan {
  const ofExpression = (expression: Expression): Expression => {
    const changed = mapChildren(expression, ofExpression);
    return changed.kind === "subquery"
      ? { ...changed, plan: withSources(changed.plan, sourcesOf) }
      : changed;
  };
  const own = plan.kind === "scan" ? { ...plan, groups: sourcesOf(plan) } : plan;
  const whole = expressionsOf(own).some(hasSubquery) ? mapExpressions(own, ofExpression) : own;
  return mapPlans(whole, (input) => withSources(input, sourcesOf));
}
