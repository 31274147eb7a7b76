/** Short ways to write expressions and compare rows. */
import assert from "node:assert/strict";
import { inspect, isDeepStrictEqual } from "node:util";
import type {
  AggregateCall,
  Expression,
  IntervalValue,
  LiteralValue,
  SortKey,
} from "#model/query/expression.ts";
import type { AggregateFunction } from "#model/query/functions/aggregate.ts";
import type { ScalarFunction } from "#model/query/functions/scalar.ts";
import type { Field, Plan } from "#model/query/plan.ts";
import type { ValueType } from "#model/query/value-type.ts";
import type { Cell } from "./bench.ts";

export const int = (value: bigint | number) => literal("int64", BigInt(value));
export const uint = (value: bigint | number) => literal("uint64", BigInt(value));
export const float = (value: number) => literal("float64", value);
export const text = (value: string) => literal("string", value);
export const bool = (value: boolean) => literal("boolean", value);
/** Nanoseconds, or a text that Date.parse knows. */
export const time = (value: bigint | string) =>
  literal("timestamp", typeof value === "string" ? instant(value) : value);
export const interval = (months: number, nanoseconds: bigint) =>
  literal("interval", { months, nanoseconds } satisfies IntervalValue);
export const none = (type: ValueType = "null") => literal(type, null);

export function literal(type: ValueType, value: LiteralValue): Expression {
  return { kind: "literal", value, type };
}

export function input(index: number, type: ValueType): Expression {
  return { kind: "input", index, type };
}

/** A call that answers `type`. */
export function call(
  type: ValueType,
  name: ScalarFunction,
  ...args: readonly Expression[]
): Expression {
  return { kind: "call", name, arguments: args, type };
}

export function castTo(type: ValueType, operand: Expression, safe = false): Expression {
  return { kind: "cast", operand, safe, type };
}

export function aggregate(
  type: ValueType,
  name: AggregateFunction,
  args: readonly Expression[] = [],
  rest: Partial<Pick<AggregateCall, "distinct" | "filter" | "orderBy">> = {},
): AggregateCall {
  return { name, arguments: args, distinct: false, type, ...rest };
}

export function ascending(expression: Expression, nullsFirst = false): SortKey {
  return { expression, descending: false, nullsFirst };
}

export function descending(expression: Expression, nullsFirst = false): SortKey {
  return { expression, descending: true, nullsFirst };
}

/** `expressions` over the rows of `source`. */
export function project(source: Plan, ...expressions: readonly Expression[]): Plan {
  return { kind: "project", fields: namesFor(expressions), input: source, expressions };
}

export function sorted(source: Plan, ...keys: readonly SortKey[]): Plan {
  return { kind: "sort", fields: source.fields, input: source, keys };
}

/** Rows of literals, at least one. */
export function valuesOf(...rows: readonly (readonly Expression[])[]): Plan {
  return { kind: "values", fields: namesFor(rows[0] ?? []), rows };
}

export function grouped(
  source: Plan,
  groups: readonly Expression[],
  ...aggregates: readonly AggregateCall[]
): Plan {
  const fields = namesFor([...groups, ...aggregates]);
  return { kind: "aggregate", fields, input: source, groups, aggregates };
}

function namesFor(columns: readonly { readonly type: ValueType }[]): Field[] {
  return columns.map(({ type }, i) => ({ name: `column ${i}`, type }));
}

/** Nanoseconds of an instant that Date.parse knows. */
export function instant(value: string): bigint {
  return BigInt(Date.parse(value)) * 1_000_000n;
}

/** Passes where the rows are the same in any order; numbers may differ in the last digits. */
export function assertSameRows(actual: readonly Cell[][], expected: readonly Cell[][]): void {
  assertSameList(actual.toSorted(byText), expected.toSorted(byText));
}

/** Passes where the rows are the same in this order; numbers may differ in the last digits. */
export function assertSameList(actual: readonly Cell[][], expected: readonly Cell[][]): void {
  const same =
    actual.length === expected.length &&
    actual.every((row, i) => row.every((cell, j) => close(cell, expected[i]?.[j] ?? null)));
  if (!same) assert.deepEqual(actual, expected);
}

function close(left: Cell, right: Cell): boolean {
  if (typeof left === "number" && typeof right === "number") {
    if (Number.isNaN(left) || Number.isNaN(right)) return Number.isNaN(left) && Number.isNaN(right);
    if (left === right) return true;
    return Math.abs(left - right) <= 1e-9 * Math.max(1, Math.abs(left), Math.abs(right));
  }
  return isDeepStrictEqual(left, right);
}

function byText(left: readonly Cell[], right: readonly Cell[]): number {
  const a = textOf(left);
  const b = textOf(right);
  return Number(a > b) - Number(a < b);
}

/** Nine digits of a number, so that rows sort alike where numbers nearly are. */
function textOf(row: readonly Cell[]): string {
  return row
    .map((cell) => {
      if (typeof cell === "number") return (cell + 0).toPrecision(9);
      return inspect(cell);
    })
    .join("\u0000");
}
