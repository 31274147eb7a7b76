import { BACKSLASH, COMMA, EQUALS, NEWLINE, NUL, QUOTE, SPACE, TAB } from "./ascii.ts";

/** What a byte means inside a token. */
const ENDS = 1;
const ESCAPES = 2;
/** A backslash in front of it is not part of the text. */
const ESCAPED = 4;

/** How one kind of token is written. */
export interface TokenGrammar {
  /** For each byte, which of the meanings above it has. */
  readonly meanings: Uint8Array;
  /** A backslash and the byte that it escapes; every other backslash stands for itself. */
  readonly escape: RegExp;
}

export const MEASUREMENT = grammar([SPACE, TAB, NEWLINE, COMMA, NUL], [BACKSLASH, COMMA, SPACE]);
/** As MEASUREMENT, where a tab may be escaped as well. */
export const TABBED_MEASUREMENT = grammar(
  [SPACE, TAB, NEWLINE, COMMA, NUL],
  [BACKSLASH, COMMA, SPACE, TAB],
);
/** Tag keys and field keys. */
export const KEY = grammar([SPACE, TAB, NEWLINE, EQUALS], [BACKSLASH, COMMA, EQUALS, SPACE]);
export const TAG_VALUE = grammar([SPACE, TAB, NEWLINE, COMMA], [BACKSLASH, COMMA, EQUALS, SPACE]);
/** Between the quotes of a string. */
export const STRING = grammar([QUOTE], [BACKSLASH, QUOTE]);

function grammar(ends: readonly number[], escaped: readonly number[]): TokenGrammar {
  const meanings = new Uint8Array(256);
  for (const byte of ends) meanings[byte] = ENDS;
  for (const byte of escaped) meanings[byte] = (meanings[byte] as number) | ESCAPED;
  meanings[BACKSLASH] = ESCAPES | ESCAPED;
  const characters = escaped.map((byte) => `\\x${byte.toString(16).padStart(2, "0")}`).join("");
  return { meanings, escape: new RegExp(`\\\\([${characters}])`, "g") };
}

/** A piece of text in the body as it is written there. One is used for all tokens of a body. */
export class Token {
  start = 0;
  /** Exclusive. */
  end = 0;
  /** Of the bytes as written. */
  hash = 0;
  /** Backslashes that are not part of the text. */
  escapeCount = 0;
  /** Whether its text ends in a backslash. */
  endsInBackslash = false;

  /** Bytes of the text. */
  get sizeBytes(): number {
    return this.end - this.start - this.escapeCount;
  }

  /** Reads the token that begins at `start`, up to a byte that ends it or to `end`. */
  scan(bytes: Uint8Array, start: number, end: number, meanings: Uint8Array): void {
    let at = start;
    let hash = 0;
    let escapeCount = 0;
    let escapeEnd = -1;
    while (at < end) {
      const byte = bytes[at] as number;
      const meaning = meanings[byte] as number;
      if ((meaning & ENDS) !== 0) break;
      hash = Math.imul(hash ^ byte, 0x01000193);
      at += 1;
      if ((meaning & ESCAPES) === 0) continue;
      // Whatever follows a backslash is text, and a backslash at the very end as well.
      const escaped = at < end ? (bytes[at] as number) : BACKSLASH;
      if (((meanings[escaped] as number) & ESCAPED) !== 0) escapeCount += 1;
      hash = Math.imul(hash ^ escaped, 0x01000193);
      if (escaped === BACKSLASH) escapeEnd = at + 1;
      at += 1;
    }
    this.start = start;
    this.end = Math.min(at, end);
    this.hash = hash;
    this.escapeCount = escapeCount;
    this.endsInBackslash = escapeEnd === at;
  }
}

/** The text of a token. */
export function decodeToken(
  bytes: Buffer,
  token: { readonly start: number; readonly end: number; readonly escapeCount: number },
  escape: RegExp,
): string {
  const written = bytes.toString("utf8", token.start, token.end);
  return token.escapeCount === 0 ? written : written.replace(escape, "$1");
}
