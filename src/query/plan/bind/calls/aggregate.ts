import type { AggregateCall, Expression, SortKey } from "#model/query/expression.ts";
import type { CallExpression, OrderItem, SqlExpression } from "../../../sql/ast.ts";
import { shown } from "../../../sql/errors.ts";
import { buildAggregate } from "../aggregates/aggregates.ts";
import type { Clause } from "../bind.ts";
import { planningError } from "../errors.ts";
import type { SelectCalls } from "./calls.ts";

/** What binding a call needs of the binder around it. */
export interface PartBinder {
  readonly calls: SelectCalls;
  /** Counts what it binds. */
  bind(expression: SqlExpression, clause: Clause): Expression;
  bindCondition(expression: SqlExpression, clause: Clause): Expression;
  bindOrder(item: OrderItem, clause: Clause): SortKey;
  text(expression: SqlExpression): string;
}

/** A call of an aggregate. Throws DbError `invalid` / `sql_planning`. */
export function bindAggregate(
  expression: CallExpression,
  clause: Clause,
  binder: PartBinder,
): Expression {
  if (!clause.aggregates) {
    throw planningError(
      `Aggregate functions are not allowed in ${clause.name}: ${shown(binder.text(expression))}`,
    );
  }
  const inner: Clause = { name: "the arguments of an aggregate", aggregates: false };
  const call = aggregateOf(expression, inner, binder);
  return binder.calls.addAggregate(call, () => binder.text(expression));
}

/** The aggregate that `expression` calls, its parts bound in `clause`. */
export function aggregateOf(
  expression: CallExpression,
  clause: Clause,
  binder: PartBinder,
): AggregateCall {
  const { name, star, distinct, withinGroup, nulls, filter, orderBy } = expression;
  const call = buildAggregate({
    name,
    operands: expression.arguments.map((argument) => binder.bind(argument, clause)),
    star,
    distinct,
    orderBy: orderBy.map((item) => binder.bindOrder(item, clause)),
    withinGroup,
    ignoreNulls: nulls === "ignore",
  });
  return filter === undefined ? call : { ...call, filter: binder.bindCondition(filter, clause) };
}
