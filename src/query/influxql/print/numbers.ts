/** All digits of a finite number, without an exponent. */
export function plainNumber(value: number): string {
  const text = Object.is(value, -0) ? "-0" : String(value);
  if (!text.includes("e")) return text;
  const [, sign = "", first = "", fraction = "", exponent] =
    /^(-?)(\d)(?:\.(\d+))?e([+-]\d+)$/.exec(text) ?? [];
  const digits = first + fraction;
  const point = 1 + Number(exponent);
  if (point <= 0) return `${sign}0.${"0".repeat(-point)}${digits}`;
  return sign + digits.padEnd(point, "0");
}
