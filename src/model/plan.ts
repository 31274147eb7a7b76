import type { DataFile } from "./data-file.ts";
import type { AggregateCall, Expression, IntervalValue, SortKey, ValueType } from "./expression.ts";
import type { ColumnId, GenerationId, Position, TableId } from "./ids.ts";
import type { ColumnKind } from "./schema.ts";
import type { OrderStamp } from "./stamp.ts";
import type { TimeRange } from "./time-range.ts";

/** One column of the rows that a plan node gives. Names need not differ from each other. */
export interface Field {
  readonly name: string;
  readonly type: ValueType;
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
    };

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

/** Rows of a result, in columns; each has `rowCount` cells. */
export interface ResultBatch {
  readonly rowCount: number;
  readonly columns: readonly ResultColumn[];
}

/**
 * The cells of one column of a result. Numbers have `present` (1 or 0 a row) where some are NULL;
 * timestamps are nanoseconds since the Unix epoch, booleans 1 or 0.
 */
export type ResultColumn =
  | {
      readonly type: "int64" | "timestamp";
      readonly values: BigInt64Array;
      readonly present?: Uint8Array;
    }
  | { readonly type: "uint64"; readonly values: BigUint64Array; readonly present?: Uint8Array }
  | { readonly type: "float64"; readonly values: Float64Array; readonly present?: Uint8Array }
  | { readonly type: "boolean"; readonly values: Uint8Array; readonly present?: Uint8Array }
  | { readonly type: "string"; readonly values: readonly (string | null)[] }
  | { readonly type: "interval"; readonly values: readonly (IntervalValue | null)[] }
  | { readonly type: "null" };
