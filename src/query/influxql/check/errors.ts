import { DbError } from "#base/errors.ts";

/** A statement that is well formed but asks for what is not to be had, in 1.x's words: `invalid` / `influxql_refused`. */
export function refused(text: string): DbError {
  return new DbError("invalid", "influxql_refused", text);
}
