/** Regular expressions of InfluxQL, which are RE2's, as JavaScript's. */
import { setFlagsFromString } from "node:v8";
import { refused } from "./check/errors.ts";

/** Names of classes between `[:` and `:]`. */
const CLASSES: Readonly<Record<string, string>> = {
  alnum: "0-9A-Za-z",
  alpha: "A-Za-z",
  ascii: "\\x00-\\x7F",
  blank: "\\t ",
  cntrl: "\\x00-\\x1F\\x7F",
  digit: "0-9",
  graph: "!-~",
  lower: "a-z",
  print: " -~",
  punct: "!-\\/:-@\\[-`{-~",
  space: "\\t\\n\\v\\f\\r ",
  upper: "A-Z",
  word: "0-9A-Za-z_",
  xdigit: "0-9A-Fa-f",
};
const SYNTAX =
  /\\Q((?:(?!\\E)[^])*)(?:\\E|$)|\(\?P<|^\(\?([imsU]+)\)|\[:(\w+):\]|\\x\{([\da-fA-F]+)\}|\\[Az]|\\[^]/gu;
const PUNCTUATION = /[#&~!%,;:<>=@"'` _]/;
/** What only the flag `u` gives a meaning to. */
const UNICODE = /\\u\{|\\[pP]|[\ud800-\udfff]/;
const SURROGATES = /[\ud800-\udfff]/;

// A pattern that goes back over the text again and again must not keep a node busy.
setFlagsFromString("--enable-experimental-regexp-engine");

/**
 * Tells whether `pattern` finds something in a text, in a time that is linear in its length wherever V8's linear engine knows the pattern. It
 * does not know `\p`, nor some flags within a pattern.
 *
 * Throws `invalid` / `influxql_refused` where JavaScript has not what the pattern says.
 */
export function regexTest(pattern: string): (text: string) => boolean {
  const { flags, source } = translate(pattern);
  const linear = findLinear(source, flags);
  const whole = compile(pattern, source, `u${flags}`);
  if (linear === undefined) return (text) => whole.test(text);
  const folded = flags.includes("i");
  return (text) => {
    if (SURROGATES.test(text)) return whole.test(text);
    return linear.test(folded ? text.toLowerCase() : text);
  };
}

interface Translated {
  readonly source: string;
  /** Of i, m and s. */
  readonly flags: string;
}

function translate(pattern: string): Translated {
  let flags = "";
  const source = pattern.replace(SYNTAX, (token, ...groups: readonly (string | undefined)[]) => {
    const [quoted, inline, name, code] = groups;
    if (quoted !== undefined) return quoted.replace(/[\\.+*?()|[\]{}^$/]/g, "\\$&");
    if (inline !== undefined) {
      flags = [...new Set(inline.replaceAll("U", ""))].join("");
      return "";
    }
    if (name !== undefined) return CLASSES[name] ?? token;
    return code === undefined ? translated(token) : codePoint(Number.parseInt(code, 16));
  });
  return { source, flags };
}

/** For V8's linear engine, which takes neither `u` nor `i`: with `i`, for texts in lower case. Undefined where it does not know the pattern. */
function findLinear(source: string, flags: string): RegExp | undefined {
  if (UNICODE.test(source)) return undefined;
  const folded = flags.includes("i")
    ? source.replace(/\\[^]|[^\\]+/g, (part) => (part.startsWith("\\") ? part : part.toLowerCase()))
    : source;
  try {
    return new RegExp(folded, `l${flags.replace("i", "")}`);
  } catch {
    return undefined;
  }
}

function compile(pattern: string, source: string, flags: string): RegExp {
  try {
    return new RegExp(source, flags);
  } catch {
    throw refused(`the regular expression /${pattern}/ is not supported`);
  }
}

function codePoint(code: number): string {
  return code > 0xffff ? `\\u{${code.toString(16)}}` : `\\u${code.toString(16).padStart(4, "0")}`;
}

function translated(token: string): string {
  if (token === "(?P<") return "(?<";
  if (token === "\\A") return "^";
  if (token === "\\z") return "$";
  if (token === "\\-") return "\\x2d";
  const letter = token.slice(1);
  // Escapes that RE2 allows and JavaScript does not.
  return token.startsWith("\\") && PUNCTUATION.test(letter) ? letter : token;
}
