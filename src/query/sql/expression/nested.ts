import type { SqlExpression } from "../ast.ts";
import type { Grammar } from "../grammar.ts";
import { callOf } from "./call.ts";

/** Reads `[1, 2]` from its bracket on. */
export function parseListLiteral(grammar: Grammar): SqlExpression {
  const { cursor } = grammar;
  cursor.expectSymbol("[");
  const items = cursor.atSymbol("]") ? [] : cursor.list(() => grammar.expression());
  cursor.expectSymbol("]");
  return callOf("make_array", items);
}

/** Reads `{name: 1, 'other': 2}` from its brace on. */
export function parseStructLiteral(grammar: Grammar): SqlExpression {
  const members = parseBraces(grammar, (): SqlExpression => {
    const { cursor } = grammar;
    const text = cursor.token.kind === "string" ? cursor.take().text : cursor.expectAnyName();
    return { kind: "literal", value: text };
  });
  return callOf("named_struct", members.flat());
}

/** Reads `{key: value}` of a map from its brace on. */
export function parseMapLiteral(grammar: Grammar): SqlExpression {
  const entries = parseBraces(grammar, () => grammar.expression());
  const keys = entries.map(([key]) => key);
  const values = entries.map(([, value]) => value);
  return callOf("map", [callOf("make_array", keys), callOf("make_array", values)]);
}

/**
 * Reads the postfix `[…]` of `operand`: an index, or a slice whose bounds may be missing.
 */
export function parseSubscript(grammar: Grammar, operand: SqlExpression): SqlExpression {
  const { cursor } = grammar;
  cursor.expectSymbol("[");
  const from = cursor.atSymbol(":") ? undefined : grammar.expression();
  if (from !== undefined && cursor.acceptSymbol("]"))
    return { kind: "index", operand, index: from };
  cursor.expectSymbol(":");
  const to = atBoundEnd(grammar) ? undefined : grammar.expression();
  const step = cursor.acceptSymbol(":") ? grammar.expression() : undefined;
  cursor.expectSymbol("]");
  return { kind: "slice", operand, from, to, step };
}

function atBoundEnd({ cursor }: Grammar): boolean {
  return cursor.atSymbol(":", "]");
}

function parseBraces<Key>(
  { cursor, expression }: Grammar,
  parseKey: () => Key,
): (readonly [Key, SqlExpression])[] {
  cursor.expectSymbol("{");
  const entries = cursor.atSymbol("}")
    ? []
    : cursor.list((): readonly [Key, SqlExpression] => {
        const key = parseKey();
        cursor.expectSymbol(":");
        return [key, expression()];
      });
  cursor.expectSymbol("}");
  return entries;
}
