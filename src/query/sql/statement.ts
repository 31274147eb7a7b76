import { DbError } from "#base/errors.ts";
import type {
  GroupItem,
  OrderItem,
  Query,
  Select,
  SelectItem,
  SqlExpression,
  Statement,
  TableReference,
} from "./ast.ts";
import { parseOrderItem } from "./call.ts";
import { Cursor, SQL_DEPTH_MAX, tooDeep } from "./cursor.ts";
import { unsupported } from "./errors.ts";
import { parseExpression } from "./expression.ts";
import { refuseStatement } from "./refused.ts";

/** UTF-16 units of a statement. */
export const SQL_LENGTH_MAX = 1024 * 1024;

const PATH_LENGTH_MAX = 3;

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
  const statement = parseAny(cursor);
  const ended = cursor.acceptSymbol(";");
  while (cursor.acceptSymbol(";"));
  if (ended && cursor.token.kind !== "end")
    throw unsupported("The context currently only supports a single SQL statement");
  if (cursor.token.kind !== "end") throw cursor.error("end of statement");
  checkDepth(statement);
  return statement;
}

function parseAny(cursor: Cursor): Statement {
  if (cursor.atWord("select")) return parseQuery(cursor);
  if (cursor.atWord("show") && cursor.peek().kind === "word") return parseShow(cursor);
  throw refuseStatement(cursor);
}

function parseShow(cursor: Cursor): Statement {
  cursor.take();
  if (cursor.acceptWord("tables")) return { kind: "show_tables" };
  if (!cursor.acceptWord("columns")) throw cursor.error("TABLES or COLUMNS after SHOW");
  if (!cursor.acceptWord("in")) cursor.expectWord("from");
  return { kind: "show_columns", table: parsePath(cursor) };
}

function parseQuery(cursor: Cursor): Query {
  const body = parseSelect(cursor);
  if (cursor.atWord("union", "intersect", "except")) {
    throw unsupported(`set operations (${cursor.token.text.toUpperCase()})`);
  }
  const orderBy = acceptPair(cursor, "order") ? parseOrderBy(cursor) : [];
  let limit: SqlExpression | undefined;
  let offset: SqlExpression | undefined;
  // LIMIT and OFFSET come in either order.
  for (let part = 0; part < 2; part++) {
    if (limit === undefined && cursor.acceptWord("limit")) limit = parseLimit(cursor);
    else if (offset === undefined && cursor.acceptWord("offset")) offset = parseOffset(cursor);
  }
  if (cursor.atWord("fetch")) throw unsupported("FETCH FIRST (use LIMIT)");
  return { kind: "query", with: [], recursive: false, body, orderBy, limit, offset };
}

function parseOrderBy(cursor: Cursor): OrderItem[] {
  return cursor.list(() => parseOrderItem(cursor, (floor) => parseExpression(cursor, floor)));
}

/** LIMIT ALL is NULL, which limits nothing. */
function parseLimit(cursor: Cursor): SqlExpression {
  return cursor.acceptWord("all") ? { kind: "literal", value: null } : parseExpression(cursor);
}

function parseOffset(cursor: Cursor): SqlExpression {
  const offset = parseExpression(cursor);
  if (!cursor.acceptWord("rows")) cursor.acceptWord("row");
  return offset;
}

function parseSelect(cursor: Cursor): Select {
  cursor.expectWord("select");
  const distinct = cursor.acceptWord("distinct") ? "rows" : "none";
  if (distinct === "none") cursor.acceptWord("all");
  if (distinct === "rows" && cursor.atWord("on")) throw unsupported("DISTINCT ON");
  const items = cursor.list(() => parseItem(cursor));
  const from = cursor.acceptWord("from") ? [parseFrom(cursor)] : [];
  const where = cursor.acceptWord("where") ? parseExpression(cursor) : undefined;
  const groupBy = acceptPair(cursor, "group") ? parseGroupBy(cursor) : [];
  const having = cursor.acceptWord("having") ? parseExpression(cursor) : undefined;
  if (cursor.atWord("window", "qualify")) throw unsupported("window functions");
  return {
    kind: "select",
    distinct,
    items,
    from,
    where,
    groupBy,
    having,
    windows: [],
    qualify: undefined,
  };
}

function parseItem(cursor: Cursor): SelectItem {
  const qualifier = acceptWildcard(cursor);
  if (qualifier !== undefined) {
    if (cursor.atWord("except", "exclude", "replace", "rename", "ilike")) {
      throw unsupported(`* with ${cursor.token.text.toUpperCase()}`);
    }
    cursor.countPart();
    return { kind: "wildcard", qualifier, except: [], replace: [] };
  }
  const expression = parseExpression(cursor);
  return { kind: "expression", expression, alias: parseAlias(cursor) };
}

/** Takes `*` or `t.*` if it comes next; its qualifier is empty for the first. */
function acceptWildcard(cursor: Cursor): string[] | undefined {
  if (cursor.acceptSymbol("*")) return [];
  if (!cursor.atName() || cursor.peek().text !== ".") return undefined;
  const lookahead = cursor.fork();
  const qualifier: string[] = [];
  while (lookahead.atName() && qualifier.length < PATH_LENGTH_MAX) {
    qualifier.push(lookahead.take().text);
    if (!lookahead.acceptSymbol(".")) return undefined;
    if (!lookahead.acceptSymbol("*")) continue;
    cursor.jump(lookahead);
    return qualifier;
  }
  return undefined;
}

function parseAlias(cursor: Cursor): string | undefined {
  const named = cursor.acceptWord("as");
  if (named && cursor.token.kind === "string") return cursor.take().text;
  if (named) return cursor.expectName();
  return cursor.atAlias() ? cursor.take().text : undefined;
}

function parseFrom(cursor: Cursor): TableReference {
  if (cursor.atSymbol("(")) throw unsupported("subqueries in FROM");
  if (cursor.atWord("lateral", "unnest")) throw unsupported(cursor.token.text.toUpperCase());
  const name = parsePath(cursor);
  if (cursor.atSymbol("(")) throw unsupported("table functions");
  const alias = parseAlias(cursor);
  if (alias !== undefined && cursor.atSymbol("(")) throw unsupported("aliases of columns in FROM");
  if (
    cursor.atSymbol(",") ||
    cursor.atWord("join", "inner", "left", "right", "full", "cross", "natural")
  ) {
    throw unsupported("joins");
  }
  return {
    kind: "table",
    name,
    alias: alias === undefined ? undefined : { name: alias, columns: [] },
  };
}

function parsePath(cursor: Cursor): string[] {
  const path = [cursor.expectName()];
  while (path.length < PATH_LENGTH_MAX && cursor.acceptSymbol(".")) path.push(cursor.expectName());
  return path;
}

function parseGroupBy(cursor: Cursor): GroupItem[] {
  if (cursor.atWord("all")) throw unsupported("GROUP BY ALL");
  const next = cursor.peek();
  const grouping =
    (cursor.atWord("cube", "rollup") && next.text === "(") ||
    (cursor.atWord("grouping") && next.text === "sets");
  if (grouping) throw unsupported("GROUPING SETS, CUBE and ROLLUP");
  return cursor.list(() => ({ kind: "expression", expression: parseExpression(cursor) }));
}

/** Takes ORDER BY or GROUP BY if it comes next. */
function acceptPair(cursor: Cursor, word: "order" | "group"): boolean {
  if (!cursor.acceptWord(word)) return false;
  cursor.expectWord("by");
  return true;
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
