/**
 * Functions of one row that every engine knows. The planner maps a user's names and operators to these and inserts casts, so
 * arguments have exactly the types written here. All but the logic and choice groups answer NULL for a NULL argument.
 *
 * Arithmetic: both arguments and the result have one type of int64, uint64, float64 (and in the engine of nodes of any width, or decimal). Overflow of whole numbers
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
 *   timestamp) → float64 for `epoch`, else int64; units smaller than a minute count within it, `dow` from Sunday 0, `isodow` from Monday 1, `week` as ISO
 *   has it. `add_interval`, `subtract_interval` (timestamp, interval) → timestamp; months keep the day or take the month's last.
 *   In the engine of nodes timestamps have any unit and zone, which the result has too: `date_trunc` from hours on, `date_part`, and months and
 *   days of intervals go by local time.
 *   `timestamp_difference` (timestamp, timestamp) → duration.
 */
export type CoreFunction =
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
