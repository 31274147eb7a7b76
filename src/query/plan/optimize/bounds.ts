import type { Expression } from "#model/query/expression.ts";
import type { JoinPlan, Plan } from "#model/query/plan.ts";
import { ALL_TIME, intersection, type TimeRange } from "#model/time-range.ts";
import { conjunctsOf } from "../conditions.ts";
import { pushDown } from "./time.ts";

/**
 * What field `index` of the rows of `plan`, a time, is known to lie in, as far as conditions say: all time where they do not. What a
 * table keeps bounds nothing here. Undefined where no row can pass.
 */
export function boundsOfField(plan: Plan, index: number): TimeRange | undefined {
  if (plan.kind === "filter") return boundsOfRows(plan, index);
  const source = sourceOf(plan, index);
  return source === undefined ? ALL_TIME : boundsOfField(source.plan, source.index);
}

function boundsOfRows(
  { fields, input, predicate }: Extract<Plan, { kind: "filter" }>,
  index: number,
): TimeRange | undefined {
  const kinds = fields.map((_, at) => (at === index ? "time" : "string"));
  const { time } = pushDown(conjunctsOf(predicate), kinds);
  const below = boundsOfField(input, index);
  return time === undefined || below === undefined ? undefined : intersection(time, below);
}

interface Place {
  readonly plan: Plan;
  readonly index: number;
}

/** The field of an input whose values field `index` of `plan` has; undefined where it has others as well. */
function sourceOf(plan: Plan, index: number): Place | undefined {
  switch (plan.kind) {
    case "project":
      return placeOf(plan.input, plan.expressions[index]);
    case "aggregate":
      return plan.groupingSets === undefined ? placeOf(plan.input, plan.groups[index]) : undefined;
    case "sort":
    case "limit":
    case "distinct_on":
    case "window":
      return index < plan.input.fields.length ? { plan: plan.input, index } : undefined;
    case "join":
      return sourceOfJoin(plan, index);
    default:
      return undefined;
  }
}

function placeOf(plan: Plan, source: Expression | undefined): Place | undefined {
  return source?.kind === "input" ? { plan, index: source.index } : undefined;
}

function sourceOfJoin({ join, left, right }: JoinPlan, index: number): Place | undefined {
  const count = left.fields.length;
  if (index >= count) return join === "inner" ? { plan: right, index: index - count } : undefined;
  return join === "right" || join === "full" ? undefined : { plan: left, index };
}
