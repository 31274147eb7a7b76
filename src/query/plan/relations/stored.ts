/** The tables that a name can mean: of WITH, of the database, and those that it makes up about itself. */
import { DbError } from "#base/errors.ts";
import type { Field, Plan } from "#model/query/plan.ts";
import { typeOfColumn } from "#model/query/value-type.ts";
import type { TableSchema } from "#model/schema.ts";
import type { TimeRange } from "#model/time-range.ts";
import type { TableAlias } from "../../sql/ast.ts";
import { shown } from "../../sql/errors.ts";
import { planningError } from "../bind/errors.ts";
import { literal } from "../bind/fold.ts";
import { nearestNames } from "../bind/nearest.ts";
import { columnsOf, type Relation } from "../bind/scope.ts";
import {
  CATALOG_NAME,
  INFORMATION_SCHEMA_NAME,
  SCHEMA_NAME,
  SYSTEM_SCHEMA_NAME,
  type SystemTable,
} from "../context.ts";
import { deepened } from "../moving.ts";
import { depthOf, type Environment, type Rows } from "./environment.ts";

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
  { context, findInformationTable, statement }: Environment,
): Rows | undefined {
  const name = relation.path.at(-1) ?? "";
  if (schemaName === SYSTEM_SCHEMA_NAME || schemaName === INFORMATION_SCHEMA_NAME) {
    const system =
      schemaName === SYSTEM_SCHEMA_NAME
        ? context.findSystemTable(name)
        : findInformationTable(name);
    const plan = system && systemPlan(system);
    return plan && { plan, columns: columnsOf(plan.fields, relation) };
  }
  const table = schemaName === SCHEMA_NAME ? context.findTable(name) : undefined;
  if (table === undefined) return undefined;
  statement.tables.set(table.id, table);
  const plan = scanOf(table, context.kept(table));
  return { plan, columns: columnsOf(plan.fields, relation) };
}

export function systemPlan({ fields, rows }: SystemTable): Plan {
  return {
    kind: "values",
    fields,
    rows: rows.map((row) => fields.map((field, index) => literal(row[index] ?? null, field.type))),
  };
}

/** All columns of a table. Its sources come last, when the time is known. */
function scanOf(table: TableSchema, time: TimeRange): Plan {
  return {
    kind: "scan",
    fields: columnFields(table),
    tableId: table.id,
    tags: table.columns.filter(({ kind }) => kind === "tag").map(({ id, kind }) => ({ id, kind })),
    columns: inOrder(table).map(({ id, kind }) => ({ id, kind })),
    time,
    groups: [],
  };
}

/** The columns of a table in the order of `*`. */
export function columnFields(table: TableSchema | undefined): readonly Field[] {
  if (table === undefined) return [];
  return inOrder(table).map(({ name, kind }) => ({
    name,
    type: typeOfColumn(kind),
    column: kind,
  }));
}

function inOrder({ columns }: TableSchema): TableSchema["columns"] {
  return columns.toSorted((left, right) => (left.name < right.name ? -1 : 1));
}
