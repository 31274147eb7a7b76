/** Values that a piece of engine SQL names more than once. */

import { DbError } from "#base/errors.ts";

/** What costs nothing to say again, and may stand in a lambda: a column's name or a literal. */
const PLAIN = /^(?:(?:\w+\.)?\w+|CAST\('?-?[\w.+-]+'? AS [\w()[\], ]+\)|'(?:[^']|'')*')$/;

/** The engine plans lambdas in lambdas with more than the second power of their depth: a second at this. */
const DEPTH_MAX = 48;
/** What the lambdas of this file call their parameter. */
const OWN = /\bv(\d+)\b/g;
/** Literals; one with quotes in it is several of these in a row. */
const QUOTED = /'[^']*'/g;

/**
 * `body` of the SQL of each of `values`, each of which is computed once: the text of nested calls would double with every level
 * otherwise. Nor may a subquery stand in a lambda, which a body may have. A body names nothing of another one around it but by `values`.
 * Throws DbError `exceeded` / `expression_size` for more than DEPTH_MAX in each other.
 */
export function printLet(
  values: readonly string[],
  body: (...names: readonly string[]) => string,
): string {
  const bound = values.map((value, index) => ({ value, index, plain: PLAIN.test(value) }));
  const members = bound.filter(({ plain }) => !plain);
  if (members.length === 0) return body(...values);
  const used = values
    .flatMap((value) => [...value.replaceAll(QUOTED, "''").matchAll(OWN)])
    .map((match) => Number(match[1]));
  const depth = used.reduce((most, index) => Math.max(most, index), 0) + 1;
  if (depth > DEPTH_MAX) throw tooDeep();
  const own = `v${depth}`;
  const names = bound.map(({ value, index, plain }) => (plain ? value : `${own}.m${index}`));
  const struct = members.map(({ value, index }) => `'m${index}': ${value}`).join(", ");
  return `list_transform([{${struct}}], lambda ${own}: ${body(...names)})[1]`;
}

function tooDeep(): DbError {
  return new DbError(
    "exceeded",
    "expression_size",
    "functions of lists, structs or casts of them are nested too deeply in the query",
    { detail: { depthMax: DEPTH_MAX } },
  );
}
