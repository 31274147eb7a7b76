import { DbError } from "#base/errors.ts";
import type { BinaryOperator, SqlExpression } from "./ast.ts";
import { PRECEDENCE } from "./call.ts";
import type { Cursor } from "./cursor.ts";
import { unsupported } from "./errors.ts";
import { parseOperand } from "./operand.ts";
import { parseType } from "./type-name.ts";

/** How many values an IN list may hold. */
export const IN_LIST_COUNT_MAX = 10_000;

const SYMBOLS: ReadonlyMap<string, number> = new Map([
  ...(["=", "!=", "<", "<=", ">", ">=", "~", "~*", "!~", "!~*", "<=>"] as const).map(
    (symbol): [string, number] => [symbol, PRECEDENCE.compare],
  ),
  ["+", PRECEDENCE.add],
  ["-", PRECEDENCE.add],
  ["*", PRECEDENCE.multiply],
  ["/", PRECEDENCE.multiply],
  ["%", PRECEDENCE.multiply],
  ["||", PRECEDENCE.multiply],
  ["::", PRECEDENCE.cast],
]);
const WORDS: ReadonlyMap<string, number> = new Map([
  ["or", PRECEDENCE.or],
  ["and", PRECEDENCE.and],
  ["is", PRECEDENCE.is],
  ["like", PRECEDENCE.like],
  ["ilike", PRECEDENCE.like],
  ["between", PRECEDENCE.compare],
  ["in", PRECEDENCE.compare],
  ["not", PRECEDENCE.like],
]);
const SYMBOLS_NOT_BUILT = new Set([
  "&",
  "|",
  "^",
  "#",
  "<<",
  ">>",
  "->",
  "->>",
  "[",
  "{",
  "@",
  "?",
]);
const WORDS_NOT_BUILT: ReadonlyMap<string, string> = new Map([
  ["at", "AT TIME ZONE"],
  ["collate", "COLLATE"],
  ["similar", "SIMILAR TO"],
]);

/**
 * Reads an expression by precedence climbing; operators that bind no tighter than `floor` are left.
 * AND and OR become one node however many operands they have, so that long conditions are not deep.
 */
export function parseExpression(cursor: Cursor, floor = 0): SqlExpression {
  return cursor.nested(() => {
    cursor.countPart();
    let left = parsePrefix(cursor);
    for (;;) {
      refuseUnbuilt(cursor);
      const precedence = precedenceOf(cursor);
      if (precedence === undefined || precedence <= floor) return left;
      left = parseInfix(cursor, left, precedence);
    }
  });
}

function parsePrefix(cursor: Cursor): SqlExpression {
  if (cursor.acceptSymbol("+")) return parseExpression(cursor, PRECEDENCE.multiply);
  if (cursor.acceptSymbol("-")) {
    return { kind: "negate", operand: parseExpression(cursor, PRECEDENCE.multiply) };
  }
  if (cursor.acceptWord("not")) {
    return { kind: "not", operand: parseExpression(cursor, PRECEDENCE.not) };
  }
  return parseOperand(cursor, (floor) => parseExpression(cursor, floor));
}

function precedenceOf(cursor: Cursor): number | undefined {
  const { kind, text } = cursor.token;
  if (kind === "symbol") return SYMBOLS.get(text);
  return kind === "word" ? WORDS.get(text) : undefined;
}

function refuseUnbuilt(cursor: Cursor): void {
  const { kind, text } = cursor.token;
  if (kind === "symbol" && SYMBOLS_NOT_BUILT.has(text)) throw unsupported(`operator ${text}`);
  const construct = kind === "word" ? WORDS_NOT_BUILT.get(text) : undefined;
  if (construct === undefined) return;
  // AT alone may be an alias.
  const next = cursor.peek();
  if (text !== "at" || (next.kind === "word" && next.text === "time")) throw unsupported(construct);
}

function parseInfix(cursor: Cursor, left: SqlExpression, precedence: number): SqlExpression {
  const { kind, text } = cursor.take();
  if (kind === "symbol") {
    if (text === "::") return { kind: "cast", operand: left, type: parseType(cursor), safe: false };
    const right = parseExpression(cursor, precedence);
    const operator = text === "<=>" ? "IS NOT DISTINCT FROM" : (text as BinaryOperator);
    return { kind: "binary", operator, left, right };
  }
  switch (text) {
    case "and":
    case "or":
      return combine(text, left, parseExpression(cursor, precedence));
    case "is":
      return parseIs(cursor, left);
    case "not":
      return parseNegatable(cursor, left, true);
    default:
      return parseNegatable(cursor, left, false, text);
  }
}

/** What may follow NOT: BETWEEN, IN, LIKE, ILIKE. `taken` is the word when it was read already. */
function parseNegatable(
  cursor: Cursor,
  operand: SqlExpression,
  negated: boolean,
  taken?: string,
): SqlExpression {
  if (taken === undefined && !cursor.atWord("between", "in", "like", "ilike")) {
    throw cursor.error("IN, BETWEEN, LIKE or ILIKE after NOT");
  }
  const word = taken ?? cursor.take().text;
  if (word === "between") {
    const low = parseExpression(cursor, PRECEDENCE.compare);
    cursor.expectWord("and");
    const high = parseExpression(cursor, PRECEDENCE.compare);
    return { kind: "between", operand, low, high, negated };
  }
  if (word === "in") return { kind: "in_list", operand, list: parseInList(cursor), negated };
  const pattern = parseExpression(cursor, PRECEDENCE.like);
  parseEscape(cursor);
  return {
    kind: "like",
    operand,
    pattern,
    style: word === "ilike" ? "ilike" : "like",
    escape: undefined,
    negated,
  };
}

function parseInList(cursor: Cursor): SqlExpression[] {
  cursor.expectSymbol("(");
  if (cursor.atWord("select", "with", "values")) throw unsupported("subqueries (IN)");
  let count = 0;
  const list = cursor.list(() => {
    count += 1;
    if (count > IN_LIST_COUNT_MAX) throw listTooLong();
    const item = parseExpression(cursor);
    if (item.kind === "literal") cursor.discountPart();
    return item;
  });
  cursor.expectSymbol(")");
  return list;
}

/** The backslash escapes in patterns; saying so is allowed, choosing another character is not built. */
function parseEscape(cursor: Cursor): void {
  if (!cursor.acceptWord("escape")) return;
  if (cursor.token.kind !== "string") throw cursor.error("literal string");
  if (cursor.take().text !== "\\") throw unsupported("LIKE with an ESCAPE other than '\\'");
}

function parseIs(cursor: Cursor, operand: SqlExpression): SqlExpression {
  const negated = cursor.acceptWord("not");
  if (cursor.acceptWord("distinct")) {
    cursor.expectWord("from");
    const right = parseExpression(cursor, PRECEDENCE.is);
    const operator = negated ? "IS NOT DISTINCT FROM" : "IS DISTINCT FROM";
    return { kind: "binary", operator, left: operand, right };
  }
  if (cursor.acceptWord("null")) return { kind: "is", operand, value: null, negated };
  if (cursor.acceptWord("unknown")) return { kind: "is", operand, value: "unknown", negated };
  if (cursor.acceptWord("true")) return { kind: "is", operand, value: true, negated };
  if (cursor.acceptWord("false")) return { kind: "is", operand, value: false, negated };
  throw cursor.error("[NOT] NULL | TRUE | FALSE | DISTINCT FROM after IS");
}

/** Appends to a node of the same kind, in place of copying it, so that long chains stay linear. */
function combine(kind: "and" | "or", left: SqlExpression, right: SqlExpression): SqlExpression {
  if (left.kind !== kind) return { kind, operands: [left, right] };
  (left.operands as SqlExpression[]).push(right);
  return left;
}

function listTooLong(): DbError {
  return new DbError(
    "exceeded",
    "sql_in_list",
    `An IN list holds at most ${IN_LIST_COUNT_MAX} values: ask for them in several statements.`,
    { detail: { countMax: IN_LIST_COUNT_MAX } },
  );
}
