/** What a SELECT reads of a table, reduced to a row for each series and bucket of time, as a plan. */
import type { AggregateCall, Expression, SortKey } from "#model/query/expression.ts";
import type { Field, Plan } from "#model/query/plan.ts";
import { call, literal } from "../../../plan/bind/fold.ts";
import { filtered } from "../../../plan/conditions.ts";
import type { ReduceRequest } from "../../points/source.ts";
import { ScanColumns } from "../columns.ts";
import { conditionOf } from "../condition/condition.ts";
import { tagOf, valueOf } from "../rows.ts";
import { chosenOf, isReduced, type Part, partOf } from "./parts.ts";

/** Fields: the time, the dimensions, then the calls of `parts`, of which these make a column of points each. */
export interface ReducedPlan {
  readonly plan: Plan;
  readonly parts: readonly Part[];
}

const BUCKET_NS_MAX = 2n ** 62n;
const SELECTORS: ReadonlySet<string> = new Set(["first", "last", "min", "max"]);
const MISSING: Part = { calls: [], finish: () => ({ type: "null" }) };

/** Whether what the engine makes of the rows is exactly what InfluxDB 1 does. */
export function canReduce({ beside, ownTime, reducers, source, window }: ReduceRequest): boolean {
  if (window !== undefined && window.everyNs > BUCKET_NS_MAX) return false;
  const [first] = reducers;
  if (first === undefined) return false;
  const selects = ownTime || beside.length > 0;
  if (selects && (reducers.length > 1 || !SELECTORS.has(first.name))) return false;
  const columns = new ScanColumns(source.table);
  return reducers.every((reducer) => {
    const { type } = valueOf(reducer.argument, columns);
    return type === "null" || isReduced(reducer, type);
  });
}

/** Of a request that `canReduce`; with `wide` sums of whole numbers do not overflow. Undefined where no row can be there. */
export function planReduced(request: ReduceRequest, wide: boolean): ReducedPlan | undefined {
  const { condition, name, table } = request.source;
  const columns = new ScanColumns(table);
  const time = columns.time();
  const values = request.reducers.map(({ argument }) => valueOf(argument, columns));
  if (values.every(({ type }) => type === "null")) return undefined;
  const parts = partsOf(request, columns, { values, time, wide });
  const dimensions = request.dimensions.map((dimension) => tagOf(columns, dimension));
  const conditions =
    condition === undefined ? [] : [conditionOf(condition, { columns, measurement: name })];
  const bucket = bucketOf(request, time);
  const rows = filtered(columns.scan(request.time), conditions);
  const plan = groupedPlan(request, rows, { dimensions, bucket, parts });
  return { plan, parts: parts.parts };
}

interface Parts {
  readonly parts: readonly Part[];
  /** The time of the row that the one selector chose. */
  readonly ownTime: AggregateCall | undefined;
}

interface PartsOptions {
  readonly values: readonly Expression[];
  readonly time: Expression;
  readonly wide: boolean;
}

function partsOf(
  { beside, ownTime, reducers }: ReduceRequest,
  columns: ScanColumns,
  { time, values, wide }: PartsOptions,
): Parts {
  const [reducer] = reducers;
  const [value] = values;
  if ((ownTime || beside.length > 0) && reducer !== undefined && value !== undefined) {
    const others = beside.map((variable) => valueOf(variable, columns));
    const chosen = chosenOf(reducer, value, time, [value, ...others, time]);
    return { parts: chosen.slice(0, -1).map(asIs), ownTime: ownTime ? chosen.at(-1) : undefined };
  }
  const parts = reducers.map((one, index) => {
    const operand = values[index];
    if (operand === undefined || operand.type === "null") return MISSING;
    return partOf(one, operand, { time, wide });
  });
  return { parts, ownTime: undefined };
}

/** The bucket that a row is in; undefined where time is not divided. */
function bucketOf({ window }: ReduceRequest, time: Expression): Expression | undefined {
  if (window === undefined) return undefined;
  const stride = literal({ months: 0, nanoseconds: window.everyNs }, "interval");
  return call("date_bin", [stride, time, literal(window.offsetNs, "timestamp")], "timestamp");
}

interface Grouped {
  readonly dimensions: readonly Expression[];
  readonly bucket: Expression | undefined;
  readonly parts: Parts;
}

/** By dimensions and bucket, in that order, where there is a value. A dimension that no row has is no group. */
function groupedPlan(
  { descending, reducers, seriesDescending }: ReduceRequest,
  rows: Plan,
  { bucket, dimensions, parts: { ownTime, parts } }: Grouped,
): Plan {
  const live = dimensions.filter(({ kind }) => kind === "input");
  const groups = [...live, ...(bucket === undefined ? [] : [bucket])];
  const called = parts.flatMap(({ calls }) => calls);
  const aggregates = [...called, ...(ownTime === undefined ? [] : [ownTime])];
  const columns = [...groups, ...aggregates];
  const place = (index: number): Expression => {
    return { kind: "input", index, type: columns[index]?.type ?? "null" };
  };
  const fields = fieldsOf(columns);
  const input: Plan = { kind: "aggregate", fields, input: rows, groups, aggregates };
  const keys = groups.map((_, index): SortKey => {
    const isReversed = index < live.length ? seriesDescending : descending;
    return { expression: place(index), descending: isReversed, nullsFirst: !isReversed };
  });
  const expressions = [
    timeOf(place, { bucket, ownTime, groups, columns }),
    ...dimensions.map((one) => (one.kind === "input" ? place(live.indexOf(one)) : one)),
    ...called.map((_, index) => place(groups.length + index)),
  ];
  const valued = filtered(input, [anyValue(groups.length, parts.slice(0, reducers.length))]);
  const sorted: Plan = { kind: "sort", fields, input: valued, keys };
  return { kind: "project", fields: fieldsOf(expressions), input: sorted, expressions };
}

/** Whether one of `parts`, whose calls stand behind `groupCount` groups, has a value. */
function anyValue(groupCount: number, parts: readonly Part[]): Expression {
  let next = groupCount;
  const tests = parts.flatMap(({ calls: [first], calls }): readonly Expression[] => {
    const index = next;
    next += calls.length;
    if (first === undefined) return [];
    const value: Expression = { kind: "input", index, type: first.type };
    if (first.name === "count") return [call("greater", [value, literal(0n, "int64")], "boolean")];
    return [call("is_not_null", [value], "boolean")];
  });
  const [only] = tests;
  return tests.length === 1 && only !== undefined ? only : call("or", tests, "boolean");
}

/** The time of a row: its own, that of its bucket, or any. */
function timeOf(
  place: (index: number) => Expression,
  { bucket, columns, groups, ownTime }: TimeOptions,
): Expression {
  if (ownTime !== undefined) return place(columns.length - 1);
  return bucket === undefined ? literal(0n, "timestamp") : place(groups.length - 1);
}

interface TimeOptions {
  readonly bucket: Expression | undefined;
  readonly ownTime: AggregateCall | undefined;
  readonly groups: readonly Expression[];
  readonly columns: readonly unknown[];
}

function fieldsOf(columns: readonly { readonly type: Field["type"] }[]): readonly Field[] {
  return columns.map(({ type }): Field => ({ name: "", type }));
}

function asIs(chosen: AggregateCall): Part {
  return { calls: [chosen], finish: ([column]) => column ?? { type: "null" } };
}
