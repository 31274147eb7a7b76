import { DbError, type ErrorDetail } from "#base/errors.ts";
import type { ValueType } from "#model/expression.ts";

/**
 * The error of a statement that reads well and cannot be meant: `invalid` / `sql_planning`. `stage` stands in front where
 * clients of InfluxDB 3 know the text with the stage of its planner.
 */
export function planningError(
  message: string,
  options: { readonly detail?: ErrorDetail; readonly stage?: string } = {},
): DbError {
  const { detail = {}, stage } = options;
  const text = `Error during planning: ${message}`;
  return new DbError(
    "invalid",
    "sql_planning",
    stage === undefined ? text : `${stage}\ncaused by\n${text}`,
    { detail },
  );
}

/** A type as error texts and column names show it. */
export function typeText(type: ValueType): string {
  switch (type) {
    case "null":
      return "Null";
    case "boolean":
      return "Boolean";
    case "int64":
      return "Int64";
    case "uint64":
      return "UInt64";
    case "float64":
      return "Float64";
    case "string":
      return "Utf8";
    case "timestamp":
      return "Timestamp(ns)";
    case "interval":
      return "Interval(MonthDayNano)";
  }
}
