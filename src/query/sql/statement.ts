import { DbError } from "#base/errors.ts";
import type { Statement } from "./ast.ts";
import { Cursor, SQL_DEPTH_MAX, tooDeep } from "./cursor.ts";
import { shown, unsupported } from "./errors.ts";
import { parseExpression } from "./expression/expression.ts";
import { parseTableName } from "./from.ts";
import { atQuery, type Grammar } from "./grammar.ts";
import { parseQuery } from "./query.ts";
import { refuseStatement } from "./refused.ts";

/** UTF-16 units of a statement. */
export const SQL_LENGTH_MAX = 1024 * 1024;

/**
 * Parses the one statement that `sql` holds; a semicolon may follow it.
 *
 * Throws DbError `invalid` / `sql_syntax` with `line`, `column` and what was `found`; `invalid` / `sql_planning` for statements that change
 * something; `unsupported` / `sql_unsupported` with the `construct`; `exceeded` / `sql_too_long`, `sql_too_deep`,
 * `sql_too_complex` or `sql_in_list`.
 */
export function parseStatement(sql: string): Statement {
  if (sql.length > SQL_LENGTH_MAX) {
    throw new DbError(
      "exceeded",
      "sql_too_long",
      `The statement has ${sql.length} characters, the limit is ${SQL_LENGTH_MAX}.`,
      { detail: { length: sql.length, lengthMax: SQL_LENGTH_MAX } },
    );
  }
  const cursor = new Cursor(sql);
  const grammar: Grammar = {
    cursor,
    expression: (floor) => parseExpression(grammar, floor),
    query: (first) => parseQuery(grammar, first),
  };
  const statement = parseAny(grammar);
  const ended = cursor.acceptSymbol(";");
  while (cursor.acceptSymbol(";"));
  if (ended && cursor.token.kind !== "end")
    throw unsupported("The context currently only supports a single SQL statement");
  if (cursor.token.kind !== "end") throw cursor.error("end of statement");
  checkDepth(statement);
  return statement;
}

function parseAny(grammar: Grammar): Statement {
  const { cursor } = grammar;
  if (startsQuery(grammar)) return grammar.query();
  if (cursor.atWord("show") && cursor.peek().kind === "word") return parseShow(grammar);
  if (cursor.peek().kind === "end") throw refuseStatement(cursor);
  if (cursor.acceptWord("explain")) return parseExplain(grammar);
  if (cursor.acceptOneOf("describe", "desc") !== undefined) return parseDescribe(grammar);
  throw refuseStatement(cursor);
}

function startsQuery(grammar: Grammar): boolean {
  const { cursor } = grammar;
  if (cursor.atWord("values", "from"))
    return cursor.peek().kind !== "end" || cursor.atWord("values");
  return cursor.atSymbol("(") || atQuery(grammar);
}

function parseShow({ cursor }: Grammar): Statement {
  cursor.take();
  if (cursor.acceptWord("tables")) return { kind: "show_tables" };
  if (cursor.acceptWord("all")) return { kind: "show_all" };
  if (cursor.acceptWord("columns")) {
    if (cursor.acceptOneOf("in", "from") === undefined) throw cursor.error("FROM");
    return { kind: "show_columns", table: parseTableName({ cursor }) };
  }
  if (cursor.acceptWord("functions")) throw unsupported("SHOW FUNCTIONS");
  const name = shown(parseTableName({ cursor }).join("."));
  throw new DbError(
    "invalid",
    "sql_planning",
    `Error during planning: '${name}' is not a variable which can be viewed with 'SHOW'`,
  );
}

function parseExplain(grammar: Grammar): Statement {
  const { cursor } = grammar;
  const analyze = cursor.acceptWord("analyze");
  const verbose = cursor.acceptWord("verbose");
  if (cursor.acceptWord("format") && !cursor.acceptWord("indent")) {
    throw unsupported("EXPLAIN with a FORMAT other than INDENT");
  }
  if (!startsQuery(grammar)) throw refuseStatement(cursor);
  return { kind: "explain", analyze, verbose, query: grammar.query() };
}

function parseDescribe(grammar: Grammar): Statement {
  if (startsQuery(grammar)) return { kind: "describe_query", query: grammar.query() };
  grammar.cursor.acceptWord("table");
  return { kind: "describe", table: parseTableName(grammar) };
}

/**
 * The parser bounds how deep it recurses, but chains such as `1 + 1 + 1 …` grow to the left without recursion.
 * This walks the finished tree with a list in place of the call stack.
 */
function checkDepth(statement: Statement): void {
  const pending: { node: object; depth: number }[] = [{ node: statement, depth: 0 }];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    if (next.depth > SQL_DEPTH_MAX) throw tooDeep();
    for (const child of Object.values(next.node) as unknown[]) {
      if (typeof child !== "object" || child === null) continue;
      pending.push({ node: child, depth: next.depth + ("kind" in child ? 1 : 0) });
    }
  }
}
