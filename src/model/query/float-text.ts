/** A float with as few digits as tell it apart; whole ones keep `.0`; 1e16 and above or below 1e-5 with an exponent. */
export function formatFloat(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "inf" : "-inf";
  if (Object.is(value, -0)) return "-0.0";
  const size = Math.abs(value);
  if (size >= 1e16 || (size < 1e-5 && size > 0)) return value.toExponential().replace("+", "");
  return Number.isInteger(value) ? `${value}.0` : String(value);
}
