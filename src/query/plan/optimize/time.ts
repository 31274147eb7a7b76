import type { Expression } from "#model/query/expression.ts";
import type { ColumnKind } from "#model/schema.ts";
import {
  ALL_TIME,
  hull,
  intersection,
  TIME_MAX,
  TIME_MIN,
  type TimeRange,
} from "#model/time-range.ts";
import { collectInputs, hasOuter, hasSubquery } from "../moving.ts";

/** WHERE, divided by where it is applied. */
export interface Pushdown {
  /** Rows outside cannot pass; undefined when none can. */
  readonly time: TimeRange | undefined;
  /** Over time and tags alone: applied before rows are merged. */
  readonly below: readonly Expression[];
  /** All others: applied after. */
  readonly above: readonly Expression[];
}

/** Times that can pass a condition; `exact` when all of them do, so that the condition says no more than the range. */
interface TimeBounds {
  readonly range: TimeRange | undefined;
  readonly exact: boolean;
}

const UNBOUNDED: TimeBounds = { range: ALL_TIME, exact: false };
const FLIPPED: Readonly<Record<string, string>> = {
  less: "greater",
  less_equal: "greater_equal",
  greater: "less",
  greater_equal: "less_equal",
  equal: "equal",
};

/** Divides conditions over a table whose column `index` has kind `kinds[index]`. */
export function pushDown(conjuncts: readonly Expression[], kinds: readonly ColumnKind[]): Pushdown {
  const timeIndex = kinds.indexOf("time");
  let time: TimeRange | undefined = ALL_TIME;
  const below: Expression[] = [];
  const above: Expression[] = [];
  for (const conjunct of conjuncts) {
    const bounds = timeBounds(conjunct, timeIndex);
    time = meet(time, bounds.range);
    if (bounds.exact) continue;
    (isBelowMerge(conjunct, kinds) ? below : above).push(conjunct);
  }
  return { time, below, above };
}

function isBelowMerge(condition: Expression, kinds: readonly ColumnKind[]): boolean {
  if (hasOuter(condition) || hasSubquery(condition)) return false;
  const inputs = new Set<number>();
  collectInputs(condition, inputs);
  return (
    inputs.size > 0 &&
    [...inputs].every((index) => kinds[index] === "time" || kinds[index] === "tag")
  );
}

function timeBounds(condition: Expression, timeIndex: number): TimeBounds {
  if (condition.kind === "literal") {
    return { range: condition.value === true ? ALL_TIME : undefined, exact: true };
  }
  if (condition.kind === "in") return boundsOfList(condition, timeIndex);
  if (condition.kind !== "call") return UNBOUNDED;
  switch (condition.name) {
    case "and":
      return boundsOfAll(condition.arguments, timeIndex);
    case "or":
      return boundsOfAny(condition.arguments, timeIndex);
    default:
      return boundsOfComparison(condition.name, condition.arguments, timeIndex);
  }
}

function boundsOfAll(conditions: readonly Expression[], timeIndex: number): TimeBounds {
  let range: TimeRange | undefined = ALL_TIME;
  let exact = true;
  for (const condition of conditions) {
    const bounds = timeBounds(condition, timeIndex);
    range = meet(range, bounds.range);
    exact &&= bounds.exact;
  }
  return { range, exact };
}

function boundsOfAny(conditions: readonly Expression[], timeIndex: number): TimeBounds {
  let range: TimeRange | undefined;
  for (const condition of conditions) {
    const bounds = timeBounds(condition, timeIndex);
    if (bounds.range === undefined) continue;
    range = range === undefined ? bounds.range : hull(range, bounds.range);
  }
  // Between the ranges of an OR there may be gaps.
  return { range, exact: false };
}

function boundsOfList(
  condition: Extract<Expression, { kind: "in" }>,
  timeIndex: number,
): TimeBounds {
  const { operand, list } = condition;
  if (operand.kind !== "input" || operand.index !== timeIndex) return UNBOUNDED;
  let range: TimeRange | undefined;
  for (const item of list) {
    if (item.kind !== "literal") return UNBOUNDED;
    if (item.value === null) continue;
    const time = item.value as bigint;
    const instant = { start: time, end: time };
    range = range === undefined ? instant : hull(range, instant);
  }
  return { range, exact: false };
}

function boundsOfComparison(
  name: string,
  [left, right]: readonly Expression[],
  timeIndex: number,
): TimeBounds {
  if (left?.kind === "literal" && right?.kind === "input" && right.index === timeIndex) {
    return boundsOfTime(FLIPPED[name], left.value as bigint | null);
  }
  if (right?.kind === "literal" && left?.kind === "input" && left.index === timeIndex) {
    return boundsOfTime(name, right.value as bigint | null);
  }
  return UNBOUNDED;
}

/** The bounds of `time name value`. */
function boundsOfTime(name: string | undefined, value: bigint | null): TimeBounds {
  if (name === undefined || !(name in FLIPPED)) return UNBOUNDED;
  // Nothing compares with NULL.
  if (value === null) return { range: undefined, exact: true };
  switch (name) {
    case "less":
      return { range: rangeOf(TIME_MIN, value - 1n), exact: true };
    case "less_equal":
      return { range: rangeOf(TIME_MIN, value), exact: true };
    case "greater":
      return { range: rangeOf(value + 1n, TIME_MAX), exact: true };
    case "greater_equal":
      return { range: rangeOf(value, TIME_MAX), exact: true };
    default:
      return { range: rangeOf(value, value), exact: true };
  }
}

function rangeOf(start: bigint, end: bigint): TimeRange | undefined {
  return start <= end ? { start, end } : undefined;
}

function meet(left: TimeRange | undefined, right: TimeRange | undefined): TimeRange | undefined {
  return left === undefined || right === undefined ? undefined : intersection(left, right);
}
