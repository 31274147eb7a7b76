import type { AggregateFunction } from "./functions/aggregate.ts";
import type { ScalarFunction } from "./functions/scalar.ts";
import type { Plan } from "./plan.ts";
import type { ValueType } from "./value-type.ts";

/** A calendar part and a fixed part; days count 24 hours into the fixed part. */
export interface IntervalValue {
  readonly months: number;
  readonly nanoseconds: bigint;
}

/**
 * Whole numbers, timestamps, dates, times of day and durations are bigint, in what value-type.ts says they are counted in; decimals
 * are bigint without their point (`1.50` of scale 2 is 150); binary is bytes; NULL is null. Lists, structs and maps are calls.
 */
export type LiteralValue = null | boolean | bigint | number | string | Uint8Array | IntervalValue;

/** Whether `value` is an interval. */
export function isInterval(value: LiteralValue): value is IntervalValue {
  return typeof value === "object" && value !== null && "months" in value;
}

/** A value computed from one row. `type` is what it answers. */
export type Expression =
  /** Field `index` of the input of the plan node that holds the expression; of a join, of its left input, then its right one. */
  | { readonly kind: "input"; readonly index: number; readonly type: ValueType }
  /**
   * Within the plan of a subquery: field `index` of the input of the node that holds the subquery, for its current row; `level` 1 is
   * the nearest subquery around, 2 the one around that.
   */
  | {
      readonly kind: "outer";
      readonly level: number;
      readonly index: number;
      readonly type: ValueType;
    }
  | SubqueryExpression
  | { readonly kind: "literal"; readonly value: LiteralValue; readonly type: ValueType }
  | {
      readonly kind: "call";
      readonly name: ScalarFunction;
      readonly arguments: readonly Expression[];
      readonly type: ValueType;
    }
  /**
   * `safe`: NULL where the value does not fit; otherwise that is an error `cast_failed`. Floats become whole numbers by
   * truncation; text must be such a number and nothing else. Floats as text show that they are floats (`2.0`); timestamps are
   * `2024-02-29T12:34:56` and 0, 3, 6 or 9 digits, and are read with `T` or a space, and UTC where no zone stands. Intervals
   * are not cast.
   */
  | {
      readonly kind: "cast";
      readonly operand: Expression;
      readonly safe: boolean;
      readonly type: ValueType;
    }
  /** The first branch whose condition is true; `otherwise` when none is. */
  | {
      readonly kind: "case";
      readonly branches: readonly { readonly when: Expression; readonly result: Expression }[];
      readonly otherwise: Expression;
      readonly type: ValueType;
    }
  /** `operand IN (list)`; all of one type. */
  | {
      readonly kind: "in";
      readonly operand: Expression;
      readonly list: readonly Expression[];
      readonly type: "boolean";
    };

/**
 * A plan that is run for each row of what holds it (engines may run it once where it names no `outer`).
 *
 * `scalar`: the one field of the one row; NULL without rows, an error `subquery_rows` with more. `exists`: whether there are rows.
 * `compare`: `operand` compared with each row's one field: true for any, or for all of them, three-valued; `IN` is any `equal`, and `NOT IN` its negation.
 */
export type SubqueryExpression =
  | {
      readonly kind: "subquery";
      readonly form: "scalar" | "exists";
      readonly plan: Plan;
      readonly type: ValueType;
    }
  | {
      readonly kind: "subquery";
      readonly form: "compare";
      readonly operator: Comparison;
      readonly quantifier: "any" | "all";
      readonly operand: Expression;
      readonly plan: Plan;
      readonly type: "boolean";
    };

export type Comparison =
  | "equal"
  | "not_equal"
  | "less"
  | "less_equal"
  | "greater"
  | "greater_equal";

export interface AggregateCall {
  readonly name: AggregateFunction;
  readonly arguments: readonly Expression[];
  readonly distinct: boolean;
  /** Only rows for which this is true. */
  readonly filter?: Expression;
  /** For those that depend on the order of rows; without it they may come in any. */
  readonly orderBy?: readonly SortKey[];
  /** Of `first_value`, `last_value`, `nth_value` and `array_agg`: whether rows whose argument is NULL are passed over. */
  readonly ignoreNulls?: boolean;
  readonly type: ValueType;
}

export interface SortKey {
  readonly expression: Expression;
  readonly descending: boolean;
  readonly nullsFirst: boolean;
}

/** The expressions directly in `expression`; those of a subquery's plan are not. */
export function childrenOf(expression: Expression): readonly Expression[] {
  switch (expression.kind) {
    case "input":
    case "outer":
    case "literal":
      return [];
    case "subquery":
      return expression.form === "compare" ? [expression.operand] : [];
    case "call":
      return expression.arguments;
    case "cast":
      return [expression.operand];
    case "case":
      return [
        ...expression.branches.flatMap(({ when, result }) => [when, result]),
        expression.otherwise,
      ];
    case "in":
      return [expression.operand, ...expression.list];
  }
}
