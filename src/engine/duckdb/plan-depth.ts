/** How deep a plan is: its printing, its way to the child and the engine's work on it recurse. */
import { DbError } from "#base/errors.ts";
import { childrenOf } from "#model/query/expression.ts";
import type { Plan } from "#model/query/plan.ts";
import { expressionsOf, inputsOf } from "#model/query/walk.ts";

/**
 * The most levels of an expression, and of a plan's nodes. The time the engine takes to simplify a chain of operators grows
 * with the third power of its length: a fourth of a second at 200, 11 seconds at 900.
 */
export const DEPTH_MAX = 256;

/** Throws `exceeded` / `query_depth` where `plan` is deeper than DEPTH_MAX; a subquery is one level deeper than what holds it. Needs no stack. */
export function assertShallow(plan: Plan): void {
  let level: readonly Plan[] = [plan];
  for (let depth = 1; level.length > 0; depth += 1) {
    if (depth > DEPTH_MAX) throw tooDeep();
    level = level.flatMap((node) => [...inputsOf(node), ...shallowSubqueries(node)]);
  }
}

/** The plans of subqueries in the expressions of `plan`, none of which is too deep. */
function shallowSubqueries(plan: Plan): readonly Plan[] {
  const plans: Plan[] = [];
  let level = expressionsOf(plan);
  for (let depth = 1; level.length > 0; depth += 1) {
    if (depth > DEPTH_MAX + 1) throw tooDeep();
    for (const expression of level) if (expression.kind === "subquery") plans.push(expression.plan);
    level = level.flatMap(childrenOf);
  }
  return plans;
}

function tooDeep(): DbError {
  return new DbError("exceeded", "query_depth", "the query is nested too deeply", {
    detail: { depthMax: DEPTH_MAX },
  });
}
