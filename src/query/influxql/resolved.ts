import type { TableSchema } from "#model/schema.ts";
import type { TimeRange } from "#model/time-range.ts";
import type { BinaryOperator, Expression, Fill } from "./ast.ts";

/** A SELECT whose names were looked up: what is computed, of what, and in which order. Values; nothing in them is looked up again. */
export interface ResolvedSelect {
  /** None where nothing can be answered: there is no such table, the time is empty, or no name among the fields is known. */
  readonly sources: readonly ResolvedSource[];
  /** What WHERE says of time, and what is around it, both ends included; of all time where it says nothing. */
  readonly time: TimeRange;
  /** What its WHERE alone says: of a subquery more may be asked than `time`, by a transformation around it that reads buckets before. */
  readonly ownTime: TimeRange;
  /** Whether WHERE bounds the time below; where it does not, rows of aggregates bear the time 0. */
  readonly startsAt: boolean;
  /** GROUP BY, without time: tags by name, with those of the statement around it. */
  readonly dimensions: readonly string[];
  /** GROUP BY time. */
  readonly window: TimeWindow | undefined;
  readonly fill: Fill;
  /** Whether a number of fill() stands for names as well that a measurement has not: in InfluxDB 3 these are missing. */
  readonly fillsUnknown: boolean;
  /** Whether each row that is read gives one that is answered: no call that reads more than one row. */
  readonly raw: boolean;
  /** What the sources give, each once; `outputs` name them by their place here. */
  readonly inputs: readonly Input[];
  /** Columns of the answer, without `time`. */
  readonly outputs: readonly Output[];
  /** The name of the first column of the answer. */
  readonly timeName: string;
  readonly descending: boolean;
  /** Whether series come the other way round as well: with DESC they do in InfluxDB 1, not in 3. */
  readonly seriesDescending: boolean;
  /** Of each series, 0 without. */
  readonly limit: number;
  readonly offset: number;
  /** Series, 0 without. */
  readonly seriesLimit: number;
  readonly seriesOffset: number;
  readonly zone: string | undefined;
}

export type ResolvedSource =
  | {
      readonly kind: "table";
      readonly name: string;
      readonly table: TableSchema;
      /** The database that the retention policy is (`db` or `db/rp`). */
      readonly database: string;
      /**
       * WHERE without what it says of time; constants are computed, casts are the user's. Names that the table has not are there as they
       * were written.
       */
      readonly condition: Expression | undefined;
    }
  | {
      readonly kind: "subquery";
      readonly select: ResolvedSelect;
      /** Of the rows of the subquery; of its tags and of its columns. */
      readonly condition: Expression | undefined;
      /** The types of its outputs, of several of one name that of the first; of tags of its own GROUP BY. Other names are not to be seen. */
      readonly types: ReadonlyMap<string, PointType>;
    };

/** Buckets from each whole number of `everyNs` since the epoch, moved by `offsetNs`; in a zone, by its clock. */
export interface TimeWindow {
  readonly everyNs: bigint;
  readonly offsetNs: bigint;
}

/** The types of values; `tag` is text of which a missing one is empty. */
export type PointType = "float" | "integer" | "unsigned" | "string" | "boolean" | "tag";

export type Input = VariableInput | ReducerInput;

/**
 * Values as they are stored, or as a subquery gives them, in `type`: sources cast between numbers, other values of another type are missing.
 * The type is what `::` says, or the strongest of all sources'.
 */
export interface VariableInput {
  readonly kind: "variable";
  readonly name: string;
  readonly type: PointType;
}

/**
 * Values computed of many rows: of each series and bucket.
 *
 * Without a window the row of an aggregate has the time at which WHERE begins, or 0; that of a selector, where it is the only one, its own. Of
 * more than one selector, or with aggregates, all have that time. `top`, `bottom`, `distinct` and `sample` give more than one row, and are alone.
 */
export interface ReducerInput {
  readonly kind: "reducer";
  readonly name: ReducerName;
  /** What is reduced. */
  readonly argument: VariableInput;
  /** Of `count(distinct(x))` and the like: what is counted are different values. */
  readonly distinct: boolean;
  /** `percentile`: 0 to 100. `top`, `bottom`, `sample`: rows. `integral`: nanoseconds of a unit. Undefined for others. */
  readonly parameter: number | undefined;
  /** Tags of `top(x, a, b, n)`: of each combination the best. Fields that stand there are taken for tags that no row has. */
  readonly keys: readonly VariableInput[];
  readonly type: PointType;
}

export const REDUCER_NAMES = [
  "count",
  "sum",
  "mean",
  "median",
  "mode",
  "spread",
  "stddev",
  "integral",
  "first",
  "last",
  "min",
  "max",
  "percentile",
  "top",
  "bottom",
  "distinct",
  "sample",
] as const;

export type ReducerName = (typeof REDUCER_NAMES)[number];

export interface Output {
  readonly name: string;
  readonly expression: OutputExpression;
  /**
   * What statements around this one take it for: whole numbers of `i / 2` and `sqrt(i)` too, which are cast when they are read there, not
   * here. Undefined: of no type, missing in each row.
   */
  readonly type: PointType | undefined;
}

/** One value of a row, or of rows around it. */
export type OutputExpression =
  | { readonly kind: "input"; readonly index: number }
  /** Missing in each row: a name that no source has, or operands that do not go together. */
  | { readonly kind: "null" }
  /** Of the row that the one selector chose. */
  | { readonly kind: "beside"; readonly input: VariableInput }
  | { readonly kind: "literal"; readonly value: bigint | number | boolean | string }
  | {
      readonly kind: "binary";
      readonly operator: BinaryOperator;
      readonly left: OutputExpression;
      readonly right: OutputExpression;
    }
  | {
      readonly kind: "math";
      readonly name: MathName;
      readonly arguments: readonly OutputExpression[];
    }
  | {
      readonly kind: "transform";
      readonly name: TransformName;
      readonly argument: OutputExpression;
      /** Units in nanoseconds, numbers of rows, periods. */
      readonly parameters: readonly (bigint | number)[];
    };

export type MathName =
  | "abs"
  | "acos"
  | "asin"
  | "atan"
  | "atan2"
  | "ceil"
  | "cos"
  | "exp"
  | "floor"
  | "ln"
  | "log"
  | "log10"
  | "log2"
  | "pow"
  | "round"
  | "sin"
  | "sqrt"
  | "tan";

export const TRANSFORM_NAMES = [
  "cumulative_sum",
  "derivative",
  "difference",
  "elapsed",
  "moving_average",
  "non_negative_derivative",
  "non_negative_difference",
  "holt_winters",
  "holt_winters_with_fit",
] as const;

export type TransformName = (typeof TRANSFORM_NAMES)[number];
