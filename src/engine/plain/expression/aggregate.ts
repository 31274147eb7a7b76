/** Functions of many rows: what model/query/expression.ts says, word for word. */
import type { AggregateCall, Expression, SortKey } from "#model/query/expression.ts";
import type { AggregateFunction, CoreAggregate } from "#model/query/functions/aggregate.ts";
import type { ValueType } from "#model/query/value-type.ts";
import { wholeOf } from "./arithmetic.ts";
import { compile, compilePredicate } from "./evaluate.ts";
import { compareValues, keyOf, notHere, type Present, type Row, type Value } from "./value.ts";

/** A row for each group, in order of appearance: the groups' values, then the aggregates'. */
export function aggregateRows(
  rows: readonly Row[],
  groups: readonly Expression[],
  aggregates: readonly AggregateCall[],
): Row[] {
  const evaluators = groups.map(compile);
  const calls = aggregates.map(compileAggregate);
  const members = new Map<string, { readonly values: Row; readonly rows: Row[] }>();
  if (groups.length === 0) members.set("", { values: [], rows: [] });
  for (const row of rows) {
    const values = evaluators.map((evaluate) => evaluate(row));
    const key = keyOf(values);
    const group = members.get(key);
    if (group === undefined) members.set(key, { values, rows: [row] });
    else group.rows.push(row);
  }
  return Array.from(members.values(), (group) => [
    ...group.values,
    ...calls.map((call) => call(group.rows)),
  ]);
}

/** Compares rows by `keys`, the first that differs; 0 when none does. */
export function compileOrder(keys: readonly SortKey[]): (left: Row, right: Row) => number {
  const compiled = keys.map(({ expression, descending, nullsFirst }) => ({
    evaluate: compile(expression),
    sign: descending ? -1 : 1,
    nullRank: nullsFirst ? -1 : 1,
  }));
  return (left, right) => {
    for (const { evaluate, sign, nullRank } of compiled) {
      const a = evaluate(left);
      const b = evaluate(right);
      const order =
        a === null || b === null
          ? nullRank * (Number(a === null) - Number(b === null))
          : sign * compareValues(a, b);
      if (order !== 0) return order;
    }
    return 0;
  };
}

function compileAggregate(call: AggregateCall): (rows: readonly Row[]) => Value {
  const accepts = compilePredicate(call.filter);
  const args = call.arguments.map(compile);
  const order = call.orderBy === undefined ? undefined : compileOrder(call.orderBy);
  const fold = foldOf(call.name);
  if (call.ignoreNulls === true) throw notHere("IGNORE NULLS");
  return (rows) => {
    const accepted = rows.filter(accepts);
    const ordered = order === undefined ? accepted : accepted.toSorted(order);
    const tuples = ordered.map((row) => args.map((arg) => arg(row)));
    if (call.name === "first_value") return tuples[0]?.[0] ?? null;
    if (call.name === "last_value") return tuples.at(-1)?.[0] ?? null;
    const present = tuples.filter((tuple) => !tuple.includes(null));
    const counted = call.distinct ? distinct(present) : present;
    if (call.name === "count") return BigInt(counted.length);
    const values = counted.map(([value]) => value as Present);
    return values.length === 0 ? null : fold(values, call.type);
  };
}

function distinct(tuples: readonly Row[]): Row[] {
  return [...new Map(tuples.map((tuple) => [keyOf(tuple), tuple])).values()];
}

/** What `name` makes of its values; `count`, `first_value` and `last_value` need none. */
function foldOf(name: AggregateFunction): Fold {
  if (Object.hasOwn(FOLDS, name)) return FOLDS[name as keyof typeof FOLDS];
  if (name === "count" || name === "first_value" || name === "last_value") return () => null;
  throw notHere(`function ${name}`);
}

type Fold = (values: readonly Present[], type: ValueType) => Value;

/** Of one value or more. */
const FOLDS: Readonly<
  Record<Exclude<CoreAggregate, "count" | "first_value" | "last_value">, Fold>
> = {
  sum,
  avg: (values) => mean(values as readonly number[]),
  min: (values) => values.reduce((best, value) => (compareValues(value, best) < 0 ? value : best)),
  max: (values) => values.reduce((best, value) => (compareValues(value, best) > 0 ? value : best)),
  median,
  stddev: (values) => root(variance(values as readonly number[], 1)),
  stddev_population: (values) => root(variance(values as readonly number[], 0)),
  variance: (values) => variance(values as readonly number[], 1),
  variance_population: (values) => variance(values as readonly number[], 0),
};

function sum(values: readonly Present[], type: ValueType): Value {
  if (type === "float64") return total(values as readonly number[]);
  return wholeOf(
    (values as readonly bigint[]).reduce((all, value) => all + value, 0n),
    type,
  );
}

function total(values: readonly number[]): number {
  return values.reduce((all, value) => all + value, 0);
}

function mean(values: readonly number[]): number {
  return total(values) / values.length;
}

function median(values: readonly Present[], type: ValueType): Value {
  const sorted = values.toSorted(compareValues);
  const low = sorted[Math.floor((sorted.length - 1) / 2)] as Present;
  const high = sorted[Math.floor(sorted.length / 2)] as Present;
  if (sorted.length % 2 === 1) return low;
  if (type === "float64") return (low as number) / 2 + (high as number) / 2;
  return ((low as bigint) + (high as bigint)) / 2n;
}

/** `missing` degrees of freedom: 1 for a sample, 0 for a population. */
function variance(values: readonly number[], missing: 0 | 1): number | null {
  if (values.length <= missing) return null;
  const middle = mean(values);
  return total(values.map((value) => (value - middle) ** 2)) / (values.length - missing);
}

function root(value: number | null): number | null {
  return value === null ? null : Math.sqrt(value);
}
