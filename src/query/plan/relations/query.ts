import { DbError } from "#base/errors.ts";
import type { Expression } from "#model/query/expression.ts";
import type { Field, Plan } from "#model/query/plan.ts";
import type { ValueType } from "#model/query/value-type.ts";
import { expressionsOf, inputsOf, subqueriesOf } from "#model/query/walk.ts";
import type { CommonTable, Query, QueryBody, Values } from "../../sql/ast.ts";
import { shown, unsupported } from "../../sql/errors.ts";
import { coerce, commonType } from "../bind/coerce.ts";
import { planningError } from "../bind/errors.ts";
import { columnsOf, NO_RELATION, scopeOf } from "../bind/scope.ts";
import { binderFor, type CommonRows, depthOf, type Environment, type Rows } from "./environment.ts";
import { limited, orderedRows } from "./output.ts";
import { planSelect } from "./select.ts";
import { castTo, planSet } from "./set.ts";
import { aliased } from "./stored.ts";

/** Subqueries in expressions, each within the one before: the engine's time for them doubles with each. */
const SUBQUERY_DEPTH_MAX = 12;

/** The rows of a query. Throws as `planStatement`. */
export function planQuery(query: Query, around: Environment): Rows {
  if (depthOf(around.parent) > SUBQUERY_DEPTH_MAX) throw tooDeep();
  const environment = withCommons(query, around);
  const { body } = query;
  if (body.kind === "select") return planSelect(body, query, environment);
  const rows = planBody(body, environment);
  return limited(orderedRows(rows, query.orderBy, environment), query, environment);
}

function tooDeep(): DbError {
  return new DbError(
    "exceeded",
    "sql_too_deep",
    `The statement has more than ${SUBQUERY_DEPTH_MAX} subqueries within each other: split it or simplify it.`,
    { detail: { depthMax: SUBQUERY_DEPTH_MAX } },
  );
}

function planBody(body: QueryBody, environment: Environment): Rows {
  switch (body.kind) {
    case "select":
      return planSelect(body, { orderBy: [], limit: undefined, offset: undefined }, environment);
    case "query":
      return planQuery(body, environment);
    case "values":
      return planValues(body, environment);
    case "set": {
      const left = planBody(body.left, environment);
      return planSet(body, left, planBody(body.right, environment));
    }
  }
}

/** Rows of constants, whose columns are called column1, column2 … */
function planValues({ rows }: Values, environment: Environment): Rows {
  const binder = binderFor(scopeOf([], environment.parent), environment);
  const clause = { name: "VALUES", aggregates: false };
  const bound = rows.map((row) => row.map((cell) => binder.bind(cell, clause)));
  const [first = []] = bound;
  const uneven = bound.find((row) => row.length !== first.length);
  if (uneven !== undefined) {
    throw planningError(
      `Inconsistent data length across values list: got ${uneven.length} values in row ${bound.indexOf(uneven)} but expected ${first.length}`,
    );
  }
  const fields = first.map((_, index): Field => {
    const cells = bound.flatMap((row) => row[index] ?? []);
    const type = typeOfCells(cells);
    if (type === undefined)
      throw planningError(`Inconsistent data type across values list in column ${index}`);
    return { name: `column${index + 1}`, type };
  });
  const cells = bound.map((row) =>
    row.map((cell, index) => coerce(cell, fields[index]?.type ?? "null")),
  );
  const plan: Plan = { kind: "values", fields, rows: cells };
  return { plan, columns: columnsOf(fields, NO_RELATION) };
}

/** Texts that were written beside other values are read as those. */
function typeOfCells(cells: readonly Expression[]): ValueType | undefined {
  const others = cells.filter(({ type }) => type !== "string" && type !== "null");
  const written = cells.every(({ kind, type }) => type !== "string" || kind === "literal");
  return commonType(others.length > 0 && written ? others : cells, "int64");
}

/** `environment` with the tables of WITH, each of which may name those before it. */
function withCommons(query: Query, environment: Environment): Environment {
  if (query.with.length === 0) return environment;
  const commons = new Map(environment.commons);
  const own = new Set<string>();
  for (const table of query.with) {
    if (own.has(table.name)) {
      throw planningError(
        `WITH query name ${shown(JSON.stringify(table.name))} specified more than once`,
      );
    }
    own.add(table.name);
    const inside = { ...environment, commons: new Map(commons) };
    commons.set(table.name, planCommon(table, query.recursive, inside));
  }
  return { ...environment, commons };
}

function planCommon(table: CommonTable, recursive: boolean, environment: Environment): CommonRows {
  const depth = depthOf(environment.parent);
  const rows =
    (recursive ? planRecursive(table, environment) : undefined) ??
    environment.planQuery(table.query, environment);
  return { ...aliased(rows, table), depth };
}

/** A table that may name itself; undefined where it is no union, as it must be for that. */
function planRecursive(table: CommonTable, environment: Environment): Rows | undefined {
  const { body, limit, offset, orderBy, with: own } = table.query;
  if (body.kind !== "set" || body.operation !== "union" || own.length > 0) return undefined;
  const base = planBody(body.left, environment);
  const depth = depthOf(environment.parent);
  const id = environment.statement.nextRecursion();
  const { columns } = aliased(base, table);
  const fields = columns.map(({ field: { name, type } }) => ({ name, type }));
  const working: CommonRows = { plan: { kind: "working", fields, id }, columns, depth };
  const commons = new Map([...environment.commons, [table.name, working]]);
  const step = planBody(body.right, { ...environment, commons });
  if (!takesFrom(step.plan, id)) {
    const rows = orderedRows(planSet(body, base, step), orderBy, environment);
    return limited(rows, table.query, environment);
  }
  if (limit !== undefined || offset !== undefined || !("length" in orderBy) || orderBy.length > 0)
    throw unsupported("ORDER BY and LIMIT of a recursive WITH (put them into the query below it)");
  if (step.plan.fields.length !== fields.length) {
    throw planningError(
      `Non-recursive term and recursive term must have the same number of columns (${fields.length} != ${step.plan.fields.length})`,
    );
  }
  const plan: Plan = {
    kind: "recursive",
    fields,
    id,
    all: body.all,
    base: base.plan,
    step: castTo(step.plan, fields),
  };
  return { plan, columns: base.columns };
}

/** Whether the rows that recursion `id` gave last are in `plan`. */
function takesFrom(plan: Plan, id: number): boolean {
  if (plan.kind === "working") return plan.id === id;
  return [...inputsOf(plan), ...expressionsOf(plan).flatMap(subqueriesOf)].some((part) =>
    takesFrom(part, id),
  );
}
