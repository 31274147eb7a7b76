/** `*` and regular expressions among fields and in GROUP BY become the names they mean. */
import { compareText } from "#base/bytes.ts";
import type { Expression, SelectField } from "../ast.ts";
import type { TagDimension } from "../check/dimensions.ts";
import { refused } from "../check/errors.ts";
import type { CallExpression } from "../check/expressions.ts";
import { printExpression } from "../print/expression.ts";
import { regexTest } from "../regex/regex.ts";
import { takesType } from "./arguments.ts";
import { fieldName } from "./names.ts";
import { type Scope, type ScopeColumn } from "./scope.ts";
import type { Type } from "./types.ts";

/** Fields that a statement may come to have. */
const FIELDS_MAX = 100_000;

/** The tags of GROUP BY, by name. */
export function expandTags(groupBy: readonly TagDimension[], scope: Scope): readonly string[] {
  const names = new Set<string>();
  for (const dimension of groupBy) {
    if (dimension.kind === "variable") names.add(dimension.name);
    else {
      const test = dimension.kind === "regex" ? regexTest(dimension.pattern) : undefined;
      for (const tag of scope.tags) if (test?.(tag) ?? true) names.add(tag);
    }
  }
  return [...names].toSorted(compareText);
}

/** Fields without `*` and regular expressions. What GROUP BY names is not among what `*` means; with a `*` there, no tag is. */
export function expandFields(
  fields: readonly SelectField[],
  groupBy: readonly TagDimension[],
  scope: Scope,
): readonly SelectField[] {
  const named = new Set(groupBy.map((tag) => (tag.kind === "variable" ? tag.name : undefined)));
  const tags = named.has(undefined) ? [] : scope.tags.filter((tag) => !named.has(tag));
  const columns = scope.columns(tags);
  const expanded: SelectField[] = [];
  for (const field of fields) {
    expanded.push(...expandField(field, columns));
    if (expanded.length > FIELDS_MAX)
      throw refused(`the statement has more than ${FIELDS_MAX} fields`);
  }
  return expanded;
}

function expandField(field: SelectField, columns: readonly ScopeColumn[]): readonly SelectField[] {
  const { expression } = field;
  switch (expression.kind) {
    case "wildcard":
      return columns
        .filter(
          ({ type }) =>
            expression.type === undefined || (expression.type === "tag") === (type === "tag"),
        )
        .map(asField);
    case "regex": {
      const test = regexTest(expression.pattern);
      return columns.filter(({ name }) => test(name)).map(asField);
    }
    case "call":
      return expandCall(field, expression, columns);
    case "binary": {
      const found = wildcardIn(expression);
      if (found !== undefined)
        throw refused(
          `unsupported expression with ${found === "regex" ? "regex field" : "wildcard"}: ${printExpression(expression)}`,
        );
      return [field];
    }
    default:
      return [field];
  }
}

function asField({ name, type }: ScopeColumn): SelectField {
  return { alias: undefined, expression: { kind: "variable", name, cast: type } };
}

function expandCall(
  field: SelectField,
  call: CallExpression,
  columns: readonly ScopeColumn[],
): readonly SelectField[] {
  const inner = innermost(call);
  const [argument] = inner.arguments;
  if (argument?.kind !== "wildcard" && argument?.kind !== "regex") return [field];
  if (argument.kind === "wildcard" && argument.type === "tag")
    throw refused(`unable to use tag wildcard in ${inner.name}()`);
  const test = argument.kind === "regex" ? regexTest(argument.pattern) : undefined;
  return columns
    .filter(({ name, type }) => isSupported(inner.name, type) && (test?.(name) ?? true))
    .map(({ name, type }) => ({
      alias: `${fieldName(field)}_${name}`,
      expression: withArgument(call, { kind: "variable", name, cast: type }),
    }));
}

/** The call that is in no other one's first argument. */
function innermost(call: CallExpression): CallExpression {
  const [first] = call.arguments;
  return first?.kind === "call" ? innermost(first) : call;
}

function withArgument(call: CallExpression, argument: Expression): CallExpression {
  const [first, ...rest] = call.arguments;
  const replaced = first?.kind === "call" ? withArgument(first, argument) : argument;
  return { ...call, arguments: [replaced, ...rest] };
}

/** Whether `name(*)` means columns of the type. */
function isSupported(name: string, type: Type): boolean {
  if (type === undefined || type === "tag") return false;
  return type === "unsigned" ? !name.startsWith("holt_winters") : takesType(name, type);
}

function wildcardIn(expression: Expression): "wildcard" | "regex" | undefined {
  switch (expression.kind) {
    case "wildcard":
    case "regex":
      return expression.kind;
    case "call":
      return expression.arguments.map(wildcardIn).find((found) => found !== undefined);
    case "binary":
      return wildcardIn(expression.left) ?? wildcardIn(expression.right);
    case "parenthesized":
      return wildcardIn(expression.expression);
    default:
      return undefined;
  }
}
