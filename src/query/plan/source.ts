import { DbError } from "#base/errors.ts";
import type { Expression, LiteralValue } from "#model/query/expression.ts";
import type { Field, Plan, SourceGroup } from "#model/query/plan.ts";
import { typeOfColumn } from "#model/query/value-type.ts";
import type { ColumnSchema, TableSchema } from "#model/schema.ts";
import { intersection, type TimeRange } from "#model/time-range.ts";
import type { TableReference } from "../sql/ast.ts";
import { shown } from "../sql/errors.ts";
import type { BindContext } from "./bind/bind.ts";
import { literal } from "./bind/fold.ts";
import { nearestNames } from "./bind/nearest.ts";
import { call } from "./bind/operators.ts";
import { type Scope, scopeOf } from "./bind/scope.ts";
import { pushDown } from "./pushdown.ts";
import { collectInputs, moveInputs } from "./tree.ts";

/** What a plan is made from: one view of the tables, and the values of the statement. */
export interface PlanContext extends BindContext {
  /** A table of the database. */
  findTable(name: string): TableSchema | undefined;
  findSystemTable(name: string): SystemTable | undefined;
  /** All tables of the database. */
  tableNames(): readonly string[];
  /** Rows of other times are not shown. */
  kept(table: TableSchema): TimeRange;
  /** What holds the rows of `table` in `time`. */
  sources(table: TableSchema, time: TimeRange): readonly SourceGroup[];
}

/** A table that the database makes up about itself; each row has a value for each field. */
export interface SystemTable {
  readonly fields: readonly Field[];
  readonly rows: readonly (readonly LiteralValue[])[];
}

/** What a SELECT reads. */
export interface Source {
  readonly scope: Scope;
  /** Positions in the scope, in the order of `*`. */
  readonly wildcard: readonly number[];
  /**
   * Rows for which all `conjuncts` are true, with at least the columns that `needed` names.
   * `places` says where a column of the scope is in them.
   */
  read(conjuncts: readonly Expression[], needed: readonly Expression[]): RowsRead;
}

export interface RowsRead {
  readonly plan: Plan;
  readonly places: ReadonlyMap<number, number>;
}

export const CATALOG_NAME = "public";
export const SCHEMA_NAME = "iox";
const SYSTEM_SCHEMA_NAME = "system";

/** What FROM names. Throws DbError `invalid` / `table_not_found` with the `nearest` names. */
export function findSource(
  from: Extract<TableReference, { kind: "table" }> | undefined,
  context: PlanContext,
): Source {
  if (from === undefined) return emptySource();
  const [name = "", schemaName, catalogName = CATALOG_NAME] = from.name.toReversed();
  const path = [catalogName, schemaName ?? SCHEMA_NAME, name];
  const named =
    from.alias === undefined ? { qualifier: from.name, path } : aliased(from.alias.name);
  if (catalogName === CATALOG_NAME) {
    if (schemaName === SYSTEM_SCHEMA_NAME) {
      const system = context.findSystemTable(name);
      if (system !== undefined) return systemSource(system, named);
    } else if (schemaName === undefined || schemaName === SCHEMA_NAME) {
      const table = context.findTable(name);
      if (table !== undefined) return tableSource(table, named, context);
    }
  }
  const nearest = nearestNames(name, context.tableNames()).join(", ");
  const text = shown(path.join("."));
  throw new DbError(
    "invalid",
    "table_not_found",
    `Error during planning: table '${text}' not found`,
    { detail: { table: text, nearest } },
  );
}

/** Conditions as one; undefined when there are none. */
export function allOf(conditions: readonly Expression[]): Expression | undefined {
  return conditions.length < 2 ? conditions[0] : call("and", conditions, "boolean");
}

/** Rows of `plan` for which all `conditions` are true. */
export function filtered(plan: Plan, conditions: readonly Expression[]): Plan {
  const predicate = allOf(conditions);
  if (predicate === undefined) return plan;
  return { kind: "filter", fields: plan.fields, input: plan, predicate };
}

interface Named {
  readonly qualifier: readonly string[];
  readonly path: readonly string[];
}

function aliased(alias: string): Named {
  return { qualifier: [alias], path: [alias] };
}

/** SELECT without FROM: one row of no columns. */
function emptySource(): Source {
  const plan: Plan = { kind: "values", fields: [], rows: [[]] };
  return {
    scope: scopeOf([], [], []),
    wildcard: [],
    read: (conjuncts) => ({ plan: filtered(plan, conjuncts), places: new Map() }),
  };
}

function systemSource({ fields, rows }: SystemTable, { qualifier, path }: Named): Source {
  const plan: Plan = {
    kind: "values",
    fields,
    rows: rows.map((row) => fields.map((field, index) => literal(row[index] ?? null, field.type))),
  };
  return {
    scope: scopeOf(qualifier, path, fields),
    wildcard: fields.map((_, index) => index),
    read: (conjuncts) => ({ plan: filtered(plan, conjuncts), places: new Map() }),
  };
}

function tableSource(table: TableSchema, { qualifier, path }: Named, context: PlanContext): Source {
  // In order of name, so that `*` needs no second look.
  const columns = table.columns.toSorted((left, right) => (left.name < right.name ? -1 : 1));
  const fields = columns.map(({ name, kind }) => ({ name, type: typeOfColumn(kind) }));
  return {
    scope: scopeOf(qualifier, path, fields),
    wildcard: columns.map((_, index) => index),
    read: (conjuncts, needed) => readTable({ table, columns, context }, conjuncts, needed),
  };
}

function readTable(
  read: { table: TableSchema; columns: readonly ColumnSchema[]; context: PlanContext },
  conjuncts: readonly Expression[],
  needed: readonly Expression[],
): RowsRead {
  const { table, columns, context } = read;
  const kinds = columns.map(({ kind }) => kind);
  const { time: asked, below, above } = pushDown(conjuncts, kinds);
  const time = asked && intersection(asked, context.kept(table));
  const used = new Set<number>();
  for (const expression of [...below, ...above, ...needed]) collectInputs(expression, used);
  const scanned = columns.filter((_, index) => used.has(index));
  const places = new Map(scanned.map((column, place) => [columns.indexOf(column), place]));
  const fields = scanned.map(({ name, kind }) => ({ name, type: typeOfColumn(kind) }));
  if (time === undefined) return { plan: { kind: "values", fields, rows: [] }, places };
  const move = (expression: Expression) => moveInputs(expression, places);
  const predicate = allOf(below.map(move));
  const scan: Plan = {
    kind: "scan",
    fields,
    tableId: table.id,
    tags: table.columns.filter(({ kind }) => kind === "tag").map(({ id, kind }) => ({ id, kind })),
    columns: scanned.map(({ id, kind }) => ({ id, kind })),
    time,
    ...(predicate === undefined ? {} : { predicate }),
    groups: context.sources(table, time),
  };
  return { plan: filtered(scan, above.map(move)), places };
}
