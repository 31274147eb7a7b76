import type { AggregateCall, Expression, SortKey } from "#model/query/expression.ts";
import type { Field, Plan } from "#model/query/plan.ts";
import type { Query, Statement } from "../sql/ast.ts";
import { shown } from "../sql/errors.ts";
import { planningError } from "./bind/errors.ts";
import {
  type BoundSelect,
  bindSelect,
  type Grouping,
  type NamedExpression,
} from "./bind-select.ts";
import { plainSelect } from "./plain-select.ts";
import { planShow } from "./show.ts";
import { filtered, findSource, type PlanContext, type Source } from "./source.ts";
import { ExpressionNumbers, mapChildren, moveInputs } from "./tree.ts";

/**
 * The plan of a statement over the tables of `context`, with types, casts, and only what must be read.
 *
 * Throws DbError `invalid` with `table_not_found`, `column_not_found`, `function_not_found`, `parameter_not_found`, `cast_failed` or
 * `sql_planning`; `unsupported` / `sql_unsupported`; `exceeded` / `sql_too_complex`; and what `context.sources` throws.
 */
export function planStatement(statement: Statement, context: PlanContext): Plan {
  return statement.kind === "query" ? planQuery(statement, context) : planShow(statement, context);
}

/** The part of a SELECT above its rows or groups: all expressions are over the fields of `plan`. */
interface Upper {
  readonly plan: Plan;
  readonly items: readonly NamedExpression[];
  readonly keys: BoundSelect["keys"];
}

function planQuery(query: Query, context: PlanContext): Plan {
  const source = findSource(plainSelect(query).from, context);
  const select = bindSelect(query, source, context);
  const { grouping } = select;
  const upper =
    grouping === undefined ? planRows(select, source) : planGroups(select, grouping, source);
  return planOutput(upper, select);
}

function planRows(select: BoundSelect, source: Source): Upper {
  const expressions = [...select.items, ...select.keys].map(({ expression }) => expression);
  const { plan, places } = source.read(select.conjuncts, expressions);
  return moved(plan, select, (expression) => moveInputs(expression, places));
}

function planGroups(select: BoundSelect, grouping: Grouping, source: Source): Upper {
  const { groups, aggregates } = grouping;
  const needed = [
    ...groups.map(({ expression }) => expression),
    ...aggregates.flatMap((aggregate) => [
      ...aggregate.arguments,
      ...(aggregate.filter === undefined ? [] : [aggregate.filter]),
      ...(aggregate.orderBy ?? []).map(({ expression }) => expression),
    ]),
  ];
  const { plan: input, places } = source.read(select.conjuncts, needed);
  const move = (expression: Expression) => moveInputs(expression, places);
  const fields: Field[] = [
    ...groups.map(({ name, expression }) => ({ name, type: expression.type })),
    ...aggregates.map(({ text, type }) => ({ name: text, type })),
  ];
  const aggregate: Plan = {
    kind: "aggregate",
    fields,
    input,
    groups: groups.map(({ expression }) => move(expression)),
    aggregates: aggregates.map((call) => movedAggregate(call, move)),
  };
  const regroup = regrouping(grouping, source);
  const having = select.having === undefined ? [] : [regroup(select.having, "HAVING")];
  const items = select.items.map((item) => ({
    ...item,
    expression: regroup(item.expression, "SELECT"),
  }));
  const keys = select.keys.map((key) => ({
    ...key,
    expression: regroup(key.expression, "ORDER BY"),
  }));
  return { plan: filtered(aggregate, having), items, keys };
}

function moved(
  plan: Plan,
  select: BoundSelect,
  move: (expression: Expression) => Expression,
): Upper {
  const items = select.items.map((item) => ({ ...item, expression: move(item.expression) }));
  const keys = select.keys.map((key) => ({ ...key, expression: move(key.expression) }));
  return { plan, items, keys };
}

function movedAggregate(
  { name, arguments: operands, distinct, filter, orderBy, type }: AggregateCall,
  move: (expression: Expression) => Expression,
): AggregateCall {
  return {
    name,
    arguments: operands.map(move),
    distinct,
    ...(filter === undefined ? {} : { filter: move(filter) }),
    ...(orderBy === undefined ? {} : { orderBy: orderBy.map((key) => movedKey(key, move)) }),
    type,
  };
}

function movedKey(
  { expression, descending, nullsFirst }: SortKey,
  move: (expression: Expression) => Expression,
): SortKey {
  return { expression: move(expression), descending, nullsFirst };
}

/**
 * Puts groups and aggregates in place of the expressions that compute them. A column that is left is in no group:
 * DbError `invalid` / `sql_planning`.
 */
function regrouping(
  { groups, aggregates }: Grouping,
  source: Source,
): (expression: Expression, clause: string) => Expression {
  const numbers = new ExpressionNumbers();
  const places = new Map(
    groups.map(({ expression }, place) => [numbers.numberOf(expression), place]),
  );
  const regroup = (expression: Expression, clause: string): Expression => {
    const { type } = expression;
    const place = places.get(numbers.numberOf(expression));
    if (place !== undefined) return { kind: "input", index: place, type };
    if (expression.kind !== "input") {
      return mapChildren(expression, (child) => regroup(child, clause));
    }
    if (expression.index < 0) {
      return { kind: "input", index: groups.length - 1 - expression.index, type };
    }
    const { fields, qualifier } = source.scope;
    const column = [...qualifier, fields[expression.index]?.name ?? ""].join(".");
    const allowed = [...groups.map(({ name }) => name), ...aggregates.map(({ text }) => text)];
    throw planningError(
      `Column in ${clause} must be in GROUP BY or an aggregate function: While expanding wildcard, ` +
        `column "${shown(column)}" must appear in the GROUP BY clause or must be part of an aggregate function, ` +
        `currently only "${shown(allowed.join(", "))}" appears in the SELECT clause satisfies this requirement`,
      { detail: { column: shown(column) } },
    );
  };
  return regroup;
}

/** Computes the columns of the result, removes repeated rows, sorts and limits; columns only sorted by go last. */
function planOutput({ plan, items, keys }: Upper, select: BoundSelect): Plan {
  const { distinct } = select;
  const numbers = new ExpressionNumbers();
  const places = new Map<number, number>();
  for (const [place, { expression }] of items.entries()) {
    const number = numbers.numberOf(expression);
    if (!places.has(number)) places.set(number, place);
  }
  const hidden: NamedExpression[] = [];
  const sortKeys: SortKey[] = [];
  for (const { expression, text, descending, nullsFirst } of keys) {
    if (expression.kind === "literal") continue;
    const direct = overOutput(expression, numbers, places);
    if (direct === undefined && distinct) {
      throw planningError(
        `For SELECT DISTINCT, ORDER BY expressions ${shown(text)} must appear in select list`,
      );
    }
    const place = items.length + hidden.length;
    if (direct === undefined) hidden.push({ name: text, expression });
    const { type } = expression;
    const key = direct ?? { kind: "input", index: place, type };
    sortKeys.push({ expression: key, descending, nullsFirst });
  }
  let output = projected(plan, [...items, ...hidden]);
  if (distinct) output = distinctRows(output);
  if (sortKeys.length > 0) {
    output = { kind: "sort", fields: output.fields, input: output, keys: sortKeys };
  }
  output = limited(output, select);
  return hidden.length === 0 ? output : projected(output, outputColumns(items));
}

function outputColumns(items: readonly NamedExpression[]): readonly NamedExpression[] {
  return items.map(({ name, expression: { type } }, index) => ({
    name,
    expression: { kind: "input", index, type },
  }));
}

/** `expression` in terms of the columns of the result; undefined when it needs others. */
function overOutput(
  expression: Expression,
  numbers: ExpressionNumbers,
  places: ReadonlyMap<number, number>,
): Expression | undefined {
  let missing = false;
  const change = (part: Expression): Expression => {
    const index = places.get(numbers.numberOf(part));
    if (index !== undefined) return { kind: "input", index, type: part.type };
    if (part.kind === "input") missing = true;
    return mapChildren(part, change);
  };
  const changed = change(expression);
  return missing ? undefined : changed;
}

function projected(input: Plan, items: readonly NamedExpression[]): Plan {
  const fields = items.map(({ name, expression }) => ({ name, type: expression.type }));
  const same =
    items.length === input.fields.length &&
    items.every(
      ({ name, expression }, index) =>
        expression.kind === "input" &&
        expression.index === index &&
        input.fields[index]?.name === name,
    );
  if (same) return input;
  const expressions = items.map(({ expression }) => expression);
  // Without FROM the one row is made where it is needed.
  if (input.kind === "values" && input.fields.length === 0 && input.rows.length === 1) {
    return { kind: "values", fields, rows: [expressions] };
  }
  return { kind: "project", fields, input, expressions };
}

function distinctRows(input: Plan): Plan {
  const { fields } = input;
  const groups = fields.map(({ type }, index): Expression => ({ kind: "input", index, type }));
  return { kind: "aggregate", fields, input, groups, aggregates: [] };
}

function limited(input: Plan, { limit, offset }: BoundSelect): Plan {
  if (limit === undefined && offset === 0n) return input;
  const { fields } = input;
  return {
    kind: "limit",
    fields,
    input,
    ...(limit === undefined ? {} : { countMax: limit }),
    offset,
  };
}
