/**
 * More functions of time, with arguments of exactly these types; NULL for a NULL argument.
 *
 * `make_date` (int32 year, month, day) → date; no such day is an error `cast_failed`.
 */
export type TimeFunction = "make_date";
