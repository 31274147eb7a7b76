import type { CallExpression, SqlExpression } from "../ast.ts";
import { unsupported } from "../errors.ts";
import { type Grammar, inParentheses } from "../grammar.ts";
import { parseSpecialCall } from "./special-call.ts";
import { acceptOrderBy, parseOver } from "./window.ts";

const PLAIN = {
  kind: "call",
  star: false,
  distinct: false,
  orderBy: [],
  withinGroup: false,
  filter: undefined,
  nulls: undefined,
  over: undefined,
} as const;

/** A call of a function with plain arguments. */
export function callOf(name: string, operands: readonly SqlExpression[]): CallExpression {
  return { ...PLAIN, name, arguments: operands };
}

/** Reads a call from its opening parenthesis on, with WITHIN GROUP, FILTER, IGNORE NULLS and OVER. */
export function parseCall(grammar: Grammar, name: string): CallExpression {
  const { cursor } = grammar;
  const call = inParentheses(grammar, (): CallExpression => {
    const special = parseSpecialCall(grammar, name);
    return special === undefined
      ? parseArguments(grammar, name)
      : callOf(special.name, special.arguments);
  });
  const within = cursor.acceptWord("within") ? parseWithin(grammar) : undefined;
  const filter = cursor.acceptWord("filter") ? parseFilter(grammar) : undefined;
  const nulls = acceptNulls(grammar);
  const over = cursor.acceptWord("over") ? parseOver(grammar) : undefined;
  if (within !== undefined && call.orderBy.length > 0) {
    throw unsupported("ORDER BY beside WITHIN GROUP");
  }
  return {
    ...call,
    orderBy: within ?? call.orderBy,
    withinGroup: within !== undefined,
    filter,
    nulls: nulls ?? call.nulls,
    over,
  };
}

function parseArguments(grammar: Grammar, name: string): CallExpression {
  const { cursor } = grammar;
  if (cursor.atSymbol(")")) return callOf(name, []);
  if (cursor.acceptSymbol("*")) return { ...callOf(name, []), star: true };
  const distinct = cursor.acceptOneOf("distinct", "all") === "distinct";
  const operands = cursor.list(() => parseArgument(grammar, name));
  const orderBy = acceptOrderBy(grammar);
  return { ...callOf(name, operands), distinct, orderBy, nulls: acceptNulls(grammar) };
}

/** `name => value`, `value AS name` in a struct, or a value. */
function parseArgument(grammar: Grammar, name: string): SqlExpression {
  const { cursor } = grammar;
  if (cursor.atName() && cursor.precedes("=>")) {
    const argument = cursor.take().text;
    cursor.expectSymbol("=>");
    return { kind: "named", name: argument, value: grammar.expression() };
  }
  const value = grammar.expression();
  if (name !== "struct" || !cursor.acceptWord("as")) return value;
  const label = cursor.token.kind === "string" ? cursor.take().text : cursor.expectAnyName();
  return { kind: "named", name: label, value };
}

function acceptNulls({ cursor }: Grammar): CallExpression["nulls"] {
  const nulls = cursor.acceptOneOf("respect", "ignore");
  if (nulls !== undefined) cursor.expectWord("nulls");
  return nulls;
}

function parseWithin(grammar: Grammar): CallExpression["orderBy"] {
  const { cursor } = grammar;
  cursor.expectWord("group");
  return inParentheses(grammar, () => {
    if (!cursor.atWord("order")) throw cursor.error("ORDER");
    return acceptOrderBy(grammar);
  });
}

function parseFilter(grammar: Grammar): SqlExpression {
  return inParentheses(grammar, () => {
    grammar.cursor.expectWord("where");
    return grammar.expression();
  });
}
