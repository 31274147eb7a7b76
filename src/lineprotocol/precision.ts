import type { Precision } from "./parsed.ts";

/** A precision that says how to scale without looking at the number. */
export type FixedPrecision = Exclude<Precision, "auto">;

/** Nanoseconds in one unit. */
const UNIT_NS: Readonly<Record<FixedPrecision, bigint>> = {
  hour: 3_600_000_000_000n,
  minute: 60_000_000_000n,
  second: 1_000_000_000n,
  millisecond: 1_000_000n,
  microsecond: 1_000n,
  nanosecond: 1n,
};

/** `auto` takes numbers of a magnitude below these for seconds, milliseconds and microseconds. */
const SECONDS_BELOW = 5_000_000_000n;
const MILLISECONDS_BELOW = 5_000_000_000_000n;
const MICROSECONDS_BELOW = 5_000_000_000_000_000n;

const FIXED_PRECISIONS: ReadonlyMap<string, FixedPrecision> = new Map([
  ["s", "second"],
  ["second", "second"],
  ["ms", "millisecond"],
  ["millisecond", "millisecond"],
  ["u", "microsecond"],
  ["us", "microsecond"],
  ["microsecond", "microsecond"],
  ["n", "nanosecond"],
  ["ns", "nanosecond"],
  ["nanosecond", "nanosecond"],
]);

/** The `precision` of `/api/v3/write_lp`; undefined for a word it does not know. Case matters. */
export function precisionFromText(text: string): Precision | undefined {
  return text === "auto" ? "auto" : FIXED_PRECISIONS.get(text);
}

/** The `precision` of `/api/v2/write`, which has no `auto`; undefined for an unknown word. Case matters. */
export function v2PrecisionFromText(text: string): FixedPrecision | undefined {
  return FIXED_PRECISIONS.get(text);
}

/** The `precision` of `/write`, which has minutes and hours as well. */
export function v1PrecisionFromText(text: string): FixedPrecision | undefined {
  if (text === "m") return "minute";
  return text === "h" ? "hour" : FIXED_PRECISIONS.get(text);
}

/** Nanoseconds in one unit of `precision`. */
export function unitNs(precision: FixedPrecision): bigint {
  return UNIT_NS[precision];
}

/** Nanoseconds for the timestamp `value`, exact; the caller checks that they fit into int64. */
export function scaleToNs(value: bigint, precision: Precision): bigint {
  return value * UNIT_NS[precision === "auto" ? precisionByMagnitude(value) : precision];
}

function precisionByMagnitude(value: bigint): FixedPrecision {
  const magnitude = value < 0n ? -value : value;
  if (magnitude < SECONDS_BELOW) return "second";
  if (magnitude < MILLISECONDS_BELOW) return "millisecond";
  return magnitude < MICROSECONDS_BELOW ? "microsecond" : "nanosecond";
}
