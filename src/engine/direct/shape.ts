/** Which plans are computed directly: what they read, what they make of it, and what is above that. */
import type { AggregateCall, Expression, IntervalValue } from "#model/query/expression.ts";
import { childrenOf, isInterval } from "#model/query/expression.ts";
import type { Plan, ScanColumn, ScanPlan } from "#model/query/plan.ts";
import type { ValueType } from "#model/query/value-type.ts";
import { expressionsOf } from "#model/query/walk.ts";
import type { ColumnKind } from "#model/schema.ts";
import { isKnownType } from "../plain/expression/value.ts";
import { conditionOf, type FieldCondition, isNumber, numberIndex } from "./condition.ts";

/** A plan that ends in one scan, most of whose work is on that scan's rows. */
export interface Shape {
  readonly scan: ScanPlan;
  /** Over the scan's tags alone; true for all rows without it. */
  readonly tagPredicate: Expression | undefined;
  /** Each must be true of a row. */
  readonly conditions: readonly FieldCondition[];
  /** The node whose rows are made from the scan's; what is above it is small. */
  readonly base: Plan;
  /** Of each series one row alone is wanted: that with the least, or the greatest time. */
  readonly edge: "first" | "last" | undefined;
  /** Undefined where `base` gives rows of the scan as they are. */
  readonly grouping: Grouping | undefined;
}

export interface Grouping {
  readonly groups: readonly GroupKey[];
  readonly aggregates: readonly Folded[];
}

/** A tag by its place in the scan, or bins of time. */
export type GroupKey =
  | { readonly kind: "tag"; readonly index: number }
  | { readonly kind: "bin"; readonly strideNs: number; readonly origin: bigint };

/** What is made of a group of rows. */
export type Folded = FoldedNumbers | FoldedChoice;

/** `index` is the field's place in the scan; undefined counts rows. */
export interface FoldedNumbers {
  readonly kind: "numbers";
  readonly name: FoldName;
  readonly index: number | undefined;
  readonly type: NumberType;
}

/**
 * What the row has that is chosen among those with a value in field `index`: the first or last, of one time that with the greater value; or that
 * with the least or greatest value, of one value the first.
 */
export interface FoldedChoice {
  readonly kind: "choice";
  readonly by: "first" | "last" | "min" | "max";
  readonly index: number;
  /** A field of numbers, by its place in the scan, or the row's time. */
  readonly wanted: number | "time";
  readonly type: NumberType | "timestamp";
}

type NumberType = "int64" | "uint64" | "float64";

export type FoldName = "count" | "sum" | "avg" | "min" | "max";

/** Longer ones cannot be told apart exactly as floats. */
const STRIDE_NS_MAX = 2 ** 52;
const FOLDS: ReadonlySet<string> = new Set(["count", "sum", "avg", "min", "max"]);
/** Functions that take no time to speak of, and are the same to the plain engine and the other. */
const HERE: ReadonlySet<string> = new Set(
  (
    "add subtract multiply divide modulo negate abs round ceil floor trunc equal not_equal less less_equal greater greater_equal " +
    "is_distinct is_not_distinct and or not is_null is_not_null coalesce greatest least nullif date_bin date_trunc date_part " +
    "add_interval subtract_interval"
  ).split(" "),
);

/** The fields that `folded` is made of, by their places in the scan. */
export function fieldsOf(folded: Folded): readonly number[] {
  if (folded.kind === "choice")
    return folded.wanted === "time" ? [folded.index] : [folded.index, folded.wanted];
  return folded.index === undefined ? [] : [folded.index];
}

/** The columns of numbers that are read. */
export function numberColumnsOf({ conditions, grouping, scan }: Shape): readonly ScanColumn[] {
  if (grouping === undefined) return scan.columns.filter(isNumber);
  const tested = conditions.flatMap((one) => ("indexes" in one ? one.indexes : [one.index]));
  const read = new Set([...tested, ...grouping.aggregates.flatMap(fieldsOf)]);
  return scan.columns.filter((_, index) => read.has(index));
}

/** Undefined where `plan` is of another shape. */
export function shapeOf(plan: Plan): Shape | undefined {
  let node = plan;
  let edge: Shape["edge"];
  while (isAbove(node)) {
    if (!isHere(node)) return undefined;
    if (node.kind === "distinct_on") edge = edgeOf(node);
    node = node.input;
  }
  if (node.kind === "filter" && node.input.kind === "aggregate") {
    if (!isHere(node)) return undefined;
    node = node.input;
  }
  const shape = shapeOfBase(node);
  return shape && { ...shape, edge: shape.grouping === undefined ? edge : undefined };
}

type Above = Extract<Plan, { kind: "project" | "sort" | "limit" | "distinct_on" }>;

function isAbove(plan: Plan): plan is Above {
  return ["project", "sort", "limit", "distinct_on"].includes(plan.kind);
}

/** Of `DISTINCT ON (tags) … ORDER BY tags, time` directly over rows of a scan; undefined for all else. */
function edgeOf({ input, keys }: Extract<Plan, { kind: "distinct_on" }>): Shape["edge"] {
  if (input.kind !== "sort") return undefined;
  const scan = input.input.kind === "filter" ? input.input.input : input.input;
  if (scan.kind !== "scan") return undefined;
  const tags = keys.map((key) => (kindOf(key, scan) === "tag" ? indexOf(key) : undefined));
  const order = input.keys.slice(0, keys.length).map(({ expression }) => indexOf(expression));
  const byTags = !tags.includes(undefined) && tags.every((index) => order.includes(index));
  const time = input.keys[keys.length];
  if (!byTags || time === undefined || kindOf(time.expression, scan) !== "time") return undefined;
  return time.descending ? "last" : "first";
}

function indexOf(expression: Expression): number | undefined {
  return expression.kind === "input" ? expression.index : undefined;
}

function shapeOfBase(base: Plan): Omit<Shape, "edge"> | undefined {
  const rows = base.kind === "aggregate" ? base.input : base;
  const scan = rows.kind === "filter" ? rows.input : rows;
  if (scan.kind !== "scan" || !isHere(scan) || !isOfTags(scan)) return undefined;
  const conditions =
    rows.kind === "filter" ? conditionsOf(rows.predicate, scan) : ([] as FieldCondition[]);
  if (conditions === undefined) return undefined;
  const tagPredicate = scan.predicate;
  if (base.kind !== "aggregate")
    return { scan, tagPredicate, conditions, base, grouping: undefined };
  const grouping = groupingOf(base, scan);
  return grouping && { scan, tagPredicate, conditions, base, grouping };
}

function groupingOf(
  { aggregates, groupingSets, groups }: Extract<Plan, { kind: "aggregate" }>,
  scan: ScanPlan,
): Grouping | undefined {
  if (groupingSets !== undefined) return undefined;
  const keys = groups.map((group) => groupKeyOf(group, scan));
  const folded = aggregates.map((call) => foldedOf(call, scan));
  if (keys.filter((key) => key?.kind === "bin").length > 1) return undefined;
  if (!keys.every((key) => key !== undefined)) return undefined;
  return folded.every((one) => one !== undefined)
    ? { groups: keys, aggregates: folded }
    : undefined;
}

function groupKeyOf(group: Expression, scan: ScanPlan): GroupKey | undefined {
  if (group.kind === "input")
    return kindOf(group, scan) === "tag" ? { kind: "tag", index: group.index } : undefined;
  if (group.kind !== "call" || group.name !== "date_bin") return undefined;
  return binOf(group.arguments, scan);
}

/** As bins, what `date_bin` is asked for. */
function binOf(
  [stride, time, origin]: readonly Expression[],
  scan: ScanPlan,
): GroupKey | undefined {
  if (stride?.kind !== "literal" || origin?.kind !== "literal") return undefined;
  if (kindOf(time, scan) !== "time" || typeof origin.value !== "bigint") return undefined;
  const strideNs = isInterval(stride.value) ? fixedLength(stride.value) : 0;
  return strideNs > 0 ? { kind: "bin", strideNs, origin: origin.value } : undefined;
}

/** The kind of column that `expression` is, unchanged. */
function kindOf(expression: Expression | undefined, { columns }: ScanPlan): ColumnKind | undefined {
  return expression?.kind === "input" ? columns[expression.index]?.kind : undefined;
}

/** 0 where it has months, or is too long. */
function fixedLength({ months, nanoseconds }: IntervalValue): number {
  return months === 0 && nanoseconds <= STRIDE_NS_MAX ? Number(nanoseconds) : 0;
}

function foldedOf(call: AggregateCall, scan: ScanPlan): Folded | undefined {
  if (call.name === "first_value") return choiceOf(call, scan);
  const { arguments: operands, distinct, filter, name, orderBy, type } = call;
  const plain = !distinct && filter === undefined && orderBy === undefined && operands.length < 2;
  if (!plain || !isFold(name) || !isNumberType(type)) return undefined;
  const [operand] = operands;
  if (operand === undefined) return { kind: "numbers", name, index: undefined, type };
  // As an average takes it.
  const input = operand.kind === "cast" && name === "avg" ? operand.operand : operand;
  const index = numberIndex(input, scan);
  return index === undefined ? undefined : { kind: "numbers", name, index, type };
}

/** Of `first_value(… ORDER BY time, field DESC) FILTER (WHERE field IS NOT NULL)` and its likes. */
function choiceOf(call: AggregateCall, scan: ScanPlan): Folded | undefined {
  const { arguments: operands, distinct, filter, ignoreNulls, type } = call;
  const order = choiceOrder(call, scan);
  if (order === undefined || distinct || ignoreNulls === true) return undefined;
  if (!isPresence(filter, order.index)) return undefined;
  const [operand] = operands;
  const wanted = kindOf(operand, scan) === "time" ? "time" : numberIndex(operand, scan);
  if (wanted === undefined || (type !== "timestamp" && !isNumberType(type))) return undefined;
  return { kind: "choice", ...order, wanted, type };
}

/** Of equal times the greater value is chosen, of equal values the earlier time. */
const CHOICES: ReadonlyMap<string, FoldedChoice["by"]> = new Map([
  ["time up, value down", "first"],
  ["time down, value down", "last"],
  ["value up, time up", "min"],
  ["value down, time up", "max"],
]);

function choiceOrder(
  { orderBy = [] }: AggregateCall,
  scan: ScanPlan,
): Pick<FoldedChoice, "by" | "index"> | undefined {
  const words = orderBy.map(({ descending, expression }) => {
    const name = kindOf(expression, scan) === "time" ? "time" : "value";
    return `${name} ${descending ? "down" : "up"}`;
  });
  const by = CHOICES.get(words.join(", "));
  const [index] = orderBy.flatMap(({ expression }) => numberIndex(expression, scan) ?? []);
  return by === undefined || index === undefined ? undefined : { by, index };
}

/** Whether `filter` asks for a value of field `index`, and no more. */
function isPresence(filter: Expression | undefined, index: number): boolean {
  if (filter?.kind !== "call" || filter.name !== "is_not_null") return false;
  const [operand] = filter.arguments;
  return operand?.kind === "input" && operand.index === index;
}

function isFold(name: string): name is FoldName {
  return FOLDS.has(name);
}

function isNumberType(type: ValueType): type is NumberType {
  return type === "int64" || type === "uint64" || type === "float64";
}

function conditionsOf(predicate: Expression, scan: ScanPlan): FieldCondition[] | undefined {
  const conditions: FieldCondition[] = [];
  for (const conjunct of conjunctsOf(predicate)) {
    const condition = conditionOf(conjunct, scan);
    if (condition === undefined) return undefined;
    conditions.push(condition);
  }
  return conditions;
}

function conjunctsOf(predicate: Expression): readonly Expression[] {
  return predicate.kind === "call" && predicate.name === "and"
    ? predicate.arguments.flatMap(conjunctsOf)
    : [predicate];
}

/** Whether the predicate of `scan` names tags alone. */
function isOfTags({ columns, predicate }: ScanPlan): boolean {
  const pending = predicate === undefined ? [] : [predicate];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    if (next.kind === "input" && columns[next.index]?.kind !== "tag") return false;
    pending.push(...childrenOf(next));
  }
  return true;
}

/** Whether all that `plan` itself computes can be computed in this process. */
function isHere(plan: Plan): boolean {
  if (!plan.fields.every(({ type }) => isKnownType(type))) return false;
  const pending = [...expressionsOf(plan)];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    if (!isExpressionHere(next)) return false;
    pending.push(...childrenOf(next));
  }
  return true;
}

function isExpressionHere(expression: Expression): boolean {
  if (!isKnownType(expression.type)) return false;
  switch (expression.kind) {
    case "call":
      return HERE.has(expression.name);
    case "cast":
      return expression.type !== "interval" && expression.operand.type !== "interval";
    case "subquery":
    case "outer":
      return false;
    default:
      return true;
  }
}
