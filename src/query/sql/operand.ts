import type { SqlExpression } from "./ast.ts";
import { type ParseExpression, parseCallTail } from "./call.ts";
import type { Cursor } from "./cursor.ts";
import { unsupported } from "./errors.ts";
import { isIntervalUnit, parseIntervalText } from "./interval.ts";
import type { Token } from "./lexer.ts";
import { parseType } from "./type-name.ts";

const UINT64_MAX = 2n ** 64n - 1n;
/** Words that are functions without parentheses. */
const CALLED_ALONE = new Set(["current_timestamp"]);
const NOT_BUILT: ReadonlyMap<string, string> = new Map([
  ["current_date", "CURRENT_DATE"],
  ["current_time", "CURRENT_TIME"],
  ["localtime", "LOCALTIME"],
  ["localtimestamp", "LOCALTIMESTAMP"],
]);
const TYPED_LITERALS_NOT_BUILT = new Set(["date", "time", "timestamptz"]);

/** Reads what stands between operators: a literal, a column, a call, CASE, CAST, or an expression in parentheses. */
export function parseOperand(cursor: Cursor, parse: ParseExpression): SqlExpression {
  const { token } = cursor;
  switch (token.kind) {
    case "number":
      return { kind: "literal", value: numberValue(cursor, cursor.take()) };
    case "string":
      return { kind: "literal", value: cursor.take().text };
    case "parameter":
      return { kind: "parameter", name: cursor.take().text };
    case "quoted":
      return parseName(cursor, parse);
    case "word":
      return parseWord(cursor, parse);
    case "symbol":
      if (cursor.acceptSymbol("(")) return parseParentheses(cursor, parse);
      if (cursor.atSymbol("[", "{")) throw unsupported("arrays and structs");
      throw cursor.error("an expression");
    case "end":
      throw cursor.error("an expression");
  }
}

function parseWord(cursor: Cursor, parse: ParseExpression): SqlExpression {
  switch (cursor.token.text) {
    case "null":
      cursor.take();
      return { kind: "literal", value: null };
    case "true":
    case "false":
      return { kind: "literal", value: cursor.take().text === "true" };
    case "case":
      cursor.take();
      return parseCase(cursor, parse);
    case "cast":
    case "try_cast":
      return parseCast(cursor, parse);
    case "exists":
      throw unsupported("subqueries (EXISTS)");
    case "interval":
      return parseInterval(cursor, parse);
    default:
      return parseName(cursor, parse);
  }
}

function parseParentheses(cursor: Cursor, parse: ParseExpression): SqlExpression {
  if (cursor.atWord("select", "with", "values")) throw unsupported("subqueries");
  const expression = parse();
  if (cursor.atSymbol(",")) throw unsupported("row values");
  cursor.expectSymbol(")");
  return expression;
}

/** A column, a call, or a literal with its type before it, such as `TIMESTAMP '…'`. */
function parseName(cursor: Cursor, parse: ParseExpression): SqlExpression {
  if (!cursor.atName()) throw cursor.error("an expression");
  const first = cursor.take();
  const quoted = first.kind === "quoted";
  if (!quoted && cursor.token.kind === "string") return parseTypedLiteral(cursor, first);
  if (cursor.atSymbol("(")) return parseCallTail(cursor, first.text, parse);
  if (!quoted && CALLED_ALONE.has(first.text)) return callOf(first.text);
  const missing = quoted ? undefined : NOT_BUILT.get(first.text);
  if (missing !== undefined) throw unsupported(missing);
  const path = [first.text];
  while (cursor.acceptSymbol(".")) {
    if (cursor.atSymbol("*")) throw cursor.error("identifier");
    path.push(cursor.expectName());
  }
  if (cursor.atSymbol("(")) throw unsupported("functions of a schema");
  return { kind: "column", path };
}

function parseTypedLiteral(cursor: Cursor, type: Token): SqlExpression {
  if (type.text === "timestamp") {
    const operand: SqlExpression = { kind: "literal", value: cursor.take().text };
    return { kind: "cast", operand, type: "timestamp", safe: false };
  }
  if (TYPED_LITERALS_NOT_BUILT.has(type.text)) {
    throw unsupported(`type ${type.text.toUpperCase()}`);
  }
  throw cursor.error("an operator or the end of the expression");
}

/** `INTERVAL '1 hour'`, `INTERVAL '5' DAY`, `INTERVAL 5 DAY`; without text or number a column of that name. */
function parseInterval(cursor: Cursor, parse: ParseExpression): SqlExpression {
  const word = cursor.token;
  const next = cursor.peek().kind;
  if (next !== "string" && next !== "number") return parseName(cursor, parse);
  cursor.take();
  const amount = cursor.take();
  const bare = /^[\s+-]*[\d.]+\s*$/.test(amount.text);
  const unit = cursor.token.kind === "word" ? cursor.token.text : "";
  const named = bare && isIntervalUnit(unit);
  if (named) cursor.take();
  const value = parseIntervalText(amount.text, named ? unit : undefined);
  if (value === undefined) throw cursor.error("an interval such as '1 hour 30 minutes'", amount);
  if (!named && amount.kind === "number") throw cursor.error("a unit of INTERVAL", word);
  return { kind: "literal", value };
}

function parseCase(cursor: Cursor, parse: ParseExpression): SqlExpression {
  const operand = cursor.atWord("when") ? undefined : parse();
  const branches: { when: SqlExpression; result: SqlExpression }[] = [];
  if (!cursor.atWord("when")) throw cursor.error("WHEN");
  while (cursor.acceptWord("when")) {
    const when = parse();
    cursor.expectWord("then");
    branches.push({ when, result: parse() });
  }
  const otherwise = cursor.acceptWord("else") ? parse() : undefined;
  cursor.expectWord("end");
  return { kind: "case", operand, branches, otherwise };
}

function parseCast(cursor: Cursor, parse: ParseExpression): SqlExpression {
  const safe = cursor.take().text === "try_cast";
  cursor.expectSymbol("(");
  const operand = parse();
  cursor.expectWord("as");
  const type = parseType(cursor);
  cursor.expectSymbol(")");
  return { kind: "cast", operand, type, safe };
}

function callOf(name: string): SqlExpression {
  return {
    kind: "call",
    name,
    arguments: [],
    star: false,
    distinct: false,
    orderBy: [],
    withinGroup: false,
    filter: undefined,
    nulls: undefined,
    over: undefined,
  };
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
