import { DbError } from "#base/errors.ts";

/** Letters of a pattern: names are shorter. */
const PATTERN_LENGTH_MAX = 1_000;

/**
 * Tells whether a name fits `pattern`, in which `%` stands for any letters, `_` for one, and `\` takes the next as it is; all fit none.
 * Takes at most the product of both lengths. Throws `exceeded` / `flight_pattern`.
 */
export function parsePattern(pattern: string | undefined): (name: string) => boolean {
  if (pattern === undefined) return () => true;
  if (pattern.length > PATTERN_LENGTH_MAX) throw tooLong(pattern.length);
  const parts = partsOf(pattern);
  return (name) => fits(name, parts);
}

function fits(name: string, parts: readonly Part[]): boolean {
  const letters = Array.from(name);
  let letter = 0;
  let part = 0;
  /** The last `%`, and up to where it has been taken to reach. */
  let any = -1;
  let reach = 0;
  while (letter < letters.length) {
    const wanted = parts[part];
    if (wanted?.kind === "any") {
      any = part;
      reach = letter;
      part += 1;
    } else if (wanted?.kind === "one" || wanted?.letter === letters[letter]) {
      part += 1;
      letter += 1;
    } else if (any >= 0) {
      reach += 1;
      letter = reach;
      part = any + 1;
    } else return false;
  }
  return parts.slice(part).every(({ kind }) => kind === "any");
}

type Part = { readonly kind: "any" | "one" | "letter"; readonly letter?: string };

function partsOf(pattern: string): readonly Part[] {
  const parts: Part[] = [];
  let isPlain = false;
  for (const letter of pattern) {
    if (isPlain || !"%_\\".includes(letter)) {
      parts.push({ kind: "letter", letter });
      isPlain = false;
    } else if (letter === "\\") isPlain = true;
    else parts.push({ kind: letter === "%" ? "any" : "one" });
  }
  return parts;
}

function tooLong(length: number): DbError {
  return new DbError(
    "exceeded",
    "flight_pattern",
    `a pattern has ${length} letters, more than ${PATTERN_LENGTH_MAX}`,
    { detail: { length, lengthMax: PATTERN_LENGTH_MAX } },
  );
}
