/**
 * More functions of text, with arguments of exactly these types; NULL for a NULL argument.
 *
 * `reverse` (text) → string, by character. `repeat` (text, int64 count; none below 1) → string.
 */
export type TextFunction = "reverse" | "repeat";
