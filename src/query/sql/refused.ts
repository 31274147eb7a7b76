import { DbError } from "#base/errors.ts";
import type { Cursor } from "./cursor.ts";
import { shown, unsupported } from "./errors.ts";

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
/** Statements of which only the first word was given. */
const INCOMPLETE = new Set(["describe", "desc", "explain", "from"]);
/** Transactions, each with the answer that clients of InfluxDB 3 know. */
const TRANSACTIONS: ReadonlyMap<string, () => DbError> = new Map([
  ["begin", () => unsupported("Unsupported SQL statement: BEGIN")],
  ["start", () => unsupported("Unsupported SQL statement: START TRANSACTION")],
  ["commit", () => refused("Statement not supported: TransactionEnd")],
  ["rollback", () => refused("Statement not supported: TransactionEnd")],
  ["end", () => unsupported("COMMIT AND END not supported")],
]);
/** The error of a statement that is no query and shows nothing: says which it is, or that it is none. */
export function refuseStatement(cursor: Cursor): DbError {
  const first = cursor.token;
  if (first.kind !== "word") return cursor.error("an SQL statement");
  const transaction = TRANSACTIONS.get(first.text);
  if (transaction !== undefined) return transaction();
  if (first.text === "alter")
    return unsupported(`Unsupported SQL statement: ${shown(cursor.rest())}`);
  if (INCOMPLETE.has(first.text)) {
    cursor.take();
    return cursor.error(first.text === "explain" ? "an SQL statement" : "identifier");
  }
  const reason = REFUSED.get(first.text);
  return reason === undefined ? cursor.error("an SQL statement") : notAllowed(cursor, reason);
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
