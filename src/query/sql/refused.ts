import { DbError } from "#base/errors.ts";
import type { Cursor } from "./cursor.ts";
import { unsupported } from "./errors.ts";

/** Statements that this database knows, does not answer here, and why; by their first word. */
const REFUSED: ReadonlyMap<string, string> = new Map([
  ["alter", "DDL not supported: Alter"],
  ["copy", "DML not supported: Copy"],
  ["create", "DDL not supported: Create"],
  ["deallocate", "Statement not supported: Deallocate"],
  ["delete", "DML not supported: Delete"],
  ["drop", "DDL not supported: Drop"],
  ["execute", "Statement not supported: Execute"],
  ["insert", "DML not supported: Insert"],
  ["merge", "DML not supported: Merge"],
  ["prepare", "Statement not supported: Prepare"],
  ["show", "'' is not a variable which can be viewed with 'SHOW'"],
  ["set", "Statement not supported: SetVariable"],
  ["truncate", "DML not supported: Truncate"],
  ["update", "DML not supported: Update"],
]);
const TRANSACTIONS = new Set(["begin", "commit", "end", "rollback", "start"]);
const NOT_BUILT: ReadonlyMap<string, string> = new Map([
  ["desc", "DESCRIBE (use SHOW COLUMNS FROM)"],
  ["describe", "DESCRIBE (use SHOW COLUMNS FROM)"],
  ["explain", "EXPLAIN"],
  ["values", "VALUES as a statement"],
  ["with", "common table expressions (WITH)"],
]);

/** The error of a statement that is neither SELECT nor SHOW: says which it is, or that it is none. */
export function refuseStatement(cursor: Cursor): DbError {
  const first = cursor.token;
  if (cursor.atSymbol("(")) return unsupported("a query in parentheses");
  if (first.kind !== "word") return cursor.error("an SQL statement");
  const construct = NOT_BUILT.get(first.text);
  const reason = REFUSED.get(first.text);
  if (TRANSACTIONS.has(first.text)) {
    return unsupported(`Unsupported SQL statement: ${first.text.toUpperCase()}`);
  }
  if (construct === undefined && reason === undefined) return cursor.error("an SQL statement");
  cursor.take();
  if (construct !== undefined) {
    return cursor.token.kind === "end"
      ? cursor.error(afterWord(first.text))
      : unsupported(construct);
  }
  // A word alone is a slip rather than a wish to change something.
  if (first.text !== "show" && (cursor.token.kind === "end" || cursor.atSymbol(";")))
    return cursor.error("identifier");
  return new DbError("invalid", "sql_planning", `Error during planning: ${reason}`, {
    detail: { statement: first.text },
  });
}

function afterWord(word: string): string {
  if (word === "values") return "(";
  return word === "explain" ? "an SQL statement" : "identifier";
}
