/**
 * Functions of many rows that every engine knows. Result types: `count` int64; `sum` its argument's type (overflow is an
 * error `number_overflow`); `avg`, `stddev`, `stddev_population`, `variance`, `variance_population` float64 of float64; `median` its argument's type (the two
 * middle ones' mean, truncated for whole numbers); `min`, `max`, `first_value`, `last_value` their argument's type.
 * NULLs are passed over, but for `count` without arguments, which counts rows, and `first_value` and `last_value`, which take
 * them. No rows: `count` 0, the others NULL; `stddev` and `variance` of one row NULL.
 */
export type CoreAggregate =
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

/**
 * More functions of many rows, known to the engine of nodes alone; the plain one refuses them with `unsupported` / `plain_engine`.
 *
 * `array_agg` (any) → list, NULLs included, NULL for no rows. `string_agg` (text, literal text between) → string.
 * `grouping` (group expressions of the node) → int32: a bit for each, the last lowest, set where the row's grouping set leaves it out.
 */
export type WideAggregate = "array_agg" | "string_agg" | "grouping";

export type AggregateFunction = CoreAggregate | WideAggregate;

/**
 * Functions of a row's place in its partition. `row_number`, `rank`, `dense_rank` → uint64; `percent_rank`, `cume_dist` → float64;
 * `ntile` (int64 literal) → uint64. `lag`, `lead` (any[, int64 literal distance[, default of its type]]), `first_value`, `last_value` (any),
 * `nth_value` (any, int64 literal; negative from the end) → the first argument's type.
 */
export type RankFunction =
  | "row_number"
  | "rank"
  | "dense_rank"
  | "percent_rank"
  | "cume_dist"
  | "ntile"
  | "lag"
  | "lead"
  | "nth_value";

/** What a window node computes: first_value and last_value are aggregates as well. */
export type WindowFunction = AggregateFunction | RankFunction;
