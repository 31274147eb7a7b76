import type { GroupBy, GroupItem, NamedWindow, Select, SelectItem, SqlExpression } from "./ast.ts";
import { unsupported } from "./errors.ts";
import { parseWindow } from "./expression/window.ts";
import { parseFrom } from "./from.ts";
import { type Grammar, inParentheses } from "./grammar.ts";

const QUALIFIER_LENGTH_MAX = 3;
const WHOLE: SelectItem = { kind: "wildcard", qualifier: [], except: [], replace: [] };

/** Reads SELECT up to its last clause; FROM may come first, and alone it selects all. */
export function parseSelect(grammar: Grammar): Select {
  const { cursor } = grammar;
  const first = cursor.acceptWord("from") ? parseFrom(grammar) : undefined;
  const selected = first === undefined || cursor.atWord("select");
  if (selected) cursor.expectWord("select");
  const distinct = selected ? parseDistinct(grammar) : "none";
  const items = selected ? parseItems(grammar) : [WHOLE];
  if (selected && cursor.atWord("into")) throw unsupported("SELECT INTO");
  const from = first ?? (cursor.acceptWord("from") ? parseFrom(grammar) : []);
  const where = acceptClause(grammar, "where");
  const groupBy = parseGroupBy(grammar);
  const having = acceptClause(grammar, "having");
  // QUALIFY may stand before WINDOW.
  const early = acceptClause(grammar, "qualify");
  const windows = cursor.acceptWord("window") ? cursor.list(() => parseNamedWindow(grammar)) : [];
  const qualify = early ?? acceptClause(grammar, "qualify");
  return { kind: "select", distinct, items, from, where, groupBy, having, windows, qualify };
}

function acceptClause({ cursor, expression }: Grammar, word: string): SqlExpression | undefined {
  return cursor.acceptWord(word) ? expression() : undefined;
}

function parseDistinct(grammar: Grammar): Select["distinct"] {
  const { cursor } = grammar;
  if (cursor.acceptOneOf("all", "distinct") !== "distinct") return "none";
  if (!cursor.acceptWord("on")) return "rows";
  return inParentheses(grammar, () =>
    cursor.atSymbol(")") ? [] : cursor.list(() => grammar.expression()),
  );
}

/** A comma may stand behind the last one. */
function parseItems(grammar: Grammar): SelectItem[] {
  const { cursor } = grammar;
  const items = [parseItem(grammar)];
  while (cursor.acceptSymbol(",")) {
    if (cursor.atWord("from") || cursor.atSymbol(")")) break;
    items.push(parseItem(grammar));
  }
  return items;
}

function parseItem(grammar: Grammar): SelectItem {
  const { cursor } = grammar;
  const qualifier = acceptWildcard(grammar);
  if (qualifier !== undefined) {
    cursor.countPart();
    return parseWildcard(grammar, qualifier);
  }
  const expression = grammar.expression();
  return { kind: "expression", expression, alias: parseAlias(grammar) };
}

/** Takes `*` or `t.*` if it comes next; its qualifier is empty for the first. */
function acceptWildcard({ cursor }: Grammar): string[] | undefined {
  if (cursor.acceptSymbol("*")) return [];
  if (!cursor.atName() || !cursor.precedes(".")) return undefined;
  const lookahead = cursor.fork();
  const qualifier: string[] = [];
  while (lookahead.atName() && qualifier.length < QUALIFIER_LENGTH_MAX) {
    qualifier.push(lookahead.take().text);
    if (!lookahead.acceptSymbol(".")) return undefined;
    if (!lookahead.acceptSymbol("*")) continue;
    cursor.jump(lookahead);
    return qualifier;
  }
  return undefined;
}

/** What may follow `*`: EXCLUDE or EXCEPT with names, REPLACE with expressions. */
function parseWildcard(grammar: Grammar, qualifier: readonly string[]): SelectItem {
  const { cursor } = grammar;
  if (cursor.atWord("ilike", "rename")) {
    throw unsupported(`* with ${cursor.token.text.toUpperCase()}`);
  }
  const except = acceptExclusion(grammar);
  const replace = cursor.acceptWord("replace")
    ? inParentheses(grammar, () =>
        cursor.list(() => {
          const expression = grammar.expression();
          cursor.acceptWord("as");
          return { expression, name: cursor.expectAnyName() };
        }),
      )
    : [];
  return { kind: "wildcard", qualifier, except, replace };
}

function acceptExclusion({ cursor }: Grammar): string[] {
  // EXCEPT with anything else than names in parentheses joins two queries.
  if (cursor.atWord("except") && !cursor.precedes("(")) return [];
  if (cursor.acceptOneOf("exclude", "except") === undefined) return [];
  if (!cursor.acceptSymbol("(")) return [cursor.expectAnyName()];
  const names = cursor.list(() => cursor.expectAnyName());
  cursor.expectSymbol(")");
  return names;
}

function parseAlias({ cursor }: Grammar): string | undefined {
  if (cursor.acceptWord("as")) return cursor.expectAnyName();
  return cursor.atAlias("column") ? cursor.take().text : undefined;
}

function parseGroupBy(grammar: Grammar): GroupBy {
  const { cursor } = grammar;
  if (!cursor.acceptWord("group")) return [];
  cursor.expectWord("by");
  if (cursor.acceptWord("all")) return "all";
  return cursor.list(() => parseGroupItem(grammar));
}

function parseGroupItem(grammar: Grammar): GroupItem {
  const { cursor } = grammar;
  if (cursor.atWord("grouping") && cursor.precedes("sets")) {
    cursor.expectWords("grouping", "sets");
    return { kind: "sets", sets: parseSets(grammar) };
  }
  if (cursor.atWord("rollup", "cube") && cursor.precedes("(")) {
    const kind = cursor.take().text === "cube" ? "cube" : "rollup";
    return { kind, sets: parseSets(grammar) };
  }
  if (!cursor.atSymbol("(") || !cursor.precedes(")")) {
    return { kind: "expression", expression: grammar.expression() };
  }
  cursor.expectSymbol("(");
  cursor.expectSymbol(")");
  return { kind: "sets", sets: [[]] };
}

/** Sets are lists in parentheses, or expressions alone. */
function parseSets(grammar: Grammar): SqlExpression[][] {
  const { cursor } = grammar;
  return inParentheses(grammar, () => cursor.list(() => parseSet(grammar)));
}

function parseSet(grammar: Grammar): SqlExpression[] {
  const { cursor } = grammar;
  if (!cursor.atSymbol("(")) return [grammar.expression()];
  return inParentheses(grammar, () =>
    cursor.atSymbol(")") ? [] : cursor.list(() => grammar.expression()),
  );
}

/** `name AS (…)`, or `name AS other`. */
function parseNamedWindow(grammar: Grammar): NamedWindow {
  const { cursor } = grammar;
  const name = cursor.expectName();
  cursor.expectWord("as");
  if (cursor.atSymbol("(")) return { name, window: parseWindow(grammar) };
  const base = cursor.expectName();
  return { name, window: { base, partitionBy: [], orderBy: [], frame: undefined } };
}
