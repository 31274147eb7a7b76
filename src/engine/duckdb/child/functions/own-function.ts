import type { DuckDBType, DuckDBValue } from "@duckdb/node-api";

/**
 * A function called for each row in which no argument is NULL. It runs on the one thread that the process has for JavaScript, at about
 * two million rows a second, so it is for what the engine has no words for, and for work that is bounded. What it cannot
 * answer it says with `fail`.
 */
export interface OwnFunction {
  readonly name: string;
  readonly parameters: readonly DuckDBType[];
  readonly result: DuckDBType;
  readonly work: (values: readonly DuckDBValue[]) => DuckDBValue;
}

/** Ends the query with `code`, one of ../failures.ts. */
export function fail(code: string): never {
  throw new Error(`tidelake:${code}`);
}
