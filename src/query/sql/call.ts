import type { CallExpression, OrderItem, SqlExpression } from "./ast.ts";
import type { Cursor } from "./cursor.ts";
import { unsupported } from "./errors.ts";

/** Parses an expression whose operators bind tighter than `floor`; given by expression.ts, which stands above. */
export type ParseExpression = (floor?: number) => SqlExpression;

/** How tight operators bind. */
export const PRECEDENCE = {
  or: 5,
  and: 10,
  not: 15,
  is: 17,
  like: 19,
  compare: 20,
  add: 30,
  multiply: 40,
  cast: 50,
} as const;

const EMPTY = { star: false, distinct: false, orderBy: [], filter: undefined } as const;

/** Reads a call from its opening parenthesis on, with FILTER and with the special forms of EXTRACT, POSITION and SUBSTRING. */
export function parseCallTail(
  cursor: Cursor,
  name: string,
  parse: ParseExpression,
): CallExpression {
  cursor.expectSymbol("(");
  const special = parseSpecialArguments(cursor, name, parse);
  const call = special ?? { name, ...parseArguments(cursor, parse) };
  cursor.expectSymbol(")");
  if (cursor.atWord("within")) throw unsupported("WITHIN GROUP");
  if (cursor.atWord("ignore", "respect")) throw unsupported("IGNORE NULLS and RESPECT NULLS");
  const filter = cursor.acceptWord("filter") ? parseFilter(cursor, parse) : undefined;
  if (cursor.atWord("over")) throw unsupported("window functions (OVER)");
  return { kind: "call", ...call, filter, withinGroup: false, nulls: undefined, over: undefined };
}

/** Reads `expression [ASC|DESC] [NULLS FIRST|LAST]`; NULLs come last, with DESC first, when nothing is said. */
export function parseOrderItem(cursor: Cursor, parse: ParseExpression): OrderItem {
  const expression = parse();
  const descending = cursor.acceptWord("desc");
  if (!descending) cursor.acceptWord("asc");
  let nullsFirst = descending;
  if (cursor.acceptWord("nulls")) {
    nullsFirst = cursor.acceptWord("first");
    if (!nullsFirst) cursor.expectWord("last");
  }
  return { expression, descending, nullsFirst };
}

type Arguments = Pick<CallExpression, "arguments" | "star" | "distinct" | "orderBy">;

function parseArguments(cursor: Cursor, parse: ParseExpression): Arguments {
  if (cursor.atSymbol(")")) return { ...EMPTY, arguments: [] };
  if (cursor.acceptSymbol("*")) return { ...EMPTY, arguments: [], star: true };
  const distinct = cursor.acceptWord("distinct");
  if (!distinct) cursor.acceptWord("all");
  const list = cursor.list(parse);
  if (!cursor.acceptWord("order")) return { ...EMPTY, arguments: list, distinct };
  cursor.expectWord("by");
  const orderBy = cursor.list(() => parseOrderItem(cursor, parse));
  return { ...EMPTY, arguments: list, distinct, orderBy };
}

function parseFilter(cursor: Cursor, parse: ParseExpression): SqlExpression {
  cursor.expectSymbol("(");
  cursor.expectWord("where");
  const condition = parse();
  cursor.expectSymbol(")");
  return condition;
}

/** The arguments of functions that have words between them; undefined for all others. */
function parseSpecialArguments(
  cursor: Cursor,
  name: string,
  parse: ParseExpression,
): (Arguments & { name: string }) | undefined {
  switch (name) {
    case "extract":
      return { ...EMPTY, name: "date_part", arguments: parseExtract(cursor, parse) };
    case "position":
      return { ...EMPTY, name: "strpos", arguments: parsePosition(cursor, parse) };
    case "substring":
    case "substr":
      return { ...EMPTY, name: "substr", arguments: parseSubstring(cursor, parse) };
    case "trim":
      return { ...EMPTY, name: "trim", arguments: parseTrim(cursor, parse) };
    default:
      return undefined;
  }
}

function parseExtract(cursor: Cursor, parse: ParseExpression): SqlExpression[] {
  const { kind } = cursor.token;
  if (kind !== "word" && kind !== "string" && kind !== "quoted")
    throw cursor.error("a part of a time");
  const part: SqlExpression = { kind: "literal", value: cursor.take().text };
  cursor.expectWord("from");
  return [part, parse()];
}

/** `POSITION(part IN text)` as `strpos(text, part)`. */
function parsePosition(cursor: Cursor, parse: ParseExpression): SqlExpression[] {
  const first = parse(PRECEDENCE.compare);
  if (cursor.acceptSymbol(",")) return [first, parse()];
  if (!cursor.acceptWord("in")) throw cursor.error("IN");
  return [parse(), first];
}

function parseTrim(cursor: Cursor, parse: ParseExpression): SqlExpression[] {
  const sided = cursor.atWord("both", "leading", "trailing");
  const list = sided || cursor.atSymbol(")") ? [] : cursor.list(parse);
  if (sided || cursor.atWord("from")) throw unsupported("TRIM with FROM");
  return list;
}

function parseSubstring(cursor: Cursor, parse: ParseExpression): SqlExpression[] {
  if (cursor.atSymbol(")")) return [];
  const list = [parse()];
  if (cursor.acceptWord("from")) list.push(parse());
  if (cursor.acceptWord("for")) {
    list.push(...(list.length === 1 ? [{ kind: "literal", value: 1n } as const] : []), parse());
  }
  while (cursor.acceptSymbol(",")) list.push(parse());
  return list;
}
