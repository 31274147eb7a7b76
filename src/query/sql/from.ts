import type { JoinKind, Query, QueryBody, Select, TableAlias, TableReference } from "./ast.ts";
import { unsupported } from "./errors.ts";
import { atQuery, atQueryTail, atValues, type Grammar, inParentheses } from "./grammar.ts";
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
function parseJoins(grammar: Grammar, first?: TableReference): TableReference {
  let left = first ?? parseTable(grammar);
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
    const lateral = cursor.atWord("lateral") && !cursor.precedes(".");
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
  const inner = parseInner(grammar);
  if (inner.kind === "query") {
    return { kind: "subquery", query: inner, lateral, alias: parseTableAlias(grammar) };
  }
  if (lateral) throw cursor.error("a subquery after LATERAL");
  return aliased(inner, parseTableAlias(grammar));
}

/** What stands in parentheses. That others open in them tells nothing yet: a query may end before a join begins. */
function parseInner(grammar: Grammar): Query | TableReference {
  const { cursor } = grammar;
  return inParentheses(grammar, () => {
    if (cursor.atWord("from") || atQuery(grammar)) return grammar.query();
    if (!cursor.atSymbol("(")) return parseJoins(grammar);
    const inner = cursor.nested(() => parseInner(grammar));
    if (inner.kind !== "query")
      return parseJoins(grammar, aliased(inner, parseTableAlias(grammar)));
    if (cursor.atSymbol(")")) return inner;
    if (atQueryTail(grammar)) return grammar.query(inner);
    const alias = parseTableAlias(grammar);
    return parseJoins(grammar, { kind: "subquery", query: inner, lateral: false, alias });
  });
}

/** Joined tables under a name are a subquery of all their columns. */
function aliased(table: TableReference, alias: TableAlias | undefined): TableReference {
  if (alias === undefined) return table;
  return { kind: "subquery", query: queryOf(selectOf(table)), lateral: false, alias };
}

function selectOf(table: TableReference): Select {
  return {
    kind: "select",
    distinct: "none",
    items: [{ kind: "wildcard", qualifier: [], except: [], replace: [] }],
    from: [table],
    where: undefined,
    groupBy: [],
    having: undefined,
    windows: [],
    qualify: undefined,
  };
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
