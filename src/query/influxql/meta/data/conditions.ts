/** WHERE of SHOW: conditions on series. What InfluxDB 1 refuses, and what it passes over. */
import type { BinaryExpression, Expression } from "../../ast.ts";
import { refused } from "../../check/errors.ts";
import { isTime } from "../../check/expressions.ts";

/** How a statement takes what is no comparison of a tag with a text. */
export interface SeriesConditionRules {
  /** `'text' = tag`: as `tag = 'text'`, as true, or refused. */
  readonly swapped: "same" | "true" | "refused";
  /** Whether `tag > 'text'` is refused; else no series is so. */
  readonly refusesOrder: boolean;
  /** Whether a comparison with a number or the like is true of all series; else of none. */
  readonly ignoresOthers: boolean;
}

const TRUE: Expression = { kind: "boolean", value: true };
const FALSE: Expression = { kind: "boolean", value: false };
const EQUALITIES: ReadonlySet<string> = new Set(["=", "!=", "=~", "!~"]);

/** `condition`, of tags alone: `source/` reads it so. Throws `invalid` / `influxql_refused` in the words of InfluxDB 1. */
export function seriesCondition(condition: Expression, rules: SeriesConditionRules): Expression {
  switch (condition.kind) {
    case "parenthesized":
      return seriesCondition(condition.expression, rules);
    case "binary":
      return ofBinary(condition, rules);
    default:
      return condition;
  }
}

/** True of series that have the tag `key`. */
export function isPresent(key: string): Expression {
  const left = { kind: "variable", name: key, cast: "tag" } as const;
  return { kind: "binary", operator: "!=", left, right: { kind: "string", value: "" } };
}

/** True where all of `conditions` are; undefined: always. */
export function both(...conditions: readonly (Expression | undefined)[]): Expression | undefined {
  const given = conditions.filter((one) => one !== undefined);
  if (given.length === 0) return undefined;
  return given.reduce((left, right) => ({ kind: "binary", operator: "AND", left, right }));
}

/** Whether WHERE names the time. */
export function namesTime(condition: Expression | undefined): boolean {
  switch (condition?.kind) {
    case "parenthesized":
      return namesTime(condition.expression);
    case "binary":
      return namesTime(condition.left) || namesTime(condition.right);
    default:
      return condition !== undefined && isTime(condition);
  }
}

function ofBinary(condition: BinaryExpression, rules: SeriesConditionRules): Expression {
  const { left, operator, right } = condition;
  if (operator === "AND" || operator === "OR") {
    const [one, other] = [seriesCondition(left, rules), seriesCondition(right, rules)];
    return { ...condition, left: one, right: other };
  }
  const isComputed = left.kind === "binary" || right.kind === "binary";
  if (!isComputed && EQUALITIES.has(operator)) return ofEquality(condition, rules);
  if (rules.refusesOrder) throw refused("invalid tag comparison operator");
  return FALSE;
}

function ofEquality(condition: BinaryExpression, rules: SeriesConditionRules): Expression {
  const { left, operator, right } = condition;
  if (left.kind === "variable") {
    const isOther = !isText(right) && rules.ignoresOthers;
    if (isOther || isOfSystem(left.name)) return TRUE;
    return { ...condition, left: asTag(left), right: asTag(right) };
  }
  if (right.kind !== "variable" || !isText(left)) return TRUE;
  if (rules.swapped === "refused") throw refused(`left side of '${operator}' must be a tag key`);
  return rules.swapped === "true" ? TRUE : { ...condition, left: asTag(right), right: left };
}

function isText({ kind }: Expression): boolean {
  return kind === "string" || kind === "regex" || kind === "variable";
}

/** Names that InfluxDB 1 uses within; `_name` alone, the measurement, is a condition. */
function isOfSystem(name: string): boolean {
  return name === "_tagKey" || name === "_seriesKey" || name === "_fieldKey";
}

/** Of a field of this name series have no tag. */
function asTag(expression: Expression): Expression {
  return expression.kind === "variable" ? { ...expression, cast: "tag" } : expression;
}
