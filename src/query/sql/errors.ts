import { DbError } from "#base/errors.ts";

/** Where a token stands, as the lexer says. */
interface Span {
  readonly start: number;
  readonly end: number;
}

const SHOWN_LENGTH_MAX = 100;

/** `text` of a user, cut so that an error that repeats it stays readable. */
export function shown(text: string): string {
  return text.length > SHOWN_LENGTH_MAX ? `${text.slice(0, SHOWN_LENGTH_MAX)}…` : text;
}

/** The error of a statement that has `span` where `expected` should stand: `invalid` / `sql_syntax`. */
export function syntaxError(sql: string, expected: string, span: Span): DbError {
  if (span.start >= sql.length) {
    return parserError("ParserError", `Expected: ${expected}, found: EOF`, {
      ...positionOf(sql, sql.length),
      found: "EOF",
    });
  }
  const found = shown(sql.slice(span.start, span.end));
  const position = positionOf(sql, span.start);
  const place = `at Line: ${position.line}, Column: ${position.column}`;
  return parserError(
    "ParserError",
    `Expected: ${expected}, found: ${found} ${place}`,
    { ...position, found },
    // What was found there may be a password.
    `Expected: ${expected} ${place}`,
  );
}

/** The error of text that begins at `start` and is no token: `invalid` / `sql_syntax`. */
export function tokenError(sql: string, what: string, start: number): DbError {
  const position = positionOf(sql, start);
  return parserError(
    "TokenizerError",
    `${what} at Line: ${position.line}, Column: ${position.column}`,
    { ...position },
  );
}

/** The error of SQL that this database does not speak yet: `unsupported` / `sql_unsupported`. */
export function unsupported(construct: string): DbError {
  return new DbError(
    "unsupported",
    "sql_unsupported",
    `This feature is not implemented: ${construct}`,
    { detail: { construct } },
  );
}

function parserError(
  kind: string,
  text: string,
  detail: Readonly<Record<string, string | number>>,
  logged = text,
): DbError {
  const said = (what: string) => `SQL error: ${kind}(${JSON.stringify(what)})`;
  return new DbError("invalid", "sql_syntax", said(text), { detail, logged: said(logged) });
}

/** Line and column of `offset`, both from 1, in characters. */
function positionOf(sql: string, offset: number): { line: number; column: number } {
  const lineStart = offset === 0 ? 0 : sql.lastIndexOf("\n", offset - 1) + 1;
  let line = 1;
  for (let at = sql.indexOf("\n"); at !== -1 && at < offset; at = sql.indexOf("\n", at + 1)) {
    line += 1;
  }
  let column = 1;
  for (const _ of sql.slice(lineStart, offset)) column += 1;
  return { line, column };
}
