/** How deep a plan is: its printing, its way to the child and the engine's work on it recurse. */
import { DbError } from "#base/errors.ts";
import { type AggregateCall, childrenOf, type Expression } from "#model/expression.ts";
import type { Plan } from "#model/plan.ts";

/**
 * The most levels of an expression, and of a plan's nodes. The time the engine takes to simplify a chain of operators grows
 * with the third power of its length: a fourth of a second at 200, 11 seconds at 900.
 */
export const DEPTH_MAX = 256;

/** Throws `exceeded` / `query_depth` where `plan` is deeper than DEPTH_MAX. Needs no stack. */
export function assertShallow(plan: Plan): void {
  let depth = 0;
  for (let node: Plan | undefined = plan; node !== undefined; node = inputOf(node)) {
    depth += 1;
    if (depth > DEPTH_MAX) throw tooDeep();
    let level = expressionsOf(node);
    for (let levels = 0; level.length > 0; levels += 1) {
      if (levels > DEPTH_MAX) throw tooDeep();
      level = level.flatMap(childrenOf);
    }
  }
}

function tooDeep(): DbError {
  return new DbError("exceeded", "query_depth", "the query is nested too deeply", {
    detail: { depthMax: DEPTH_MAX },
  });
}

function inputOf(plan: Plan): Plan | undefined {
  return plan.kind === "scan" || plan.kind === "values" ? undefined : plan.input;
}

function expressionsOf(plan: Plan): readonly Expression[] {
  switch (plan.kind) {
    case "scan":
      return plan.predicate === undefined ? [] : [plan.predicate];
    case "values":
      return plan.rows.flat();
    case "filter":
      return [plan.predicate];
    case "aggregate":
      return [...plan.groups, ...plan.aggregates.flatMap(expressionsOfCall)];
    case "project":
      return plan.expressions;
    case "sort":
      return plan.keys.map(({ expression }) => expression);
    case "limit":
      return [];
  }
}

function expressionsOfCall(call: AggregateCall): readonly Expression[] {
  const filter = call.filter === undefined ? [] : [call.filter];
  const order = (call.orderBy ?? []).map(({ expression }) => expression);
  return [...call.arguments, ...filter, ...order];
}
