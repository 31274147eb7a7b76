/** Puts conditions as far down as they may go, so that scans read less. */
import { childrenOf, type Expression } from "#model/query/expression.ts";
import type { JoinPlan, Plan, ScanPlan, WidePlan } from "#model/query/plan.ts";
import { isInteger, type ValueType } from "#model/query/value-type.ts";
import { intersection } from "#model/time-range.ts";
import { allOf, conjunctsOf, filtered } from "../conditions.ts";
import {
  changeInputs,
  collectInputs,
  hasOuter,
  hasSubquery,
  mapExpressions,
  mapPlans,
  raisedOuter,
} from "../moving.ts";
import { EXPRESSIONS_SIZE_MAX, mapChildren, nodeCount, sizeOf } from "../tree.ts";
import { pushDown } from "./time.ts";

type Conjuncts = readonly Expression[];

/** Nodes of the conditions that grow by going below one node of a plan, or that are said of the other side of a join as well. */
const COPIED_SIZE_MAX = 4_000;

/** The rows of `plan` for which all of `conjuncts`, over its fields, are true. */
export function pushed(plan: Plan, conjuncts: Conjuncts = []): Plan {
  switch (plan.kind) {
    case "scan":
      return pushedScan(plan, conjuncts);
    case "filter":
      return pushed(plan.input, [
        ...conjunctsOf(plan.predicate).map(withinSubqueries),
        ...conjuncts,
      ]);
    case "project": {
      const { expressions } = plan;
      const steady = expressions.map(isSteady);
      const through = (conjunct: Expression) =>
        !isVolatile(conjunct) && inputsNone(conjunct, (index) => steady[index] !== true);
      return split(plan, conjuncts, through, expressions);
    }
    case "aggregate": {
      const { groups } = plan;
      const grouped = groups.length > 0 && plan.groupingSets === undefined;
      const steady = groups.map(isSteady);
      const through = (conjunct: Expression) =>
        grouped && inputsAll(conjunct, (index) => steady[index] === true);
      return split(plan, conjuncts, through, groups);
    }
    case "sort":
      return split(plan, conjuncts, () => true);
    case "values":
    case "limit":
      return split(plan, conjuncts, () => false);
    default:
      return pushedWide(plan, conjuncts);
  }
}

function pushedWide(plan: WidePlan, conjuncts: Conjuncts): Plan {
  switch (plan.kind) {
    case "join":
      return pushedJoin(plan, conjuncts);
    case "set":
      return pushedSet(plan, conjuncts);
    case "distinct_on": {
      const keys = new Set(plan.keys.flatMap((key) => (key.kind === "input" ? key.index : [])));
      return split(plan, conjuncts, (one) => inputsAll(one, (index) => keys.has(index)));
    }
    case "window": {
      const partitions = plan.calls.map(
        ({ partitionBy }) =>
          new Set(partitionBy.flatMap((key) => (key.kind === "input" ? key.index : []))),
      );
      const kept = (index: number) => partitions.every((keys) => keys.has(index));
      return split(plan, conjuncts, (one) => inputsAll(one, kept));
    }
    case "unnest": {
      const lists = new Set(plan.columns);
      return split(plan, conjuncts, (one) => inputsAll(one, (index) => !lists.has(index)));
    }
    case "gapfill": {
      const series = new Set(plan.series);
      return split(plan, conjuncts, (one) => inputsAll(one, (index) => series.has(index)));
    }
    case "recursive":
    case "working":
      return split(plan, conjuncts, () => false);
  }
}

/** Each input gets its own copy of the conditions; those with subqueries stay above, as all that are too many together. */
function pushedSet(plan: Extract<Plan, { kind: "set" }>, conjuncts: Conjuncts): Plan {
  const placeCount = nodeCount(plan);
  let size = 0;
  const below: Expression[] = [];
  const above: Expression[] = [];
  for (const conjunct of conjuncts) {
    const own = sizeOf(conjunct) * placeCount;
    const fits = isSteady(conjunct) && size + own <= EXPRESSIONS_SIZE_MAX;
    if (fits) size += own;
    (fits ? below : above).push(conjunct);
  }
  const inputs = plan.inputs.map((input) => pushed(input, below));
  return filtered({ ...plan, inputs }, above);
}

/**
 * `plan` with those conjuncts below it that may go `through`, and the others above. `sources` are what its fields are computed from;
 * without them they are those of its input. Conjuncts that would become too large stay above.
 */
function split(
  plan: Exclude<Plan, { kind: "join" | "set" | "scan" | "filter" }>,
  conjuncts: Conjuncts,
  through: (conjunct: Expression) => boolean,
  sources: readonly Expression[] = [],
): Plan {
  let grownSize = 0;
  const below: Expression[] = [];
  const above: Expression[] = [];
  for (const conjunct of conjuncts) {
    const size = through(conjunct) ? sizeOver(conjunct, sources) : Number.POSITIVE_INFINITY;
    const grown = size > sizeOf(conjunct) ? size : 0;
    const fits = grownSize + grown <= COPIED_SIZE_MAX;
    if (fits) grownSize += grown;
    if (fits) below.push(over(conjunct, sources));
    else above.push(conjunct);
  }
  const own = mapExpressions(plan, withinSubqueries);
  return filtered(
    mapPlans(own, (input) => pushed(input, below)),
    above,
  );
}

/** `conjunct` with `sources` in place of the fields. */
function over(conjunct: Expression, sources: readonly Expression[]): Expression {
  if (sources.length === 0) return conjunct;
  return changeInputs(conjunct, (index, type) => sources[index] ?? inputAt(index, type));
}

/** How many nodes `over` gives, or more where there are subqueries: these may name a field anywhere. */
function sizeOver(conjunct: Expression, sources: readonly Expression[]): number {
  const sizeAt = (index: number) => {
    const source = sources[index];
    return source === undefined ? 1 : sizeOf(source);
  };
  const count = (expression: Expression): number => {
    if (expression.kind === "input") return sizeAt(expression.index);
    return childrenOf(expression).reduce((sum, child) => sum + count(child), 1);
  };
  if (!hasSubquery(conjunct)) return count(conjunct);
  const inputs = new Set<number>();
  collectInputs(conjunct, inputs);
  return sizeOf(conjunct) * Math.max(1, ...[...inputs].map(sizeAt));
}

function pushedScan(plan: ScanPlan, conjuncts: Conjuncts): Plan {
  const kinds = plan.columns.map(({ kind }) => kind);
  const { time: asked, below, above } = pushDown(conjuncts, kinds);
  const time = asked && intersection(asked, plan.time);
  if (time === undefined) return { kind: "values", fields: plan.fields, rows: [] };
  const predicate = allOf(plan.predicate === undefined ? below : [plan.predicate, ...below]);
  return filtered({ ...plan, time, ...(predicate === undefined ? {} : { predicate }) }, above);
}

/** Where conditions of a join, or above it, may go. */
interface Sides {
  readonly left: Expression[];
  readonly right: Expression[];
  readonly condition: Expression[];
  readonly above: Expression[];
}

function pushedJoin(plan: JoinPlan, conjuncts: Conjuncts): Plan {
  const { lateral } = plan;
  const join = narrowed(plan, conjuncts);
  const leftCount = plan.left.fields.length;
  const sides: Sides = { left: [], right: [], condition: [], above: [] };
  const sideOf = (conjunct: Expression): "left" | "right" | "both" => {
    if (inputsAll(conjunct, (index) => index < leftCount)) return "left";
    return inputsAll(conjunct, (index) => index >= leftCount) ? "right" : "both";
  };
  for (const conjunct of conjuncts) sides[placeAbove(join, sideOf(conjunct))].push(conjunct);
  for (const conjunct of conjunctsOf(plan.condition).map(withinSubqueries))
    sides[placeOn(join, sideOf(conjunct))].push(conjunct);
  imply(join, sides, leftCount);
  const right = sides.right.map((conjunct) => {
    const own = changeInputs(conjunct, (index, type) => inputAt(index - leftCount, type));
    return lateral ? raisedOuter(own) : own;
  });
  const condition = allOf(sides.condition);
  const { condition: _, ...rest } = plan;
  const pairs: JoinPlan = {
    ...rest,
    join,
    left: pushed(plan.left, sides.left),
    right: pushed(plan.right, right),
    ...(condition === undefined ? {} : { condition }),
  };
  return filtered(pairs, sides.above);
}

/** What is true of one of two equal fields is of the other: a range of time on one side of a join bounds what is read on both. */
function imply(join: JoinPlan["join"], { condition, left, right }: Sides, leftCount: number): void {
  const equals = equalFields(condition, leftCount);
  if (equals.size === 0) return;
  const ofLeft = left.flatMap((conjunct) => impliedBy(conjunct, equals));
  const ofRight = right.flatMap((conjunct) => impliedBy(conjunct, equals));
  if (IMPLIES_LEFT.has(join)) left.push(...ofRight);
  if (IMPLIES_RIGHT.has(join)) right.push(...ofLeft);
}

/** Fields of the two sides that are equal in rows that are paired, each with the other. */
function equalFields(
  condition: readonly Expression[],
  leftCount: number,
): ReadonlyMap<number, number> {
  const equals = new Map<number, number>();
  for (const conjunct of condition) {
    if (conjunct.kind !== "call" || conjunct.name !== "equal") continue;
    const [one, other] = conjunct.arguments;
    if (one?.kind !== "input" || other?.kind !== "input" || !isExact(one.type)) continue;
    if (one.index < leftCount === other.index < leftCount) continue;
    equals.set(one.index, other.index);
    equals.set(other.index, one.index);
  }
  return equals;
}

/** Whether equal values of a type are the same in all ways; 0.0 and -0.0 are not. */
function isExact(type: ValueType): boolean {
  return type === "timestamp" || type === "string" || type === "boolean" || isInteger(type);
}

/** `conjunct` over the other of two equal fields, where it names the one alone. */
function impliedBy(
  conjunct: Expression,
  equals: ReadonlyMap<number, number>,
): readonly Expression[] {
  const inputs = new Set<number>();
  collectInputs(conjunct, inputs);
  const [index = -1, second] = inputs;
  const other = equals.get(index);
  if (other === undefined || second !== undefined || !isSteady(conjunct)) return [];
  if (sizeOf(conjunct) > COPIED_SIZE_MAX) return [];
  return hasOuter(conjunct) ? [] : [changeInputs(conjunct, (_, type) => inputAt(other, type))];
}

/** Where a condition goes that stands above the join. */
function placeAbove(join: JoinPlan["join"], side: "left" | "right" | "both"): keyof Sides {
  switch (join) {
    case "inner":
      return side === "both" ? "condition" : side;
    case "left":
    case "semi":
    case "anti":
      return side === "left" ? "left" : "above";
    case "right":
      return side === "right" ? "right" : "above";
    case "full":
      return "above";
  }
}

/** Where a condition goes by which rows are paired. */
function placeOn(join: JoinPlan["join"], side: "left" | "right" | "both"): keyof Sides {
  switch (join) {
    case "inner":
    case "semi":
      return side === "both" ? "condition" : side;
    case "left":
    case "anti":
      return side === "right" ? "right" : "condition";
    case "right":
      return side === "left" ? "left" : "condition";
    case "full":
      return "condition";
  }
}

/** The join that is left where a condition above it lets no row pass that was made for want of a partner. */
function narrowed(plan: JoinPlan, conjuncts: Conjuncts): JoinPlan["join"] {
  const { join } = plan;
  if (join !== "left" && join !== "right" && join !== "full") return join;
  const leftCount = plan.left.fields.length;
  const refuses = (side: (index: number) => boolean) =>
    conjuncts.some((conjunct) => refusesNull(conjunct, side));
  const noLeft = refuses((index) => index < leftCount);
  const noRight = refuses((index) => index >= leftCount);
  if (join === "left") return noRight ? "inner" : "left";
  if (join === "right") return noLeft ? "inner" : "right";
  if (noLeft && noRight) return "inner";
  if (noLeft) return "left";
  return noRight ? "right" : "full";
}

/** Joins that give no row of that side but those whose partners meet what is true of the other side. */
const IMPLIES_LEFT: ReadonlySet<string> = new Set(["inner", "semi", "right"]);
const IMPLIES_RIGHT: ReadonlySet<string> = new Set(["inner", "semi", "left", "anti"]);
const STRICT = new Set("equal not_equal less less_equal greater greater_equal like".split(" "));

/** Whether `conjunct` is never true where all fields of a side are NULL. */
function refusesNull(conjunct: Expression, side: (index: number) => boolean): boolean {
  const ofSide = (operand: Expression | undefined): boolean => {
    if (operand?.kind === "cast") return ofSide(operand.operand);
    return operand?.kind === "input" && side(operand.index);
  };
  if (conjunct.kind === "in") return ofSide(conjunct.operand);
  if (conjunct.kind !== "call") return false;
  if (conjunct.name === "is_not_null") return ofSide(conjunct.arguments[0]);
  return STRICT.has(conjunct.name) && conjunct.arguments.some(ofSide);
}

function inputAt(index: number, type: Expression["type"]): Expression {
  return { kind: "input", index, type };
}

/** Whether `test` holds of every field that `expression` names, of which there is one at least. */
function inputsAll(expression: Expression, test: (index: number) => boolean): boolean {
  const inputs = new Set<number>();
  collectInputs(expression, inputs);
  return inputs.size > 0 && [...inputs].every(test);
}

/** Whether `test` holds of no field that `expression` names; it may name none. */
function inputsNone(expression: Expression, test: (index: number) => boolean): boolean {
  const inputs = new Set<number>();
  collectInputs(expression, inputs);
  return ![...inputs].some(test);
}

const VOLATILE = new Set(["random", "uuid"]);

function isVolatile(expression: Expression): boolean {
  const own = expression.kind === "call" && VOLATILE.has(expression.name);
  return own || childrenOf(expression).some(isVolatile);
}

/** Whether `expression` may be computed twice, or before rows are left out: it is the same each time, and no subquery. */
function isSteady(expression: Expression | undefined): boolean {
  return expression !== undefined && !isVolatile(expression) && !hasSubquery(expression);
}

/** `expression` with the plans of its subqueries pushed into. */
function withinSubqueries(expression: Expression): Expression {
  if (!hasSubquery(expression)) return expression;
  const changed = mapChildren(expression, withinSubqueries);
  return changed.kind === "subquery" ? { ...changed, plan: pushed(changed.plan) } : changed;
}
