/** Casts as engine SQL: what the engine's own would round, trim or guess is told apart first. */
import { assert } from "#base/errors.ts";
import type { ValueType } from "#model/query/value-type.ts";
import { sqlType } from "./literal.ts";
import { isParted, printPartedCast } from "./nested-cast.ts";
import { printCalendar, printFloorModulo } from "./time.ts";

const WHOLE = "[+-]?[0-9]+";
const FLOAT = "[+-]?([0-9]+\\.?[0-9]*|\\.[0-9]+)([eE][+-]?[0-9]+)?";
const INSTANT =
  "[0-9]{4}-[0-9]{2}-[0-9]{2}([T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\\.[0-9]{1,9})?)?)?(Z|[+-][0-9]{2}:[0-9]{2})?";

export interface CastRequest {
  /** The operand as SQL. */
  readonly operand: string;
  readonly source: ValueType;
  readonly target: ValueType;
  /** NULL, not an error, where the value does not fit. */
  readonly safe: boolean;
}

export function printCast({ operand, source, target, safe }: CastRequest): string {
  const [from, to] = [sqlType(source), sqlType(target)];
  if (source === "null") return `CAST(NULL AS ${to})`;
  // Timestamps are whole numbers here.
  if (from === to) return operand;
  if (isParted(source) || isParted(target))
    return printPartedCast({ operand, source, target, safe }, printCast);
  assert(source !== "interval" && target !== "interval", "intervals are not cast");
  if (target === "string") return printToText(operand, source);
  if (source === "string") return printFromText(operand, target, safe);
  const rounded = source === "float64" && target !== "boolean" ? `trunc(${operand})` : operand;
  return `${safe ? "TRY_CAST" : "CAST"}(${rounded} AS ${to})`;
}

/** The code an error text of ours carries; failures.ts finds it again. */
export function printError(code: string): string {
  return `error('tidelake:${code}')`;
}

function printFromText(operand: string, target: ValueType, safe: boolean): string {
  const value = printParse(operand, target);
  if (safe) return value;
  const failure = `CASE WHEN ${operand} IS NOT NULL THEN ${printError("cast_failed")} END`;
  return `coalesce(${value}, CAST(${failure} AS ${sqlType(target)}))`;
}

function printParse(operand: string, target: ValueType): string {
  const parse = (pattern: string, value: string) =>
    `CASE WHEN regexp_full_match(${operand}, '${pattern}') THEN ${value} END`;
  switch (target) {
    case "boolean":
      return `CASE WHEN lower(${operand}) IN ('true', 't', '1') THEN TRUE WHEN lower(${operand}) IN ('false', 'f', '0') THEN FALSE END`;
    case "float64":
      return parse(FLOAT, `TRY_CAST(${operand} AS DOUBLE)`);
    case "timestamp":
      return parse(INSTANT, `epoch_ns(TRY_CAST(${operand} AS TIMESTAMP_NS))`);
    default:
      return parse(WHOLE, `TRY_CAST(${operand} AS ${sqlType(target)})`);
  }
}

function printToText(operand: string, source: ValueType): string {
  if (source === "timestamp") return printInstantText(operand);
  if (source !== "float64") return `CAST(${operand} AS VARCHAR)`;
  return `CASE WHEN isinf(${operand}) THEN CASE WHEN ${operand} > 0 THEN 'Infinity' ELSE '-Infinity' END WHEN isnan(${operand}) THEN 'NaN' ELSE CAST(${operand} AS VARCHAR) END`;
}

/** As RFC 3339 without a zone; the fraction has 0, 3, 6 or 9 digits. */
function printInstantText(time: string): string {
  const rest = printFloorModulo(time, 1_000_000_000n);
  const digits = (divisor: number, count: number) =>
    `'.' || lpad(CAST(${rest} // ${divisor} AS VARCHAR), ${count}, '0')`;
  const fraction = `CASE WHEN ${rest} = 0 THEN '' WHEN ${rest} % 1000000 = 0 THEN ${digits(1_000_000, 3)} WHEN ${rest} % 1000 = 0 THEN ${digits(1_000, 6)} ELSE ${digits(1, 9)} END`;
  return `(strftime(${printCalendar(time)}, '%Y-%m-%dT%H:%M:%S') || ${fraction})`;
}
