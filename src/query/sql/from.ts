import type { JoinKind, Query, QueryBody, TableAlias, TableReference } from "./ast.ts";
import { SQL_DEPTH_MAX } from "./cursor.ts";
import { unsupported } from "./errors.ts";
import { atQuery, atValues, type Grammar, inParentheses } from "./grammar.ts";
import { parseValues } from "./values.ts";

const NAME_LENGTH_MAX = 3;

/** Reads the tables of FROM, with commas between. */
export function parseFrom(grammar: Grammar): TableReference[] {
  return grammar.cursor.list(() => parseJoins(grammar));
}

/** Reads `catalog.schema.table`, of which the first two may be missing. */
export function parseTableName({ cursor }: Pick<Grammar, "cursor">): string[] {
  const name = [cursor.expectName()];
  while (name.length < NAME_LENGTH_MAX && cursor.acceptSymbol(".")) {
    name.push(cursor.expectAnyName());
  }
  return name;
}

/** A table and all that is joined to it, from the left on. */
function parseJoins(grammar: Grammar): TableReference {
  let left = parseTable(grammar);
  for (;;) {
    const natural = grammar.cursor.acceptWord("natural");
    const join = acceptJoin(grammar);
    if (join === undefined) {
      if (natural) throw grammar.cursor.error("a join type after NATURAL");
      return left;
    }
    const right = parseTable(grammar);
    left = { kind: "join", join, left, right, natural, ...parseCondition(grammar, natural) };
  }
}

/** Takes the words of a join up to JOIN if they come next. */
function acceptJoin({ cursor }: Grammar): JoinKind | undefined {
  if (cursor.atWord("asof", "global", "straight_join")) {
    throw unsupported(`${cursor.token.text.toUpperCase()} joins`);
  }
  const word = cursor.acceptOneOf(
    "join",
    "inner",
    "cross",
    "left",
    "right",
    "full",
    "semi",
    "anti",
  );
  if (word === undefined) return undefined;
  if (word === "join") return "inner";
  const kind = joinKind(word, cursor.acceptOneOf("outer", "semi", "anti"));
  if (kind === undefined) throw cursor.error("JOIN");
  cursor.expectWord("join");
  return kind;
}

function joinKind(
  word: "inner" | "cross" | "left" | "right" | "full" | "semi" | "anti",
  detail: "outer" | "semi" | "anti" | undefined,
): JoinKind | undefined {
  if (word === "left" || word === "right") {
    return detail === undefined || detail === "outer" ? word : `${word}_${detail}`;
  }
  if (word === "full") return detail === undefined || detail === "outer" ? word : undefined;
  if (detail !== undefined) return undefined;
  return word === "semi" || word === "anti" ? `left_${word}` : word;
}

type Condition = Pick<Extract<TableReference, { kind: "join" }>, "using" | "on">;

function parseCondition(grammar: Grammar, natural: boolean): Condition {
  const { cursor } = grammar;
  if (natural) return { using: [], on: undefined };
  if (cursor.acceptWord("on")) return { using: [], on: grammar.expression() };
  if (!cursor.acceptWord("using")) return { using: [], on: undefined };
  const using = inParentheses(grammar, () => cursor.list(() => cursor.expectAnyName()));
  return { using, on: undefined };
}

function parseTable(grammar: Grammar): TableReference {
  const { cursor } = grammar;
  return cursor.nested(() => {
    cursor.countPart();
    const lateral = cursor.atWord("lateral") && cursor.peek().text !== ".";
    if (lateral) cursor.take();
    if (cursor.atSymbol("(")) return parseParentheses(grammar, lateral);
    if (atValues(cursor)) {
      const query = queryOf(parseValues(grammar));
      return { kind: "subquery", query, lateral, alias: parseTableAlias(grammar) };
    }
    return parseNamed(grammar, lateral);
  });
}

function queryOf(body: QueryBody): Query {
  return {
    kind: "query",
    with: [],
    recursive: false,
    body,
    orderBy: [],
    limit: undefined,
    offset: undefined,
  };
}

/** A query, or tables that are joined. */
function parseParentheses(grammar: Grammar, lateral: boolean): TableReference {
  const { cursor } = grammar;
  if (startsQuery(grammar)) {
    const query = inParentheses(grammar, () => grammar.query());
    return { kind: "subquery", query, lateral, alias: parseTableAlias(grammar) };
  }
  if (lateral) throw cursor.error("a subquery after LATERAL");
  const table = inParentheses(grammar, () => parseJoins(grammar));
  if (parseTableAlias(grammar) !== undefined) throw unsupported("aliases of joins");
  return table;
}

/** Whether the parenthesis that comes next, or what others it holds at its beginning, holds a query. */
function startsQuery({ cursor, ...rest }: Grammar): boolean {
  const ahead = cursor.fork();
  // Deeper ones are refused in any case.
  for (let depth = 0; depth < SQL_DEPTH_MAX && ahead.acceptSymbol("("); depth++);
  return ahead.atWord("from") || atQuery({ ...rest, cursor: ahead });
}

function parseNamed(grammar: Grammar, lateral: boolean): TableReference {
  const { cursor } = grammar;
  const name = parseTableName(grammar);
  if (!cursor.atSymbol("(")) {
    if (lateral) throw cursor.error("a subquery or a function after LATERAL");
    return { kind: "table", name, alias: parseTableAlias(grammar) };
  }
  const [called = "", more] = name;
  if (more !== undefined) throw unsupported("functions of a schema");
  const operands = inParentheses(grammar, () =>
    cursor.atSymbol(")") ? [] : cursor.list(() => grammar.expression()),
  );
  if (cursor.atWords("with", "ordinality")) throw unsupported("WITH ORDINALITY");
  const alias = parseTableAlias(grammar);
  if (called === "unnest") return { kind: "unnest", lists: operands, alias };
  return { kind: "table_function", name: called, arguments: operands, lateral, alias };
}

/** `AS name (columns)`, `name`; undefined when there is none. */
function parseTableAlias(grammar: Grammar): TableAlias | undefined {
  const { cursor } = grammar;
  const named = cursor.acceptWord("as");
  if (!named && !cursor.atAlias("table")) return undefined;
  const name = cursor.expectAnyName();
  const columns = cursor.atSymbol("(") ? parseColumns(grammar) : [];
  return { name, columns };
}

function parseColumns(grammar: Grammar): string[] {
  const { cursor } = grammar;
  return inParentheses(grammar, () => cursor.list(() => cursor.expectAnyName()));
}
