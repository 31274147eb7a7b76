/**
 * More functions of numbers, with arguments of exactly these types; NULL for a NULL argument.
 *
 * float64 → float64, NaN or an infinity where there is no answer: `cbrt`, `signum` (0 of 0, NaN of NaN), `acos acosh asin asinh atan
 *   atanh cosh cot degrees radians sinh tanh`; `atan2` (y, x); `nanvl` (x, what stands for NaN); `trunc_to` (x, int64 digits).
 *   `round_float32` (float32, int64 digits) → float32, computed as narrow as it is. `random` () → float64 in [0, 1), another for each row.
 * float64 → boolean: `isnan`, `iszero`.
 * int64 → int64, beyond its range an error `number_overflow`: `factorial` (1 below 2), `gcd`, `lcm`, `integer_power`; a negative
 *   exponent is an error `argument_invalid`.
 * Two whole numbers of one type → that type: `bit_and`, `bit_or`, `bit_xor`; `shift_left`, `shift_right` (the second modulo the type's bits; what
 * is shifted out is lost, and the sign stays with `shift_right`).
 */
export type NumberFunction =
  | "cbrt"
  | "signum"
  | "bit_and"
  | "bit_or"
  | "bit_xor"
  | "acos"
  | "acosh"
  | "asin"
  | "asinh"
  | "atan"
  | "atanh"
  | "atan2"
  | "cosh"
  | "cot"
  | "degrees"
  | "radians"
  | "sinh"
  | "tanh"
  | "nanvl"
  | "trunc_to"
  | "round_float32"
  | "random"
  | "isnan"
  | "iszero"
  | "factorial"
  | "gcd"
  | "lcm"
  | "integer_power"
  | "shift_left"
  | "shift_right";
