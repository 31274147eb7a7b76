/** What can be computed of an expression without looking at data. */

import type { BinaryExpression, BinaryOperator, Expression, LiteralExpression } from "../ast.ts";
import { comparison, floatResult, INT64_MAX, wholeResult } from "../operators.ts";
import { applyMath } from "../points/values/math.ts";
import {
  asCall,
  type CallExpression,
  isLiteral,
  isMathName,
  mathArgumentCount,
} from "./expressions.ts";
import { timeLiteral } from "./time-literal.ts";

export interface Constants {
  /** What now() is; undefined: calls of it are left as they are. */
  readonly nowNs?: bigint | undefined;
  /** In which texts without a zone are read. */
  readonly zone?: string | undefined;
}

type StringLiteral = Extract<LiteralExpression, { readonly kind: "string" }>;
type Result = LiteralExpression | undefined;

/** `expression` with its constant parts computed, and parentheses around anything but an operation left out. */
export function foldConstants(expression: Expression, constants: Constants = {}): Expression {
  switch (expression.kind) {
    case "binary":
      return foldBinary(expression, constants);
    case "call":
      return foldCall(expression, constants);
    case "distinct":
      return asCall(expression) ?? expression;
    case "parenthesized": {
      const inner = foldConstants(expression.expression, constants);
      return inner.kind === "binary" ? { kind: "parenthesized", expression: inner } : inner;
    }
    default:
      return expression;
  }
}

function foldCall(call: CallExpression, constants: Constants): Expression {
  const { nowNs } = constants;
  const { name } = call;
  if (name === "now" && call.arguments.length === 0 && nowNs !== undefined)
    return { kind: "time", value: nowNs };
  const given = call.arguments.map((argument) => foldConstants(argument, constants));
  return computeMath(name, given) ?? { ...call, arguments: given };
}

/** The value of a function of one row's values, of which all are known. */
function computeMath(name: string, given: readonly Expression[]): Result {
  if (!isMathName(name) || mathArgumentCount(name) !== given.length) return undefined;
  const values = given.map((each) =>
    each.kind === "integer" || each.kind === "number" ? each.value : null,
  );
  if (values.includes(null)) return undefined;
  const value = applyMath(name, values);
  if (typeof value === "bigint") return integer(value);
  return typeof value === "number" && !Number.isNaN(value) ? number(value) : undefined;
}

function foldBinary({ left, operator, right }: BinaryExpression, constants: Constants) {
  const one = foldConstants(left, constants);
  const other = foldConstants(right, constants);
  if (operator === "AND" || operator === "OR") {
    const decided = foldLogical(operator, one, other);
    if (decided !== undefined) return decided;
  }
  const known =
    isLiteral(one) && isLiteral(other) ? compute(operator, one, other, constants) : undefined;
  return known ?? ({ kind: "binary", operator, left: one, right: other } as const);
}

/** What is left where one side is known. */
function foldLogical(operator: "AND" | "OR", left: Expression, right: Expression) {
  const deciding = operator === "OR";
  for (const [side, rest] of [
    [left, right],
    [right, left],
  ] as const)
    if (side.kind === "boolean") return side.value === deciding ? side : rest;
  return undefined;
}

function compute(
  operator: BinaryOperator,
  left: LiteralExpression,
  right: LiteralExpression,
  constants: Constants,
): Result {
  switch (left.kind) {
    case "boolean":
      return right.kind === "boolean" ? ofBooleans(operator, left.value, right.value) : undefined;
    case "integer":
      return ofInteger(operator, left.value, right, constants);
    case "unsigned":
      return right.kind === "integer" || right.kind === "unsigned"
        ? ofUnsigned(operator, left.value, right.value)
        : ofNumber(operator, Number(left.value), right);
    case "number":
      return ofNumber(operator, left.value, right);
    case "duration":
      return ofDuration(operator, left.value, right, constants);
    case "time":
      return ofTime(operator, left.value, right, constants);
    case "string":
      return ofString(operator, left, right, constants);
    case "list":
    case "regex":
      return undefined;
  }
}

function ofBooleans(operator: BinaryOperator, left: boolean, right: boolean): Result {
  switch (operator) {
    case "=":
      return boolean(left === right);
    case "!=":
    case "^":
      return boolean(left !== right);
    case "&":
      return boolean(left && right);
    case "|":
      return boolean(left || right);
    default:
      return undefined;
  }
}

function ofInteger(
  operator: BinaryOperator,
  left: bigint,
  right: LiteralExpression,
  constants: Constants,
): Result {
  switch (right.kind) {
    case "integer":
      return ofIntegers(operator, left, right.value);
    case "unsigned":
      return left < 0n ? undefined : ofUnsigned(operator, left, right.value);
    case "number":
      return ofNumber(operator, Number(left), right);
    case "duration":
      // The integer is an instant.
      return ofTime(operator, left, right, constants);
    case "time":
      return ofDuration(operator, left, right, constants);
    case "string":
      return ofDuration(operator, left, right, constants);
    case "boolean":
    case "list":
    case "regex":
      return undefined;
  }
}

function ofIntegers(operator: BinaryOperator, left: bigint, right: bigint): Result {
  if (operator === "/") return number(right === 0n ? 0 : Number(left) / Number(right));
  const value = wholeResult(operator, left, right);
  return value === undefined ? compared(operator, left, right) : integer(value);
}

function ofUnsigned(operator: BinaryOperator, left: bigint, right: bigint): Result {
  const value = wholeResult(operator, left, right);
  return value === undefined ? compared(operator, left, right) : unsigned(value);
}

function ofNumber(operator: BinaryOperator, left: number, other: LiteralExpression): Result {
  if (other.kind !== "number" && other.kind !== "integer" && other.kind !== "unsigned")
    return undefined;
  const right = Number(other.value);
  const value = floatResult(operator, left, right);
  return value === undefined ? compared(operator, left, right) : number(value);
}

function ofDuration(
  operator: BinaryOperator,
  left: bigint,
  other: LiteralExpression,
  constants: Constants,
): Result {
  const right = instantOf(other, constants);
  switch (right.kind) {
    case "duration":
      if (operator === "+") return duration(left + right.value);
      if (operator === "-") return duration(left - right.value);
      return compared(operator, left, right.value);
    case "integer":
      if (operator === "*") return duration(left * right.value);
      if (operator === "/") return duration(right.value === 0n ? 0n : left / right.value);
      return undefined;
    case "number":
      if (operator === "*") return scaled(left, right.value);
      if (operator === "/") return scaled(left, 1 / right.value);
      return undefined;
    case "time":
      return operator === "+" ? { kind: "time", value: left + right.value } : undefined;
    default:
      return undefined;
  }
}

function ofTime(
  operator: BinaryOperator,
  left: bigint,
  other: LiteralExpression,
  constants: Constants,
): Result {
  const right = instantOf(other, constants);
  switch (right.kind) {
    case "duration":
    case "integer":
      if (operator === "+") return { kind: "time", value: left + right.value };
      return operator === "-" ? { kind: "time", value: left - right.value } : undefined;
    case "time":
      if (operator === "-") return duration(left - right.value);
      return compared(operator, left, right.value);
    default:
      return undefined;
  }
}

function ofString(
  operator: BinaryOperator,
  left: StringLiteral,
  right: LiteralExpression,
  constants: Constants,
): Result {
  if (right.kind === "string") {
    if (operator === "+") return { kind: "string", value: left.value + right.value };
    if (operator !== "=" && operator !== "!=") return undefined;
    const [one, other] = [instantOf(left, constants), instantOf(right, constants)];
    if (one.kind === "time" && other.kind === "time")
      return compared(operator, one.value, other.value);
    return boolean((left.value === right.value) === (operator === "="));
  }
  const instant = instantOf(left, constants);
  return instant.kind === "time" ? ofTime(operator, instant.value, right, constants) : undefined;
}

/** A text that is a date as the instant it means. */
function instantOf(literal: LiteralExpression, { zone }: Constants): LiteralExpression {
  return literal.kind === "string" ? (timeLiteral(literal.value, zone) ?? literal) : literal;
}

function compared<T extends bigint | number>(operator: BinaryOperator, left: T, right: T): Result {
  const value = comparison(operator, left, right);
  return value === undefined ? undefined : boolean(value);
}

function boolean(value: boolean): LiteralExpression {
  return { kind: "boolean", value };
}

function integer(value: bigint): LiteralExpression {
  return { kind: "integer", value: BigInt.asIntN(64, value) };
}

function unsigned(value: bigint): LiteralExpression {
  const wrapped = BigInt.asUintN(64, value);
  return { kind: wrapped > INT64_MAX ? "unsigned" : "integer", value: wrapped };
}

function number(value: number): LiteralExpression {
  return { kind: "number", value };
}

function duration(value: bigint): LiteralExpression {
  return { kind: "duration", value: BigInt.asIntN(64, value) };
}

function scaled(value: bigint, factor: number): Result {
  const product = Number(value) * factor;
  return Number.isFinite(product) ? duration(BigInt(Math.trunc(product))) : undefined;
}
