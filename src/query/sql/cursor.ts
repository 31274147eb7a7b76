import { DbError } from "#base/errors.ts";
import { syntaxError } from "./errors.ts";
import { readToken, type Token } from "./lexer.ts";

/** How deep expressions may be nested: what reads them further on recurses. */
export const SQL_DEPTH_MAX = 200;
/** How many expressions a statement may hold, with all in them: engines take long to plan more. Values in IN lists are not counted. */
export const SQL_PART_COUNT_MAX = 10_000;

/** Words that begin or join clauses: no name unless in quotes, or where nothing but a name can stand. */
const RESERVED = wordsOf(
  "and as between by else end except fetch from group having ilike in intersect into is like limit " +
    "offset on or order qualify select similar then union using when where window",
);
/** Words that may follow a column: a name, but not as an alias without AS. */
const AFTER_COLUMN = wordsOf("minus with lateral sort cluster distribute returning");
/** As of columns, of tables. */
const AFTER_TABLE = wordsOf(
  "minus with lateral cross full inner join left natural outer right anti semi asof for pivot unpivot tablesample",
);

/** Reads a statement token by token. */
export class Cursor {
  #sql: string;
  #token: Token;
  #depth = 0;
  #partCount = 0;

  constructor(sql: string) {
    this.#sql = sql;
    this.#token = readToken(sql, 0);
  }

  /** The token that comes next. */
  get token(): Token {
    return this.#token;
  }

  /** The token after the one that comes next. */
  peek(): Token {
    return readToken(this.#sql, this.#token.end);
  }

  /** Whether the token after the one that comes next is one of these symbols or words, not in quotes. */
  precedes(...texts: readonly string[]): boolean {
    const { kind, text } = this.peek();
    return (kind === "symbol" || kind === "word") && texts.includes(text);
  }

  /** Takes the token that comes next. */
  take(): Token {
    const taken = this.#token;
    this.#token = readToken(this.#sql, taken.end);
    return taken;
  }

  /** What is left of the statement as it was written, without the semicolon that ends it. */
  rest(): string {
    let end = this.#sql.length;
    while (end > 0 && /[\s;]/.test(this.#sql.charAt(end - 1))) end -= 1;
    return this.#sql.slice(this.#token.start, end);
  }

  /** A cursor at the same place, to look further ahead. */
  fork(): Cursor {
    const fork = new Cursor("");
    fork.#sql = this.#sql;
    fork.#token = this.#token;
    return fork;
  }

  /** Goes on from where `other`, a fork of this one, stands. */
  jump(other: Cursor): void {
    this.#token = other.#token;
  }

  /** Whether one of the words comes next, not in quotes. */
  atWord(...words: readonly string[]): boolean {
    return this.#token.kind === "word" && words.includes(this.#token.text);
  }

  atSymbol(...symbols: readonly string[]): boolean {
    return this.#token.kind === "symbol" && symbols.includes(this.#token.text);
  }

  /** Takes the word if it comes next. */
  acceptWord(word: string): boolean {
    const accepted = this.atWord(word);
    if (accepted) this.take();
    return accepted;
  }

  acceptSymbol(symbol: string): boolean {
    const accepted = this.atSymbol(symbol);
    if (accepted) this.take();
    return accepted;
  }

  /** Takes the next word if it is one of `words`. */
  acceptOneOf<Word extends string>(...words: readonly Word[]): Word | undefined {
    const { kind, text } = this.#token;
    const accepted = kind === "word" ? words.find((word) => word === text) : undefined;
    if (accepted !== undefined) this.take();
    return accepted;
  }

  expectWord(word: string): void {
    if (!this.acceptWord(word)) throw this.error(word.toUpperCase());
  }

  /** Takes all of `words`, one after another. */
  expectWords(...words: readonly string[]): void {
    for (const word of words) this.expectWord(word);
  }

  /** Whether `words` come next, one after another. */
  atWords(...words: readonly string[]): boolean {
    if (!this.atWord(words[0] ?? "")) return false;
    const ahead = this.fork();
    return words.every((word) => ahead.acceptWord(word));
  }

  expectSymbol(symbol: string): void {
    if (!this.acceptSymbol(symbol)) throw this.error(symbol);
  }

  /** Takes `>`, also where it is the first half of `>>`. */
  expectClosingAngle(): void {
    const { start, end } = this.#token;
    if (!this.atSymbol(">>")) return this.expectSymbol(">");
    this.#token = { kind: "symbol", text: ">", start: start + 1, end };
  }

  /** Whether a name comes next: a word that is not reserved, or anything in double quotes. */
  atName(): boolean {
    const { kind, text } = this.#token;
    return kind === "quoted" || (kind === "word" && !RESERVED.has(text));
  }

  /** Whether an alias without AS comes next, of a column or of a table. */
  atAlias(owner: "column" | "table"): boolean {
    if (!this.atName()) return false;
    const { kind, text } = this.#token;
    return kind === "quoted" || !(owner === "table" ? AFTER_TABLE : AFTER_COLUMN).has(text);
  }

  /** Takes any word, name or text: where nothing else can stand, all of them are names. */
  expectAnyName(): string {
    const { kind } = this.#token;
    if (kind !== "word" && kind !== "quoted" && kind !== "string") throw this.error("identifier");
    return this.take().text;
  }

  expectName(): string {
    if (!this.atName()) throw this.error("identifier");
    return this.take().text;
  }

  /** One or more of what `parse` reads, with commas between. */
  list<T>(parse: () => T): T[] {
    const items = [parse()];
    while (this.acceptSymbol(",")) items.push(parse());
    return items;
  }

  /** Counts one more part of the statement; throws DbError `exceeded` / `sql_too_complex` beyond SQL_PART_COUNT_MAX. */
  countPart(): void {
    this.#partCount += 1;
    if (this.#partCount > SQL_PART_COUNT_MAX) throw tooManyParts();
  }

  /** Takes back one count: the part has a limit of its own. */
  discountPart(): void {
    this.#partCount -= 1;
  }

  /** Runs `parse` a level deeper; throws DbError `exceeded` / `sql_too_deep` below SQL_DEPTH_MAX levels. */
  nested<T>(parse: () => T): T {
    if (this.#depth >= SQL_DEPTH_MAX) throw tooDeep();
    this.#depth += 1;
    const parsed = parse();
    this.#depth -= 1;
    return parsed;
  }

  /** The error that `expected` should stand here, or where `span` stands. */
  error(expected: string, span: Token = this.#token): DbError {
    return syntaxError(this.#sql, expected, span);
  }
}

function wordsOf(text: string): ReadonlySet<string> {
  return new Set(text.split(" "));
}

export function tooDeep(): DbError {
  return new DbError(
    "exceeded",
    "sql_too_deep",
    `The statement is nested more than ${SQL_DEPTH_MAX} levels deep: split it or simplify it.`,
    { detail: { depthMax: SQL_DEPTH_MAX } },
  );
}

function tooManyParts(): DbError {
  return new DbError(
    "exceeded",
    "sql_too_complex",
    `The statement has more than ${SQL_PART_COUNT_MAX} parts: split it or simplify it.`,
    { detail: { partCountMax: SQL_PART_COUNT_MAX } },
  );
}
