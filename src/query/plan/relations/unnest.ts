import type { Expression } from "#model/query/expression.ts";
import type { Field, Plan } from "#model/query/plan.ts";
import type { ValueType } from "#model/query/value-type.ts";
import type { SqlExpression, TableReference } from "../../sql/ast.ts";
import { shown, unsupported } from "../../sql/errors.ts";
import { literal } from "../bind/fold.ts";
import { SERIES_TABLES } from "../bind/functions/nested/series.ts";
import { call } from "../bind/operators.ts";
import { columnsOf, NO_RELATION, scopeOf } from "../bind/scope.ts";
import { type UnnestedList, Unnests } from "../bind/unnests.ts";
import { binderFor, type Environment, type Rows } from "./environment.ts";

const ONE_ROW: Plan = { kind: "values", fields: [], rows: [[]] };

/** `input` with the items of each of `lists` at its end, level by level: lists of one level become rows together. */
export function unnestedRows(input: Plan, lists: readonly UnnestedList[]): Plan {
  const columnCount = input.fields.length;
  const highest = Math.max(0, ...lists.map(({ level }) => level));
  let plan = input;
  for (let level = 1; level <= highest; level += 1) {
    const own = plan.fields.slice(0, columnCount).map(({ type }, index) => inputAt(index, type));
    const ends = lists.map((one, place): Expression => {
      if (one.level > level) return literal(null, "null");
      const { type } = one.list;
      return one.level === level ? one.list : inputAt(columnCount + place, itemOf(type));
    });
    plan = levelOf(plan, [...own, ...ends], (index) => lists[index - columnCount]?.level === level);
  }
  return plan;
}

function levelOf(
  input: Plan,
  expressions: readonly Expression[],
  unnests: (index: number) => boolean,
): Plan {
  const fields = expressions.map(({ type }, index): Field => {
    return { name: "", ...input.fields[index], type };
  });
  const project: Plan = { kind: "project", fields, input, expressions };
  return {
    kind: "unnest",
    fields: fields.map((field, index) =>
      unnests(index) ? { ...field, type: itemOf(field.type) } : field,
    ),
    input: project,
    columns: fields.flatMap((_, index) => (unnests(index) ? index : [])),
    keepEmpty: false,
  };
}

function inputAt(index: number, type: ValueType): Expression {
  return { kind: "input", index, type };
}

function itemOf(type: ValueType): ValueType {
  return typeof type === "object" && type.kind === "list" ? type.item : "null";
}

/** UNNEST in FROM: a column for each list, and of a struct one for each member. */
export function unnestRows(
  { lists }: Extract<TableReference, { kind: "unnest" }>,
  environment: Environment,
): Rows {
  const scope = scopeOf([], environment.parent);
  const binder = binderFor(scope, environment);
  const unnests = new Unnests(0);
  const columns = lists.flatMap((list) => {
    const bound = binder.bind(list, { name: "UNNEST", aggregates: false });
    const text = binder.text(list);
    return (
      membersOf(text, bound) ?? [{ name: `UNNEST(${text})`, expression: unnests.itemOf(bound) }]
    );
  });
  return rowsOf(unnestedRows(ONE_ROW, unnests.lists), columns);
}

/** The members of a struct as columns; undefined for what is none. */
export function membersOf(text: string, expression: Expression) {
  const { type } = expression;
  if (typeof type !== "object" || type.kind !== "struct") return undefined;
  return type.members.map((member, index) => ({
    name: `__unnest_placeholder(${text}).${member.name}`,
    expression: call("struct_member", [expression, literal(BigInt(index), "int64")], member.type),
  }));
}

/** `generate_series(…)` and `range(…)` in FROM: one column `value`. */
export function seriesRows(
  { name, arguments: operands }: Extract<TableReference, { kind: "table_function" }>,
  environment: Environment,
): Rows {
  const builder = Object.hasOwn(SERIES_TABLES, name) ? SERIES_TABLES[name] : undefined;
  if (builder === undefined) throw unsupported(`table function ${shown(name)}`);
  const binder = binderFor(scopeOf([], environment.parent), environment);
  const bound = operands.map((operand: SqlExpression) =>
    binder.bind(operand, { name: "FROM", aggregates: false }),
  );
  const unnests = new Unnests(0);
  const list = builder(bound, { name, nowNs: environment.context.nowNs });
  const columns = [{ name: "value", expression: unnests.itemOf(list) }];
  return rowsOf(unnestedRows(ONE_ROW, unnests.lists), columns);
}

function rowsOf(
  input: Plan,
  columns: readonly { readonly name: string; readonly expression: Expression }[],
): Rows {
  const fields = columns.map(({ name, expression }): Field => ({ name, type: expression.type }));
  const expressions = columns.map(({ expression }) => expression);
  const plan: Plan = { kind: "project", fields, input, expressions };
  return { plan, columns: columnsOf(fields, NO_RELATION) };
}
