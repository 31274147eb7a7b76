import { DbError } from "#base/errors.ts";
import type { Field, Plan } from "#model/query/plan.ts";
import { typeOfColumn } from "#model/query/value-type.ts";
import type { TableSchema } from "#model/schema.ts";
import type { TimeRange } from "#model/time-range.ts";
import type { TableAlias, TableReference } from "../../sql/ast.ts";
import { shown } from "../../sql/errors.ts";
import { planningError } from "../bind/errors.ts";
import { literal } from "../bind/fold.ts";
import { nearestNames } from "../bind/nearest.ts";
import { columnsOf, type Relation, scopeOf } from "../bind/scope.ts";
import { CATALOG_NAME, SCHEMA_NAME, type SystemTable } from "../context.ts";
import { collectOuter, deepened } from "../moving.ts";
import { depthOf, type Environment, type Rows } from "./environment.ts";
import { type Joining, joined } from "./join.ts";
import { seriesRows, unnestRows } from "./unnest.ts";

const SYSTEM_SCHEMA_NAME = "system";

/** SELECT without FROM: one row of no columns. */
const NOTHING: Rows = { plan: { kind: "values", fields: [], rows: [[]] }, columns: [] };

/** What FROM names, one after the other. Throws as `planStatement`. */
export function planFrom(from: readonly TableReference[], environment: Environment): Rows {
  let rows: Rows | undefined;
  for (const reference of from) {
    rows =
      rows === undefined
        ? planReference(reference, environment)
        : planPair({ join: "cross", left: rows }, reference, environment);
  }
  return rows ?? NOTHING;
}

function planReference(reference: TableReference, environment: Environment): Rows {
  switch (reference.kind) {
    case "table":
      return findTable(reference.name, reference.alias, environment);
    case "subquery": {
      const rows = environment.planQuery(reference.query, environment);
      return reference.alias === undefined ? rows : aliased(rows, reference.alias);
    }
    case "join": {
      const left = planReference(reference.left, environment);
      return planPair({ ...reference, left }, reference.right, environment);
    }
    case "table_function":
    case "unnest": {
      const rows =
        reference.kind === "unnest"
          ? unnestRows(reference, environment)
          : seriesRows(reference, environment);
      return reference.alias === undefined ? rows : aliased(rows, reference.alias);
    }
  }
}

/** A join whose right side is still a name; one that names rows of the left side is planned among their columns. */
function planPair(
  pairing: Omit<Joining, "right" | "lateral">,
  reference: TableReference,
  environment: Environment,
): Rows {
  if (!mayNameLeft(reference)) {
    const right = planReference(reference, environment);
    return joined({ ...pairing, right, lateral: false }, environment);
  }
  const parent = scopeOf(pairing.left.columns, environment.parent);
  const rows = planReference(reference, { ...environment, parent });
  const named = new Set<number>();
  collectOuter(rows.plan, named);
  const lateral = named.size > 0;
  const plan = lateral ? rows.plan : deepened(rows.plan, -1);
  return joined({ ...pairing, right: { ...rows, plan }, lateral }, environment);
}

/** UNNEST needs no word to name the tables before it. */
function mayNameLeft(reference: TableReference): boolean {
  return reference.kind === "unnest" || ("lateral" in reference && reference.lateral);
}

/** `rows` under one name; columns that have the same name are told apart by a number. Throws DbError `invalid` / `sql_planning`. */
export function aliased(rows: Rows, { name, columns }: TableAlias): Rows {
  const { plan } = rows;
  if (columns.length > 0 && columns.length !== plan.fields.length) {
    throw planningError(
      `Source table contains ${plan.fields.length} columns but only ${columns.length} names given as column alias`,
    );
  }
  const counts = new Map<string, number>();
  const fields = plan.fields.map((field, index): Field => {
    const own = columns[index] ?? field.name;
    const count = counts.get(own) ?? 0;
    counts.set(own, count + 1);
    return { ...field, name: count === 0 ? own : `${own}:${count}` };
  });
  return { plan, columns: columnsOf(fields, { qualifier: [name], path: [name] }) };
}

/** Throws DbError `invalid` / `table_not_found` with the `nearest` names. */
export function findTable(
  parts: readonly string[],
  alias: TableAlias | undefined,
  environment: Environment,
): Rows {
  const [name = "", schemaName, catalogName = CATALOG_NAME] = parts.toReversed();
  const path = [catalogName, schemaName ?? SCHEMA_NAME, name];
  const found =
    commonRows(parts, environment) ??
    (catalogName === CATALOG_NAME
      ? storedRows(schemaName ?? SCHEMA_NAME, { qualifier: parts, path }, environment)
      : undefined);
  if (found !== undefined) return alias === undefined ? found : aliased(found, alias);
  const nearest = nearestNames(name, environment.context.tableNames()).join(", ");
  const text = shown(path.join("."));
  throw new DbError(
    "invalid",
    "table_not_found",
    `Error during planning: table '${text}' not found`,
    { detail: { table: text, nearest } },
  );
}

function commonRows(parts: readonly string[], environment: Environment): Rows | undefined {
  const [name = "", ...more] = parts;
  const common = more.length > 0 ? undefined : environment.commons.get(name);
  if (common === undefined) return undefined;
  environment.statement.useCommon(common.plan);
  const plan = deepened(common.plan, depthOf(environment.parent) - common.depth);
  return { plan, columns: common.columns };
}

/** A table of the database, or one that it makes up. */
function storedRows(
  schemaName: string,
  relation: Relation,
  { context, statement }: Environment,
): Rows | undefined {
  const name = relation.path.at(-1) ?? "";
  if (schemaName === SYSTEM_SCHEMA_NAME) {
    const system = context.findSystemTable(name);
    return system && systemRows(system, relation);
  }
  const table = schemaName === SCHEMA_NAME ? context.findTable(name) : undefined;
  if (table === undefined) return undefined;
  statement.tables.set(table.id, table);
  const plan = scanOf(table, context.kept(table));
  return { plan, columns: columnsOf(plan.fields, relation) };
}

function systemRows({ fields, rows }: SystemTable, relation: Relation): Rows {
  const plan: Plan = {
    kind: "values",
    fields,
    rows: rows.map((row) => fields.map((field, index) => literal(row[index] ?? null, field.type))),
  };
  return { plan, columns: columnsOf(fields, relation) };
}

/** All columns of a table, in order of their names, which is that of `*`. Its sources come last, when the time is known. */
function scanOf(table: TableSchema, time: TimeRange): Plan {
  const columns = table.columns.toSorted((left, right) => (left.name < right.name ? -1 : 1));
  return {
    kind: "scan",
    fields: columns.map(({ name, kind }) => ({ name, type: typeOfColumn(kind), column: kind })),
    tableId: table.id,
    tags: table.columns.filter(({ kind }) => kind === "tag").map(({ id, kind }) => ({ id, kind })),
    columns: columns.map(({ id, kind }) => ({ id, kind })),
    time,
    groups: [],
  };
}
