import { DbError, type ErrorDetail } from "#base/errors.ts";

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
