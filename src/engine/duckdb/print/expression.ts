/** Expressions as engine SQL, with exactly the meaning that model/query/expression.ts gives them. */
import { DbError } from "#base/errors.ts";
import type { Expression } from "#model/query/expression.ts";
import type { ScalarFunction } from "#model/query/functions/scalar.ts";
import { printCast } from "./cast.ts";
import { BINARY } from "./functions/binary.ts";
import { CORE } from "./functions/core.ts";
import { NESTED } from "./functions/nested.ts";
import { NUMBER } from "./functions/number.ts";
import type { Printers } from "./functions/printer.ts";
import { TEXT } from "./functions/text.ts";
import { TIME } from "./functions/time.ts";
import { printLiteral } from "./literal.ts";
import type { Names } from "./names.ts";
import { printSubquery } from "./subquery.ts";

const PRINTERS: Printers<ScalarFunction> = {
  ...CORE,
  ...TEXT,
  ...BINARY,
  ...NUMBER,
  ...TIME,
  ...NESTED,
};

/** The most characters of an expression; nested functions that print an argument twice grow fast. */
export const EXPRESSION_SIZE_MAX = 4_000_000;

/** Throws `exceeded` / `expression_size` when the text grows beyond EXPRESSION_SIZE_MAX, or that of the plan beyond its own bound. */
export function printExpression(expression: Expression, names: Names): string {
  const text = printPart(expression, names);
  names.count(text);
  return text;
}

function printPart(expression: Expression, names: Names): string {
  const text = printKind(expression, names);
  if (text.length <= EXPRESSION_SIZE_MAX) return text;
  throw new DbError("exceeded", "expression_size", "an expression of the query is too large", {
    detail: { sizeMax: EXPRESSION_SIZE_MAX },
  });
}

function printKind(expression: Expression, names: Names): string {
  const print = (part: Expression) => printPart(part, names);
  switch (expression.kind) {
    case "input":
      return names.input(expression.index);
    case "outer":
      return names.outer(expression.level, expression.index);
    case "subquery":
      return printSubquery(expression, names, print);
    case "literal":
      return printLiteral(expression.value, expression.type);
    case "call":
      return PRINTERS[expression.name](expression.arguments.map(print), expression);
    case "cast": {
      const { operand, safe, type } = expression;
      return printCast({ operand: print(operand), source: operand.type, target: type, safe });
    }
    case "case": {
      const branches = expression.branches.map(
        ({ when, result }) => `WHEN ${print(when)} THEN ${print(result)}`,
      );
      return `(CASE ${branches.join(" ")} ELSE ${print(expression.otherwise)} END)`;
    }
    case "in": {
      if (expression.list.length === 0) return "FALSE";
      return `(${print(expression.operand)} IN (${expression.list.map(print).join(", ")}))`;
    }
  }
}
