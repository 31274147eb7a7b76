import type { CommonTable, OrderBy, Query, QueryBody, SetOperation, SqlExpression } from "./ast.ts";
import { unsupported } from "./errors.ts";
import { acceptOrderBy, parseDirection } from "./expression/window.ts";
import { type Grammar, inParentheses } from "./grammar.ts";
import { parseSelect } from "./select.ts";
import { parseValues } from "./values.ts";

/** Reads a query with its WITH, order and limit; of one whose body begins with `first`, what follows. */
export function parseQuery(grammar: Grammar, first?: QueryBody): Query {
  const { cursor } = grammar;
  return cursor.nested((): Query => {
    cursor.countPart();
    const named = first === undefined && cursor.acceptWord("with");
    const recursive = named && cursor.acceptWord("recursive");
    const tables = named ? cursor.list(() => parseCommonTable(grammar)) : [];
    const body = parseBody(grammar, 0, first);
    const orderBy = parseOrderBy(grammar);
    return { kind: "query", with: tables, recursive, body, orderBy, ...parseLimits(grammar) };
  });
}

/** Reads `(name, …)`. */
function parseNames(grammar: Grammar): string[] {
  const { cursor } = grammar;
  return inParentheses(grammar, () => cursor.list(() => cursor.expectAnyName()));
}

function parseCommonTable(grammar: Grammar): CommonTable {
  const { cursor } = grammar;
  const name = cursor.expectName();
  const columns = cursor.atSymbol("(") ? parseNames(grammar) : [];
  cursor.expectWord("as");
  if (cursor.acceptOneOf("not", "materialized") === "not") cursor.expectWord("materialized");
  return { name, columns, query: inParentheses(grammar, () => grammar.query()) };
}

const UNION = 10;
const INTERSECT = 20;
const SET_PRECEDENCE: ReadonlyMap<string, number> = new Map([
  ["union", UNION],
  ["except", UNION],
  ["minus", UNION],
  ["intersect", INTERSECT],
]);

/** Reads SELECTs joined by set operations that bind tighter than `floor`. */
function parseBody(grammar: Grammar, floor: number, first?: QueryBody): QueryBody {
  const { cursor } = grammar;
  let left = first ?? parseTerm(grammar);
  for (;;) {
    const { kind, text } = cursor.token;
    const precedence = kind === "word" ? SET_PRECEDENCE.get(text) : undefined;
    if (precedence === undefined || precedence <= floor) return left;
    left = parseSetOperation(grammar, left, precedence);
  }
}

function parseSetOperation(grammar: Grammar, left: QueryBody, precedence: number): SetOperation {
  const { cursor } = grammar;
  const word = cursor.take().text;
  const operation = word === "union" || word === "intersect" ? word : "except";
  const all = cursor.acceptOneOf("all", "distinct") === "all";
  const byName = cursor.acceptWord("by");
  if (byName) cursor.expectWord("name");
  const right = parseBody(grammar, precedence);
  return { kind: "set", operation, all, byName, left, right };
}

function parseTerm(grammar: Grammar): QueryBody {
  const { cursor } = grammar;
  if (cursor.atSymbol("(")) return inParentheses(grammar, () => grammar.query());
  return cursor.atWord("values") ? parseValues(grammar) : parseSelect(grammar);
}

function parseOrderBy(grammar: Grammar): OrderBy {
  const { cursor } = grammar;
  if (!cursor.atWords("order", "by", "all")) return acceptOrderBy(grammar);
  cursor.expectWords("order", "by", "all");
  return { kind: "all", ...parseDirection(grammar) };
}

type Limits = Pick<Query, "limit" | "offset">;

/** LIMIT and OFFSET in either order, `LIMIT offset, limit`, or FETCH FIRST. */
function parseLimits(grammar: Grammar): Limits {
  const { cursor } = grammar;
  let limits: Limits = { limit: undefined, offset: undefined };
  for (;;) {
    if (limits.limit === undefined && cursor.acceptWord("limit")) {
      limits = parseLimit(grammar, limits);
    } else if (limits.offset === undefined && cursor.acceptWord("offset")) {
      limits = { ...limits, offset: grammar.expression() };
      cursor.acceptOneOf("row", "rows");
    } else if (limits.limit === undefined && cursor.acceptWord("fetch")) {
      limits = { ...limits, limit: parseFetch(grammar) };
    } else {
      return limits;
    }
  }
}

/** LIMIT ALL is NULL, which limits nothing. */
function parseLimit(grammar: Grammar, { offset }: Limits): Limits {
  const { cursor } = grammar;
  if (cursor.acceptWord("all")) return { limit: { kind: "literal", value: null }, offset };
  const first = grammar.expression();
  if (offset !== undefined || !cursor.acceptSymbol(",")) return { limit: first, offset };
  return { limit: grammar.expression(), offset: first };
}

/** `FIRST [count] ROWS ONLY`. */
function parseFetch(grammar: Grammar): SqlExpression {
  const { cursor } = grammar;
  if (cursor.acceptOneOf("first", "next") === undefined) throw cursor.error("FIRST or NEXT");
  const count: SqlExpression = cursor.atWord("row", "rows")
    ? { kind: "literal", value: 1n }
    : grammar.expression();
  if (cursor.acceptOneOf("row", "rows") === undefined) throw cursor.error("ROWS");
  if (cursor.acceptWord("with")) throw unsupported("FETCH FIRST WITH TIES");
  cursor.expectWord("only");
  return count;
}
