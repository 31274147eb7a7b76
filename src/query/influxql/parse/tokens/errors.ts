import { DbError } from "#base/errors.ts";

/** What errors repeat of a request is cut there. */
const SHOWN_LENGTH_MAX = 2_000;

/** The error of text that is no InfluxQL, in 1.x's words: `invalid` / `influxql_syntax`. `logged`: what logs have for `what`. */
export function syntaxError(what: string, logged = what): DbError {
  return new DbError("invalid", "influxql_syntax", said(what), { logged: said(logged) });
}

/** The same, with the place `offset` of `text`, and what is said behind it. */
export function syntaxErrorAt(what: string, text: string, offset: number, hint = ""): DbError {
  const { line, column } = placeOf(text, offset);
  const place = `at line ${line}, char ${column}`;
  // What was found there may be a password.
  return syntaxError(`${shown(what)} ${place}${hint}`, place);
}

function said(what: string): string {
  return `error parsing query: ${shown(what)}`;
}

function shown(what: string): string {
  return what.length > SHOWN_LENGTH_MAX + 100 ? `${what.slice(0, SHOWN_LENGTH_MAX)}…` : what;
}

/** Line and column of `offset`, both from 1, in characters. */
function placeOf(text: string, offset: number): { line: number; column: number } {
  const lineStart = offset === 0 ? 0 : text.lastIndexOf("\n", offset - 1) + 1;
  let line = 1;
  for (let at = text.indexOf("\n"); at !== -1 && at < lineStart; at = text.indexOf("\n", at + 1)) {
    line += 1;
  }
  let column = 1 + Math.max(0, offset - text.length);
  for (const _ of text.slice(lineStart, offset)) column += 1;
  return { line, column };
}

export function tooDeep(depthMax: number): DbError {
  return new DbError(
    "exceeded",
    "influxql_too_deep",
    `The statement is nested deeper than ${depthMax} levels.`,
    { detail: { depthMax } },
  );
}

export function tooComplex(what: string, countMax: number): DbError {
  return new DbError(
    "exceeded",
    "influxql_too_complex",
    `The request has more than ${countMax} ${what}.`,
    { detail: { countMax } },
  );
}

export function tooLong(length: number, lengthMax: number): DbError {
  return new DbError(
    "exceeded",
    "influxql_too_long",
    `The request has ${length} characters, the limit is ${lengthMax}.`,
    { detail: { length, lengthMax } },
  );
}
