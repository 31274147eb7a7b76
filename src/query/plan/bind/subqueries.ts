import type { Comparison, Expression } from "#model/query/expression.ts";
import type { Plan } from "#model/query/plan.ts";
import { typeText } from "#model/query/type-text.ts";
import { sameType } from "#model/query/value-type.ts";
import type { BinaryOperator, Query, SqlExpression } from "../../sql/ast.ts";
import { unsupported } from "../../sql/errors.ts";
import { coerce, commonType } from "./coerce.ts";
import { planningError } from "./errors.ts";
import { call } from "./operators.ts";
import type { Scope } from "./scope.ts";

/** The plan of `query`, in which names that it does not know are looked up in `scope`. */
export type SubqueryPlanner = (query: Query, scope: Scope) => Plan;

export type SubqueryKind = "in_query" | "exists" | "scalar_query" | "quantified";

const COMPARISONS: Partial<Record<BinaryOperator, Comparison>> = {
  "=": "equal",
  "!=": "not_equal",
  "<": "less",
  "<=": "less_equal",
  ">": "greater",
  ">=": "greater_equal",
};

/** A subquery in an expression; `bind` gives what it is compared with. Throws DbError `invalid` / `sql_planning`. */
export function subquery(
  expression: Extract<SqlExpression, { kind: SubqueryKind }>,
  plan: Plan,
  bind: (operand: SqlExpression) => Expression,
): Expression {
  switch (expression.kind) {
    case "scalar_query": {
      const { type } = onlyField(plan, "Scalar");
      return { kind: "subquery", form: "scalar", plan, type };
    }
    case "exists": {
      const exists = { kind: "subquery", form: "exists", plan, type: "boolean" } as const;
      return expression.negated ? call("not", [exists], "boolean") : exists;
    }
    case "in_query": {
      onlyField(plan, "InSubquery");
      const any = compared("equal", "any", bind(expression.operand), plan);
      return expression.negated ? call("not", [any], "boolean") : any;
    }
    case "quantified": {
      onlyField(plan, "SetComparison");
      const operator = COMPARISONS[expression.operator];
      if (operator === undefined)
        throw unsupported(`${expression.operator} ${expression.quantifier.toUpperCase()}`);
      return compared(operator, expression.quantifier, bind(expression.operand), plan);
    }
  }
}

function compared(
  operator: Comparison,
  quantifier: "any" | "all",
  operand: Expression,
  plan: Plan,
): Expression {
  const field = onlyField(plan, "InSubquery");
  const item: Expression = { kind: "input", index: 0, type: field.type };
  const common = commonType([operand, item], "float64");
  if (common === undefined) {
    throw planningError(
      `Can not find compatible types to compare ${typeText(operand.type)} with ${typeText(field.type)}`,
    );
  }
  // Engines compare values of a type: a bare NULL counts as a number that is missing.
  const type = common === "null" ? "int64" : common;
  const rows: Plan = sameType(field.type, type)
    ? plan
    : {
        kind: "project",
        fields: [{ name: field.name, type }],
        input: plan,
        expressions: [coerce(item, type)],
      };
  return {
    kind: "subquery",
    form: "compare",
    operator,
    quantifier,
    operand: coerce(operand, type),
    plan: rows,
    type: "boolean",
  };
}

function onlyField(plan: Plan, what: string) {
  const [field] = plan.fields;
  if (field !== undefined && plan.fields.length === 1) return field;
  throw planningError(
    `${what} subquery should only return one column, but found ${plan.fields.length}: ${plan.fields
      .map(({ name }) => name)
      .join(", ")}`,
  );
}
