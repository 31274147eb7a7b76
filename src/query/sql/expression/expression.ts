import { DbError } from "#base/errors.ts";
import type { BinaryOperator, SqlExpression } from "../ast.ts";
import { unsupported } from "../errors.ts";
import { type Grammar, inParentheses } from "../grammar.ts";
import { callOf } from "./call.ts";
import { parseSubscript } from "./nested.ts";
import { parseExists, parseOperand, parseQueryOrExpression } from "./operand.ts";
import { PRECEDENCE } from "./precedence.ts";
import { parseType } from "./type-name.ts";

/** How many values an IN list may hold. */
export const IN_LIST_COUNT_MAX = 10_000;

const COMPARISONS = new Set(["=", "!=", "<", "<=", ">", ">=", "~", "~*", "!~", "!~*", "<=>"]);
const SYMBOLS: ReadonlyMap<string, number> = new Map([
  ...[...COMPARISONS].map((symbol): [string, number] => [symbol, PRECEDENCE.compare]),
  ...["~~", "!~~", "~~*", "!~~*"].map((symbol): [string, number] => [symbol, PRECEDENCE.compare]),
  ["@>", PRECEDENCE.contain],
  ["<@", PRECEDENCE.contain],
  ["|", PRECEDENCE.bitOr],
  ["^", PRECEDENCE.bitXor],
  ["#", PRECEDENCE.bitXor],
  ["<<", PRECEDENCE.bitXor],
  [">>", PRECEDENCE.bitXor],
  ["&", PRECEDENCE.bitAnd],
  ["+", PRECEDENCE.add],
  ["-", PRECEDENCE.add],
  ["*", PRECEDENCE.multiply],
  ["/", PRECEDENCE.multiply],
  ["%", PRECEDENCE.multiply],
  ["||", PRECEDENCE.multiply],
  ["::", PRECEDENCE.cast],
  ["[", PRECEDENCE.member],
  [".", PRECEDENCE.member],
]);
/** Other spellings of LIKE and ILIKE. */
const LIKES: ReadonlyMap<string, { style: "like" | "ilike"; negated: boolean }> = new Map([
  ["~~", { style: "like", negated: false }],
  ["!~~", { style: "like", negated: true }],
  ["~~*", { style: "ilike", negated: false }],
  ["!~~*", { style: "ilike", negated: true }],
]);
const OPERATORS: ReadonlyMap<string, BinaryOperator> = new Map([
  ["<=>", "IS NOT DISTINCT FROM"],
  ["#", "^"],
]);
const WORDS: ReadonlyMap<string, number> = new Map([
  ["or", PRECEDENCE.or],
  ["and", PRECEDENCE.and],
  ["is", PRECEDENCE.is],
  ["like", PRECEDENCE.like],
  ["ilike", PRECEDENCE.like],
  ["similar", PRECEDENCE.like],
  ["between", PRECEDENCE.compare],
  ["in", PRECEDENCE.compare],
]);
const SYMBOLS_NOT_BUILT = new Set(["->", "->>", "@", "?"]);

/**
 * Reads an expression by precedence climbing; operators that bind no tighter than `floor` are left.
 * AND and OR become one node however many operands they have, so that long conditions are not deep.
 */
export function parseExpression(grammar: Grammar, floor = 0): SqlExpression {
  const { cursor } = grammar;
  return cursor.nested(() => {
    cursor.countPart();
    let left = parsePrefix(grammar);
    for (;;) {
      refuseUnbuilt(grammar);
      const precedence = precedenceOf(grammar);
      if (precedence === undefined || precedence <= floor) return left;
      left = parseInfix(grammar, left, precedence);
    }
  });
}

function parsePrefix(grammar: Grammar): SqlExpression {
  const { cursor } = grammar;
  if (cursor.acceptSymbol("+")) return parseExpression(grammar, PRECEDENCE.multiply);
  if (cursor.acceptSymbol("-")) {
    return { kind: "negate", operand: parseExpression(grammar, PRECEDENCE.multiply) };
  }
  if (!cursor.acceptWord("not")) return parseOperand(grammar);
  if (cursor.atWord("exists") && cursor.precedes("(")) return parseExists(grammar, true);
  return { kind: "not", operand: parseExpression(grammar, PRECEDENCE.not) };
}

function precedenceOf({ cursor }: Grammar): number | undefined {
  const { kind, text } = cursor.token;
  if (kind === "symbol") return SYMBOLS.get(text);
  if (kind !== "word") return undefined;
  if (text === "not")
    return cursor.precedes("between", "in") ? PRECEDENCE.compare : PRECEDENCE.like;
  // AT alone may be an alias.
  if (text === "at") return cursor.precedes("time") ? PRECEDENCE.zone : undefined;
  return WORDS.get(text);
}

function refuseUnbuilt({ cursor }: Grammar): void {
  const { kind, text } = cursor.token;
  if (kind === "symbol" && SYMBOLS_NOT_BUILT.has(text)) throw unsupported(`operator ${text}`);
  if (kind === "word" && text === "collate") throw unsupported("COLLATE");
}

function parseInfix(grammar: Grammar, left: SqlExpression, precedence: number): SqlExpression {
  const { cursor } = grammar;
  if (cursor.token.kind === "symbol") return parseSymbol(grammar, left, precedence);
  const word = cursor.take().text;
  switch (word) {
    case "and":
    case "or":
      return combine(word, left, parseExpression(grammar, precedence));
    case "is":
      return parseIs(grammar, left);
    case "at":
      cursor.expectWords("time", "zone");
      return { kind: "at_time_zone", operand: left, zone: parseExpression(grammar, precedence) };
    case "not":
      if (!cursor.atWord("between", "in", "like", "ilike", "similar")) {
        throw cursor.error("IN, BETWEEN, LIKE or ILIKE after NOT");
      }
      return parseTest(grammar, left, { word: cursor.take().text, negated: true });
    default:
      return parseTest(grammar, left, { word, negated: false });
  }
}

function parseSymbol(grammar: Grammar, left: SqlExpression, precedence: number): SqlExpression {
  const { cursor } = grammar;
  if (cursor.atSymbol("[")) return parseSubscript(grammar, left);
  const symbol = cursor.take().text;
  if (symbol === "::") return { kind: "cast", operand: left, type: parseType(cursor), safe: false };
  if (symbol === ".") {
    const index: SqlExpression = { kind: "literal", value: cursor.expectAnyName() };
    return { kind: "index", operand: left, index };
  }
  const like = LIKES.get(symbol);
  if (like !== undefined) {
    const pattern = parseExpression(grammar, precedence);
    return { kind: "like", operand: left, pattern, escape: undefined, ...like };
  }
  const operator = OPERATORS.get(symbol) ?? (symbol as BinaryOperator);
  if (COMPARISONS.has(symbol) && cursor.atWord("any", "some", "all") && cursor.precedes("(")) {
    return parseQuantified(grammar, left, operator);
  }
  return { kind: "binary", operator, left, right: parseExpression(grammar, precedence) };
}

/** `ANY (SELECT …)`, `ALL (SELECT …)`; `= ANY (list)` looks the value up in a list. */
function parseQuantified(
  grammar: Grammar,
  operand: SqlExpression,
  operator: BinaryOperator,
): SqlExpression {
  const quantifier = grammar.cursor.take().text === "all" ? "all" : "any";
  return inParentheses(grammar, (): SqlExpression => {
    const list = parseQueryOrExpression(grammar);
    if (list.kind === "scalar_query") {
      return { kind: "quantified", operator, quantifier, operand, query: list.query };
    }
    if (operator === "=" && quantifier === "any") return callOf("array_has", [list, operand]);
    throw unsupported(
      `${operator} ${quantifier.toUpperCase()} of a list, only '= ANY' is supported`,
    );
  });
}

/** What NOT may stand before: BETWEEN, IN, LIKE, ILIKE, SIMILAR TO; `word` is its first. */
function parseTest(
  grammar: Grammar,
  operand: SqlExpression,
  { word, negated }: { readonly word: string; readonly negated: boolean },
): SqlExpression {
  const { cursor } = grammar;
  switch (word) {
    case "between": {
      const low = parseExpression(grammar, PRECEDENCE.compare);
      cursor.expectWord("and");
      return {
        kind: "between",
        operand,
        low,
        high: parseExpression(grammar, PRECEDENCE.compare),
        negated,
      };
    }
    case "in":
      return parseIn(grammar, operand, negated);
    case "similar":
      cursor.expectWord("to");
      return parseLike(grammar, { operand, style: "similar", negated });
    default:
      return parseLike(grammar, { operand, style: word === "ilike" ? word : "like", negated });
  }
}

function parseLike(
  grammar: Grammar,
  test: Pick<Extract<SqlExpression, { kind: "like" }>, "operand" | "style" | "negated">,
): SqlExpression {
  const { cursor } = grammar;
  if (cursor.atWord("any", "all") && cursor.precedes("(")) throw unsupported("LIKE ANY");
  const pattern = parseExpression(grammar, PRECEDENCE.like);
  return { kind: "like", ...test, pattern, escape: acceptEscape(grammar) };
}

function acceptEscape({ cursor }: Grammar): string | undefined {
  if (!cursor.acceptWord("escape")) return undefined;
  if (cursor.token.kind !== "string") throw cursor.error("literal string");
  const { text } = cursor.take();
  if (/^.$/su.test(text)) return text;
  throw new DbError(
    "invalid",
    "sql_planning",
    "Error during planning: Invalid escape character in LIKE expression",
  );
}

function parseIn(grammar: Grammar, operand: SqlExpression, negated: boolean): SqlExpression {
  const { cursor } = grammar;
  return inParentheses(grammar, (): SqlExpression => {
    let count = 0;
    const list = cursor.list(() => {
      count += 1;
      if (count > IN_LIST_COUNT_MAX) throw listTooLong();
      const item = count === 1 ? parseQueryOrExpression(grammar) : parseExpression(grammar);
      if (item.kind === "literal") cursor.discountPart();
      return item;
    });
    const [first, second] = list;
    return first?.kind === "scalar_query" && second === undefined
      ? { kind: "in_query", operand, query: first.query, negated }
      : { kind: "in_list", operand, list, negated };
  });
}

function parseIs({ cursor, expression }: Grammar, operand: SqlExpression): SqlExpression {
  const negated = cursor.acceptWord("not");
  if (cursor.acceptWord("distinct")) {
    cursor.expectWord("from");
    const operator = negated ? "IS NOT DISTINCT FROM" : "IS DISTINCT FROM";
    return { kind: "binary", operator, left: operand, right: expression(PRECEDENCE.is) };
  }
  const word = cursor.acceptOneOf("null", "unknown", "true", "false");
  switch (word) {
    case "null":
      return { kind: "is", operand, value: null, negated };
    case "unknown":
      return { kind: "is", operand, value: word, negated };
    case "true":
    case "false":
      return { kind: "is", operand, value: word === "true", negated };
    case undefined:
      throw cursor.error("[NOT] NULL | TRUE | FALSE | DISTINCT FROM after IS");
  }
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
