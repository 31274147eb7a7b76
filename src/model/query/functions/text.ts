/**
 * More functions of text, with arguments of exactly these types; NULL for a NULL argument except where it says otherwise. Positions
 * and counts are of characters, from 1. Patterns are Rust's regular expressions, flags in front of them as `(?i)`.
 *
 * `reverse` (text) → string. `repeat` (text, int64 count; none below 1) → string. `ascii` (text) → int32: the first code point, 0 of
 *   none. `chr` (int64) → string; no such character is an error `argument_invalid`. `bit_length`, `byte_length` (text) → int32.
 * `trim_of`, `ltrim_of`, `rtrim_of` (text, the characters to take away) → string. `pad_left`, `pad_right` (text, int64 length, text to
 *   fill with) → string, cut at the length. `initcap`, `translate` (text, from, to) → string.
 * `concat_ws` (separator, any number of strings, of which NULL is left out) → string. `contains` (text, part) → boolean.
 * `find_in_set` (text, list with commas) → int32, 0 where it is not there. `levenshtein` (text, text) → int32.
 * `split_part` (text, delimiter, int64 index; negative from the end, 0 is an error `argument_invalid`) → string.
 * `substr_index` (text, delimiter, int64 count) → string: what stands before delimiter `count`; from the end where it is negative.
 * `overlay` (text, part, int64 start, int64 count) → string. `to_hex` (int64) → string. `uuid` () → string: another for each row.
 * `regexp_count` (text, pattern) → int64; 0 where one is NULL. `regexp_match` (text, pattern) → list of strings: the groups of the
 *   first match, or all of it where there are none; NULL without a match. `regexp_replace` (text, pattern, replacement, literal boolean:
 *   every match) → string. `regexp_instr` (text, pattern, literal int64: which match) → int64: where it begins, 0 where there is none.
 */
export type TextFunction =
  | "reverse"
  | "repeat"
  | "ascii"
  | "chr"
  | "bit_length"
  | "byte_length"
  | "trim_of"
  | "ltrim_of"
  | "rtrim_of"
  | "pad_left"
  | "pad_right"
  | "initcap"
  | "translate"
  | "concat_ws"
  | "contains"
  | "find_in_set"
  | "levenshtein"
  | "split_part"
  | "substr_index"
  | "overlay"
  | "to_hex"
  | "uuid"
  | "regexp_count"
  | "regexp_match"
  | "regexp_replace"
  | "regexp_instr";

/** How many characters a text may have that a function makes longer than its arguments. */
export const TEXT_LENGTH_MAX = 16_777_216;
