import { DbError } from "#base/errors.ts";
import type { Expression } from "#model/query/expression.ts";
import type { Field } from "#model/query/plan.ts";
import { shown } from "../../sql/errors.ts";
import { nearestNames } from "./nearest.ts";

/** The columns that names in a SELECT can mean: the fields of its rows, by position. */
export interface Scope {
  readonly columns: readonly ScopeColumn[];
  /** Positions by name. */
  readonly positions: ReadonlyMap<string, readonly number[]>;
  /** What the statement around a subquery has; its rows are `outer` here. */
  readonly parent: Scope | undefined;
}

export interface ScopeColumn {
  readonly field: Field;
  readonly relation: Relation;
  /** Whether its name alone and `*` mean it; not so where USING made it one with another column. */
  readonly bare: boolean;
}

/** What a column belongs to. */
export interface Relation {
  /** What stands before a column's name in expression texts. */
  readonly qualifier: readonly string[];
  /** Catalog, schema and table, or the alias alone: what may qualify a column, from any part on. */
  readonly path: readonly string[];
}

/** Of columns that belong to no table. */
export const NO_RELATION: Relation = { qualifier: [], path: [] };

const SHOWN_FIELDS_MAX = 100;
const PLAIN_NAME = /^[a-z_][a-z0-9_]*$/;

export function scopeOf(columns: readonly ScopeColumn[], parent: Scope | undefined): Scope {
  const positions = new Map<string, number[]>();
  for (const [index, { field }] of columns.entries()) {
    const same = positions.get(field.name);
    if (same === undefined) positions.set(field.name, [index]);
    else same.push(index);
  }
  return { columns, positions, parent };
}

/** All columns of one relation. */
export function columnsOf(fields: readonly Field[], relation: Relation): readonly ScopeColumn[] {
  return fields.map((field) => ({ field, relation, bare: true }));
}

/** A column that a name was found to mean, and how many subqueries out it is. */
export interface Found {
  readonly column: ScopeColumn;
  readonly index: number;
  readonly level: number;
}

/** The column that `path` names; undefined when there is none. Throws `invalid` / `column_ambiguous` where it names several. */
export function findColumn(scope: Scope, path: readonly string[]): Found | undefined {
  const [found, second] = candidatesOf(scope, path);
  if (second !== undefined) throw ambiguous(path);
  return found;
}

export function expressionOf({ column, index, level }: Found): Expression {
  const { type } = column.field;
  return level === 0 ? { kind: "input", index, type } : { kind: "outer", level, index, type };
}

/** The columns that `path` can mean, all of one level. */
function candidatesOf(scope: Scope, path: readonly string[]): readonly Found[] {
  const qualifier = path.slice(0, -1);
  let level = 0;
  for (let at: Scope | undefined = scope; at !== undefined; at = at.parent) {
    const found: Found[] = [];
    for (const index of at.positions.get(path.at(-1) ?? "") ?? []) {
      const column = at.columns[index];
      if (column === undefined || !(qualifier.length > 0 || column.bare)) continue;
      if (isQualifierOf(column.relation, qualifier)) found.push({ column, index, level });
    }
    if (found.length > 0) return found;
    level += 1;
  }
  return [];
}

function ambiguous(path: readonly string[]): DbError {
  const reference = path.length > 1 ? "qualified" : "unqualified";
  const text = shown(path.map(quoted).join("."));
  return new DbError(
    "invalid",
    "column_ambiguous",
    `Schema error: Ambiguous reference to ${reference} field ${text}`,
    { detail: { column: text } },
  );
}

/** Whether `qualifier` may stand before the name of a column of `relation`; none at all may. */
export function isQualifierOf({ path }: Relation, qualifier: readonly string[]): boolean {
  const tail = path.slice(path.length - qualifier.length);
  return qualifier.length <= path.length && qualifier.every((part, index) => part === tail[index]);
}

/** The name of a column in expression texts: with what it belongs to, where that is known. */
export function columnText(scope: Scope, path: readonly string[]): string {
  const [found] = candidatesOf(scope, path);
  const name = path.at(-1) ?? "";
  if (found === undefined) return path.join(".");
  const text = qualifiedName(found.column.relation, name);
  return found.level === 0 ? text : `outer_ref(${text})`;
}

export function qualifiedName({ qualifier }: Relation, name: string): string {
  return [...qualifier, name].join(".");
}

/** The error that `path` names no column: `invalid` / `column_not_found`, with those that do exist. */
export function columnNotFound(scope: Scope, path: readonly string[]): DbError {
  const name = shown(path.map(quoted).join("."));
  const nearest = nearestNames(path.at(-1) ?? "", [...scope.positions.keys()]);
  const full = scope.columns.map(({ field, relation }) => qualifiedName(relation, field.name));
  const likely = nearestNames(path.join("."), full)[0];
  return new DbError(
    "invalid",
    "column_not_found",
    `Schema error: No field named ${name}${hint(scope, likely)}.`,
    { detail: { column: shown(path.join(".")), nearest: nearest.join(", ") } },
  );
}

function hint({ columns }: Scope, likely: string | undefined): string {
  if (likely !== undefined) return `. Did you mean '${likely}'?`;
  if (columns.length === 0) return "";
  const names = columns
    .slice(0, SHOWN_FIELDS_MAX)
    .map(({ field, relation }) => [...relation.qualifier, field.name].map(quoted).join("."))
    .toSorted();
  const more = columns.length - names.length;
  return `. Valid fields are ${names.join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
}

/** `name` as it must be written in SQL. */
function quoted(name: string): string {
  return PLAIN_NAME.test(name) ? name : `"${name.replaceAll('"', '""')}"`;
}
