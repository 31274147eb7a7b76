import type { Query, QueryBody, SqlExpression } from "./ast.ts";
import type { Cursor } from "./cursor.ts";

/** What the parts of a statement are read with: those below call those above by it. */
export interface Grammar {
  readonly cursor: Cursor;
  /** Reads an expression whose operators bind tighter than `floor`, any when it is left out. */
  readonly expression: (floor?: number) => SqlExpression;
  /** Reads a query: from WITH, SELECT, FROM, VALUES or an opening parenthesis on; of one that begins with `first`, the rest. */
  readonly query: (first?: QueryBody) => Query;
}

/** Whether a query comes next, where an expression or a table could. */
export function atQuery({ cursor }: Grammar): boolean {
  return cursor.atWord("select", "with") || atValues(cursor);
}

/** Whether a query that began in parentheses goes on behind them. */
export function atQueryTail({ cursor }: Grammar): boolean {
  return cursor.atWord(
    "union",
    "except",
    "minus",
    "intersect",
    "order",
    "limit",
    "offset",
    "fetch",
  );
}

/** Whether VALUES and its first row come next. */
export function atValues(cursor: Cursor): boolean {
  return cursor.atWord("values") && cursor.precedes("(", "row");
}

/** Reads what `parse` reads, in parentheses. */
export function inParentheses<T>({ cursor }: Grammar, parse: () => T): T {
  cursor.expectSymbol("(");
  const parsed = parse();
  cursor.expectSymbol(")");
  return parsed;
}
