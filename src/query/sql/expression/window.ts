import { parseIntervalText } from "#model/time/interval-text.ts";
import type { OrderItem, SqlExpression, SqlFrame, SqlFrameBound, WindowSpec } from "../ast.ts";
import { type Grammar, inParentheses } from "../grammar.ts";
import { PRECEDENCE } from "./precedence.ts";

/** Reads what stands behind OVER: a window's name, or what it is in parentheses. */
export function parseOver(grammar: Grammar): string | WindowSpec {
  return grammar.cursor.atSymbol("(") ? parseWindow(grammar) : grammar.cursor.expectName();
}

/** Reads `([base] [PARTITION BY …] [ORDER BY …] [frame])`. */
export function parseWindow(grammar: Grammar): WindowSpec {
  const { cursor } = grammar;
  return inParentheses(grammar, () => {
    const base = atBase(grammar) ? cursor.take().text : undefined;
    const partitioned = cursor.acceptWord("partition");
    if (partitioned) cursor.expectWord("by");
    const partitionBy = partitioned ? cursor.list(() => grammar.expression()) : [];
    const orderBy = acceptOrderBy(grammar);
    const unit = cursor.acceptOneOf("rows", "range", "groups");
    const frame = unit === undefined ? undefined : parseFrame(grammar, unit);
    return { base, partitionBy, orderBy, frame };
  });
}

/** Takes ORDER BY with its items if it comes next. */
export function acceptOrderBy(grammar: Grammar): OrderItem[] {
  const { cursor } = grammar;
  if (!cursor.acceptWord("order")) return [];
  cursor.expectWord("by");
  return cursor.list(() => parseOrderItem(grammar));
}

/** Reads `expression [ASC|DESC] [NULLS FIRST|LAST]`. */
function parseOrderItem(grammar: Grammar): OrderItem {
  return { expression: grammar.expression(), ...parseDirection(grammar) };
}

/** Reads `[ASC|DESC] [NULLS FIRST|LAST]`; NULLs come last, with DESC first, when nothing is said. */
export function parseDirection({ cursor }: Grammar): Omit<OrderItem, "expression"> {
  const descending = cursor.acceptOneOf("asc", "desc") === "desc";
  if (!cursor.acceptWord("nulls")) return { descending, nullsFirst: descending };
  const nullsFirst = cursor.acceptWord("first");
  if (!nullsFirst) cursor.expectWord("last");
  return { descending, nullsFirst };
}

/** Words of a window that a name would hide. */
const OWN_WORDS = ["partition", "order", "rows", "range", "groups"];

function atBase({ cursor }: Grammar): boolean {
  return cursor.atName() && !cursor.atWord(...OWN_WORDS);
}

function parseFrame(grammar: Grammar, unit: SqlFrame["unit"]): SqlFrame {
  const { cursor } = grammar;
  if (!cursor.acceptWord("between")) {
    return { unit, start: parseBound(grammar), end: { kind: "current_row" } };
  }
  const start = parseBound(grammar);
  cursor.expectWord("and");
  return { unit, start, end: parseBound(grammar) };
}

function parseBound(grammar: Grammar): SqlFrameBound {
  const { cursor } = grammar;
  if (cursor.acceptWord("current")) {
    cursor.expectWord("row");
    return { kind: "current_row" };
  }
  const offset = cursor.acceptWord("unbounded") ? undefined : parseOffset(grammar);
  const side = cursor.acceptOneOf("preceding", "following");
  if (side === undefined) throw cursor.error("PRECEDING or FOLLOWING");
  return offset === undefined ? { kind: `unbounded_${side}` } : { kind: side, offset };
}

/** Text alone is an interval. */
function parseOffset(grammar: Grammar): SqlExpression {
  const { cursor } = grammar;
  const { token } = cursor;
  // Above AND, which joins the two bounds.
  const offset = grammar.expression(PRECEDENCE.compare);
  if (offset.kind !== "literal" || typeof offset.value !== "string") return offset;
  const value = parseIntervalText(offset.value);
  if (value === undefined) throw cursor.error("an interval such as '1 hour 30 minutes'", token);
  return { kind: "literal", value };
}
