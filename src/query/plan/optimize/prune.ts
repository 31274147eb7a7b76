/** Leaves out the columns that nobody needs, down to the scans. */
import type { Expression } from "#model/query/expression.ts";
import type { Field, JoinPlan, Plan, WidePlan } from "#model/query/plan.ts";
import { expressionsOf } from "#model/query/walk.ts";
import {
  changeOuter,
  collectInputs,
  collectOuter,
  hasSubquery,
  mapAggregate,
  mapExpressions,
  mapWindow,
  moveInputs,
} from "../moving.ts";
import { mapChildren } from "../tree.ts";

type PlanOf<Kind extends Plan["kind"]> = Extract<Plan, { kind: Kind }>;
type Places = ReadonlyMap<number, number>;

const NO_FIELD: Field = { name: "", type: "null" };

/** A plan that gives less, and where in it the fields are that were asked for. */
interface Pruned {
  readonly plan: Plan;
  readonly places: Places;
}

/** `plan` with the same fields, in which all that is below gives what is needed alone. */
export function pruned(plan: Plan): Plan {
  return exactly(
    plan,
    plan.fields.map((_, index) => index),
  );
}

/** `plan` with these of its fields, in this order. */
function exactly(plan: Plan, indexes: readonly number[]): Plan {
  const { plan: input, places } = prune(plan, new Set(indexes));
  const moved = indexes.map((index) => places.get(index) ?? index);
  const same = input.fields.length === indexes.length && moved.every((place, at) => place === at);
  const fields = indexes.map((index) => plan.fields[index] ?? NO_FIELD);
  if (same) return { ...input, fields };
  const expressions = moved.map((index, at): Expression => {
    return { kind: "input", index, type: fields[at]?.type ?? "null" };
  });
  return { kind: "project", fields, input, expressions };
}

/** At least the fields `needed` of `plan`. */
function prune(plan: Plan, needed: ReadonlySet<number>): Pruned {
  switch (plan.kind) {
    case "scan":
      return pruneScan(plan, needed);
    case "values":
      return pruneValues(withinSubqueries(plan), needed);
    case "filter":
    case "sort":
    case "distinct_on":
    case "limit":
      return pruneSame(plan, needed);
    case "project":
      return pruneProject(plan, needed);
    case "aggregate":
      return pruneAggregate(plan, needed);
    default:
      return pruneWide(plan, needed);
  }
}

function pruneWide(plan: WidePlan, needed: ReadonlySet<number>): Pruned {
  switch (plan.kind) {
    case "join":
      return pruneJoin(plan, needed);
    case "set": {
      const kept = plan.operation === "union" && plan.all ? rising(needed) : all(plan);
      const inputs = plan.inputs.map((input) => exactly(input, kept));
      const { fields, places } = fieldsAt(plan, kept);
      return { plan: { ...plan, fields, inputs }, places };
    }
    case "window":
      return pruneWindow(plan, needed);
    case "unnest": {
      const { plan: input, places } = prune(plan.input, new Set([...needed, ...plan.columns]));
      const columns = plan.columns.map((index) => places.get(index) ?? index);
      const fields = [...input.fields];
      for (const [index, place] of places)
        fields[place] = plan.fields[index] ?? fields[place] ?? NO_FIELD;
      return { plan: { ...plan, fields, input, columns }, places };
    }
    case "distinct_on":
      return pruneSame(plan, needed);
    case "recursive": {
      const base = exactly(plan.base, all(plan.base));
      return unmoved({ ...plan, base, step: exactly(plan.step, all(plan.step)) });
    }
    case "working":
      return unmoved(plan);
    case "gapfill":
      return unmoved({ ...plan, input: exactly(plan.input, all(plan.input)) });
  }
}

function unmoved(plan: Plan): Pruned {
  return { plan, places: new Map(plan.fields.map((_, index) => [index, index])) };
}

function all(plan: Plan): readonly number[] {
  return plan.fields.map((_, index) => index);
}

function rising(indexes: Iterable<number>): readonly number[] {
  return [...indexes].toSorted((left, right) => left - right);
}

/** The fields `kept` of `plan`, and where each comes to stand. */
function fieldsAt(plan: Plan, kept: readonly number[]) {
  const fields = kept.map((index) => plan.fields[index] ?? NO_FIELD);
  return { fields, places: new Map(kept.map((index, place) => [index, place])) };
}

function pruneScan(plan: PlanOf<"scan">, needed: ReadonlySet<number>): Pruned {
  const used = new Set(needed);
  if (plan.predicate !== undefined) collectInputs(plan.predicate, used);
  const kept = rising(used);
  const { fields, places } = fieldsAt(plan, kept);
  const columns = plan.columns.filter((_, index) => used.has(index));
  const predicate =
    plan.predicate === undefined ? {} : { predicate: moveInputs(plan.predicate, places) };
  return { plan: { ...plan, fields, columns, ...predicate }, places };
}

function pruneValues(plan: PlanOf<"values">, needed: ReadonlySet<number>): Pruned {
  const { fields, places } = fieldsAt(plan, rising(needed));
  const rows = plan.rows.map((row) => row.filter((_, index) => needed.has(index)));
  return { plan: { ...plan, fields, rows }, places };
}

/** Nodes that give the fields of their input. */
function pruneSame(
  plan: PlanOf<"filter" | "sort" | "limit" | "distinct_on">,
  needed: ReadonlySet<number>,
): Pruned {
  const own = withinSubqueries(plan);
  const used = new Set(needed);
  for (const expression of expressionsOf(own)) collectInputs(expression, used);
  const { plan: input, places } = prune(own.input, used);
  const moved = mapExpressions(own, (expression) => moveInputs(expression, places)) as typeof own;
  return { plan: { ...moved, fields: input.fields, input }, places };
}

function pruneProject(plan: PlanOf<"project">, needed: ReadonlySet<number>): Pruned {
  const own = withinSubqueries(plan);
  const kept = rising(needed);
  const wanted = kept.map((index) => own.expressions[index]).filter((one) => one !== undefined);
  const used = new Set<number>();
  for (const expression of wanted) collectInputs(expression, used);
  const { plan: input, places: below } = prune(own.input, used);
  const expressions = wanted.map((expression) => moveInputs(expression, below));
  const { fields, places } = fieldsAt(own, kept);
  const same =
    input.fields.length === fields.length &&
    expressions.every(
      (expression, index) =>
        expression.kind === "input" &&
        expression.index === index &&
        input.fields[index]?.name === fields[index]?.name,
    );
  return same ? { plan: input, places } : { plan: { ...own, fields, input, expressions }, places };
}

function pruneAggregate(plan: PlanOf<"aggregate">, needed: ReadonlySet<number>): Pruned {
  const own = withinSubqueries(plan);
  const groupCount = own.groups.length;
  const kept = all(own).filter((index) => index < groupCount || needed.has(index));
  const aggregates = own.aggregates.filter((_, index) => needed.has(groupCount + index));
  const less = { ...own, aggregates };
  const used = new Set<number>();
  for (const expression of expressionsOf(less)) collectInputs(expression, used);
  const { plan: input, places: below } = prune(own.input, used);
  const move = (expression: Expression) => moveInputs(expression, below);
  const { fields, places } = fieldsAt(own, kept);
  return {
    plan: {
      ...less,
      fields,
      input,
      groups: own.groups.map(move),
      aggregates: aggregates.map((call) => mapAggregate(call, move)),
    },
    places,
  };
}

function pruneWindow(plan: PlanOf<"window">, needed: ReadonlySet<number>): Pruned {
  const own = withinSubqueries(plan);
  const inputCount = own.input.fields.length;
  const calls = own.calls.filter((_, index) => needed.has(inputCount + index));
  const used = new Set([...needed].filter((index) => index < inputCount));
  for (const expression of expressionsOf({ ...own, calls })) collectInputs(expression, used);
  const { plan: input, places: below } = prune(own.input, used);
  const places = new Map(below);
  const fields = [...input.fields];
  for (const [index] of own.calls.entries()) {
    if (!needed.has(inputCount + index)) continue;
    places.set(inputCount + index, fields.length);
    fields.push(own.fields[inputCount + index] ?? NO_FIELD);
  }
  if (calls.length === 0) return { plan: input, places };
  const moved = calls.map((call) => mapWindow(call, (part) => moveInputs(part, below)));
  return { plan: { ...own, fields, input, calls: moved }, places };
}

function pruneJoin(plan: JoinPlan, needed: ReadonlySet<number>): Pruned {
  const own = withinSubqueries(plan);
  const leftCount = own.left.fields.length;
  const used = new Set(needed);
  if (own.condition !== undefined) collectInputs(own.condition, used);
  const ofLeft = new Set([...used].filter((index) => index < leftCount));
  const ofRight = new Set(
    [...used].filter((index) => index >= leftCount).map((index) => index - leftCount),
  );
  if (own.lateral) collectOuter(own.right, ofLeft);
  const left = prune(own.left, ofLeft);
  const right = prune(own.right, ofRight);
  const leftNow = left.plan.fields.length;
  const both = new Map(left.places);
  for (const [index, place] of right.places) both.set(leftCount + index, leftNow + place);
  const half = own.join === "semi" || own.join === "anti";
  const condition =
    own.condition === undefined ? {} : { condition: moveInputs(own.condition, both) };
  return {
    plan: {
      ...own,
      fields: half ? left.plan.fields : [...left.plan.fields, ...right.plan.fields],
      left: left.plan,
      right: own.lateral ? movedOuter(right.plan, left.places) : right.plan,
      ...condition,
    },
    places: half ? left.places : both,
  };
}

/** `plan` over a row around it whose fields have moved. */
function movedOuter(plan: Plan, places: Places): Plan {
  return changeOuter(plan, (outer, depth) => ({
    ...outer,
    level: outer.level + depth,
    index: outer.level === 1 ? (places.get(outer.index) ?? outer.index) : outer.index,
  }));
}

/** `plan` with the plans of subqueries in its own expressions pruned. */
function withinSubqueries<Node extends Plan>(plan: Node): Node {
  if (!expressionsOf(plan).some(hasSubquery)) return plan;
  const change = (expression: Expression): Expression => {
    const changed = mapChildren(expression, change);
    if (changed.kind !== "subquery") return changed;
    const kept = changed.form === "exists" ? [] : [0];
    return { ...changed, plan: exactly(changed.plan, kept) };
  };
  return mapExpressions(plan, change) as Node;
}
