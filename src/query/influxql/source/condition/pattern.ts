/** Regular expressions of Go, which InfluxQL's are, as conditions of an engine, which takes those of Rust. */
import type { Expression } from "#model/query/expression.ts";
import { call, literal } from "../../../plan/bind/fold.ts";

/** Texts that a pattern may list; longer lists stay patterns. */
const TEXTS_MAX = 1_000;
const EMPTY = literal("", "string");

/** Whether `pattern` finds something in `text`. A text that is NULL is empty with `nullIsEmpty`; else the answer is NULL. */
export function finds(pattern: string, text: Expression, nullIsEmpty: boolean): Expression {
  const texts = textsOf(pattern);
  // Engines look for whole texts in what files say of themselves, and need no pattern.
  if (texts !== undefined && !texts.includes("")) return isAmong(text, texts);
  const whole = nullIsEmpty ? orEmpty(text) : text;
  if (texts !== undefined) return isAmong(whole, texts);
  return call("regexp_like", [whole, literal(goPattern(pattern), "string")], "boolean");
}

/** Whether it finds nothing. */
export function findsNot(pattern: string, text: Expression, nullIsEmpty: boolean): Expression {
  const whole = nullIsEmpty ? orEmpty(text) : text;
  return call("not", [finds(pattern, whole, nullIsEmpty)], "boolean");
}

function orEmpty(text: Expression): Expression {
  return text.kind === "literal" ? text : call("coalesce", [text, EMPTY], "string");
}

function isAmong(operand: Expression, texts: readonly string[]): Expression {
  const list = texts.map((text) => literal(text, "string"));
  const [only] = list;
  if (list.length === 1 && only !== undefined) return call("equal", [operand, only], "boolean");
  return { kind: "in", operand, list, type: "boolean" };
}

/** Of `^a$`, `^(a|b)$` and `^(?:a|b)$` the texts; undefined of all other patterns. */
function textsOf(pattern: string): readonly string[] | undefined {
  const match = /^\^(?:\((?:\?:)?([^()]*)\)|([^()|]*))\$$/.exec(pattern);
  if (match === null) return undefined;
  const texts = (match[1] ?? match[2] ?? "").split("|").map(plainText);
  if (texts.length > TEXTS_MAX || !texts.every((text) => text !== undefined)) return undefined;
  return texts;
}

/** What a pattern without any operator stands for. */
function plainText(pattern: string): string | undefined {
  if (!/^(?:[^\\.+*?()|[\]{}^$]|\\[\\.+*?()|[\]{}^$/-])*$/.test(pattern)) return undefined;
  return pattern.replace(/\\(.)/g, "$1");
}

const CLASSES: Readonly<Record<string, string>> = {
  "\\d": "0-9",
  "\\w": "0-9A-Za-z_",
  "\\s": "\\t\\n\\f\\r ",
};
const NEGATED: Readonly<Record<string, string>> = { "\\D": "\\d", "\\W": "\\w", "\\S": "\\s" };
/** What is in none of them, as ranges: a class within brackets cannot be negated. */
const OTHERS: Readonly<Record<string, string>> = {
  "\\D": "\\x{0}-/:-\\x{10FFFF}",
  "\\W": "\\x{0}-/:-@\\[-\\^`{-\\x{10FFFF}",
  "\\S": "\\x{0}-\\x{8}\\x{b}\\x{e}-\\x{1f}!-\\x{10FFFF}",
};
const TOKEN =
  /\\Q((?:[^\\]|\\(?!E))*)(?:\\E|$)|\\[pP]\{\^?\w+\}|\\x\{[\da-fA-F]+\}|\\[0-7]{1,3}|\\[^]|\[\^?\]?|\{(?:0|[1-9]\d*)(?:,(?:0|[1-9]\d*)?)?\}|[{}\]]|[^\\[\]{}]+/g;
const CLASS_TOKEN = /\[:\^?\w+:\]|\\[pP]\{\^?\w+\}|\\x\{[\da-fA-F]+\}|\\[0-7]{1,3}|\\[^]|\]|[^]/g;

/** `pattern`, whose classes are of ASCII, in Rust's syntax. */
function goPattern(pattern: string): string {
  const parts: string[] = [];
  TOKEN.lastIndex = 0;
  for (let match = TOKEN.exec(pattern); match !== null; match = TOKEN.exec(pattern)) {
    const [token, quoted] = match;
    if (quoted !== undefined) parts.push(quoted.replace(/[\\.+*?()|[\]{}^$]/g, "\\$&"));
    else if (token.startsWith("[")) {
      const { end, text } = classFrom(pattern, TOKEN.lastIndex);
      parts.push(token.endsWith("]") ? `${token.slice(0, -1)}\\]` : token, text);
      TOKEN.lastIndex = end;
    } else parts.push(outside(token));
  }
  return parts.join("");
}

function outside(token: string): string {
  const negated = NEGATED[token];
  if (negated !== undefined) return `[^${CLASSES[negated]}]`;
  if (/^[{}\]]$/.test(token)) return `\\${token}`;
  return CLASSES[token] === undefined ? octal(token) : `[${CLASSES[token]}]`;
}

/** Rust has codes in hexadecimal alone. */
function octal(token: string): string {
  if (!/^\\[0-7]+$/.test(token)) return token;
  return `\\x{${Number.parseInt(token.slice(1), 8).toString(16)}}`;
}

/** What stands between brackets from `start` on; signs that mean something to Rust alone are escaped. */
function classFrom(
  pattern: string,
  start: number,
): { readonly text: string; readonly end: number } {
  const parts: string[] = [];
  CLASS_TOKEN.lastIndex = start;
  for (let match = CLASS_TOKEN.exec(pattern); match !== null; match = CLASS_TOKEN.exec(pattern)) {
    const [token] = match;
    const end = CLASS_TOKEN.lastIndex;
    if (token === "]") return { text: `${parts.join("")}]`, end };
    if (token === "[" || token === "&" || token === "~") parts.push(`\\${token}`);
    else parts.push(CLASSES[token] ?? OTHERS[token] ?? octal(token));
  }
  return { text: parts.join(""), end: pattern.length };
}
