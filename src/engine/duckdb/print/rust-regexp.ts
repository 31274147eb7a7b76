/**
 * Regular expressions as users write them, in Rust's syntax, and as the engine reads them, in RE2's: classes of Unicode, names of
 * groups and of classes, code points. What RE2 has no words for stays as it is: `\b` is of ASCII, `\W` and `\S` are within brackets.
 */

/** A pattern for the engine, and the names of its groups; undefined for those without one. */
export interface EnginePattern {
  readonly text: string;
  readonly groups: readonly (string | undefined)[];
}

const WORD = "\\p{L}\\p{Nl}\\p{M}\\p{Nd}\\p{Pc}\\x{200c}\\x{200d}";
const SPACE = "\\s\\x{0b}\\x{85}\\p{Z}";
/** What the long names of classes are called. */
const CLASSES: ReadonlyMap<string, string> = new Map([
  ["alphabetic", "L"],
  ["letter", "L"],
  ["uppercase", "Lu"],
  ["uppercaseletter", "Lu"],
  ["lowercase", "Ll"],
  ["lowercaseletter", "Ll"],
  ["mark", "M"],
  ["number", "N"],
  ["decimalnumber", "Nd"],
  ["punctuation", "P"],
  ["connectorpunctuation", "Pc"],
  ["symbol", "S"],
  ["separator", "Z"],
  ["spaceseparator", "Zs"],
  ["other", "C"],
  ["control", "Cc"],
]);
const TOKEN =
  /\\(?:[pP]\{[^}]{0,64}\}|[uU]\{[^}]{0,8}\}|u[\da-fA-F]{4}|U[\da-fA-F]{8}|[^])|\(\?P?<([A-Za-z_][\w.[\]]*)>|\(\??|\[(?:\^?\]?)|[^\\([]+/gy;
const CLASS_TOKEN =
  /\\(?:[pP]\{[^}]{0,64}\}|[uU]\{[^}]{0,8}\}|u[\da-fA-F]{4}|U[\da-fA-F]{8}|[^])|\[:\^?\w+:\]|\]|&&|--|~~|[^]/gy;

/** `pattern` for the engine; undefined where it has parts that the engine has nothing for, as the intersections of classes. */
export function translatePattern(pattern: string): EnginePattern | undefined {
  const parts: string[] = [];
  const groups: (string | undefined)[] = [];
  TOKEN.lastIndex = 0;
  for (let offset = 0; offset < pattern.length; offset = TOKEN.lastIndex) {
    TOKEN.lastIndex = offset;
    const match = TOKEN.exec(pattern);
    // A backslash at the end: the engine says what is wrong with it.
    if (match === null) return { text: pattern, groups };
    const [token, name] = match;
    if (token.startsWith("[")) {
      const inner = translateClass(pattern, TOKEN.lastIndex);
      if (inner === undefined) return undefined;
      parts.push(token, inner.text);
      TOKEN.lastIndex = inner.end;
      continue;
    }
    if (token === "(" || name !== undefined) groups.push(name);
    parts.push(name === undefined ? translateToken(token, false) : `(?P<${name}>`);
  }
  return { text: parts.join(""), groups };
}

/**
 * A replacement with `$1`, `${name}` or `\1` for what groups matched, as the engine has it. Groups that `groups` lacks, where it is known,
 * matched nothing; the engine knows nine.
 */
export function translateReplacement(
  replacement: string,
  groups?: EnginePattern["groups"],
): string {
  return replacement.replace(
    REFERENCE,
    (all: string, posix?: string, braced?: string, plain?: string) =>
      all === "$$" ? "$" : referenceTo(posix ?? braced ?? plain ?? "", groups),
  );
}

/** What refers to a group; names are bounded, so that no text takes long. */
const REFERENCE = /\\(\d*)|\$\$|\$\{([^}]{0,64})\}|\$(\w{1,64})/g;
const GROUP_MAX = 9;

function referenceTo(name: string, groups: EnginePattern["groups"] | undefined): string {
  const named = groups?.indexOf(name) ?? -1;
  const index = /^\d+$/.test(name) ? Number(name) : named + 1;
  const whole = /^0+$/.test(name);
  const present = index > 0 && index <= Math.min(groups?.length ?? GROUP_MAX, GROUP_MAX);
  return whole || present ? `\\${index}` : "";
}

function translateClass(
  pattern: string,
  start: number,
): { readonly text: string; readonly end: number } | undefined {
  const parts: string[] = [];
  for (let offset = start; offset < pattern.length; offset = CLASS_TOKEN.lastIndex) {
    CLASS_TOKEN.lastIndex = offset;
    const match = CLASS_TOKEN.exec(pattern);
    if (match === null) break;
    const [token] = match;
    if (token === "]") return { text: `${parts.join("")}]`, end: CLASS_TOKEN.lastIndex };
    if (token === "[" || token === "&&" || token === "~~") return undefined;
    parts.push(translateToken(token, true));
  }
  return { text: parts.join(""), end: pattern.length };
}

function translateToken(token: string, inClass: boolean): string {
  const bracketed = (inner: string) => (inClass ? inner : `[${inner}]`);
  switch (token) {
    case "\\d":
      return "\\p{Nd}";
    case "\\D":
      return "\\P{Nd}";
    case "\\w":
      return bracketed(WORD);
    case "\\s":
      return bracketed(SPACE);
    case "\\W":
      return inClass ? token : `[^${WORD}]`;
    case "\\S":
      return inClass ? token : `[^${SPACE}]`;
    default:
      return translateEscape(token);
  }
}

function translateEscape(token: string): string {
  const [, letter = "", name = ""] = /^\\([pPuU])\{?([^}]+)/.exec(token) ?? [];
  if (letter === "u" || letter === "U") return `\\x{${name}}`;
  if (letter === "" || !token.includes("{")) return token;
  const plain = name.replace(/^(?:gc|sc|scx|general_category|script)[=:]/i, "");
  return `\\${letter}{${CLASSES.get(plain.replace(/[_\s-]/g, "").toLowerCase()) ?? plain}}`;
}
