import { DbError } from "#base/errors.ts";
import type { Cursor } from "./cursor.ts";
import { unsupported } from "./errors.ts";

/** Statements that this database knows, does not answer here, and why; by their first word. */
const REFUSED: ReadonlyMap<string, string> = new Map([
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
/** Transactions, each with the answer that clients of InfluxDB 3 know. */
const TRANSACTIONS: ReadonlyMap<string, () => DbError> = new Map([
  ["begin", () => unsupported("Unsupported SQL statement: BEGIN")],
  ["start", () => unsupported("Unsupported SQL statement: START TRANSACTION")],
  ["commit", () => refused("Statement not supported: TransactionEnd")],
  ["rollback", () => refused("Statement not supported: TransactionEnd")],
  ["end", () => unsupported("COMMIT AND END not supported")],
]);
const NOT_BUILT: ReadonlyMap<string, string> = new Map([
  ["alter", "Unsupported SQL statement: ALTER"],
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
  const transaction = TRANSACTIONS.get(first.text);
  if (transaction !== undefined) return transaction();
  const construct = NOT_BUILT.get(first.text);
  if (construct !== undefined) return notBuilt(cursor, construct);
  const reason = REFUSED.get(first.text);
  return reason === undefined ? cursor.error("an SQL statement") : notAllowed(cursor, reason);
}

function notBuilt(cursor: Cursor, construct: string): DbError {
  const word = cursor.take().text;
  if (cursor.token.kind !== "end") return unsupported(construct);
  if (word === "values") return cursor.error("(");
  return cursor.error(word === "explain" ? "an SQL statement" : "identifier");
}

function notAllowed(cursor: Cursor, reason: string): DbError {
  const word = cursor.take().text;
  const alone = cursor.token.kind === "end" || cursor.atSymbol(";");
  // A word alone is a slip rather than a wish to change something.
  if (alone && word !== "show") return cursor.error("identifier");
  const target = word === "create" && cursor.atWord("table") ? "MemoryTable" : "";
  return refused(`${reason}${target}`);
}

function refused(reason: string): DbError {
  return new DbError("invalid", "sql_planning", `Error during planning: ${reason}`);
}
