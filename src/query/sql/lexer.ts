import { syntaxError, tokenError } from "./errors.ts";

/**
 * A piece of a statement. `text` is what it means: words folded to lower case, names and strings without their quotes.
 * `start` and `end` are offsets in the statement.
 */
export interface Token {
  readonly kind: "word" | "quoted" | "string" | "number" | "parameter" | "symbol" | "end";
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

const WORD = /[\p{L}_][\p{L}\p{M}\p{Nd}_$]*/uy;
const NUMBER = /(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?/y;
const PARAMETER = /\$[\p{L}\p{Nd}_]+/uy;
const SYMBOL = /!~\*|~\*|!~|::|<=>|<>|!=|<=|>=|\|\||->>|->|<<|>>|[-()[\]{},.;+*/%=<>~&|^#:?@]/y;
const SPACE = /\s+/y;

/** The token of `sql` at or after `from`. Throws DbError `invalid` / `sql_syntax` for text that is none. */
export function readToken(sql: string, from: number): Token {
  const start = skipBlanks(sql, from);
  if (start >= sql.length) return { kind: "end", text: "", start: sql.length, end: sql.length };
  const first = sql.charAt(start);
  if (first === "'") return quotedToken(sql, start, "string");
  if (first === '"' || first === "`") return quotedToken(sql, start, "quoted");
  const word = matchAt(WORD, sql, start);
  if (word !== undefined) return token("word", foldCase(word), start, word.length);
  const number = matchAt(NUMBER, sql, start);
  if (number !== undefined) return token("number", number, start, number.length);
  const parameter = matchAt(PARAMETER, sql, start);
  if (parameter !== undefined) {
    return token("parameter", parameter.slice(1), start, parameter.length);
  }
  const symbol = matchAt(SYMBOL, sql, start);
  if (symbol === undefined) {
    const length = sql.codePointAt(start) === sql.charCodeAt(start) ? 1 : 2;
    throw syntaxError(sql, "an SQL token", token("symbol", "", start, length));
  }
  return token("symbol", symbol === "<>" ? "!=" : symbol, start, symbol.length);
}

/** ASCII letters in lower case, as names without quotes are folded. */
export function foldCase(text: string): string {
  return text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

function token(kind: Token["kind"], text: string, start: number, length: number): Token {
  return { kind, text, start, end: start + length };
}

function matchAt(pattern: RegExp, sql: string, start: number): string | undefined {
  pattern.lastIndex = start;
  return pattern.exec(sql)?.[0];
}

function skipBlanks(sql: string, from: number): number {
  let offset = from;
  for (;;) {
    offset += matchAt(SPACE, sql, offset)?.length ?? 0;
    if (sql.startsWith("--", offset)) {
      const end = sql.indexOf("\n", offset);
      offset = end === -1 ? sql.length : end + 1;
    } else if (sql.startsWith("/*", offset)) {
      offset = commentEnd(sql, offset);
    } else {
      return offset;
    }
  }
}

/** Comments nest. */
function commentEnd(sql: string, start: number): number {
  const border = /\/\*|\*\//g;
  border.lastIndex = start;
  let depth = 0;
  for (let match = border.exec(sql); match !== null; match = border.exec(sql)) {
    depth += match[0] === "/*" ? 1 : -1;
    if (depth === 0) return border.lastIndex;
  }
  throw tokenError(sql, "Unterminated comment", start);
}

/** Text between two equal quotes; a doubled quote stands for one. */
function quotedToken(sql: string, start: number, kind: "string" | "quoted"): Token {
  const quote = sql.charAt(start);
  let end = sql.indexOf(quote, start + 1);
  while (end !== -1 && sql.charAt(end + 1) === quote) end = sql.indexOf(quote, end + 2);
  if (end === -1) {
    throw tokenError(sql, `Unterminated ${kind === "string" ? "string literal" : "name"}`, start);
  }
  const text = sql.slice(start + 1, end).replaceAll(quote + quote, quote);
  return token(kind, text, start, end + 1 - start);
}
