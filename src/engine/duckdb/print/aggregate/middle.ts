/** Means and medians as engine SQL. */
import { DECIMAL_PRECISION_MAX, type ValueType } from "#model/query/value-type.ts";
import { sqlType } from "../literal.ts";
import type { CallText } from "./call-text.ts";

/** Just above a half: of an even number of values, the discrete quantile is then the upper of the two middle ones. */
const MIDDLE = "[CAST(0.5 AS DOUBLE), CAST(0.5000000001 AS DOUBLE)]";

export function printAverage({ apply }: CallText, type: ValueType): string {
  const [sum, count] = [apply("sum"), apply("count")];
  if (type === "duration") return `CAST(${sum} // ${count} AS BIGINT)`;
  if (typeof type === "string" || type.kind !== "decimal") return apply("avg");
  // Whole numbers of the last place are divided, as the engine divides decimals as floats.
  const places = `CAST(CAST(${sum} AS ${widest(type.scale)}) * CAST('1e${type.scale}' AS ${widest(0)}) AS HUGEINT)`;
  const place = `CAST('1e-${type.scale}' AS DECIMAL(${type.scale + 1}, ${type.scale}))`;
  return `CAST(CAST(${places} // ${count} AS ${widest(0)}) * ${place} AS ${sqlType(type)})`;
}

function widest(scale: number): string {
  return `DECIMAL(${DECIMAL_PRECISION_MAX}, ${scale})`;
}

/** The mean of the two middle values; of whole numbers and decimals without what lies below their last place. */
export function printMedian({ args, apply }: CallText, type: ValueType): string {
  const middle = apply("quantile_disc", [...args, MIDDLE]);
  const [low, high] = [`(${middle})[1]`, `(${middle})[2]`];
  if (type === "float64" || type === "float32") {
    return `CASE WHEN ${low} = ${high} THEN ${low} ELSE ${low} / 2 + ${high} / 2 END`;
  }
  if (typeof type === "object" && type.kind === "decimal") {
    const half = `((${low} + ${high}) * CAST('0.5' AS DECIMAL(2, 1)))`;
    const place = `CAST('1e-${type.scale}' AS DECIMAL(${type.scale + 1}, ${type.scale}))`;
    return `CAST(${half} - ${half} % ${place} AS ${sqlType(type)})`;
  }
  return `CAST((CAST(${low} AS HUGEINT) + CAST(${high} AS HUGEINT)) // 2 AS ${sqlType(type)})`;
}
