import { isIntervalUnit, parseIntervalText } from "#model/time/interval-text.ts";
import type { SqlExpression } from "../ast.ts";
import type { Grammar } from "../grammar.ts";

/**
 * Reads `INTERVAL '1 hour'`, `INTERVAL '5' DAY`, `INTERVAL -5 DAY`; undefined, and nothing read, where neither text nor a number
 * follows the word.
 */
export function parseInterval({ cursor }: Grammar): SqlExpression | undefined {
  const ahead = cursor.fork();
  const word = ahead.take();
  const sign = ahead.acceptSymbol("-") ? "-" : "";
  const { kind } = ahead.token;
  if (kind !== "string" && kind !== "number") return undefined;
  cursor.jump(ahead);
  const amount = cursor.take();
  const bare = /^[\s+-]*[\d.]+\s*$/.test(amount.text);
  const unit = cursor.token.kind === "word" ? cursor.token.text : "";
  const named = bare && isIntervalUnit(unit);
  if (named) cursor.take();
  const parsed = parseIntervalText(amount.text, named ? unit : undefined);
  if (parsed === undefined) throw cursor.error("an interval such as '1 hour 30 minutes'", amount);
  if (!named && amount.kind === "number") throw cursor.error("a unit of INTERVAL", word);
  const value =
    sign === "" ? parsed : { months: 0 - parsed.months, nanoseconds: -parsed.nanoseconds };
  return { kind: "literal", value };
}
