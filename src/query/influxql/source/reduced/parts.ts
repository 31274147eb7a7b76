/** What the engine computes for each function of InfluxQL, and what is made of it here. */
import type { AggregateCall, Expression, SortKey } from "#model/query/expression.ts";
import type { AggregateFunction } from "#model/query/functions/aggregate.ts";
import type { ResultColumn } from "#model/query/result.ts";
import type { ValueType } from "#model/query/value-type.ts";
import { call, literal } from "../../../plan/bind/fold.ts";
import type { ReducerInput, ReducerName } from "../../resolved.ts";
import { deviationOf, differenceOf, meanOf, withoutZeros, wrappedSum } from "./numbers.ts";

/** Values of the engine, of which one column of points is made. */
export interface Part {
  readonly calls: readonly AggregateCall[];
  /** Of the columns that the calls gave; where the first of them is NULL, or a count of nothing, there is no value. */
  readonly finish: (columns: readonly ResultColumn[]) => ResultColumn;
}

export interface PartOptions {
  readonly time: Expression;
  /** Whether sums of whole numbers are computed in halves, which do not overflow. */
  readonly wide: boolean;
}

/** Functions whose values the engine computes; the others are computed of rows. */
export const REDUCED_NAMES: readonly ReducerName[] = [
  "count",
  "sum",
  "mean",
  "median",
  "spread",
  "stddev",
  "first",
  "last",
  "min",
  "max",
];
const OF_ANY_TYPE: ReadonlySet<ReducerName> = new Set<ReducerName>(["count", "first", "last"]);
const NUMBERS: ReadonlySet<ValueType> = new Set<ValueType>(["float64", "int64"]);
const HALF = literal(32n, "int64");
const LOW_BITS = literal(2n ** 32n - 1n, "int64");

/** Whether `partOf` knows `reducer` over values of `type`. */
export function isReduced({ distinct, name }: ReducerInput, type: ValueType): boolean {
  if (!REDUCED_NAMES.includes(name) || (distinct && name !== "count")) return false;
  return OF_ANY_TYPE.has(name) || NUMBERS.has(type);
}

/** `value` is what is reduced; its type is known to `isReduced`. */
export function partOf(reducer: ReducerInput, value: Expression, options: PartOptions): Part {
  switch (reducer.name) {
    case "count": {
      const counted: AggregateCall = {
        ...aggregate("count", value, "int64"),
        distinct: reducer.distinct,
      };
      return { calls: [counted], finish: ([counts]) => withoutZeros(counts) };
    }
    case "sum":
      return sumOf(value, options);
    case "mean":
      return meanPart(value, options);
    case "median":
      return as("median", asFloat(value), "float64");
    case "stddev": {
      const deviation = aggregate("stddev", asFloat(value), "float64");
      return {
        calls: [aggregate("count", value, "int64"), deviation],
        finish: ([counts, deviations]) => deviationOf(counts, deviations),
      };
    }
    case "spread":
      return {
        calls: [aggregate("max", value, value.type), aggregate("min", value, value.type)],
        finish: ([most, least]) => differenceOf(most, least),
      };
    case "first":
    case "last":
      return edgeOf(reducer.name, value, options.time);
    default:
      return as(reducer.name === "min" ? "min" : "max", value, value.type);
  }
}

/** `wanted` of the row that `reducer`, a selector of `value`, chooses. */
export function chosenOf(
  { name }: ReducerInput,
  value: Expression,
  time: Expression,
  wanted: readonly Expression[],
): readonly AggregateCall[] {
  const newest = name === "last";
  const byTime: SortKey = { expression: time, descending: newest, nullsFirst: false };
  const byValue: SortKey = { expression: value, descending: name !== "min", nullsFirst: false };
  const orderBy = name === "first" || newest ? [byTime, byValue] : [byValue, byTime];
  return wanted.map((one) => firstOf(one, value, orderBy));
}

function edgeOf(name: "first" | "last", value: Expression, time: Expression): Part {
  const orderBy: readonly SortKey[] = [
    { expression: time, descending: name === "last", nullsFirst: false },
    { expression: value, descending: true, nullsFirst: false },
  ];
  return { calls: [firstOf(value, value, orderBy)], finish: only };
}

/** `one` of the first row, by `orderBy`, that has a `value`. */
function firstOf(one: Expression, value: Expression, orderBy: readonly SortKey[]): AggregateCall {
  const filter = call("is_not_null", [value], "boolean");
  return { ...aggregate("first_value", one, one.type), filter, orderBy };
}

function sumOf(value: Expression, { wide }: PartOptions): Part {
  if (value.type === "float64" || !wide) return as("sum", value, value.type);
  const high = call("shift_right", [value, HALF], "int64");
  const low = call("bit_and", [value, LOW_BITS], "int64");
  return {
    calls: [aggregate("sum", high, "int64"), aggregate("sum", low, "int64")],
    finish: ([highs, lows]) => wrappedSum(highs, lows),
  };
}

/** Of whole numbers their sum, which goes round, is divided. */
function meanPart(value: Expression, options: PartOptions): Part {
  if (value.type === "float64") return as("avg", value, "float64");
  const sum = sumOf(value, options);
  return {
    calls: [...sum.calls, aggregate("count", value, "int64")],
    finish: (columns) => meanOf(sum.finish(columns.slice(0, -1)), columns.at(-1)),
  };
}

function as(name: AggregateFunction, value: Expression, type: ValueType): Part {
  return { calls: [aggregate(name, value, type)], finish: only };
}

function only([column]: readonly ResultColumn[]): ResultColumn {
  return column ?? { type: "null" };
}

function aggregate(name: AggregateFunction, value: Expression, type: ValueType): AggregateCall {
  return { name, arguments: [value], distinct: false, type };
}

function asFloat(operand: Expression): Expression {
  if (operand.type === "float64") return operand;
  return { kind: "cast", operand, safe: false, type: "float64" };
}
