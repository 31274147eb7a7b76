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
 * More functions of many rows, known to the engine of nodes alone; the plain one refuses them with `unsupported` / `plain_engine`. There `sum`,
 * `min`, `max` and `median` take numbers of any width, decimals and durations as well (`sum` with the type of the call), `min` and `max`
 * any type, `avg` also decimals and durations (truncated), and `count` any number of arguments, of which none may be NULL. Calls with
 * `ignoreNulls` pass NULLs over. NULLs are passed over and no rows are NULL where nothing else is said.
 *
 * - `array_agg` (any) → list, NULLs included. `string_agg` (text, literal text between) → string.
 * - `nth_value` (any, int64 literal from 1; negative: from the end; NULLs count) → its first argument's type.
 * - `grouping` (group expressions of the node) → int32: a bit for each, the last lowest, set where the row's grouping set leaves it out.
 * - `bit_and`, `bit_or`, `bit_xor` (whole numbers) → their type. `bool_and`, `bool_or` (boolean) → boolean.
 * - `correlation`, `covariance`, `covariance_population`, `regression_*` (float64 y, float64 x; rows with both) → float64;
 *   `regression_count` → uint64, 0 for no rows.
 * - `approx_distinct` (any) → uint64: how many values there are, 0 for no rows.
 * - `percentile` (number, float64 literal from 0 to 1): between the two neighbouring values in proportion → float64.
 *   `approx_percentile` (float64, float64 literal): near it, in little memory. `approx_percentile_weighted` (float64, float64 weight, float64
 *   literal): each value as often as its weight says. All → the type of the call, truncated for whole numbers.
 * - `selector_first`, `selector_last`, `selector_min`, `selector_max` (value, timestamp, others …) → struct of these: of the row, among those
 *   that have value and time, with the first or last time, or the least or greatest value and of these the first; members NULL for no row.
 */
export type WideAggregate =
  | "array_agg"
  | "string_agg"
  | "nth_value"
  | "grouping"
  | "bit_and"
  | "bit_or"
  | "bit_xor"
  | "bool_and"
  | "bool_or"
  | "correlation"
  | "covariance"
  | "covariance_population"
  | RegressionAggregate
  | "approx_distinct"
  | "percentile"
  | "approx_percentile"
  | "approx_percentile_weighted"
  | SelectorAggregate;

export type RegressionAggregate =
  | "regression_average_x"
  | "regression_average_y"
  | "regression_count"
  | "regression_intercept"
  | "regression_r2"
  | "regression_slope"
  | "regression_sxx"
  | "regression_sxy"
  | "regression_syy";

export type SelectorAggregate =
  | "selector_first"
  | "selector_last"
  | "selector_min"
  | "selector_max";

export type AggregateFunction = CoreAggregate | WideAggregate;

/**
 * Functions of a row's place in its partition. `row_number`, `rank`, `dense_rank` → uint64; `percent_rank`, `cume_dist` → float64;
 * `ntile` (int64 literal) → uint64. `lag`, `lead` (any, int64 literal distance[, default of its type]) → the first argument's type.
 * `difference` (int64, uint64 or float64) → its type: from the last value before that is not NULL; NULL where there is none. `derivative`
 * (float64, timestamp, int64 literal unit in nanoseconds) → float64: the same for each unit of time. `non_negative_…`: NULL below zero.
 * `first_value`, `last_value` and `nth_value`, which are aggregates as well, are of the row's frame.
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
  | ChangeFunction;

export type ChangeFunction =
  | "difference"
  | "non_negative_difference"
  | "derivative"
  | "non_negative_derivative";

/** What a window node computes. */
export type WindowFunction = AggregateFunction | RankFunction;
