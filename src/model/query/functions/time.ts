/**
 * More functions of time, with arguments of exactly these types; NULL for a NULL argument.
 *
 * `make_date` (int32 year, month, day) → date; no such day is an error `cast_failed`.
 * `local_time` (timestamp of a zone) → timestamp of the same unit without one, which shows the same.
 * `date_bin_wallclock` (literal interval, timestamp, literal timestamp origin) → the timestamp's type: as `date_bin` of local times. A bin's start
 *   that clocks passed over counts from the last instant before; one that is two instants is the earlier where these lie closer than the
 *   interval is long, else the one with the offset of the argument.
 * `read_pattern` (text, one or more patterns, tried in order) → a type of timestamps, in whose zone the text is where it says none, or date;
 *   `write_pattern` (date, time or timestamp; pattern) → string. Patterns are those of model/time/pattern.ts; text that none
 *   fits is an error `cast_failed`, a pattern that is none or shows what is not there is `time_pattern`.
 * `interval_part` (literal unit text, interval) → float64 for `epoch`, else int64: what is below the next larger unit, but for years, days and hours.
 * `add_duration`, `subtract_duration` (timestamp or duration, duration) → the first's type. `add_days` (date, int32) → date.
 * `add_to_date`, `subtract_from_date` (date, interval) → date: whole months and days, what is left of an interval is not counted.
 * `add_intervals`, `subtract_intervals` (two intervals), `multiply_interval` (interval, float64 or int64; a part of a month is days of a month of 30) → interval.
 */
export type TimeFunction =
  | "make_date"
  | "local_time"
  | "date_bin_wallclock"
  | "read_pattern"
  | "write_pattern"
  | "interval_part"
  | "add_duration"
  | "subtract_duration"
  | "add_days"
  | "add_to_date"
  | "subtract_from_date"
  | "add_intervals"
  | "subtract_intervals"
  | "multiply_interval";
