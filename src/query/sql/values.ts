import { DbError } from "#base/errors.ts";
import type { SqlExpression, Values } from "./ast.ts";
import { type Grammar, inParentheses } from "./grammar.ts";

/** How many values the rows of VALUES may have together. */
export const VALUES_COUNT_MAX = 100_000;

/** Reads VALUES and its rows. */
export function parseValues(grammar: Grammar): Values {
  const { cursor } = grammar;
  cursor.expectWord("values");
  let count = 0;
  const parseCell = (): SqlExpression => {
    count += 1;
    if (count > VALUES_COUNT_MAX) throw tooManyValues();
    const cell = grammar.expression();
    if (cell.kind === "literal") cursor.discountPart();
    return cell;
  };
  const rows = cursor.list(() => {
    cursor.acceptWord("row");
    return inParentheses(grammar, () => cursor.list(parseCell));
  });
  return { kind: "values", rows };
}

function tooManyValues(): DbError {
  return new DbError(
    "exceeded",
    "sql_too_complex",
    `VALUES holds at most ${VALUES_COUNT_MAX} values: write them to a table.`,
    { detail: { countMax: VALUES_COUNT_MAX } },
  );
}
