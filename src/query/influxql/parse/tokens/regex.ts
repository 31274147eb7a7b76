/** What is wrong with the regular expression `pattern`, in the words of 1.x; undefined for one of RE2's syntax. Linear in its length. */
export function checkRegex(pattern: string): string | undefined {
  return new Check(pattern).run();
}

/** Text between `\Q` and `\E`, a code that RE2 writes as `\x{e9}`, or a backslash before a character that means nothing else. */
const OTHER_ESCAPE =
  /\\Q[^]*?(?:\\E|$)|\\[uU](?<code>(?<=u)[\da-fA-F]{4}|(?<=U)[\da-fA-F]{8}|\{[\da-fA-F]+\})|\\(?<idle>[ceg-moqyCE-ORTVX-Z]|[^\0-\x7f])|\\[^]/gu;

/**
 * `pattern`, as InfluxDB 3 reads it, in the syntax of 1.x: without backslashes that change nothing, and with `\x{e9}` for `\u00e9`, `\U000000e9`
 * and `\u{e9}`. 1.x refuses all of these.
 */
export function withoutOtherEscapes(pattern: string): string {
  return pattern.replace(OTHER_ESCAPE, (whole, code?: string, idle?: string) =>
    code === undefined ? (idle ?? whole) : `\\x{${code.replace(/[{}]/g, "")}}`,
  );
}

/** How often a part may be repeated, repeated parts in it included. */
const REPEAT_MAX = 1_000;
const CATEGORIES: ReadonlySet<string> = new Set(
  (
    "C Cc Cf Co Cs L Ll Lm Lo Lt Lu M Mc Me Mn N Nd Nl No P Pc Pd Pe Pf Pi Po Ps S Sc Sk Sm So Z Zl Zp Zs " +
    "Any"
  ).split(" "),
);
const CLASS_NAME =
  /^\[:\^?(?:alnum|alpha|ascii|blank|cntrl|digit|graph|lower|print|punct|space|upper|word|xdigit):\]$/;
/** Scripts whose whole name has as many letters as the short names, which RE2 does not know. */
const SHORT_SCRIPTS: ReadonlySet<string> = new Set("Ahom Cham Kawi Lisu Modi Thai Toto".split(" "));
const REPEAT = /\{(0|[1-9]\d*)(,(0|[1-9]\d*)?)?\}/y;
const ESCAPE =
  /\\(?:[1-7][0-7]{1,2}|0[0-7]{0,2}|x[\da-fA-F]{2}|x\{[\da-fA-F]+\}|[afnrtv]|[\0-/:-@[-`{-\x7f])/y;
/** What an escape that is none is said to have been. */
const BAD_ESCAPE = /\\(?:x\{[\da-fA-F]*(?:[^]|$)|x[^]{0,2}|[^]|$)/uy;
/** The same, up to the digit with which the code is beyond Unicode. */
const TOO_GREAT = /\\x\{0*(?:10[\da-fA-F]{5}|1[1-9a-fA-F][\da-fA-F]{4}|[2-9a-fA-F][\da-fA-F]{5})/y;
const FLAGS = /\(\?[imsU]*(?:-[imsU]+)?([:)])/y;

/** A sequence between parentheses, or between bars. */
interface Group {
  /** Whether nothing stands behind its beginning or the last bar. */
  empty: boolean;
  /** By how much its parts and the last of them are repeated. */
  repeated: number;
  lastRepeated: number;
}

class Check {
  readonly #pattern: string;
  #at = 0;
  readonly #groups: Group[] = [newGroup()];
  /** Names of classes that were looked up. */
  readonly #classes = new Set<string>();
  /** Whether no name of a class ends behind here. */
  #noClassName = false;
  /** Where the operators begin that repeat what stands before; undefined where the last part has none. */
  #repeatStart: number | undefined;

  constructor(pattern: string) {
    this.#pattern = pattern;
  }

  run(): string | undefined {
    while (this.#at < this.#pattern.length) {
      const start = this.#at;
      const fault = this.#part();
      if (fault !== undefined) return fault;
      if (!isRepeat(this.#pattern, start, this.#repeatStart)) this.#repeatStart = undefined;
    }
    return this.#groups.length > 1 ? faultOf("missing closing )", this.#pattern) : undefined;
  }

  get #group(): Group {
    return this.#groups.at(-1) ?? newGroup();
  }

  #part(): string | undefined {
    switch (this.#pattern.charAt(this.#at)) {
      case "(":
        return this.#open();
      case ")":
        return this.#close();
      case "|":
        this.#at += 1;
        this.#group.empty = true;
        return undefined;
      case "[":
        return this.#class();
      case "*":
      case "+":
      case "?":
        return this.#repeat(this.#at + 1, 1);
      case "{":
        return this.#counted();
      case "\\":
        return this.#escaped();
      default:
        return this.#push(this.#at + 1);
    }
  }

  /** A part that ends at `end`. */
  #push(end: number, repeated = 1): undefined {
    this.#at = end;
    const group = this.#group;
    group.empty = false;
    group.lastRepeated = repeated;
    group.repeated = Math.max(group.repeated, repeated);
  }

  #match(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.#at;
    return pattern.exec(this.#pattern);
  }

  #open(): string | undefined {
    const [pattern, start] = [this.#pattern, this.#at];
    if (pattern.startsWith("(?P<", start) && pattern.length > start + 4) return this.#named();
    if (!pattern.startsWith("(?", start)) {
      this.#at += 1;
      this.#groups.push(newGroup());
      return undefined;
    }
    const flags = this.#match(FLAGS);
    if (flags === null) return this.#badFlags();
    this.#at += flags[0].length;
    if (flags[1] === ":") this.#groups.push(newGroup());
    return undefined;
  }

  #named(): string | undefined {
    const [pattern, start] = [this.#pattern, this.#at];
    const end = pattern.indexOf(">", start);
    if (end === -1) return faultOf("invalid named capture", pattern.slice(start));
    const name = pattern.slice(start + 4, end);
    if (!/^\w+$/.test(name)) return faultOf("invalid named capture", pattern.slice(start, end + 1));
    this.#at = end + 1;
    this.#groups.push(newGroup());
    return undefined;
  }

  #badFlags(): string {
    const [bad = ""] = this.#match(/\(\?[imsU]*(?:-[imsU]*)?[^]?/uy) ?? [];
    return faultOf("invalid or unsupported Perl syntax", bad);
  }

  #close(): string | undefined {
    const group = this.#groups.pop();
    if (group === undefined || this.#groups.length === 0)
      return faultOf("unexpected )", this.#pattern);
    return this.#push(this.#at + 1, group.repeated);
  }

  /** `{2,5}`; what looks otherwise is text. */
  #counted(): string | undefined {
    const match = this.#match(REPEAT);
    if (match === null) return this.#push(this.#at + 1);
    const [text, low, comma, high] = match;
    const min = Number(low);
    const max = comma === undefined ? min : Number(high ?? "-1");
    const size = Math.max(min, max);
    if (size > REPEAT_MAX || (max >= 0 && min > max)) {
      return faultOf("invalid repeat count", text);
    }
    return this.#repeat(this.#at + text.length, max < 0 ? min : max);
  }

  /** An operator that ends at `end` and repeats the last part up to `count` times. */
  #repeat(end: number, count: number): string | undefined {
    const [pattern, start] = [this.#pattern, this.#at];
    this.#at = pattern.charAt(end) === "?" ? end + 1 : end;
    const text = pattern.slice(this.#repeatStart ?? start, this.#at);
    if (this.#repeatStart !== undefined) return faultOf("invalid nested repetition operator", text);
    const group = this.#group;
    if (group.empty) return faultOf("missing argument to repetition operator", text);
    const repeated = group.lastRepeated * Math.max(1, count);
    if (count > 1 && repeated > REPEAT_MAX) return faultOf("invalid repeat count", text);
    this.#repeatStart = start;
    this.#push(this.#at, count === 0 ? 1 : repeated);
    return undefined;
  }

  #escaped(): string | undefined {
    const [pattern, start] = [this.#pattern, this.#at];
    const next = pattern.charAt(start + 1);
    if (next !== "" && "AbBz".includes(next)) return this.#push(start + 2);
    if (next === "Q") {
      const end = pattern.indexOf("\\E", start);
      return this.#push(end === -1 ? pattern.length : end + 2);
    }
    return this.#classEscape() ?? this.#character(start);
  }

  /** `\d` and `\pL`: undefined where something else stands, or nothing is wrong. */
  #classEscape(): string | undefined {
    const [pattern, start] = [this.#pattern, this.#at];
    const next = pattern.charAt(start + 1);
    if (next !== "" && "dswDSW".includes(next)) return this.#push(start + 2);
    return next === "p" || next === "P" ? this.#unicodeClass() : undefined;
  }

  #unicodeClass(): string | undefined {
    const [pattern, start] = [this.#pattern, this.#at];
    const braced = pattern.charAt(start + 2) === "{";
    const close = braced ? pattern.indexOf("}", start) : -1;
    if (braced && close === -1) {
      return faultOf("invalid character class range", pattern.slice(start));
    }
    const single = String.fromCodePoint(pattern.codePointAt(start + 2) ?? 0xfffd);
    const end = braced ? close + 1 : Math.min(pattern.length, start + 2 + single.length);
    const name = braced ? pattern.slice(start + 3, close) : pattern.slice(start + 2, end);
    if (!this.#classes.has(name) && !isUnicodeClass(name.replace(/^\^/, ""))) {
      return faultOf("invalid character class range", pattern.slice(start, end));
    }
    this.#classes.add(name);
    return this.#push(end);
  }

  /** An escaped character, unless what was escaped has been read. */
  #character(start: number): string | undefined {
    if (this.#at !== start) return undefined;
    const escape = this.#match(ESCAPE);
    if (escape !== null && codeOf(escape[0]) <= 0x10ffff) {
      return this.#push(this.#at + escape[0].length);
    }
    const [bad = ""] = this.#match(TOO_GREAT) ?? this.#match(BAD_ESCAPE) ?? [];
    return bad === "\\"
      ? faultOf("trailing backslash at end of expression", "")
      : faultOf("invalid escape sequence", bad);
  }

  /** `[…]`. A bracket that closes is text where it comes first. */
  #class(): string | undefined {
    const [pattern, start] = [this.#pattern, this.#at];
    this.#at += pattern.charAt(start + 1) === "^" ? 2 : 1;
    const first = this.#at;
    while (pattern.charAt(this.#at) !== "]" || this.#at === first) {
      const fault = this.#classPart(start);
      if (fault !== undefined) return fault;
    }
    return this.#push(this.#at + 1);
  }

  #classPart(classStart: number): string | undefined {
    const [pattern, start] = [this.#pattern, this.#at];
    const named = pattern.startsWith("[:", start) ? this.#className() : undefined;
    if (named !== undefined || this.#at !== start) return named;
    const fault = pattern.charAt(start) === "\\" ? this.#classEscape() : undefined;
    if (fault !== undefined || this.#at !== start) return fault;
    return this.#classRange(classStart);
  }

  /** `[:alpha:]` within brackets. */
  #className(): string | undefined {
    const [pattern, start] = [this.#pattern, this.#at];
    const end = this.#noClassName ? -1 : pattern.indexOf(":]", start + 2);
    this.#noClassName = end === -1;
    if (end === -1) return undefined;
    const name = pattern.slice(start, end + 2);
    return CLASS_NAME.test(name)
      ? this.#push(end + 2)
      : faultOf("invalid character class range", name);
  }

  #classRange(classStart: number): string | undefined {
    const [pattern, start] = [this.#pattern, this.#at];
    const low = this.#classCharacter(classStart);
    if (typeof low === "string") return low;
    const next = pattern.charAt(this.#at + 1);
    if (pattern.charAt(this.#at) !== "-" || next === "]" || next === "") return undefined;
    this.#at += 1;
    const high = this.#classCharacter(classStart);
    if (typeof high === "string") return high;
    return high < low
      ? faultOf("invalid character class range", pattern.slice(start, this.#at))
      : undefined;
  }

  /** The code of the next character of a class, or what is wrong with it. */
  #classCharacter(classStart: number): number | string {
    const [pattern, start] = [this.#pattern, this.#at];
    const code = pattern.codePointAt(start);
    if (code === undefined) return faultOf("missing closing ]", pattern.slice(classStart));
    if (code !== 0x5c) {
      this.#at += code > 0xffff ? 2 : 1;
      return code;
    }
    return this.#character(start) ?? codeOf(pattern.slice(start, this.#at));
  }
}

function newGroup(): Group {
  return { empty: true, repeated: 1, lastRepeated: 1 };
}

function faultOf(what: string, text: string): string {
  return `${what}: \`${text}\``;
}

/** Whether the part that began at `start` was an operator. */
function isRepeat(pattern: string, start: number, repeatStart: number | undefined): boolean {
  return repeatStart === start && "*+?{".includes(pattern.charAt(start));
}

/** Whether RE2 knows characters of that name: a category, or a script with all its letters. */
function isUnicodeClass(name: string): boolean {
  if (CATEGORIES.has(name)) return true;
  if (!/^[A-Z][A-Za-z_]{1,40}$/.test(name)) return false;
  if (name.length === 4 && !SHORT_SCRIPTS.has(name)) return false;
  try {
    return new RegExp(`\\p{Script=${name}}`, "u").source !== "";
  } catch {
    return false;
  }
}

const CONTROLS: Readonly<Record<string, number>> = { a: 7, f: 12, n: 10, r: 13, t: 9, v: 11 };

/** The code that an escape stands for. */
export function codeOf(escape: string): number {
  const rest = escape.slice(1);
  if (/^[0-7]/.test(rest)) return Number.parseInt(rest, 8);
  if (rest.startsWith("x")) return Number.parseInt(rest.replace(/[x{}]/g, ""), 16);
  return CONTROLS[rest] ?? rest.charCodeAt(0);
}
