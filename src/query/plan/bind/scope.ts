import { DbError } from "#base/errors.ts";
import type { Expression } from "#model/query/expression.ts";
import type { Field } from "#model/query/plan.ts";
import { shown } from "../../sql/errors.ts";
import { nearestNames } from "./nearest.ts";

/** The columns that names in a statement can mean. */
export interface Scope {
  /** What stands before a column's name in expression texts; empty without FROM. */
  readonly qualifier: readonly string[];
  /** Catalog, schema and table, or the alias alone: what may qualify a column, from any part on. */
  readonly path: readonly string[];
  readonly fields: readonly Field[];
  /** Position of each name in `fields`. */
  readonly positions: ReadonlyMap<string, number>;
}

const SHOWN_FIELDS_MAX = 100;
const PLAIN_NAME = /^[a-z_][a-z0-9_]*$/;

export function scopeOf(
  qualifier: readonly string[],
  path: readonly string[],
  fields: readonly Field[],
): Scope {
  const positions = new Map(fields.map((field, index) => [field.name, index]));
  return { qualifier, path, fields, positions };
}

/** The column that `path` names; undefined when there is none. */
export function findColumn(scope: Scope, path: readonly string[]): Expression | undefined {
  if (!isQualifierOf(scope, path.slice(0, -1))) return undefined;
  const index = scope.positions.get(path.at(-1) ?? "");
  const field = index === undefined ? undefined : scope.fields[index];
  if (index === undefined || field === undefined) return undefined;
  return { kind: "input", index, type: field.type };
}

/** Whether `qualifier` may stand before a column's name; none at all may. */
export function isQualifierOf(scope: Scope, qualifier: readonly string[]): boolean {
  const tail = scope.path.slice(scope.path.length - qualifier.length);
  return (
    qualifier.length <= scope.path.length && qualifier.every((part, index) => part === tail[index])
  );
}

/** The error that `path` names no column: `invalid` / `column_not_found`, with those that do exist. */
export function columnNotFound(scope: Scope, path: readonly string[]): DbError {
  const name = shown(path.map(quoted).join("."));
  const full = scope.fields.map((field) => [...scope.qualifier, field.name].join("."));
  const nearest = nearestNames(path.at(-1) ?? "", [...scope.positions.keys()]);
  const likely = nearestNames(path.join("."), full)[0];
  return new DbError(
    "invalid",
    "column_not_found",
    `Schema error: No field named ${name}${hint(scope, likely)}.`,
    { detail: { column: shown(path.join(".")), nearest: nearest.join(", ") } },
  );
}

function hint(scope: Scope, likely: string | undefined): string {
  if (likely !== undefined) return `. Did you mean '${likely}'?`;
  if (scope.fields.length === 0) return "";
  const names = scope.fields
    .slice(0, SHOWN_FIELDS_MAX)
    .map((field) => [...scope.qualifier, field.name].map(quoted).join("."))
    .toSorted();
  const more = scope.fields.length - names.length;
  return `. Valid fields are ${names.join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
}

/** `name` as it must be written in SQL. */
function quoted(name: string): string {
  return PLAIN_NAME.test(name) ? name : `"${name.replaceAll('"', '""')}"`;
}
