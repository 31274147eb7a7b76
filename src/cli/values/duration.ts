import { usageError } from "./usage.ts";

const DAY_MS = 86_400_000;
const UNITS: readonly { readonly ms: number; readonly names: readonly string[] }[] = [
  { ms: 1e-6, names: ["ns", "nsec", "nanos"] },
  { ms: 1e-3, names: ["us", "usec", "micros"] },
  { ms: 1, names: ["ms", "msec", "millis"] },
  { ms: 1000, names: ["s", "sec", "secs", "second", "seconds"] },
  { ms: 60_000, names: ["m", "min", "mins", "minute", "minutes"] },
  { ms: 3_600_000, names: ["h", "hr", "hrs", "hour", "hours"] },
  { ms: DAY_MS, names: ["d", "day", "days"] },
  { ms: 7 * DAY_MS, names: ["w", "week", "weeks"] },
  { ms: 30.44 * DAY_MS, names: ["M", "month", "months"] },
  { ms: 365.25 * DAY_MS, names: ["y", "year", "years"] },
];
const UNIT_MS = new Map(UNITS.flatMap(({ ms, names }) => names.map((name) => [name, ms] as const)));
const PART = /(\d+)\s*([a-zA-Z]+)\s*/y;

/** As `parseDuration`, of something that waits: at least `msMin`, which `minText` spells. */
export function parseInterval(text: string, msMin = 1, minText = "1ms"): number {
  const ms = parseDuration(text);
  if (ms < msMin) throw usageError(`the shortest is ${minText}`);
  return ms;
}

/**
 * Milliseconds of a text like `250ms`, `10m` or `1h 30m`: whole numbers with a unit from ns to years, added up; `0` needs none.
 *
 * Throws a usage error for anything else and for more than 2^53 ms.
 */
export function parseDuration(text: string): number {
  const trimmed = text.trim();
  if (trimmed === "0") return 0;
  if (trimmed === "") throw usageError("not a duration: give one like 250ms, 10m or 1h 30m");
  let totalMs = 0;
  PART.lastIndex = 0;
  while (PART.lastIndex < trimmed.length) {
    const part = PART.exec(trimmed);
    if (part === null) throw usageError("not a duration: give one like 250ms, 10m or 1h 30m");
    const unit = part[2] ?? "";
    const unitMs = UNIT_MS.get(unit);
    if (unitMs === undefined) {
      throw usageError(`unknown unit '${unit}': use ns, us, ms, s, m, h, d, w, month or y`);
    }
    totalMs += Number(part[1]) * unitMs;
  }
  if (totalMs > Number.MAX_SAFE_INTEGER) throw usageError("the duration is too long");
  return totalMs;
}
