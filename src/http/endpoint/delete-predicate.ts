/** The predicates of `/api/v2/delete`: tags and values that are equal, joined by AND, as InfluxDB 2 takes them. */
import { DbError } from "#base/errors.ts";

/** `key` is equal to `value`. */
export interface PredicateTerm {
  readonly key: string;
  readonly value: string;
}

type TokenKind = "name" | "string" | "word" | "operator" | "(" | ")";

interface Token {
  readonly kind: TokenKind;
  readonly text: string;
  /** In characters, from 0. */
  readonly at: number;
}

const TOKEN =
  /(?<space>\s+)|"(?<name>(?:[^"\\]|\\.)*)"|'(?<string>(?:[^'\\]|\\.)*)'|(?<operator>=~|!~|!=|<>|<=|>=|=|<|>)|(?<bracket>[()])|(?<word>[^\s"'()=!<>~]+)/suy;
const TERMS_MAX = 100;
const DEPTH_MAX = 100;

/** Terms that must all be true. Throws `invalid` / `delete_predicate`. */
export function parsePredicate(text: string): readonly PredicateTerm[] {
  const parser = new Parser(tokensOf(text), text.length);
  return parser.whole();
}

class Parser {
  readonly #tokens: readonly Token[];
  readonly #end: number;
  readonly #terms: PredicateTerm[] = [];
  #next = 0;

  constructor(tokens: readonly Token[], end: number) {
    this.#tokens = tokens;
    this.#end = end;
  }

  whole(): readonly PredicateTerm[] {
    this.#conjunction(0);
    if (this.#token !== undefined) throw this.#wrong("bad logical expression");
    return this.#terms;
  }

  get #token(): Token | undefined {
    return this.#tokens[this.#next];
  }

  #conjunction(depth: number): void {
    if (depth > DEPTH_MAX) throw this.#wrong(`more than ${DEPTH_MAX} brackets in each other`);
    this.#operand(depth);
    while (this.#isWord("and")) {
      this.#next += 1;
      this.#operand(depth);
    }
    if (this.#isWord("or")) throw this.#wrong("the logical operator OR is not supported yet");
  }

  #operand(depth: number): void {
    if (!this.#passes("(")) return this.#term();
    this.#conjunction(depth + 1);
    if (!this.#passes(")")) throw this.#wrong("a bracket is not closed");
  }

  #term(): void {
    const key = this.#take(["name", "word"], "the name of a tag");
    const operator = this.#take(["operator"], "an operator");
    if (operator !== "=") {
      this.#next -= 1;
      throw this.#wrong(`the operator ${operator} is not supported, = alone is`);
    }
    const value = this.#take(["name", "string", "word"], "a value");
    if (this.#terms.length >= TERMS_MAX) throw this.#wrong(`more than ${TERMS_MAX} conditions`);
    this.#terms.push({ key, value });
  }

  #take(kinds: readonly TokenKind[], what: string): string {
    const token = this.#token;
    if (token === undefined || !kinds.includes(token.kind))
      throw this.#wrong(`bad logical expression: ${what} is missing`);
    this.#next += 1;
    return token.text;
  }

  #passes(bracket: "(" | ")"): boolean {
    const isThere = this.#token?.kind === bracket;
    if (isThere) this.#next += 1;
    return isThere;
  }

  #isWord(word: string): boolean {
    return this.#token?.kind === "word" && this.#token.text.toLowerCase() === word;
  }

  #wrong(message: string): DbError {
    return predicateError(message, this.#token?.at ?? this.#end);
  }
}

function tokensOf(text: string): readonly Token[] {
  const tokens: Token[] = [];
  let at = 0;
  while (at < text.length) {
    TOKEN.lastIndex = at;
    const match = TOKEN.exec(text);
    if (match === null) throw predicateError("bad logical expression", at);
    const { bracket, name, operator, string, word } = match.groups ?? {};
    if (name !== undefined) tokens.push({ kind: "name", text: unescaped(name), at });
    else if (string !== undefined) tokens.push({ kind: "string", text: unescaped(string), at });
    else if (operator !== undefined) tokens.push({ kind: "operator", text: operator, at });
    else if (word !== undefined) tokens.push({ kind: "word", text: word, at });
    else if (bracket !== undefined) tokens.push({ kind: bracket as "(" | ")", text: bracket, at });
    at = TOKEN.lastIndex;
  }
  return tokens;
}

function unescaped(text: string): string {
  return text.replaceAll(/\\(.)/gsu, (_, character: string) =>
    character === "n" ? "\n" : character,
  );
}

function predicateError(message: string, at: number): DbError {
  return new DbError("invalid", "delete_predicate", `${message}, at position ${at}`, {
    detail: { position: at },
  });
}
