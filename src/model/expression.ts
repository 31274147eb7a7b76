import type { ColumnKind } from "./schema.ts";

/** The type of a value in a query. `null` is the type of a bare NULL, which fits everywhere. */
export type ValueType =
  | "null"
  | "boolean"
  | "int64"
  | "uint64"
  | "float64"
  | "string"
  | "timestamp"
  | "interval";

/** A calendar part and a fixed part; days count 24 hours into the fixed part. */
export interface IntervalValue {
  readonly months: number;
  readonly nanoseconds: bigint;
}

/** int64, uint64 and timestamp (nanoseconds since the Unix epoch) are bigint; NULL is null. */
export type LiteralValue = null | boolean | bigint | number | string | IntervalValue;

/**
 * Functions of one row that engines know. The planner maps a user's names and operators to these and inserts
 * casts, so arguments have exactly the types written here. All but the logic group answer NULL for a NULL argument.
 *
 * Arithmetic: both arguments and the result have one type of int64, uint64, float64. Overflow of whole numbers
 *   is an error `number_overflow`; `divide` and `modulo` of whole numbers truncate toward zero, and by zero they are an error
 *   `divide_by_zero`. On float64 they follow IEEE 754. `negate`, `abs` take one.
 * Comparison: two arguments of one type, result boolean. Strings compare by code point; NaN equals NaN and is above all.
 *   `is_distinct` and `is_not_distinct` treat NULL as a value.
 * Logic: `and`, `or` (two or more arguments), `not`: three-valued. `is_null`, `is_not_null`: any type.
 * Text: `like`, `ilike` (text, pattern; `%` `_`, `\` escapes), `regexp_like` (text, RE2 pattern; a match anywhere),
 *   `concat` (any number of strings; NULL counts as empty), `concat_operator` (`||`; NULL answers NULL), `lower`, `upper`,
 *   `length` (characters, int64), `trim`, `ltrim`, `rtrim` (spaces), `replace` (text, from, to), `starts_with`, `ends_with`,
 *   `strpos` (text, part: 1-based, 0 when absent), `substr` (text, from 1[, count]; characters before the first count, but are not
 *   there), `left`, `right` (text, count; a negative one leaves out as many at the other end).
 * Mathematics, float64 in and out, NaN or an infinity where there is no answer, never an error: `ceil floor sqrt ln log10 log2 exp
 *   power sin cos tan`, `round` (half away from zero, second argument int64 digits), `trunc`.
 * Choice: `coalesce`, `greatest`, `least` (one type; the last two pass NULLs over), `nullif`.
 * Time: `date_bin` (literal interval, timestamp, literal timestamp origin): the bin's start, floored toward the past; the interval has
 *   either months or nanoseconds, and is positive. `date_trunc` (literal unit text, timestamp). `date_part` (literal unit text,
 *   timestamp) → float64 for `epoch`, else int64; units smaller than a minute count within it, `dow` from Sunday 0, `week` as ISO
 *   has it. `add_interval`, `subtract_interval` (timestamp, interval) → timestamp; months keep the day or take the month's last.
 *   `timestamp_difference` (timestamp, timestamp) → interval of nanoseconds.
 */
export type ScalarFunction =
  | "add"
  | "subtract"
  | "multiply"
  | "divide"
  | "modulo"
  | "negate"
  | "abs"
  | "equal"
  | "not_equal"
  | "less"
  | "less_equal"
  | "greater"
  | "greater_equal"
  | "is_distinct"
  | "is_not_distinct"
  | "and"
  | "or"
  | "not"
  | "is_null"
  | "is_not_null"
  | "like"
  | "ilike"
  | "regexp_like"
  | "concat"
  | "concat_operator"
  | "lower"
  | "upper"
  | "length"
  | "trim"
  | "ltrim"
  | "rtrim"
  | "replace"
  | "starts_with"
  | "ends_with"
  | "strpos"
  | "substr"
  | "left"
  | "right"
  | "ceil"
  | "floor"
  | "round"
  | "trunc"
  | "sqrt"
  | "ln"
  | "log10"
  | "log2"
  | "exp"
  | "power"
  | "sin"
  | "cos"
  | "tan"
  | "coalesce"
  | "greatest"
  | "least"
  | "nullif"
  | "date_bin"
  | "date_trunc"
  | "date_part"
  | "add_interval"
  | "subtract_interval"
  | "timestamp_difference";

/** A value computed from one row. `type` is what it answers. */
export type Expression =
  /** Field `index` of the input of the plan node that holds the expression. */
  | { readonly kind: "input"; readonly index: number; readonly type: ValueType }
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
 * Functions of many rows. Result types: `count` int64; `sum` its argument's type (overflow is an error `number_overflow`); `avg`,
 * `stddev`, `stddev_population`, `variance`, `variance_population` float64 of float64; `median` its argument's type (the two
 * middle ones' mean, truncated for whole numbers); `min`, `max`, `first_value`, `last_value` their argument's type.
 * NULLs are passed over, but for `count` without arguments, which counts rows, and `first_value` and `last_value`, which take
 * them. No rows: `count` 0, the others NULL; `stddev` and `variance` of one row NULL.
 */
export type AggregateFunction =
  | "count"
  | "sum"
  | "avg"
  | "min"
  | "max"
  | "median"
  | "stddev"
  | "stddev_population"
  | "variance"
  | "variance_population"
  | "first_value"
  | "last_value";

export interface AggregateCall {
  readonly name: AggregateFunction;
  readonly arguments: readonly Expression[];
  readonly distinct: boolean;
  /** Only rows for which this is true. */
  readonly filter?: Expression;
  /** For `first_value` and `last_value`; without it any row may be the first. */
  readonly orderBy?: readonly SortKey[];
  readonly type: ValueType;
}

export interface SortKey {
  readonly expression: Expression;
  readonly descending: boolean;
  readonly nullsFirst: boolean;
}

/** The type that values of a column have in a query. */
export function typeOfColumn(kind: ColumnKind): ValueType {
  switch (kind) {
    case "time":
      return "timestamp";
    case "tag":
    case "string":
      return "string";
    case "float":
      return "float64";
    case "integer":
      return "int64";
    case "uinteger":
      return "uint64";
    case "boolean":
      return "boolean";
  }
}

/** The expressions directly in `expression`. */
export function childrenOf(expression: Expression): readonly Expression[] {
  switch (expression.kind) {
    case "input":
    case "literal":
      return [];
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
