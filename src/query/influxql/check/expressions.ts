/** Looking at expressions. */
import type { Expression, LiteralExpression, VariableExpression } from "../ast.ts";
import type { MathName } from "../resolved.ts";
import { refused } from "./errors.ts";

export type CallExpression = Extract<Expression, { readonly kind: "call" }>;

const TYPE_NAMES: Readonly<Record<Expression["kind"], string>> = {
  binary: "BinaryExpr",
  boolean: "BooleanLiteral",
  call: "Call",
  distinct: "Distinct",
  duration: "DurationLiteral",
  integer: "IntegerLiteral",
  list: "ListLiteral",
  number: "NumberLiteral",
  parenthesized: "ParenExpr",
  regex: "RegexLiteral",
  string: "StringLiteral",
  time: "TimeLiteral",
  unsigned: "UnsignedLiteral",
  variable: "VarRef",
  wildcard: "Wildcard",
};

/** What 1.x's error texts call a kind of expression. */
export function typeNameOf({ kind }: Expression): string {
  return `*influxql.${TYPE_NAMES[kind]}`;
}

export function isLiteral(expression: Expression): expression is LiteralExpression {
  switch (expression.kind) {
    case "binary":
    case "call":
    case "distinct":
    case "parenthesized":
    case "variable":
    case "wildcard":
      return false;
    case "boolean":
    case "duration":
    case "integer":
    case "list":
    case "number":
    case "regex":
    case "string":
    case "time":
    case "unsigned":
      return true;
  }
}

const MATH_ARGUMENT_COUNTS: Readonly<Record<MathName, number>> = {
  abs: 1,
  acos: 1,
  asin: 1,
  atan: 1,
  atan2: 2,
  ceil: 1,
  cos: 1,
  exp: 1,
  floor: 1,
  ln: 1,
  log: 2,
  log10: 1,
  log2: 1,
  pow: 2,
  round: 1,
  sin: 1,
  sqrt: 1,
  tan: 1,
};

/** How many arguments a function of one row's values has; undefined for other names. */
export function mathArgumentCount(name: string): number | undefined {
  return isMathName(name) ? MATH_ARGUMENT_COUNTS[name] : undefined;
}

export function isMathName(name: string): name is MathName {
  return Object.hasOwn(MATH_ARGUMENT_COUNTS, name);
}

/** The arguments of a call. Throws `invalid` / `influxql_refused` where they are not `count`. */
export function expectCount({ arguments: given, name }: CallExpression, count: number) {
  if (given.length !== count)
    throw refused(
      `invalid number of arguments for ${name}, expected ${count}, got ${given.length}`,
    );
  return given;
}

/** `DISTINCT x` as `distinct(x)`. */
export function asCall(expression: Expression): CallExpression | undefined {
  if (expression.kind === "call") return expression;
  if (expression.kind !== "distinct") return undefined;
  const { name } = expression;
  return {
    kind: "call",
    name: "distinct",
    arguments: [{ kind: "variable", name, cast: undefined }],
  };
}

export function isTopBottom(name: string): boolean {
  return name === "top" || name === "bottom";
}

/** `a` and `b` of `top(x, a, b, 2)`; none of other expressions. */
export function keysOfTop(expression: Expression): readonly VariableExpression[] {
  if (expression.kind !== "call" || !isTopBottom(expression.name)) return [];
  return expression.arguments.slice(1, -1).filter((key) => key.kind === "variable");
}

export function isTime(expression: Expression): expression is VariableExpression {
  return expression.kind === "variable" && expression.name.toLowerCase() === "time";
}
