/** WHERE: what it says of time, and the rest. */
import { TIME_MAX, TIME_MIN } from "#model/time-range.ts";
import type { BinaryExpression, BinaryOperator, Expression } from "../ast.ts";
import { printExpression } from "../print/expression.ts";
import { refused } from "./errors.ts";
import { expectCount, isTime, mathArgumentCount, typeNameOf } from "./expressions.ts";
import { type Constants, foldConstants } from "./fold-constants.ts";
import { formatSeconds, looksLikeTime, timeLiteral } from "./time-literal.ts";

/** Both ends included; undefined: nothing is said of it. */
export interface TimeBounds {
  readonly start: bigint | undefined;
  readonly end: bigint | undefined;
}

export interface Condition {
  readonly time: TimeBounds;
  /** The rest, its constants computed. */
  readonly rest: Expression | undefined;
}

const ANY_TIME: TimeBounds = { start: undefined, end: undefined };
/** The same comparison with its sides changed. */
const MIRRORED: Readonly<Partial<Record<BinaryOperator, BinaryOperator>>> = {
  "<": ">",
  "<=": ">=",
  ">": "<",
  ">=": "<=",
};

/**
 * Draws out of `where` what it says of time. All of it holds at once, also what stands beside OR, as in 1.x.
 *
 * Throws `invalid` / `influxql_refused` for what no condition can be.
 */
export function splitCondition(where: Expression | undefined, constants: Constants): Condition {
  if (where === undefined) return { time: ANY_TIME, rest: undefined };
  const condition = split(where, constants);
  if (condition.rest !== undefined) validate(condition.rest);
  return condition;
}

/** The times in both. */
export function bothBounds(left: TimeBounds, right: TimeBounds): TimeBounds {
  return {
    start: pick(left.start, right.start, (one, other) => one > other),
    end: pick(left.end, right.end, (one, other) => one < other),
  };
}

function pick(
  left: bigint | undefined,
  right: bigint | undefined,
  wins: (one: bigint, other: bigint) => boolean,
): bigint | undefined {
  if (left === undefined || right === undefined) return left ?? right;
  return wins(left, right) ? left : right;
}

function split(condition: Expression, constants: Constants): Condition {
  switch (condition.kind) {
    case "binary":
      return splitBinary(condition, constants);
    case "parenthesized": {
      const { time, rest } = split(condition.expression, constants);
      if (rest === undefined) return { time, rest };
      return { time, rest: foldConstants({ kind: "parenthesized", expression: rest }) };
    }
    case "boolean":
      return { time: ANY_TIME, rest: condition };
    default:
      throw refused(`invalid condition expression: ${printExpression(condition)}`);
  }
}

function splitBinary(condition: BinaryExpression, constants: Constants): Condition {
  const { left, operator, right } = condition;
  if (operator === "AND" || operator === "OR") {
    const one = split(left, constants);
    const other = split(right, constants);
    const time = bothBounds(one.time, other.time);
    if (one.rest === undefined || other.rest === undefined)
      return { time, rest: one.rest ?? other.rest };
    return {
      time,
      rest: foldConstants({ kind: "binary", operator, left: one.rest, right: other.rest }),
    };
  }
  if (isTime(left)) return { time: boundsOf(operator, right, constants), rest: undefined };
  if (isTime(right)) {
    const mirrored = MIRRORED[operator] ?? operator;
    return { time: boundsOf(mirrored, left, constants), rest: undefined };
  }
  return { time: ANY_TIME, rest: foldConstants(condition, constants) };
}

function boundsOf(operator: BinaryOperator, value: Expression, constants: Constants): TimeBounds {
  const instant = instantOf(value, constants);
  switch (operator) {
    case ">":
      return { start: instant + 1n, end: undefined };
    case ">=":
      return { start: instant, end: undefined };
    case "<":
      return { start: undefined, end: instant - 1n };
    case "<=":
      return { start: undefined, end: instant };
    case "=":
      return { start: instant, end: instant };
    default:
      throw refused(`invalid time comparison operator: ${operator}`);
  }
}

function instantOf(value: Expression, constants: Constants): bigint {
  if (value.kind === "string" && looksLikeTime(value.value)) {
    const instant = timeLiteral(value.value, constants.zone);
    if (instant === undefined) throw refused("invalid timestamp string");
    return instantOf(instant, constants);
  }
  const folded = foldConstants(value, constants);
  switch (folded.kind) {
    case "time":
      return withinTime(folded.value);
    case "duration":
    case "integer":
      return folded.value;
    case "number":
      return BigInt.asIntN(
        64,
        BigInt(Number.isFinite(folded.value) ? Math.trunc(folded.value) : 0),
      );
    default:
      throw refused(`invalid operation: time and ${typeNameOf(folded)} are not compatible`);
  }
}

function withinTime(timeNs: bigint): bigint {
  if (timeNs > TIME_MAX - 1n) throw refused(`time ${formatSeconds(timeNs)} overflows time literal`);
  if (timeNs < TIME_MIN + 3n)
    throw refused(`time ${formatSeconds(timeNs)} underflows time literal`);
  return timeNs;
}

/** Conditions may call functions of one row's values alone. */
function validate(condition: Expression): void {
  switch (condition.kind) {
    case "binary":
      validate(condition.left);
      validate(condition.right);
      return;
    case "parenthesized":
      validate(condition.expression);
      return;
    case "call": {
      const count = mathArgumentCount(condition.name);
      if (count === undefined)
        throw refused(`invalid function call in condition: ${printExpression(condition)}`);
      for (const argument of expectCount(condition, count)) validate(argument);
      return;
    }
    default:
  }
}
