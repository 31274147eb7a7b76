/** Regular expressions as engine SQL: constants are translated here, others by functions of the process, row by row. */
import { DbError } from "#base/errors.ts";
import { printError } from "../cast.ts";
import { printText } from "../literal.ts";
import { translatePattern, translateReplacement } from "../rust-regexp.ts";
import { printLet } from "./let.ts";
import { argument, type Call, literalOf } from "./printer.ts";

/** How many groups a pattern that is no constant may have where they are asked for. */
const GROUP_COUNT_MAX = 9;

export function printRegexpLike([text = "", pattern = ""]: readonly string[], call: Call): string {
  return `regexp_matches(${text}, ${printPattern(pattern, call)})`;
}

/** Nothing is found by a pattern without a character. */
export function printRegexpCount(args: readonly string[], call: Call): string {
  return printLet(args, (text = "", pattern = "") => {
    const count = `len(regexp_extract_all(${text}, ${printPattern(pattern, call)}))`;
    return `(CASE WHEN ${text} IS NULL OR ${pattern} IS NULL OR ${pattern} = '' THEN 0 ELSE ${count} END)`;
  });
}

export function printRegexpMatch(args: readonly string[], call: Call): string {
  return printLet(args, (text = "", pattern = "") => {
    const printed = printPattern(pattern, call);
    const group = (index: number) => `regexp_extract(${text}, ${printed}, ${index})`;
    const groups = (count: number) => {
      const indexes = count === 0 ? [0] : Array.from({ length: count }, (_, index) => index + 1);
      return `[${indexes.map(group).join(", ")}]`;
    };
    const known = constantPattern(call)?.groups.length;
    const matched = known === undefined ? printChoice(pattern, groups) : groups(known);
    return `(CASE WHEN regexp_matches(${text}, ${printed}) THEN ${matched} END)`;
  });
}

export function printRegexpReplace(args: readonly string[], call: Call): string {
  const [text = "", pattern = "", replacement = ""] = args;
  const constant = argument(call, 2);
  const printed =
    constant.kind === "literal" && typeof constant.value === "string"
      ? printText(translateReplacement(constant.value, constantPattern(call)?.groups))
      : `tl_replacement(${replacement})`;
  const options = literalOf(call, 3) === true ? ", 'g'" : "";
  return `regexp_replace(${text}, ${printPattern(pattern, call)}, ${printed}${options})`;
}

/** The engine has no function for it: what stands before the match is as long as its position says. */
export function printRegexpPosition(args: readonly string[], call: Call): string {
  const matchIndex = Number(literalOf(call, 2)) - 1;
  const constant = constantPattern(call)?.text;
  return printLet(args.slice(0, 2), (text = "", pattern = "") => {
    const found = constant ?? `' || tl_regexp(${pattern}) || '`;
    const skipped = matchIndex === 0 ? "" : `(?:(?:${found})(?s:.*?)){${matchIndex}}`;
    const whole = `^((?s:.*?)${skipped})(?:${found})`;
    const printed = constant === undefined ? `('${whole}')` : printText(whole);
    const position = `length(regexp_extract(${text}, ${printed}, 1)) + 1`;
    return `(CASE WHEN ${text} IS NULL OR ${pattern} IS NULL THEN NULL WHEN regexp_matches(${text}, ${printed}) THEN ${position} ELSE 0 END)`;
  });
}

function printPattern(pattern: string, call: Call): string {
  const constant = constantPattern(call);
  return constant === undefined ? `tl_regexp(${pattern})` : printText(constant.text);
}

function constantPattern(call: Call): ReturnType<typeof translatePattern> {
  const pattern = argument(call, 1);
  if (pattern.kind !== "literal" || typeof pattern.value !== "string") return undefined;
  const translated = translatePattern(pattern.value);
  if (translated !== undefined) return translated;
  throw new DbError("invalid", "regexp_invalid", "the pattern is no regular expression", {
    detail: { pattern: pattern.value.slice(0, 100) },
  });
}

function printChoice(pattern: string, groups: (count: number) => string): string {
  const branches = Array.from(
    { length: GROUP_COUNT_MAX + 1 },
    (_, count) => `WHEN ${count} THEN ${groups(count)}`,
  );
  return `CASE tl_group_count(${pattern}) ${branches.join(" ")} ELSE ${printError("argument_invalid")} END`;
}
