import { findKeyword, type Token } from "./tokens.ts";

const SPACE = /[ \t\n]+/y;
const WORD = /[A-Za-z0-9_]*/y;
const NUMBER = /(?<whole>\d*)(?<point>\.(?<fraction>\d+)?)?/y;
const UNITS = /[A-Za-zµ][A-Za-zµ0-9]*/uy;
const SYMBOL = /::|=~|!=|!~|>=|<=|<>|[-+*/%&|^=<>(),;:.]/y;
const PLAIN_TEXT = /[^\\"'\n\0]+/y;
const PLAIN_PATTERN = /[^\\/\n\0]+/y;
const ESCAPED: Readonly<Record<string, string>> = { n: "\n", "\\": "\\", '"': '"', "'": "'" };

/**
 * Cuts text into tokens as 1.x does, blanks and comments among them, in linear time.
 *
 * The end stands at the length of the text, or one further where something was read that ran into it.
 */
export class Lexer {
  /** Lines end in `\n` alone. */
  readonly text: string;
  #offset = 0;
  #ranOut = false;

  constructor(text: string) {
    this.text = text.replace(/\r\n?/g, "\n");
  }

  /** The character that comes next, empty at the end. */
  peek(): string {
    const next = this.text.charAt(this.#offset);
    if (next === "") this.#ranOut = true;
    return next;
  }

  read(): Token {
    const { text } = this;
    const at = this.#offset;
    const first = text.charAt(at);
    if (first === "") return this.#end();
    if (/[ \t\n]/.test(first)) return this.#blanks();
    if (/[A-Za-z_"]/.test(first)) return this.#name(at, true);
    if (/^\.?\d/.test(text.slice(at, at + 2))) return this.#number();
    if (first === "'") return this.#string();
    if (first === "$") return this.#parameter();
    if (text.startsWith("--", at)) return this.#lineComment();
    return text.startsWith("/*", at) ? this.#comment() : this.#symbol();
  }

  #symbol(): Token {
    const at = this.#offset;
    const symbol = this.#take(SYMBOL);
    if (symbol !== "") return { kind: symbol === "<>" ? "!=" : symbol, text: "", at };
    const illegal = String.fromCodePoint(this.text.codePointAt(at) ?? 0);
    this.#offset += illegal.length;
    return { kind: "illegal", text: illegal, at };
  }

  /** A regular expression between slashes; the next character is the first of them. Escaped slashes lose their backslash. */
  readRegex(): Token {
    const at = this.#before(this.#offset);
    const parts: string[] = [];
    this.#offset += 1;
    for (;;) {
      parts.push(this.#take(PLAIN_PATTERN));
      const next = this.text.charAt(this.#offset);
      if (next === "/") {
        this.#offset += 1;
        return { kind: "regex", text: parts.join(""), at };
      }
      if (next !== "\\") return this.#badRegex(next, at);
      const escaped = this.text.charAt(this.#offset + 1) === "/";
      parts.push(escaped ? "/" : "\\");
      this.#offset += escaped ? 2 : 1;
    }
  }

  #badRegex(next: string, at: number): Token {
    if (next === "") this.#ranOut = true;
    else this.#offset += 1;
    return { kind: "badregex", text: "", at };
  }

  #end(): Token {
    const at = this.text.length + (this.#ranOut ? 1 : 0);
    this.#ranOut = true;
    return { kind: "end", text: "", at };
  }

  /** The position of the character before `offset`. */
  #before(offset: number): number {
    return Math.max(0, offset - 1);
  }

  #take(pattern: RegExp): string {
    pattern.lastIndex = this.#offset;
    const taken = pattern.exec(this.text)?.[0] ?? "";
    this.#offset += taken.length;
    return taken;
  }

  #noteEnd(): void {
    if (this.#offset >= this.text.length) this.#ranOut = true;
  }

  #blanks(): Token {
    const at = this.#offset;
    const text = this.#take(SPACE);
    this.#noteEnd();
    return { kind: "space", text, at };
  }

  #lineComment(): Token {
    const at = this.#offset;
    const end = this.text.indexOf("\n", at);
    if (end === -1) this.#ranOut = true;
    this.#offset = end === -1 ? this.text.length : end + 1;
    return { kind: "comment", text: "", at };
  }

  #comment(): Token {
    const at = this.#offset;
    const end = this.text.indexOf("*/", at + 2);
    if (end === -1) this.#ranOut = true;
    this.#offset = end === -1 ? this.text.length : end + 2;
    return { kind: end === -1 ? "illegal" : "comment", text: "", at };
  }

  /** A word, or a name in quotes; of a word with quotes right behind it, what the quotes hold. */
  #name(at: number, keywords: boolean): Token {
    const word = this.#take(WORD);
    if (this.text.charAt(this.#offset) === '"') {
      const quoted = this.#string();
      return quoted.kind === "string" ? { kind: "name", text: quoted.text, at } : quoted;
    }
    this.#noteEnd();
    const keyword = keywords ? findKeyword(word) : undefined;
    return keyword === undefined
      ? { kind: "name", text: word, at }
      : { kind: keyword, text: "", at };
  }

  #parameter(): Token {
    const at = this.#offset;
    this.#offset += 1;
    const name = this.#name(this.#offset, false);
    const kind = name.kind === "name" ? "parameter" : name.kind;
    return { kind, text: `$${name.text}`, at };
  }

  /** Text between two of the quote that comes next. */
  #string(): Token {
    const at = this.#before(this.#offset);
    const quote = this.text.charAt(this.#offset);
    const parts: string[] = [];
    this.#offset += 1;
    for (;;) {
      parts.push(this.#take(PLAIN_TEXT));
      const next = this.text.charAt(this.#offset);
      if (next === "") this.#ranOut = true;
      if (next === "" || next === "\n" || next === "\0") {
        this.#offset += next.length;
        return { kind: "badstring", text: parts.join(""), at };
      }
      this.#offset += 1;
      if (next === quote) return { kind: "string", text: parts.join(""), at };
      if (next !== "\\") {
        parts.push(next);
        continue;
      }
      const escaped = this.text.charAt(this.#offset);
      const meant = ESCAPED[escaped];
      if (meant === undefined) return this.#badEscape();
      this.#offset += 1;
      parts.push(meant);
    }
  }

  #badEscape(): Token {
    const at = this.#offset;
    const code = this.text.codePointAt(at);
    if (code === undefined) this.#ranOut = true;
    const escaped = String.fromCodePoint(code ?? 0);
    this.#offset += code === undefined ? 0 : escaped.length;
    return { kind: "badescape", text: `\\${escaped}`, at };
  }

  /** Digits, a point and digits, or digits and units. */
  #number(): Token {
    const at = this.#offset;
    NUMBER.lastIndex = at;
    const { whole = "", point, fraction } = NUMBER.exec(this.text)?.groups ?? {};
    this.#offset += whole.length + (point ?? "").length;
    if (point !== undefined) {
      return {
        kind: "number",
        text: fraction === undefined ? whole : `${whole}.${fraction}`,
        at,
      };
    }
    const units = this.#take(UNITS);
    return { kind: units === "" ? "integer" : "duration", text: whole + units, at };
  }
}
