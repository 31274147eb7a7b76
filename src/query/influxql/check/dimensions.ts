/** GROUP BY: its window of time and its tags. */
import type { Expression, SelectStatement } from "../ast.ts";
import type { TimeWindow } from "../resolved.ts";
import { refused } from "./errors.ts";
import type { CallExpression } from "./expressions.ts";
import { type Constants, foldConstants } from "./fold-constants.ts";
import { looksLikeTime, timeLiteral } from "./time-literal.ts";

/** What GROUP BY may name beside time. */
export type TagDimension = Extract<
  Expression,
  { readonly kind: "variable" | "wildcard" | "regex" }
>;

export interface Grouping {
  readonly tags: readonly TagDimension[];
  readonly window: TimeWindow | undefined;
}

/** Throws `invalid` / `influxql_refused` for what nothing can be grouped by. */
export function checkGrouping(select: SelectStatement, constants: Constants): Grouping {
  const tags: TagDimension[] = [];
  let window: TimeWindow | undefined;
  for (const { expression } of select.groupBy) {
    const dimension = foldConstants(expression);
    switch (dimension.kind) {
      case "variable":
        if (dimension.name.toLowerCase() === "time")
          throw refused("time() is a function and expects at least one argument");
        tags.push(dimension);
        break;
      case "wildcard":
      case "regex":
        tags.push(dimension);
        break;
      case "call": {
        const found = windowOf(dimension, constants);
        if (window !== undefined && window.everyNs !== 0n)
          throw refused("multiple time dimensions not allowed");
        window = found;
        break;
      }
      default:
        throw refused("only time and tag dimensions allowed");
    }
  }
  // As in 1.x, what has no length is no window.
  return { tags, window: window !== undefined && window.everyNs > 0n ? window : undefined };
}

function windowOf(call: CallExpression, constants: Constants): TimeWindow {
  if (call.name !== "time") throw refused("only time() calls allowed in dimensions");
  const [every, offset] = call.arguments;
  if (every === undefined || call.arguments.length > 2)
    throw refused("time dimension expected 1 or 2 arguments");
  if (every.kind !== "duration") throw refused("time dimension must have duration argument");
  const everyNs = every.value;
  if (offset === undefined || everyNs === 0n) return { everyNs, offsetNs: 0n };
  return { everyNs, offsetNs: offsetOf(offset, constants) % everyNs };
}

function offsetOf(offset: Expression, { nowNs = 0n, zone }: Constants): bigint {
  switch (offset.kind) {
    case "duration":
    case "time":
      return offset.value;
    case "call":
      if (offset.name !== "now") throw refused("time dimension offset function must be now()");
      if (offset.arguments.length > 0)
        throw refused("time dimension offset now() function requires no arguments");
      return nowNs;
    case "string": {
      if (!looksLikeTime(offset.value)) break;
      const instant = timeLiteral(offset.value, zone);
      if (instant === undefined) throw refused("invalid timestamp string");
      throw refused(`invalid time dimension offset: '${offset.value}'`);
    }
    default:
  }
  throw refused("time dimension offset must be duration or now()");
}
