/** The tree of a regular expression of RE2's syntax. */
import { codeOf } from "../parse/tokens/regex.ts";
import { ANY, type CodeSet, folded, negated, setOf, unicodeSet } from "./sets.ts";

/** What is so between two characters. */
export type Look = "textStart" | "textEnd" | "lineStart" | "lineEnd" | "border" | "noBorder";

export type RegexNode =
  | { readonly kind: "set"; readonly set: CodeSet }
  | { readonly kind: "look"; readonly look: Look }
  | { readonly kind: "sequence"; readonly parts: readonly RegexNode[] }
  | { readonly kind: "either"; readonly parts: readonly RegexNode[] }
  | Repeat;

export interface Repeat {
  readonly kind: "repeat";
  readonly part: RegexNode;
  readonly min: number;
  /** Undefined: any number. */
  readonly max: number | undefined;
}

/** Of a checked `pattern` (parse/tokens/regex.ts); undefined where it is none, is too deep or has too many ranges of characters. */
export function parseRegex(pattern: string): RegexNode | undefined {
  return new Parser(pattern).run();
}

const DEPTH_MAX = 500;
const RANGES_MAX = 20_000;
const DIGIT = range("09");
const WORD = range("09AZaz__");
const ESCAPED: ReadonlyMap<string, CodeSet> = new Map([
  ["d", DIGIT],
  ["s", range("\t\n\f\r  ")],
  ["w", WORD],
]);
const NAMED: ReadonlyMap<string, CodeSet> = new Map([
  ["alnum", range("09AZaz")],
  ["alpha", range("AZaz")],
  ["ascii", range("\0\x7f")],
  ["blank", range("\t\t  ")],
  ["cntrl", range("\0\x1f\x7f\x7f")],
  ["digit", DIGIT],
  ["graph", range("!~")],
  ["lower", range("az")],
  ["print", range(" ~")],
  ["punct", range("!/:@[`{~")],
  ["space", range("\t\r  ")],
  ["upper", range("AZ")],
  ["word", WORD],
  ["xdigit", range("09AFaf")],
]);
const LOOKS: ReadonlyMap<string, Look> = new Map([
  ["\\A", "textStart"],
  ["\\z", "textEnd"],
  ["\\b", "border"],
  ["\\B", "noBorder"],
]);
const TOKEN =
  /\\Q((?:(?!\\E)[^])*)(?:\\E|$)|\(\?P<\w+>|\(\?([imsU]*)(?:-([imsU]+))?([:)])|([*+?]|\{(0|[1-9]\d*)(,(0|[1-9]\d*)?)?\})\??|\\[AzbB]|[()|^$.[]/uy;
const CLASS_ESCAPE = /\\([dswDSW])|\\([pP])(?:\{(\^?)(\w+)\}|(\w))/uy;
const CLASS_NAME = /\[:(\^?)(\w+):\]/y;
const CHARACTER = /\\(?:[0-7]{1,3}|x\{[\da-fA-F]+\}|x[\da-fA-F]{2}|[^])|[^]/uy;

/** What was read of a group so far. */
interface Group {
  readonly either: RegexNode[];
  parts: RegexNode[];
  /** The flags around it. */
  readonly flags: string;
}

class Parser {
  readonly #pattern: string;
  #at = 0;
  #flags = "";
  #rangeCount = 0;
  readonly #groups: Group[] = [{ either: [], parts: [], flags: "" }];

  constructor(pattern: string) {
    this.#pattern = pattern;
  }

  run(): RegexNode | undefined {
    while (this.#at < this.#pattern.length) {
      if (!this.#part()) return undefined;
      if (this.#groups.length > DEPTH_MAX || this.#rangeCount > RANGES_MAX) return undefined;
    }
    const group = this.#groups.pop();
    return group === undefined || this.#groups.length > 0 ? undefined : nodeOf(group);
  }

  /** Whether what comes next is a part. */
  #part(): boolean {
    const match = this.#take(TOKEN);
    if (match === undefined) return this.#atom();
    const [token, quoted, on, off = "", end, repeat] = match;
    if (quoted !== undefined) {
      for (const each of quoted) this.#pushCode(each.codePointAt(0) ?? 0);
      return true;
    }
    if (on !== undefined) return this.#changeFlags(on, off, end === ":");
    if (repeat !== undefined) return this.#repeat(repeat, match);
    return this.#operator(token);
  }

  #take(expression: RegExp): RegExpExecArray | undefined {
    expression.lastIndex = this.#at;
    const match = expression.exec(this.#pattern);
    if (match === null) return undefined;
    this.#at += match[0].length;
    return match;
  }

  #changeFlags(on: string, off: string, opens: boolean): boolean {
    if (opens) this.#open();
    this.#flags = [...new Set(this.#flags + on)].filter((flag) => !off.includes(flag)).join("");
    return true;
  }

  #open(): void {
    this.#groups.push({ either: [], parts: [], flags: this.#flags });
  }

  #operator(token: string): boolean {
    switch (token) {
      case ")":
        return this.#close();
      case "|": {
        const group = this.#groups.at(-1);
        if (group === undefined) return false;
        group.either.push({ kind: "sequence", parts: group.parts });
        group.parts = [];
        return true;
      }
      case "[":
        return this.#class();
      case ".":
        return this.#pushSet(this.#flags.includes("s") ? ANY : negated(range("\n\n")));
      case "^":
        return this.#look(this.#flags.includes("m") ? "lineStart" : "textStart");
      case "$":
        return this.#look(this.#flags.includes("m") ? "lineEnd" : "textEnd");
      default: {
        const look = LOOKS.get(token);
        if (look !== undefined) return this.#look(look);
        this.#open();
        return true;
      }
    }
  }

  #close(): boolean {
    const group = this.#groups.pop();
    if (group === undefined || this.#groups.length === 0) return false;
    this.#flags = group.flags;
    return this.#push(nodeOf(group));
  }

  #look(look: Look): boolean {
    return this.#push({ kind: "look", look });
  }

  #push(node: RegexNode): boolean {
    this.#groups.at(-1)?.parts.push(node);
    return true;
  }

  #pushSet(set: CodeSet): boolean {
    this.#rangeCount += set.length / 2;
    return this.#push({ kind: "set", set });
  }

  #pushCode(code: number): boolean {
    return this.#pushSet(this.#fold([code, code]));
  }

  #fold(set: CodeSet): CodeSet {
    return this.#flags.includes("i") ? folded(set) : set;
  }

  #repeat(operator: string, match: RegExpExecArray): boolean {
    const part = this.#groups.at(-1)?.parts.pop();
    if (part === undefined) return false;
    const [, , , , , , low = operator === "+" ? "1" : "0", comma, high] = match;
    const min = Number(low);
    if (operator === "?") return this.#push({ kind: "repeat", part, min, max: 1 });
    if (!operator.startsWith("{") || (comma !== undefined && high === undefined))
      return this.#push({ kind: "repeat", part, min, max: undefined });
    const max = comma === undefined ? min : Number(high);
    return this.#push({ kind: "repeat", part, min, max });
  }

  /** A character, or a class without brackets. */
  #atom(): boolean {
    const set = this.#classEscape();
    if (set !== undefined) return this.#pushSet(set);
    const [character] = this.#take(CHARACTER) ?? [];
    return character !== undefined && this.#pushCode(characterOf(character));
  }

  #classEscape(): CodeSet | undefined {
    const match = this.#take(CLASS_ESCAPE);
    if (match === undefined) return undefined;
    const [, letter, unicode, hat = "", long, short] = match;
    if (letter !== undefined) {
      const set = this.#fold(ESCAPED.get(letter.toLowerCase()) ?? []);
      return letter === letter.toLowerCase() ? set : negated(set);
    }
    const set = this.#fold(unicodeSet(long ?? short ?? ""));
    return (unicode === "P") === (hat === "") ? negated(set) : set;
  }

  /** `[…]`, whose first bracket is read. */
  #class(): boolean {
    const start = this.#take(/\^/y);
    const ranges: number[] = [];
    // A bracket that comes first is a character.
    for (let first = true; first || this.#pattern.charAt(this.#at) !== "]"; first = false) {
      const set = this.#className() ?? this.#classEscape() ?? this.#classRange();
      if (set === undefined || ranges.length > 2 * RANGES_MAX) return false;
      for (const each of set) ranges.push(each);
    }
    this.#at += 1;
    const set = setOf(ranges);
    return this.#pushSet(start === undefined ? set : negated(set));
  }

  #className(): CodeSet | undefined {
    const [, hat, name] = this.#take(CLASS_NAME) ?? [];
    const set = name === undefined ? undefined : NAMED.get(name);
    if (set === undefined) return undefined;
    return hat === "^" ? negated(this.#fold(set)) : this.#fold(set);
  }

  #classRange(): CodeSet | undefined {
    const [first] = this.#take(CHARACTER) ?? [];
    if (first === undefined) return undefined;
    const low = characterOf(first);
    const next = this.#pattern.charAt(this.#at + 1);
    if (this.#pattern.charAt(this.#at) !== "-" || next === "]" || next === "")
      return this.#fold([low, low]);
    this.#at += 1;
    const [last = first] = this.#take(CHARACTER) ?? [];
    return this.#fold([low, characterOf(last)]);
  }
}

function nodeOf({ either, parts }: Group): RegexNode {
  const last: RegexNode = { kind: "sequence", parts };
  return either.length === 0 ? last : { kind: "either", parts: [...either, last] };
}

function characterOf(token: string): number {
  if (token.length > 1 && token.startsWith("\\")) return codeOf(token);
  return token.codePointAt(0) ?? 0;
}

/** Of the first and last characters of ranges. */
function range(ends: string): CodeSet {
  return Array.from(ends, (end) => end.codePointAt(0) ?? 0);
}
