import type { SqlExpression } from "../ast.ts";
import { unsupported } from "../errors.ts";
import type { Grammar } from "../grammar.ts";
import { PRECEDENCE } from "./precedence.ts";

/** A call that is written with words between its arguments: the function it is of, and what that takes. */
export interface SpecialCall {
  readonly name: string;
  readonly arguments: readonly SqlExpression[];
}

/** Reads the arguments of functions that may have words between them; undefined for all others. */
export function parseSpecialCall(grammar: Grammar, name: string): SpecialCall | undefined {
  if (grammar.cursor.atSymbol(")")) return undefined;
  switch (name) {
    case "extract":
      return { name: "date_part", arguments: parseExtract(grammar) };
    case "position":
      return { name: "strpos", arguments: parsePosition(grammar) };
    case "substring":
    case "substr":
      return { name: "substr", arguments: parseSubstring(grammar) };
    case "overlay":
      return { name, arguments: parseOverlay(grammar) };
    case "trim":
      return parseTrim(grammar);
    case "ceil":
    case "floor":
      return { name, arguments: parseRounded(grammar, name) };
    default:
      return undefined;
  }
}

/** `EXTRACT(part FROM time)`, `EXTRACT(part, time)`. */
function parseExtract(grammar: Grammar): SqlExpression[] {
  const { cursor } = grammar;
  const { kind } = cursor.token;
  if (kind !== "word" && kind !== "string" && kind !== "quoted") {
    throw cursor.error("a part of a time");
  }
  const part: SqlExpression = { kind: "literal", value: cursor.take().text };
  if (!cursor.acceptSymbol(",")) cursor.expectWord("from");
  return [part, grammar.expression()];
}

/** `POSITION(part IN text)` as `strpos(text, part)`. */
function parsePosition(grammar: Grammar): SqlExpression[] {
  const { cursor } = grammar;
  const first = grammar.expression(PRECEDENCE.compare);
  if (cursor.acceptSymbol(",")) return [first, grammar.expression()];
  if (!cursor.acceptWord("in")) throw cursor.error("IN");
  return [grammar.expression(), first];
}

/** `SUBSTRING(text FROM start FOR count)`; what is left out of the first two is the whole, from 1. */
function parseSubstring(grammar: Grammar): SqlExpression[] {
  const { cursor } = grammar;
  const list = [grammar.expression()];
  if (cursor.acceptWord("from")) list.push(grammar.expression());
  if (cursor.acceptWord("for")) {
    if (list.length === 1) list.push({ kind: "literal", value: 1n });
    list.push(grammar.expression());
  }
  while (cursor.acceptSymbol(",")) list.push(grammar.expression());
  return list;
}

/** `OVERLAY(text PLACING part FROM start FOR count)`. */
function parseOverlay(grammar: Grammar): SqlExpression[] {
  const { cursor } = grammar;
  const list = [grammar.expression()];
  if (!cursor.acceptWord("placing")) {
    while (cursor.acceptSymbol(",")) list.push(grammar.expression());
    return list;
  }
  list.push(grammar.expression());
  cursor.expectWord("from");
  list.push(grammar.expression());
  if (cursor.acceptWord("for")) list.push(grammar.expression());
  return list;
}

const SIDES = { both: "btrim", leading: "ltrim", trailing: "rtrim" } as const;

/** `TRIM(BOTH characters FROM text)`, `TRIM(text, characters)`. */
function parseTrim(grammar: Grammar): SpecialCall {
  const { cursor } = grammar;
  const side = cursor.acceptOneOf("both", "leading", "trailing") ?? "both";
  const name = SIDES[side];
  if (cursor.acceptWord("from")) return { name, arguments: [grammar.expression()] };
  const list = cursor.list(() => grammar.expression());
  if (list.length > 1 || !cursor.acceptWord("from")) return { name, arguments: list };
  return { name, arguments: [grammar.expression(), ...list] };
}

/** `CEIL(x)`; to a part of a time is known and not built. */
function parseRounded(grammar: Grammar, name: string): SqlExpression[] {
  const { cursor } = grammar;
  const list = cursor.list(() => grammar.expression());
  if (cursor.atWord("to"))
    throw unsupported(`${name.toUpperCase()} with datetime is not supported`);
  return list;
}
