/** Scalar functions of text. Positions and lengths count characters (code points). */
import { DbError } from "#base/errors.ts";
import type { CoreFunction } from "#model/query/functions/core.ts";
import type { StrictFunction } from "./arithmetic.ts";

export const TEXT = {
  like: ([text, pattern]) => likeRegExp(pattern as string, "su").test(text as string),
  ilike: ([text, pattern]) => likeRegExp(pattern as string, "isu").test(text as string),
  regexp_like: ([text, pattern]) => re2RegExp(pattern as string).test(text as string),
  concat_operator: (texts) => (texts as readonly string[]).join(""),
  lower: ([text]) => (text as string).toLowerCase(),
  upper: ([text]) => (text as string).toUpperCase(),
  length: ([text]) => BigInt(characters(text).length),
  trim: ([text]) => withoutLast(withoutFirst(text as string)),
  ltrim: ([text]) => withoutFirst(text as string),
  rtrim: ([text]) => withoutLast(text as string),
  replace: ([text, from, to]) =>
    from === "" ? (text as string) : (text as string).split(from as string).join(to as string),
  starts_with: ([text, part]) => (text as string).startsWith(part as string),
  ends_with: ([text, part]) => (text as string).endsWith(part as string),
  strpos: ([text, part]) => {
    const index = (text as string).indexOf(part as string);
    return BigInt(index < 0 ? 0 : characters((text as string).slice(0, index)).length + 1);
  },
  substr: ([text, from, count]) =>
    substring(text as string, Number(from), Number(count ?? Infinity)),
  left: ([text, count]) => characters(text).slice(0, Number(count)).join(""),
  right: ([text, count]) => rightmost(characters(text), Number(count)).join(""),
} as const satisfies Partial<Record<CoreFunction, StrictFunction>>;

function withoutFirst(text: string): string {
  let start = 0;
  while (text[start] === " ") start += 1;
  return text.slice(start);
}

/** A regular expression for this takes the square of the spaces within a text. */
function withoutLast(text: string): string {
  let end = text.length;
  while (text[end - 1] === " ") end -= 1;
  return text.slice(0, end);
}

function characters(text: unknown): string[] {
  return Array.from(text as string);
}

/** Characters `from` (1 is the first) to below `from + count`; those before the first count as well, but are not there. */
function substring(text: string, from: number, count: number): string {
  const end = Math.max(from + count - 1, 0);
  return characters(text)
    .slice(Math.max(from - 1, 0), end)
    .join("");
}

/** The last `count`, or all but the first `-count`. */
function rightmost(letters: readonly string[], count: number): readonly string[] {
  return count >= 0 ? letters.slice(Math.max(letters.length - count, 0)) : letters.slice(-count);
}

function likeRegExp(pattern: string, flags: string): RegExp {
  let source = "";
  let escaped = false;
  for (const letter of pattern) {
    if (!escaped && letter === "\\") {
      escaped = true;
      continue;
    }
    if (!escaped && letter === "%") source += ".*";
    else if (!escaped && letter === "_") source += ".";
    else source += letter.replace(/[\\^$.*+?()[\]{}|/]/, "\\$&");
    escaped = false;
  }
  // One that escapes nothing stands for itself.
  if (escaped) source += "\\\\";
  return new RegExp(`^${source}$`, flags);
}

/** RE2's dialect as far as JavaScript has it: leading flags, and escapes that need none. */
function re2RegExp(pattern: string): RegExp {
  const [head = "", flags = ""] = /^\(\?([ims]+)\)/.exec(pattern) ?? [];
  const source = pattern.slice(head.length);
  try {
    return new RegExp(source, `u${flags}`);
  } catch {
    return looseRegExp(source, flags);
  }
}

/** Without the flag `u`, in which `\-` and the like are errors. */
function looseRegExp(source: string, flags: string): RegExp {
  try {
    return new RegExp(source, flags);
  } catch (cause) {
    const detail = { pattern: source };
    throw new DbError("invalid", "regexp_invalid", "the pattern is no regular expression", {
      detail,
      cause,
    });
  }
}
