import { assert, type DbError } from "#base/errors.ts";
import { syntaxErrorAt, tooComplex, tooDeep } from "./errors.ts";
import { Lexer } from "./lexer.ts";
import type { BoundParameters } from "./parameters.ts";
import { checkRegex, withoutOtherEscapes } from "./regex.ts";
import { shownToken, type Token } from "./tokens.ts";

/** How deep parentheses, calls and subqueries may be nested: what reads them recurses. */
export const NESTING_MAX = 100;
/** How many levels the tree of an expression may have, chains of operators included: `a OR b OR c` has three. */
export const HEIGHT_MAX = 1_000;
/** How many expressions and names in lists a request may hold. */
export const PART_COUNT_MAX = 20_000;

/** Whose InfluxQL is read: that of InfluxDB 1, or of 3. */
export type Dialect = "1" | "3";

/** How many tokens can be given back. */
const BACK_MAX = 3;

/**
 * Reads text token by token, and goes back by up to three.
 *
 * Whether a regular expression comes is seen from the character behind the last token that was read, also when that token was given back:
 * 1.x does so, and its errors show it.
 */
export class Cursor {
  readonly #lexer: Lexer;
  readonly #parameters: BoundParameters;
  readonly #dialect: Dialect;
  /** The tokens that were read last, the latest at the end. */
  readonly #read: Token[] = [];
  #givenBack = 0;
  #nesting = 0;
  #partCount = 0;

  constructor(text: string, parameters: BoundParameters, dialect: Dialect) {
    this.#lexer = new Lexer(text);
    this.#parameters = parameters;
    this.#dialect = dialect;
  }

  /** The token that comes next, blanks and comments among them. */
  scan(): Token {
    return this.#scan(() => this.#lexer.read());
  }

  /** The next token that is neither blank nor comment. */
  next(): Token {
    for (;;) {
      const token = this.scan();
      if (token.kind !== "space" && token.kind !== "comment") return token;
    }
  }

  /** Gives the last token back. */
  back(): void {
    this.#givenBack += 1;
    assert(this.#givenBack <= this.#read.length, "more tokens were given back than are kept");
  }

  /** Takes the next token if it is of `kind`. */
  accept(kind: string): boolean {
    const accepted = this.next().kind === kind;
    if (!accepted) this.back();
    return accepted;
  }

  /** Takes tokens of `kinds`, one after the other. */
  expect(...kinds: readonly string[]): void {
    for (const kind of kinds) {
      const token = this.next();
      if (token.kind !== kind) throw this.unexpected(token, kind);
    }
  }

  expectName(): string {
    const token = this.next();
    if (token.kind !== "name") throw this.unexpected(token, "identifier");
    return token.text;
  }

  /** The character behind the last token that was read, empty at the end. */
  peek(): string {
    return this.#lexer.peek();
  }

  skipSpace(): void {
    if (this.scan().kind !== "space") this.back();
  }

  /** Takes a regular expression, if one comes next; answers its pattern. */
  findRegex(): string | undefined {
    if (/^[ \t\n]/.test(this.peek())) this.skipSpace();
    if (this.peek() === "$") {
      const { kind } = this.scan();
      this.back();
      if (kind !== "regex") return undefined;
    } else if (this.peek() !== "/") {
      return undefined;
    }
    const token = this.#scan(() => this.#lexer.readRegex());
    if (token.kind === "badregex") throw this.errorAt(`bad regex: ${token.text}`, token);
    if (token.kind !== "regex") throw this.unexpected(token, "regex");
    return this.checkedRegex(token);
  }

  /** The pattern of `token`; throws where it is none. */
  checkedRegex(token: Token): string {
    const pattern = this.#dialect === "3" ? withoutOtherEscapes(token.text) : token.text;
    const fault = checkRegex(pattern);
    if (fault !== undefined) throw this.errorAt(`error parsing regexp: ${fault}`, token);
    return pattern;
  }

  /** The text from `start` to `end`. */
  textBetween(start: number, end: number): string {
    return this.#lexer.text.slice(start, end).trim();
  }

  unexpected(token: Token, ...expected: readonly string[]): DbError {
    return this.errorAt(`found ${shownToken(token)}, expected ${expected.join(", ")}`, token);
  }

  errorAt(what: string, { at }: Pick<Token, "at">, hint = ""): DbError {
    return syntaxErrorAt(what, this.#lexer.text, at, hint);
  }

  /** One level down, until `leave`. */
  enter(): void {
    this.#nesting += 1;
    if (this.#nesting > NESTING_MAX) throw tooDeep(NESTING_MAX);
  }

  leave(): void {
    this.#nesting -= 1;
  }

  /** Counts what a request may hold only so many of. */
  countPart(): void {
    this.#partCount += 1;
    if (this.#partCount > PART_COUNT_MAX) throw tooComplex("parts", PART_COUNT_MAX);
  }

  #scan(read: () => Token): Token {
    const kept = this.#read.at(-this.#givenBack);
    if (this.#givenBack > 0 && kept !== undefined) {
      this.#givenBack -= 1;
      return kept;
    }
    const token = this.#bound(read());
    this.#read.push(token);
    if (this.#read.length > BACK_MAX) this.#read.shift();
    return token;
  }

  /** What is bound to a parameter, at its place. */
  #bound(token: Token): Token {
    if (token.kind !== "parameter") return token;
    const value = this.#parameters.get(token.text.slice(1));
    return value === undefined ? token : { ...value, at: token.at };
  }
}
