/** The fields of a SELECT: what stands in them, and what may stand beside each other. */
import type { BinaryExpression, Expression, SelectField, SelectStatement } from "../ast.ts";
import { type CallPlace, cannotBeCombined, checkCall, FieldFacts } from "./calls.ts";
import { refused } from "./errors.ts";
import {
  asCall,
  type CallExpression,
  expectCount,
  isLiteral,
  mathArgumentCount,
} from "./expressions.ts";
import { foldConstants } from "./fold-constants.ts";

export interface CheckedFields {
  /** Without `time`, their constants computed. */
  readonly fields: readonly SelectField[];
  /** What the column of times is called. */
  readonly timeName: string;
  readonly facts: FieldFacts;
}

export interface Windowing {
  readonly hasWindow: boolean;
  readonly windowInherited: boolean;
  readonly isSubquery: boolean;
}

/** Throws `invalid` / `influxql_refused` for fields that nothing answers. */
export function checkFields(select: SelectStatement, windowing: Windowing): CheckedFields {
  const facts = new FieldFacts();
  const fields: SelectField[] = [];
  let timeName = "time";
  for (const { alias, expression } of select.fields) {
    if (expression.kind === "variable" && expression.name === "time") {
      timeName = alias || timeName;
      continue;
    }
    const folded = foldConstants(expression);
    const place: CallPlace = { ...windowing, facts, limit: select.limit, wildcards: true, visit };
    visit(folded, place);
    checkHasVariable(folded);
    // An empty alias is none.
    fields.push({ alias: alias || undefined, expression: folded });
  }
  checkTogether(select, { fields, timeName, facts }, windowing);
  return { fields, timeName, facts };
}

function checkHasVariable(expression: Expression): void {
  if (expression.kind !== "regex" && !hasVariable(expression))
    throw refused("field must contain at least one variable");
}

/** Functions of many rows are looked at by themselves. */
function hasVariable(expression: Expression): boolean {
  switch (expression.kind) {
    case "variable":
    case "wildcard":
    case "distinct":
      return true;
    case "call":
      return (
        mathArgumentCount(expression.name) === undefined || expression.arguments.some(hasVariable)
      );
    case "binary":
      return hasVariable(expression.left) || hasVariable(expression.right);
    case "parenthesized":
      return hasVariable(expression.expression);
    default:
      return false;
  }
}

function visit(expression: Expression, place: CallPlace): void {
  switch (expression.kind) {
    case "variable":
      place.facts.hasVariables = true;
      return;
    case "wildcard":
    case "regex":
      place.facts.hasVariables = true;
      if (!place.wildcards)
        throw refused(
          `unable to use ${expression.kind === "regex" ? "regex" : "wildcard"} in a binary expression`,
        );
      return;
    case "call":
    case "distinct": {
      const call = asCall(expression);
      if (call === undefined) return;
      const argumentCount = mathArgumentCount(call.name);
      if (argumentCount === undefined) checkCall(call, place);
      else visitMath(call, argumentCount, place);
      return;
    }
    case "binary":
      visitSides(expression, { ...place, wildcards: false });
      return;
    case "parenthesized":
      visit(expression.expression, place);
      return;
    default:
  }
}

function visitSides({ left, right }: BinaryExpression, place: CallPlace): void {
  if (isLiteral(left) && isLiteral(right))
    throw refused("cannot perform a binary expression on two literals");
  for (const side of [left, right]) if (!isLiteral(side)) visit(side, place);
}

function visitMath(call: CallExpression, argumentCount: number, place: CallPlace): void {
  for (const argument of expectCount(call, argumentCount))
    if (!isLiteral(argument)) visit(argument, place);
}

/** What cannot stand beside each other. */
function checkTogether(
  select: SelectStatement,
  { facts, fields }: CheckedFields,
  windowing: Windowing,
): void {
  if (fields.length === 0) throw refused("at least 1 non-time field must be queried");
  const { callCount, hasDistinct, hasVariables, topBottom } = facts;
  if (callCount > 1 && topBottom !== undefined) throw cannotBeCombined(topBottom);
  if (callCount === 0) checkWithoutCalls(select, windowing);
  if (hasDistinct && (callCount !== 1 || hasVariables))
    throw refused(
      "aggregate function distinct() cannot be combined with other functions or fields",
    );
  if (hasVariables) checkBeside(facts);
}

function checkWithoutCalls(
  { fill }: SelectStatement,
  { hasWindow, isSubquery, windowInherited }: Windowing,
): void {
  // Windows of subqueries are not filled unless they say how.
  const kind =
    isSubquery && hasWindow && !windowInherited && fill.kind === "null" ? "none" : fill.kind;
  if (kind === "none" || kind === "linear")
    throw refused(`fill(${kind}) must be used with a function`);
  if (hasWindow && !windowInherited)
    throw refused("GROUP BY requires at least one aggregate function");
}

/** What values may stand beside: nothing, or one function that chooses a row. */
function checkBeside({ callCount, onlySelectors }: FieldFacts): void {
  if (!onlySelectors) throw refused("mixing aggregate and non-aggregate queries is not supported");
  if (callCount > 1)
    throw refused("mixing multiple selector functions with tags or fields is not supported");
}
