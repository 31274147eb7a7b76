import { syntaxError, tokenError } from "./errors.ts";

/**
 * A piece of a statement. `text` is what it means: words folded to lower case, names and strings without their quotes,
 * the digits of `X'…'`. `start` and `end` are offsets in the statement.
 */
export interface Token {
  readonly kind: "word" | "quoted" | "string" | "hex" | "number" | "parameter" | "symbol" | "end";
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

const WORD = /[\p{L}_][\p{L}\p{M}\p{Nd}_$]*/uy;
const HEX_NUMBER = /0x[\da-fA-F]+/y;
const NUMBER = /(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?/y;
const PARAMETER = /\$[\p{L}\p{Nd}_]+/uy;
const DOLLAR_QUOTE = /\$(?:[\p{L}_][\p{L}\p{Nd}_]*)?\$/uy;
const SYMBOL =
  /!~~\*|!~~|~~\*|~~|!~\*|~\*|!~|::|<=>|<>|!=|<=|>=|==|=>|\|\||->>|->|<<|>>|<@|@>|[-()[\]{},;.+*/%=<>~&|^#:?@]/y;
const SPACE = /\s+/y;
/** Symbols that mean the same as another one. */
const SYNONYMS: ReadonlyMap<string, string> = new Map([
  ["<>", "!="],
  ["==", "="],
]);

/** The token of `sql` at or after `from`. Throws DbError `invalid` / `sql_syntax` for text that is none. */
export function readToken(sql: string, from: number): Token {
  const start = skipBlanks(sql, from);
  if (start >= sql.length) return { kind: "end", text: "", start: sql.length, end: sql.length };
  const first = sql.charAt(start);
  if (first === "'") return quotedToken(sql, start, "string");
  if (first === '"' || first === "`") return quotedToken(sql, start, "quoted");
  if (first === "$") return dollarToken(sql, start);
  const word = matchAt(WORD, sql, start);
  if (word !== undefined) return prefixedToken(sql, start, word) ?? wordToken(word, start);
  const hex = matchAt(HEX_NUMBER, sql, start);
  if (hex !== undefined) return token("hex", hex.slice(2), start, hex.length);
  const number = matchAt(NUMBER, sql, start);
  if (number !== undefined) return token("number", number, start, number.length);
  const symbol = matchAt(SYMBOL, sql, start);
  if (symbol === undefined) throw noToken(sql, start);
  return token("symbol", SYNONYMS.get(symbol) ?? symbol, start, symbol.length);
}

/** ASCII letters in lower case, as names without quotes are folded. */
function foldCase(text: string): string {
  return text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

function token(kind: Token["kind"], text: string, start: number, length: number): Token {
  return { kind, text, start, end: start + length };
}

function wordToken(word: string, start: number): Token {
  return token("word", foldCase(word), start, word.length);
}

function noToken(sql: string, start: number): Error {
  const length = sql.codePointAt(start) === sql.charCodeAt(start) ? 1 : 2;
  return syntaxError(sql, "an SQL token", token("symbol", "", start, length));
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
  const end = closingQuote(sql, start);
  if (end === -1) {
    throw tokenError(sql, `Unterminated ${kind === "string" ? "string literal" : "name"}`, start);
  }
  const text = sql.slice(start + 1, end).replaceAll(quote + quote, quote);
  return token(kind, text, start, end + 1 - start);
}

function closingQuote(sql: string, start: number): number {
  const quote = sql.charAt(start);
  let end = sql.indexOf(quote, start + 1);
  while (end !== -1 && sql.charAt(end + 1) === quote) end = sql.indexOf(quote, end + 2);
  return end;
}

/** `E'…'` with backslashes, `X'…'` of bytes, `N'…'` as plain text; undefined where `word` is a word. */
function prefixedToken(sql: string, start: number, word: string): Token | undefined {
  if (sql.charAt(start + 1) !== "'" || word.length > 1) return undefined;
  switch (word.toLowerCase()) {
    case "e":
      return escapedToken(sql, start);
    case "n": {
      const { text, end } = quotedToken(sql, start + 1, "string");
      return { kind: "string", text, start, end };
    }
    case "x": {
      const { text, end } = quotedToken(sql, start + 1, "string");
      return { kind: "hex", text, start, end };
    }
    default:
      return undefined;
  }
}

const ESCAPED = /[^'\\]+|''|\\([0-7]{1,3}|x[\da-fA-F]{1,2}|u[\da-fA-F]{4}|U[\da-fA-F]{8}|[^])/uy;
const CONTROLS: Readonly<Record<string, string>> = {
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
};

function escapedToken(sql: string, start: number): Token {
  const parts: string[] = [];
  let offset = start + 2;
  for (;;) {
    ESCAPED.lastIndex = offset;
    const match = ESCAPED.exec(sql);
    if (match === null) break;
    offset = ESCAPED.lastIndex;
    const [all, escape] = match;
    if (escape === undefined) parts.push(all === "''" ? "'" : all);
    else parts.push(unescaped(escape) ?? failed(sql, start));
  }
  if (sql.charAt(offset) !== "'") {
    throw tokenError(sql, "Unterminated encoded string literal", start);
  }
  return token("string", parts.join(""), start, offset + 1 - start);
}

/** What stands behind a backslash; undefined for no character. */
function unescaped(escape: string): string | undefined {
  const control = CONTROLS[escape];
  if (control !== undefined) return control;
  if (/^[0-7]/.test(escape)) return characterOf(Number.parseInt(escape, 8));
  if (escape.length > 2 || /^x./.test(escape)) {
    return characterOf(Number.parseInt(escape.slice(1), 16));
  }
  return escape;
}

function characterOf(code: number): string | undefined {
  const valid = code > 0 && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff);
  return valid ? String.fromCodePoint(code) : undefined;
}

function failed(sql: string, start: number): never {
  throw tokenError(sql, "Unterminated encoded string literal", start);
}

/** `$name`, or text between `$$` and `$$` or `$tag$` and `$tag$`. */
function dollarToken(sql: string, start: number): Token {
  const quote = matchAt(DOLLAR_QUOTE, sql, start);
  if (quote !== undefined) {
    const end = sql.indexOf(quote, start + quote.length);
    if (end === -1) throw tokenError(sql, "Unterminated dollar-quoted string", start);
    const text = sql.slice(start + quote.length, end);
    return token("string", text, start, end + quote.length - start);
  }
  const parameter = matchAt(PARAMETER, sql, start);
  if (parameter === undefined) throw noToken(sql, start);
  return token("parameter", parameter.slice(1), start, parameter.length);
}
