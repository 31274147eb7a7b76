import type { ResultBatch } from "#model/query/result.ts";
import type { TimeRange } from "#model/time-range.ts";
import type { Points } from "../points.ts";
import type { ReducerInput, ResolvedSource, TimeWindow, VariableInput } from "../resolved.ts";

export type TableSource = Extract<ResolvedSource, { readonly kind: "table" }>;

/** Where the rows of tables come from. What is asked is of one statement, whose signal is the source's own. */
export interface PointSource {
  /** Rows of a table. */
  raw(request: RowRequest): AsyncIterable<Points>;
  /** Whether `reduced` gives exactly what reducing the rows of `raw` gives. */
  canReduce(request: ReduceRequest): boolean;
  reduced(request: ReduceRequest): AsyncIterable<Points>;
  /** Which series a table has, at any time: their values of the dimensions, by bytes, in columns of strings; empty ones are absent and first. */
  series(request: SeriesRequest): AsyncIterable<ResultBatch>;
}

export interface SeriesRequest {
  /** Its condition names no field. */
  readonly source: TableSource;
  readonly dimensions: readonly string[];
}

interface TableRequest {
  /** Its condition is applied by the source. */
  readonly source: TableSource;
  /** Wider than that of the SELECT where a transformation reads buckets before it. */
  readonly time: TimeRange;
  /** Tags whose values make a series, by name. */
  readonly dimensions: readonly string[];
  readonly descending: boolean;
  /** Series, too, come the other way round. */
  readonly seriesDescending: boolean;
  /** No more than the first so many rows of each series are looked at; more may come all the same. Undefined: all. */
  readonly rowsMax: number | undefined;
}

export interface RowRequest extends TableRequest {
  /** The columns to give. A row is there where one that is no tag has a value, or all are tags. */
  readonly variables: readonly VariableInput[];
  /** Which rows of all are looked at; more may come all the same. Undefined: all. */
  readonly best: BestRows | undefined;
}

/** The rows with the `count` greatest values of `variable`, or least: of equal ones the earliest, of one time those that come first. */
export interface BestRows {
  readonly variable: VariableInput;
  readonly count: number;
  readonly least: boolean;
}

export interface ReduceRequest extends TableRequest {
  /** Of UTC. */
  readonly window: TimeWindow | undefined;
  /**
   * The first columns to give, one row for each series and bucket in which one of them has a value. The row has the time at which its bucket
   * begins; without a window any.
   */
  readonly reducers: readonly ReducerInput[];
  /** The columns behind them: of the row that the one reducer, a selector, chose. */
  readonly beside: readonly VariableInput[];
  /** Whether a row has the time of the row that the one reducer chose. */
  readonly ownTime: boolean;
}
