import type { SqlExpression } from "../ast.ts";
import type { Cursor } from "../cursor.ts";
import { unsupported } from "../errors.ts";
import { atQuery, atQueryTail, type Grammar, inParentheses } from "../grammar.ts";
import type { Token } from "../lexer.ts";
import { callOf, parseCall } from "./call.ts";
import { parseInterval } from "./interval.ts";
import { parseListLiteral, parseMapLiteral, parseStructLiteral } from "./nested.ts";
import { isTypeWord, parseType } from "./type-name.ts";

const UINT64_MAX = 2n ** 64n - 1n;
/** Words that are functions without parentheses, and the functions. */
const CALLED_ALONE: ReadonlyMap<string, string> = new Map([
  ["current_timestamp", "current_timestamp"],
  ["current_date", "current_date"],
  ["current_time", "current_time"],
]);
const NOT_BUILT = new Set(["localtime", "localtimestamp"]);

/** Reads what stands between operators: a literal, a column, a call, CASE, CAST, a query, or an expression in parentheses. */
export function parseOperand(grammar: Grammar): SqlExpression {
  const { cursor } = grammar;
  switch (cursor.token.kind) {
    case "number":
      return { kind: "literal", value: numberValue(cursor, cursor.take()) };
    case "string":
      return { kind: "literal", value: cursor.take().text };
    case "hex":
      return { kind: "literal", value: bytesValue(cursor, cursor.take()) };
    case "parameter":
      return { kind: "parameter", name: cursor.take().text };
    case "quoted":
      return parseName(grammar);
    case "word":
      return parseWord(grammar);
    case "symbol":
      if (cursor.atSymbol("(")) return parseParentheses(grammar);
      if (cursor.atSymbol("[")) return parseListLiteral(grammar);
      if (cursor.atSymbol("{")) return parseStructLiteral(grammar);
      throw cursor.error("an expression");
    case "end":
      throw cursor.error("an expression");
  }
}

function parseWord(grammar: Grammar): SqlExpression {
  const { cursor } = grammar;
  switch (cursor.token.text) {
    case "null":
      cursor.take();
      return { kind: "literal", value: null };
    case "true":
    case "false":
      return { kind: "literal", value: cursor.take().text === "true" };
    case "case":
      cursor.take();
      return parseCase(grammar);
    case "cast":
    case "try_cast":
    case "safe_cast":
      return parseCast(grammar);
    case "exists":
      return parseExists(grammar, false);
    case "interval":
      return parseInterval(grammar) ?? parseName(grammar);
    case "array":
      return parseArray(grammar);
    case "map":
      return parseMap(grammar);
    default:
      return parseTypedLiteral(grammar) ?? parseName(grammar);
  }
}

/** Reads EXISTS and its query; a column of that name where no parenthesis follows. */
export function parseExists(grammar: Grammar, negated: boolean): SqlExpression {
  const { cursor } = grammar;
  if (!cursor.precedes("(")) return parseName(grammar);
  cursor.take();
  return { kind: "exists", query: inParentheses(grammar, () => grammar.query()), negated };
}

function parseArray(grammar: Grammar): SqlExpression {
  const { cursor } = grammar;
  if (!cursor.precedes("[")) return parseName(grammar);
  cursor.take();
  return parseListLiteral(grammar);
}

function parseMap(grammar: Grammar): SqlExpression {
  const { cursor } = grammar;
  if (!cursor.precedes("{")) return parseName(grammar);
  cursor.take();
  return parseMapLiteral(grammar);
}

/** Reads what stands in parentheses: a query, which may begin with one in parentheses, or an expression. */
export function parseQueryOrExpression(grammar: Grammar): SqlExpression {
  if (atQuery(grammar)) return { kind: "scalar_query", query: grammar.query() };
  const expression = grammar.expression();
  if (expression.kind !== "scalar_query" || !atQueryTail(grammar)) return expression;
  return { kind: "scalar_query", query: grammar.query(expression.query) };
}

/** A query, a row value, or an expression. */
function parseParentheses(grammar: Grammar): SqlExpression {
  const { cursor } = grammar;
  return inParentheses(grammar, (): SqlExpression => {
    const expression = parseQueryOrExpression(grammar);
    if (!cursor.atSymbol(",")) return expression;
    const members = [expression];
    while (cursor.acceptSymbol(",")) members.push(grammar.expression());
    return callOf("struct", members);
  });
}

/** A column or a call. */
function parseName(grammar: Grammar): SqlExpression {
  const { cursor } = grammar;
  if (!cursor.atName()) throw cursor.error("an expression");
  const first = cursor.take();
  if (cursor.atSymbol("(")) return parseCall(grammar, first.text);
  if (cursor.token.kind === "string" && first.kind === "word") {
    throw cursor.error("an operator or the end of the expression");
  }
  const called = first.kind === "word" ? CALLED_ALONE.get(first.text) : undefined;
  if (called !== undefined) return callOf(called, []);
  if (first.kind === "word" && NOT_BUILT.has(first.text)) {
    throw unsupported(first.text.toUpperCase());
  }
  const path = [first.text];
  while (cursor.acceptSymbol(".")) path.push(cursor.expectAnyName());
  if (cursor.atSymbol("(")) throw unsupported("functions of a schema");
  return { kind: "column", path };
}

/** A literal with its type before it, such as `TIMESTAMP '…'`; undefined where none comes next. */
function parseTypedLiteral({ cursor }: Grammar): SqlExpression | undefined {
  const { text } = cursor.token;
  if (!isTypeWord(text)) return undefined;
  const next = cursor.peek();
  const words =
    next.kind === "word" && ["precision", "unsigned", "with", "without"].includes(next.text);
  if (next.kind !== "string" && !words) return undefined;
  const ahead = cursor.fork();
  const type = parseType(ahead);
  if (ahead.token.kind !== "string") return undefined;
  cursor.jump(ahead);
  return {
    kind: "cast",
    operand: { kind: "literal", value: cursor.take().text },
    type,
    safe: false,
  };
}

function parseCase(grammar: Grammar): SqlExpression {
  const { cursor } = grammar;
  const operand = cursor.atWord("when") ? undefined : grammar.expression();
  const branches: { when: SqlExpression; result: SqlExpression }[] = [];
  if (!cursor.atWord("when")) throw cursor.error("WHEN");
  while (cursor.acceptWord("when")) {
    const when = grammar.expression();
    cursor.expectWord("then");
    branches.push({ when, result: grammar.expression() });
  }
  const otherwise = cursor.acceptWord("else") ? grammar.expression() : undefined;
  cursor.expectWord("end");
  return { kind: "case", operand, branches, otherwise };
}

function parseCast(grammar: Grammar): SqlExpression {
  const { cursor } = grammar;
  if (!cursor.precedes("(")) return parseName(grammar);
  const safe = cursor.take().text !== "cast";
  return inParentheses(grammar, (): SqlExpression => {
    const operand = grammar.expression();
    cursor.expectWord("as");
    return { kind: "cast", operand, type: parseType(cursor), safe };
  });
}

/** Whole numbers up to 2^64 - 1 are bigint, all others floats. */
function numberValue(cursor: Cursor, token: Token): bigint | number {
  if (/^\d{1,20}$/.test(token.text)) {
    const value = BigInt(token.text);
    if (value <= UINT64_MAX) return value;
  }
  const value = Number(token.text);
  if (!Number.isFinite(value)) throw cursor.error("a number that a float can hold", token);
  return value;
}

/** A first digit alone is half a byte. */
function bytesValue(cursor: Cursor, token: Token): Uint8Array {
  if (!/^[\da-f]*$/i.test(token.text)) throw cursor.error("pairs of hexadecimal digits", token);
  return Uint8Array.fromHex(token.text.length % 2 === 0 ? token.text : `0${token.text}`);
}
