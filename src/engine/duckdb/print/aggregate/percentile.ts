/** Percentiles, exact and near, as engine SQL. */
import { isInteger, type ValueType } from "#model/query/value-type.ts";
import { sqlType } from "../literal.ts";
import type { CallText } from "./call-text.ts";

/** Of up to this many values all are kept, and the answer is exact. */
const KEPT_COUNT_MAX = 100;

/** Between the neighbouring values, in proportion. */
export function printPercentile({ apply }: CallText, type: ValueType): string {
  return result(apply("quantile_cont"), type);
}

/** Of few values from all of them, else from the engine's digest. */
export function printApproximate(
  { args: [value = "", part = ""], apply }: CallText,
  type: ValueType,
): string {
  const count = apply("count", [value]);
  const kept = apply("min", [value, String(KEPT_COUNT_MAX)]);
  const few = printAmong("s.v", "s.n", part);
  const exact = `list_transform([{'v': ${kept}, 'n': ${count}}], lambda s: ${few})[1]`;
  const near = apply("approx_quantile", [value, `CAST(${part} AS FLOAT)`]);
  return result(
    `CASE WHEN ${count} > ${KEPT_COUNT_MAX} THEN ${near} WHEN ${count} > 0 THEN ${exact} END`,
    type,
  );
}

/**
 * Value i (from 0) of the sorted `values` stands at i + 1/2 of `count`; what lies between is on the slope around it, but not beyond
 * its neighbours.
 */
function printAmong(values: string, count: string, part: string): string {
  const rank = `(${part} * ${count})`;
  const index = `least(CAST(floor(${rank}) AS BIGINT), ${count} - 1)`;
  const low = `${values}[greatest(${index}, 1)]`;
  const high = `${values}[least(${index} + 2, ${count})]`;
  const atEnd = `(${index} = 0 OR ${index} = ${count} - 1)`;
  const slope = `(${high} - ${low}) / CASE WHEN ${atEnd} THEN 1 ELSE 2 END`;
  const value = `${values}[${index} + 1]`;
  return printWithin(`${value} + (${rank} - ${index} - 0.5) * (${slope})`, low, high);
}

/** The same where a value counts as often as its weight says: the sorted values are walked through until the rank lies in one. */
export function printWeighted(
  { args: [value = "", weight = "", part = ""], applyTo }: CallText,
  type: ValueType,
): string {
  const present = [`${value} IS NOT NULL`, `${weight} > 0`];
  const first = printStep({ x: value, w: weight, l: NONE, h: NONE, t: "CAST(0 AS DOUBLE)" });
  const list = applyTo("list", [`${first} ORDER BY ${value}`], present);
  const rank = `${part} * ${applyTo("sum", [weight], present)}`;
  const found = printStep({ x: "a.x", w: "a.w", l: "a.l", h: "coalesce(a.h, e.x)", t: "a.t" });
  const next = printStep({ x: "e.x", w: "e.w", l: "a.x", h: NONE, t: "a.t + a.w" });
  const walk = `list_reduce(s.v, lambda a, e: CASE WHEN s.r < a.t + a.w THEN ${found} ELSE ${next} END)`;
  const reached = `list_transform([{'v': ${list}, 'r': ${rank}}], lambda s: {'f': ${walk}, 'r': s.r})`;
  const [low, high] = ["coalesce(p.f.l, p.f.x)", "coalesce(p.f.h, p.f.x)"];
  const slope = `(${high} - ${low}) / CASE WHEN p.f.l IS NULL OR p.f.h IS NULL THEN 1 ELSE 2 END`;
  const among = printWithin(`p.f.x + ((p.r - p.f.t) / p.f.w - 0.5) * (${slope})`, low, high);
  return result(`list_transform(${reached}, lambda p: ${among})[1]`, type);
}

const NONE = "CAST(NULL AS DOUBLE)";

/** A value `x`, its weight `w`, the neighbours `l` and `h` as far as they are known, and the weight `t` of all before it. */
interface Step {
  readonly x: string;
  readonly w: string;
  readonly l: string;
  readonly h: string;
  readonly t: string;
}

function printStep(step: Step): string {
  const members = Object.entries(step).map(([name, value]) => `'${name}': ${value}`);
  return `{${members.join(", ")}}`;
}

/** NaN is above all values, and stays. */
function printWithin(value: string, low: string, high: string): string {
  return `greatest(least(${value}, ${high}), ${low})`;
}

function result(value: string, type: ValueType): string {
  if (type === "float64") return value;
  return `CAST(${isInteger(type) ? `trunc(${value})` : value} AS ${sqlType(type)})`;
}
