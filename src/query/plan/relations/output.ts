import type { Expression, SortKey } from "#model/query/expression.ts";
import type { Field, Plan } from "#model/query/plan.ts";
import { typeText } from "#model/query/type-text.ts";
import { isInteger } from "#model/query/value-type.ts";
import type { OrderBy, OrderItem, SqlExpression } from "../../sql/ast.ts";
import { shown } from "../../sql/errors.ts";
import type { Binder } from "../bind/bind.ts";
import { planningError } from "../bind/errors.ts";
import { constantOf } from "../bind/fold.ts";
import { type ScopeColumn, scopeOf } from "../bind/scope.ts";
import { hasSubquery } from "../moving.ts";
import { ExpressionNumbers, mapChildren } from "../tree.ts";
import { binderFor, type Environment, type Rows } from "./environment.ts";
import { type Item, type NamedExpression, outputsOf, positionOf } from "./items.ts";
import type { Tail, Upper } from "./select.ts";

/** A key of ORDER BY and its text. */
export interface Key extends SortKey {
  readonly text: string;
}

/** The keys of ORDER BY; names of the result come before those of the tables. */
export function bindKeys(
  orderBy: OrderBy,
  binder: Binder,
  items: readonly Item[],
  first: ReadonlyMap<string, Expression>,
): readonly Key[] {
  if ("length" in orderBy) return orderBy.map((item) => bindKey(item, binder, items, first));
  const { descending, nullsFirst } = orderBy;
  return items.map(({ name, expression }) => ({
    expression: binder.use(expression),
    descending,
    nullsFirst,
    text: name,
  }));
}

/** A whole number is a position in the SELECT list. */
function bindKey(
  item: OrderItem,
  binder: Binder,
  items: readonly Item[],
  first: ReadonlyMap<string, Expression>,
): Key {
  const { descending, nullsFirst } = item;
  const position = positionOf(item.expression);
  const text = binder.text(item.expression);
  if (position === undefined) {
    return {
      ...binder.bindOrder(item, { name: "ORDER BY", aggregates: true, windows: true, first }),
      text,
    };
  }
  const expression = items[position - 1]?.expression;
  if (expression !== undefined) {
    return { expression: binder.use(expression), descending, nullsFirst, text };
  }
  throw planningError(
    `Order by column out of bounds, specified: ${position}, max: ${items.length}`,
  );
}

/** `rows`, of VALUES or a set operation, in the order of `orderBy`, which names their columns. */
export function orderedRows(rows: Rows, orderBy: OrderBy, environment: Environment): Rows {
  if ("length" in orderBy && orderBy.length === 0) return rows;
  const { columns, plan } = rows;
  const binder = binderFor(scopeOf(columns, environment.parent), environment);
  const items = columns.map(
    ({ field: { name, type }, relation }, index): Item => ({
      name,
      expression: { kind: "input", index, type },
      relation,
    }),
  );
  const keys = bindKeys(orderBy, binder, items, outputsOf(items));
  return { columns, plan: sorted(plan, keys) };
}

/** The columns of a SELECT, sorted, and what takes those away again that are only sorted by. */
export interface Output {
  readonly output: Rows;
  readonly visible: (rows: Rows) => Rows;
}

/** Computes the columns of the result, removes repeated rows and sorts; columns only sorted by go last. */
export function planOutput({ plan, items, keys, on }: Upper, distinct: boolean): Output {
  const numbers = new ExpressionNumbers();
  const places = new Map<number, number>();
  for (const [place, { expression }] of items.entries()) {
    const number = numbers.numberOf(expression);
    if (!places.has(number)) places.set(number, place);
  }
  const hidden: NamedExpression[] = [];
  const placed = (text: string, expression: Expression): Expression => {
    const direct = overOutput(expression, numbers, places);
    if (direct !== undefined) return direct;
    if (distinct) {
      throw planningError(
        `For SELECT DISTINCT, ORDER BY expressions ${shown(text)} must appear in select list`,
      );
    }
    const index = items.length + hidden.length;
    hidden.push({ name: text, expression });
    places.set(numbers.numberOf(expression), index);
    return { kind: "input", index, type: expression.type };
  };
  const sortKeys = keys
    .filter(({ expression }) => expression.kind !== "literal")
    .map(({ expression, text, descending, nullsFirst }): SortKey => {
      return { expression: placed(text, expression), descending, nullsFirst };
    });
  const onKeys = on.map((expression) => placed("DISTINCT ON", expression));
  checkOn(onKeys, sortKeys, numbers);
  let output = projected(plan, [...items, ...hidden]);
  if (distinct) output = distinctRows(output);
  output = sorted(output, sortKeys);
  if (onKeys.length > 0)
    output = { kind: "distinct_on", fields: output.fields, input: output, keys: onKeys };
  const columns = items.map(({ relation }, index): ScopeColumn => {
    return { field: output.fields[index] ?? { name: "", type: "null" }, relation, bare: true };
  });
  const visible = (rows: Rows): Rows =>
    hidden.length === 0 ? rows : { ...rows, plan: projected(rows.plan, outputColumns(items)) };
  return { output: { plan: output, columns }, visible };
}

/** The first row of each is the first in an order that begins with what makes them equal. */
function checkOn(
  on: readonly Expression[],
  keys: readonly SortKey[],
  numbers: ExpressionNumbers,
): void {
  const wanted = new Set(on.map((expression) => numbers.numberOf(expression)));
  const first = keys.slice(0, wanted.size);
  if (first.every(({ expression }) => wanted.has(numbers.numberOf(expression)))) return;
  throw planningError("SELECT DISTINCT ON expressions must match initial ORDER BY expressions");
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
    if (part.kind === "input" || part.kind === "subquery") missing = true;
    return mapChildren(part, change);
  };
  const changed = change(expression);
  return missing ? undefined : changed;
}

/** The rows of `input` as `items`, which name its fields. */
function projected(input: Plan, items: readonly NamedExpression[]): Plan {
  const fields = items.map(({ name, expression }): Field => {
    const column = expression.kind === "input" ? input.fields[expression.index]?.column : undefined;
    return { name, type: expression.type, ...(column === undefined ? {} : { column }) };
  });
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

function sorted(input: Plan, keys: readonly SortKey[]): Plan {
  if (keys.length === 0) return input;
  return {
    kind: "sort",
    fields: input.fields,
    input,
    keys: keys.map(({ expression, descending, nullsFirst }) => {
      return { expression, descending, nullsFirst };
    }),
  };
}

/** The rows that LIMIT and OFFSET leave. */
export function limited(
  { columns, plan }: Rows,
  { limit, offset }: Pick<Tail, "limit" | "offset">,
  environment: Environment,
): Rows {
  if (limit === undefined && offset === undefined) return { columns, plan };
  const binder = binderFor(scopeOf([], undefined), environment);
  const countMax = bindCount(limit, "LIMIT", binder);
  const skipped = bindCount(offset, "OFFSET", binder) ?? 0n;
  if (countMax === undefined && skipped === 0n) return { columns, plan };
  const count = countMax === undefined ? {} : { countMax };
  return {
    columns,
    plan: { kind: "limit", fields: plan.fields, input: plan, ...count, offset: skipped },
  };
}

/** How many rows LIMIT or OFFSET says: a constant of 0 or more; NULL is none. */
function bindCount(
  expression: SqlExpression | undefined,
  clause: "LIMIT" | "OFFSET",
  binder: Binder,
): bigint | undefined {
  if (expression === undefined) return undefined;
  const bound = binder.bind(expression, { name: clause, aggregates: false });
  const constant = hasSubquery(bound) ? undefined : constantOf(bound);
  if (constant === undefined) throw planningError(`${clause} must be a constant number`);
  const { value } = constant;
  if (value === null) return undefined;
  if (typeof value !== "bigint" || !isInteger(bound.type)) {
    throw planningError(
      `Expected ${clause} to be an integer or null, but got ${typeText(bound.type)}`,
    );
  }
  if (value >= 0n) return value;
  throw clause === "LIMIT"
    ? planningError(`LIMIT must be >= 0, '${value}' was provided`)
    : planningError(`OFFSET must be >=0, '${value}' was provided`, {
        stage: "Optimizer rule 'push_down_limit' failed",
      });
}
