/** Subqueries within expressions as engine SQL. */
import type { Comparison, Expression, SubqueryExpression } from "#model/query/expression.ts";
import type { Names } from "./names.ts";

const OPERATORS: Readonly<Record<Comparison, string>> = {
  equal: "=",
  not_equal: "<>",
  less: "<",
  less_equal: "<=",
  greater: ">",
  greater_equal: ">=",
};

/** The engine's own are three-valued where they compare, and refuse a second row where one is expected. */
export function printSubquery(
  subquery: SubqueryExpression,
  names: Names,
  print: (part: Expression) => string,
): string {
  const select = names.subquery(subquery.plan);
  switch (subquery.form) {
    case "scalar":
      return `(${select})`;
    case "exists":
      return `(EXISTS (${select}))`;
    case "compare": {
      const quantifier = subquery.quantifier.toUpperCase();
      const operator = OPERATORS[subquery.operator];
      return `(${print(subquery.operand)} ${operator} ${quantifier} (${select}))`;
    }
  }
}
