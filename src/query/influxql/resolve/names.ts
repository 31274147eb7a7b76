/** The names of columns. */
import type { Expression, SelectField } from "../ast.ts";
import type { Output } from "../resolved.ts";

/** What a field is called: by its alias, or by what it computes; empty where that has no name. */
export function fieldName({ alias, expression }: SelectField): string {
  return alias ?? nameOf(expression);
}

function nameOf(expression: Expression): string {
  switch (expression.kind) {
    case "variable":
    case "call":
      return expression.name;
    case "distinct":
      return "distinct";
    case "parenthesized":
      return nameOf(expression.expression);
    case "binary":
      return namesIn(expression).join("_");
    default:
      return "";
  }
}

/** Of calls their own names alone. */
function namesIn(expression: Expression): readonly string[] {
  switch (expression.kind) {
    case "variable":
    case "call":
      return [expression.name];
    case "parenthesized":
      return namesIn(expression.expression);
    case "binary":
      return [...namesIn(expression.left), ...namesIn(expression.right)];
    default:
      return [];
  }
}

/** The names of the columns of `fields`: aliases as they are, others with a number behind where they are taken. */
export function columnNames(fields: readonly SelectField[]): readonly string[] {
  const counts = new Map<string, number>();
  for (const { alias } of fields) if (alias !== undefined) counts.set(alias, 1);
  return fields.map((field) => {
    if (field.alias !== undefined) return field.alias;
    const name = fieldName(field);
    const free = freeName(name, counts);
    counts.set(free, (counts.get(free) ?? 0) + 1);
    return free;
  });
}

function freeName(name: string, counts: Map<string, number>): string {
  let count = counts.get(name);
  if (count === undefined) return name;
  while (counts.has(`${name}_${count}`)) count += 1;
  counts.set(name, count + 1);
  return `${name}_${count}`;
}

/**
 * The names of `outputs` in one table with `time` and the tags of GROUP BY: each once, with a number behind where it is taken. A tag
 * that is among the outputs is not there twice.
 */
export function namesOfTable(
  outputs: readonly Output[],
  { dimensions, timeName }: { readonly dimensions: readonly string[]; readonly timeName: string },
): readonly string[] {
  const shown = new Set(outputs.flatMap(({ name, type }) => (type === "tag" ? [name] : [])));
  const counts = new Map([timeName, ...dimensions].map((name) => [name, 1]));
  for (const name of dimensions) if (shown.has(name)) counts.delete(name);
  return outputs.map(({ name }) => {
    const free = freeName(name, counts);
    counts.set(free, (counts.get(free) ?? 0) + 1);
    return free;
  });
}
