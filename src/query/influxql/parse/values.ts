import { INT64_MAX } from "../operators.ts";
import type { Cursor } from "./tokens/cursor.ts";
import { durationOf, wholeNumber } from "./tokens/duration.ts";
import type { Token } from "./tokens/tokens.ts";

/** The greatest number of copies, rows and the like. */
export const INT32_MAX = 2n ** 31n - 1n;

/** What the duration `token` says, in nanoseconds; a fault is told with its place. */
export function durationAt(cursor: Cursor, token: Token): bigint {
  const value = durationOf(token.text);
  if (typeof value !== "bigint") throw cursor.errorAt(value.fault, token);
  return value;
}

/** A duration of a retention policy: INF is 0. */
export function parseDuration(cursor: Cursor): bigint {
  const token = cursor.next();
  if (token.kind === "INF") return 0n;
  if (token.kind !== "duration") throw cursor.unexpected(token, "duration");
  return durationAt(cursor, token);
}

/** A whole number from `min` to `max`. */
export function parseInteger(cursor: Cursor, min: bigint, max: bigint): bigint {
  const token = cursor.next();
  if (token.kind !== "integer") throw cursor.unexpected(token, "integer");
  const value = wholeNumber(token.text);
  if (value > INT64_MAX) {
    const what = `strconv.Atoi: parsing "${token.text}": value out of range`;
    throw cursor.errorAt(what, token);
  }
  if (value >= min && value <= max) return value;
  throw cursor.errorAt(`invalid value ${value}: must be ${min} <= n <= ${max}`, token);
}

/** The identifier of a query or shard. */
export function parseIdentifier(cursor: Cursor): bigint {
  const token = cursor.next();
  if (token.kind !== "integer") throw cursor.unexpected(token, "integer");
  const value = wholeNumber(token.text);
  if (value >= 0n && value < 2n ** 64n) return value;
  const what = value < 0n ? "invalid syntax" : "value out of range";
  throw cursor.errorAt(`strconv.ParseUint: parsing "${token.text}": ${what}`, token);
}

/** `LIMIT 5` and the like; 0 where nothing is said. Numbers beyond what can be counted are the greatest. */
export function parseLimit(cursor: Cursor, keyword: string): number {
  if (!cursor.accept(keyword)) return 0;
  const token = cursor.next();
  if (token.kind !== "integer") throw cursor.unexpected(token, "integer");
  const value = Number(token.text);
  if (value < 0) throw cursor.errorAt(`${keyword} must be >= 0`, token);
  return Math.min(value, Number.MAX_SAFE_INTEGER);
}

/** What is written between single quotes. */
export function parseString(cursor: Cursor): string {
  const token = cursor.next();
  if (token.kind !== "string") throw cursor.unexpected(token, "string");
  return token.text;
}

/** Names or texts between commas; at least one. */
export function parseList(
  cursor: Cursor,
  parseItem: (cursor: Cursor) => string,
): readonly string[] {
  const items: string[] = [];
  do {
    cursor.countPart();
    items.push(parseItem(cursor));
  } while (cursor.accept(","));
  return items;
}
