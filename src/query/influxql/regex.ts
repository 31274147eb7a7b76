/** Regular expressions of InfluxQL, which are RE2's, as JavaScript's. */
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
const SYNTAX = /\\Q((?:(?!\\E)[^])*)(?:\\E|$)|\(\?P<|\(\?([imsU]+)\)|\[:(\w+):\]|\\[Az]|\\[^]/gu;
const PUNCTUATION = /[-#&~!%,;:<>=@"'` _]/;

/** Tells whether `pattern` finds something in a text. Throws `invalid` / `influxql_refused` where JavaScript has not what it says. */
export function regexTest(pattern: string): (text: string) => boolean {
  const regex = compile(pattern);
  return (text) => regex.test(text);
}

function compile(pattern: string): RegExp {
  let flags = "";
  const source = pattern.replace(SYNTAX, (token, quoted, inline, name) => {
    if (typeof quoted === "string") return quoted.replace(/[\\.+*?()|[\]{}^$/]/g, "\\$&");
    if (typeof inline === "string") {
      flags += inline.replace("U", "");
      return "";
    }
    if (typeof name === "string") return CLASSES[name] ?? token;
    return translated(token);
  });
  try {
    return new RegExp(source, [...new Set(`u${flags}`)].join(""));
  } catch {
    throw refused(`the regular expression /${pattern}/ is not supported`);
  }
}

function translated(token: string): string {
  if (token === "(?P<") return "(?<";
  if (token === "\\A") return "^";
  if (token === "\\z") return "$";
  const letter = token.slice(1);
  // Escapes that RE2 allows and JavaScript does not.
  if (token.startsWith("\\") && PUNCTUATION.test(letter) && letter !== "-") return letter;
  return token;
}
