/**
 * More functions of numbers, with arguments of exactly these types; NULL for a NULL argument.
 *
 * float64 → float64: `cbrt`, `signum` (0 of 0, NaN of NaN).
 *
 * Two whole numbers of one type → that type: `bit_and`, `bit_or`, `bit_xor`; `shift_left`, `shift_right` (the second modulo the type's bits; what
 * is shifted out is lost, and the sign stays with `shift_right`).
 */
export type NumberFunction =
  | "cbrt"
  | "signum"
  | "bit_and"
  | "bit_or"
  | "bit_xor"
  | "shift_left"
  | "shift_right";
