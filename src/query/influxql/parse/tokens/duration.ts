import { DAY_NS, HOUR_NS, MINUTE_NS, SECOND_NS } from "#model/time-units.ts";
import { INT64_MAX } from "../../operators.ts";

const NANOSECONDS: Readonly<Record<string, bigint>> = {
  ns: 1n,
  u: 1_000n,
  µ: 1_000n,
  ms: 1_000_000n,
  s: SECOND_NS,
  m: MINUTE_NS,
  h: HOUR_NS,
  d: DAY_NS,
  w: 7n * DAY_NS,
};

/** Nanoseconds of `1h30m`, of a bound parameter also of `-1h`, or what 1.x says of text that is no duration. They wrap around as those of 1.x do. */
export function durationOf(text: string): bigint | { readonly fault: string } {
  const part = /(\d+)(ns|ms|[uµsmhdw])/uy;
  const negative = text.startsWith("-");
  let [total, last] = [0n, ""];
  for (let offset = negative ? 1 : 0; offset < text.length; offset = part.lastIndex) {
    part.lastIndex = offset;
    const [whole, digits = "", unit = ""] = part.exec(text) ?? [];
    const count = wholeNumber(digits);
    if (whole === undefined || count > INT64_MAX) return { fault: "invalid duration" };
    total = BigInt.asIntN(64, total + count * (NANOSECONDS[unit] ?? 0n));
    last = `${count}${unit}`;
  }
  if (last === "") return { fault: "invalid duration" };
  if (negative) return BigInt.asIntN(64, -total);
  if (total >= 0n) return total;
  return { fault: `overflowed duration ${last}: choose a smaller duration or INF` };
}

/** Nanoseconds as one whole number of the greatest unit that fits. */
export function durationText(value: bigint): string {
  if (value === 0n) return "0s";
  for (const unit of ["w", "d", "h", "m", "s", "ms", "u"]) {
    const size = NANOSECONDS[unit] ?? 1n;
    if (value % size === 0n) return `${value / size}${unit}`;
  }
  return `${value}ns`;
}

/** The number that digits, also with a sign, are; a great one for more digits than any number has that can be used. */
export function wholeNumber(digits: string): bigint {
  return digits.length > 1_000 ? 2n ** 65n : BigInt(digits);
}
