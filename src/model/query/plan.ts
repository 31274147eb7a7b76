import type { DataFile } from "../data-file.ts";
import type { ColumnId, GenerationId, Position, TableId } from "../ids.ts";
import type { RowDelete } from "../row-delete.ts";
import type { ColumnKind } from "../schema.ts";
import type { OrderStamp } from "../stamp.ts";
import type { TimeRange } from "../time-range.ts";
import type { AggregateCall, Expression, IntervalValue, SortKey } from "./expression.ts";
import type { WindowFunction } from "./functions/aggregate.ts";
import type { ValueType } from "./value-type.ts";

/** One column of the rows that a plan node gives. Names need not differ from each other. */
export interface Field {
  readonly name: string;
  readonly type: ValueType;
  /** The kind of the stored column whose values these are, unchanged; absent of what was computed. */
  readonly column?: ColumnKind;
}

/**
 * What an engine is asked to do: a tree of relational nodes over one view, in words of ours.
 *
 * No text of a user is in it but as literal values; every function comes from a closed list. Engines trust it.
 */
export type Plan =
  | ScanPlan
  | {
      readonly kind: "values";
      readonly fields: readonly Field[];
      readonly rows: readonly (readonly Expression[])[];
    }
  | {
      readonly kind: "filter";
      readonly fields: readonly Field[];
      readonly input: Plan;
      readonly predicate: Expression;
    }
  /** Fields: the groups, then the aggregates. Without groups, one row; with groups and no aggregates, the distinct groups. */
  | {
      readonly kind: "aggregate";
      readonly fields: readonly Field[];
      readonly input: Plan;
      readonly groups: readonly Expression[];
      /** Positions in `groups`: rows are grouped once by each of these, the other groups NULL; absent: once, by all. */
      readonly groupingSets?: readonly (readonly number[])[];
      readonly aggregates: readonly AggregateCall[];
    }
  | {
      readonly kind: "project";
      readonly fields: readonly Field[];
      readonly input: Plan;
      readonly expressions: readonly Expression[];
    }
  | {
      readonly kind: "sort";
      readonly fields: readonly Field[];
      readonly input: Plan;
      readonly keys: readonly SortKey[];
    }
  | {
      readonly kind: "limit";
      readonly fields: readonly Field[];
      readonly input: Plan;
      readonly countMax?: bigint;
      readonly offset: bigint;
    }
  | WidePlan;

/** Nodes of which the plain engine knows `distinct_on` alone; it refuses the others with `unsupported` / `plain_engine`. */
export type WidePlan =
  | JoinPlan
  /** Rows of all inputs, whose fields have the same types in order. Two inputs, but for unions, which have any number. */
  | {
      readonly kind: "set";
      readonly fields: readonly Field[];
      readonly operation: "union" | "intersect" | "except";
      /** Whether equal rows are counted; else each is there once. */
      readonly all: boolean;
      readonly inputs: readonly Plan[];
    }
  /** Fields: the input's, then the calls'. */
  | {
      readonly kind: "window";
      readonly fields: readonly Field[];
      readonly input: Plan;
      readonly calls: readonly WindowCall[];
    }
  /** Of rows with equal `keys` the one that comes first, in the order of the input, which is kept. */
  | {
      readonly kind: "distinct_on";
      readonly fields: readonly Field[];
      readonly input: Plan;
      readonly keys: readonly Expression[];
    }
  /**
   * A row for each item of the lists that `columns` are, in order: the first with the first items, and so on, NULL where a list is
   * shorter. A row whose lists are all empty or NULL is left out, unless `keepEmpty`. Fields: the input's, with items for lists.
   */
  | {
      readonly kind: "unnest";
      readonly fields: readonly Field[];
      readonly input: Plan;
      readonly columns: readonly number[];
      readonly keepEmpty: boolean;
    }
  /**
   * Rows of `base`, then of `step` again and again, in which `working` with the same id gives the rows of the last time, until there
   * are none; without `all` rows that were there before are left out.
   */
  | {
      readonly kind: "recursive";
      readonly fields: readonly Field[];
      readonly id: number;
      readonly all: boolean;
      readonly base: Plan;
      readonly step: Plan;
    }
  | { readonly kind: "working"; readonly fields: readonly Field[]; readonly id: number }
  | GapFillPlan;

/**
 * Pairs of rows for which `condition`, over the fields of the left and then the right input, is true; all pairs without it.
 * Fields: the left's, then the right's; of `semi` (left rows that have a partner) and `anti` (those that have none) the left's alone.
 * With `lateral` the right input may name the left row as `outer` of level 1.
 */
export interface JoinPlan {
  readonly kind: "join";
  readonly fields: readonly Field[];
  readonly join: "inner" | "left" | "right" | "full" | "semi" | "anti";
  readonly left: Plan;
  readonly right: Plan;
  readonly condition?: Expression;
  readonly lateral: boolean;
}

export interface WindowCall {
  readonly name: WindowFunction;
  readonly arguments: readonly Expression[];
  readonly distinct: boolean;
  readonly filter?: Expression;
  /** Order within the aggregate, as of AggregateCall. */
  readonly argumentOrder?: readonly SortKey[];
  /** For lag, lead, first_value, last_value, nth_value and array_agg: NULLs are passed over. */
  readonly ignoreNulls: boolean;
  readonly partitionBy: readonly Expression[];
  readonly orderBy: readonly SortKey[];
  /** Absent: the whole partition without `orderBy`, else from its beginning to the last row that is equal in order. */
  readonly frame?: WindowFrame;
  readonly type: ValueType;
}

export interface WindowFrame {
  readonly unit: "rows" | "range" | "groups";
  readonly start: FrameBound;
  readonly end: FrameBound;
}

/** An offset is a literal: rows or groups as int64, ranges in the type of the one order key, or an interval for timestamps and dates. */
export type FrameBound =
  | { readonly kind: "unbounded_preceding" | "current_row" | "unbounded_following" }
  | { readonly kind: "preceding" | "following"; readonly offset: Expression };

/**
 * The input's rows, whose field `time` is the start of a bin, and for each combination of the fields `series` that is among them
 * a row for every bin that is missing. Bins begin from `first` to `last`, `stride` apart; with `bin`, they are what that is of the
 * instants which these are, and `last`, as its input 0. Rows come by series, then time; those without time first.
 */
export interface GapFillPlan {
  readonly kind: "gapfill";
  readonly fields: readonly Field[];
  readonly input: Plan;
  readonly time: number;
  readonly series: readonly number[];
  readonly stride: IntervalValue;
  readonly first: bigint;
  readonly last: bigint;
  readonly bin?: Expression;
  /** What fields that are neither time nor series have in rows that are made; NULL where nothing is said. */
  readonly fills: readonly GapFill[];
}

/**
 * `zero` 0; `previous` the last value that is not NULL, and `linear` on the line between it and the next one in time, truncated for whole
 * numbers: both also in rows that were there and have NULL. Of a struct, which a selector made, `linear` gives the first member alone.
 */
export interface GapFill {
  readonly field: number;
  readonly fill: "zero" | "previous" | "linear";
}

export interface ScanColumn {
  readonly id: ColumnId;
  readonly kind: ColumnKind;
}

/**
 * The merged rows of one table: of rows with one series and time, per field the value with the highest order stamp.
 *
 * Fields are `columns` in order. Only rows with time in `time` for which `predicate` is true are given; `predicate` is over
 * `columns`, and names none but time and tags, so that it may be applied before rows are merged.
 */
export interface ScanPlan {
  readonly kind: "scan";
  readonly fields: readonly Field[];
  readonly tableId: TableId;
  /** All tags of the table, in order: the series key. */
  readonly tags: readonly ScanColumn[];
  /** Each at most once. */
  readonly columns: readonly ScanColumn[];
  readonly time: TimeRange;
  readonly predicate?: Expression;
  /** Rows with one series and time are never in two groups. */
  readonly groups: readonly SourceGroup[];
}

/** Sources that are read together; `merge` where they may hold rows with the same series and time. */
export interface SourceGroup {
  readonly merge: boolean;
  /** Only rows whose time lies in one of these are read; all without it. They rise, and have no instant in common. */
  readonly times?: readonly TimeRange[];
  /** Rows that one of these covers are left out before rows are merged. Their tags are among the scan's. */
  readonly deletes?: readonly RowDelete[];
  readonly sources: readonly ScanSource[];
}

export type ScanSource =
  /** Rows of a file; with `stampAbove`, only those with a higher order stamp. */
  | { readonly kind: "file"; readonly file: DataFile; readonly stampAbove?: OrderStamp }
  | BufferSource;

/** Rows of a buffered generation whose position is above `positionAbove` and at most `positionMax`. */
export interface BufferSource {
  readonly kind: "buffer";
  readonly generation: GenerationId;
  readonly positionAbove: Position;
  readonly positionMax: Position;
}
