/** The names of columns. */
import type { Expression, SelectField } from "../ast.ts";
import type { Input, OutputExpression, ResolvedSelect } from "../resolved.ts";

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
 * The names of `outputs` in one table with `time` and the tags of GROUP BY: each once, with a number behind where it is taken. A tag of GROUP BY
 * that is among the outputs, by its own name, is not there twice.
 */
export function namesOfTable(
  { inputs, outputs }: Pick<ResolvedSelect, "inputs" | "outputs">,
  { dimensions, timeName }: { readonly dimensions: readonly string[]; readonly timeName: string },
): readonly string[] {
  const beside = new Set(dimensions);
  const counts = new Map([timeName, ...dimensions].map((name) => [name, 1]));
  return outputs.map(({ expression, name }) => {
    if (name === tagOf(expression, inputs) && beside.delete(name)) return name;
    const free = freeName(name, counts);
    counts.set(free, (counts.get(free) ?? 0) + 1);
    return free;
  });
}

/** The tag that `expression` is, and nothing else. */
function tagOf(expression: OutputExpression, inputs: readonly Input[]): string | undefined {
  const input =
    expression.kind === "input"
      ? inputs[expression.index]
      : expression.kind === "beside"
        ? expression.input
        : undefined;
  return input?.kind === "variable" && input.type === "tag" ? input.name : undefined;
}
