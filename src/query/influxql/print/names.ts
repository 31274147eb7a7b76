import { findKeyword } from "../parse/tokens/tokens.ts";

/** `name` in quotes where it needs them. */
export function quotedName(name: string): string {
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) && findKeyword(name) === undefined
    ? name
    : doubleQuoted(name);
}

/** Names with points between them, all but the last in quotes; what is left out is empty. */
export function quotedPath(names: readonly string[]): string {
  const last = names.length - 1;
  return names
    .map((name, index) => {
      const outer = index === 0 || index === last;
      if (name === "") return outer ? doubleQuoted(name) : "";
      return index < last ? doubleQuoted(name) : quotedName(name);
    })
    .join(".");
}

function doubleQuoted(name: string): string {
  return `"${name.replace(/["\\\n]/g, escaped)}"`;
}

/** A text in single quotes. */
export function quotedText(text: string): string {
  return `'${text.replace(/['\\\n]/g, escaped)}'`;
}

function escaped(character: string): string {
  return character === "\n" ? "\\n" : `\\${character}`;
}
