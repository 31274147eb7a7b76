/** Errors as the native endpoint of InfluxDB 3 words them. */
import { DbError } from "#base/errors.ts";

const PLACE = / at line (\d+), char (\d+)$/;
/** Of what may hold anything, and of numbers that only InfluxDB 1 reads: `5.`, or digits with letters behind that are no unit. */
const PIECES =
  /'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|\b\d+(?<rest>\.(?!\d)|(?!(?:ns|u|µ|ms|s|m|h|d|w)(?:\d|\b))[A-Za-z_].*)/gsu;

/** `error` of the text of a request, as InfluxDB 3 says it; others as they are. */
export function nativeError(error: unknown, text: string): unknown {
  if (!(error instanceof DbError) || error.code !== "influxql_syntax") return error;
  const [, line, character] = PLACE.exec(error.message) ?? [];
  const index =
    line === undefined ? findNumberRest(text) : indexOf(text, Number(line), Number(character));
  return refused(text, index ?? 0, error);
}

/** Throws `invalid` / `influxql_syntax` for what InfluxDB 1 alone reads. */
export function refuseOldNumbers(text: string): void {
  const index = findNumberRest(text);
  if (index !== undefined && text[index] === ".") throw refused(text, index, undefined);
}

function refused(text: string, index: number, cause: unknown): DbError {
  const rest = JSON.stringify(text.slice(index));
  const logged = `error in InfluxQL statement: parsing error: invalid InfluxQL statement at pos ${index}`;
  const message = `${logged}. Parsing Error: Nom(${rest}, Tag)`;
  // The rest of a statement may be a password: it is for whoever has sent it.
  return new DbError("invalid", "influxql_syntax", message, { cause, logged });
}

/** Lines and characters count from 1. */
function indexOf(text: string, line: number, character: number): number {
  const before = text.split("\n").slice(0, line - 1);
  return before.reduce((index, { length }) => index + length + 1, character - 1);
}

function findNumberRest(text: string): number | undefined {
  for (const match of text.matchAll(PIECES)) {
    const { rest } = match.groups ?? {};
    if (rest !== undefined) return match.index + match[0].length - rest.length;
  }
  return undefined;
}
