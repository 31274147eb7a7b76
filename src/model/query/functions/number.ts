/**
 * More functions of numbers, with arguments of exactly these types; NULL for a NULL argument.
 *
 * float64 → float64: `cbrt`, `signum` (0 of 0, NaN of NaN).
 */
export type NumberFunction = "cbrt" | "signum";
