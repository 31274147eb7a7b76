/**
 * Whether `name` fits `pattern`, in which `%` stands for any letters, `_` for one, and `\` takes the next as it is.
 * Takes at most the product of both lengths.
 */
export function fitsPattern(name: string, pattern: string | undefined): boolean {
  if (pattern === undefined) return true;
  const letters = Array.from(name);
  const parts = partsOf(pattern);
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
