/** The types of expressions, by 1.x's rules. */
import type { BinaryExpression, CastType, Expression } from "../ast.ts";
import { refused } from "../check/errors.ts";
import { isLiteral } from "../check/expressions.ts";
import { isBitwise } from "../operators.ts";
import { printExpression } from "../print/expression.ts";
import type { PointType } from "../resolved.ts";

/** Undefined: nothing has such a name, or nothing is known of the value. */
export type Type = PointType | undefined;

/** What wins where sources have several types of one name. */
const PRECEDENCE: readonly Type[] = [
  "float",
  "integer",
  "unsigned",
  "string",
  "boolean",
  "tag",
  undefined,
];

/** The type of a name that has both. */
export function stronger(left: Type, right: Type): Type {
  return PRECEDENCE.indexOf(left) <= PRECEDENCE.indexOf(right) ? left : right;
}

/** In which 1.x orders columns of one name. */
export function compareTypes(left: Type, right: Type): number {
  return ORDER.indexOf(left) - ORDER.indexOf(right);
}

const ORDER: readonly Type[] = [
  undefined,
  "float",
  "integer",
  "string",
  "boolean",
  "tag",
  "unsigned",
];

/** Where names are looked up. */
export type TypeOf = (name: string) => Type;

/** `expression` in which each name is cast to its type, so that it says it itself; names that nothing has are left. */
export function withTypes(expression: Expression, typeOf: TypeOf): Expression {
  switch (expression.kind) {
    case "variable": {
      const { cast, name } = expression;
      if (cast !== undefined && cast !== "field") return expression;
      const type = typeOf(name);
      // A tag is no field.
      return type === undefined || (cast === "field" && type === "tag")
        ? expression
        : { ...expression, cast: type };
    }
    case "call": {
      const given = expression.arguments.map((argument) => withTypes(argument, typeOf));
      return { ...expression, arguments: given };
    }
    case "binary": {
      const { left, right } = expression;
      return { ...expression, left: withTypes(left, typeOf), right: withTypes(right, typeOf) };
    }
    case "parenthesized":
      return { ...expression, expression: withTypes(expression.expression, typeOf) };
    default:
      return expression;
  }
}

/** The type that a name is cast to. */
export function typeOfCast(cast: CastType | undefined): Type {
  return cast === "field" ? undefined : cast;
}

/**
 * The type of the values of `expression`, whose names are cast to theirs. Throws `invalid` / `influxql_refused` where operands do not go
 * together.
 */
export function typeOfExpression(expression: Expression): Type {
  switch (expression.kind) {
    case "variable":
      return typeOfCast(expression.cast);
    case "call":
      return typeOfCall(expression.name, expression.arguments);
    case "parenthesized":
      return typeOfExpression(expression.expression);
    case "binary":
      return typeOfBinary(expression);
    case "integer":
    case "unsigned":
    case "string":
    case "boolean":
      return expression.kind;
    case "number":
      return "float";
    case "distinct":
    case "duration":
    case "list":
    case "regex":
    case "time":
    case "wildcard":
      return undefined;
  }
}

const FLOATS = new Set([
  "derivative",
  "holt_winters",
  "holt_winters_with_fit",
  "integral",
  "mean",
  "median",
  "moving_average",
  "non_negative_derivative",
  "stddev",
]);

/** Functions that are not named here give what they are given first; so do, in 1.x, sqrt() and the like. */
function typeOfCall(name: string, given: readonly Expression[]): Type {
  const types = given.map(typeOfExpression);
  if (name === "count" || name === "elapsed") return "integer";
  return FLOATS.has(name) ? "float" : types[0];
}

function typeOfBinary(expression: BinaryExpression): Type {
  const { left, operator, right } = expression;
  const [one, other] = [typeOfExpression(left), typeOfExpression(right)];
  if (one === undefined || other === undefined) return one ?? other;
  const bitwise = isBitwise(operator);
  if (bitwise && one === "boolean") return "boolean";
  if (![one, other].every(bitwise ? isWhole : isNumeric))
    throw typeError(expression, `incompatible types: ${one} and ${other}`);
  if (one === "float" || other === "float") return "float";
  return one === other ? one : mixedSigns(expression, one === "unsigned");
}

/** The type of an operation of integers with and without a sign. */
function mixedSigns(expression: BinaryExpression, unsignedIsLeft: boolean): Type {
  const { left, operator, right } = expression;
  const [unsigned, signed] = unsignedIsLeft ? [left, right] : [right, left];
  if (isLiteral(unsigned))
    throw typeError(expression, `cannot use ${operator} with an integer and unsigned literal`);
  if (isLiteral(signed)) return "unsigned";
  const text = `cannot use ${operator} between an integer and unsigned, an explicit cast is required`;
  throw typeError(expression, text);
}

function isWhole(type: Type): boolean {
  return type === "integer" || type === "unsigned";
}

function isNumeric(type: Type): boolean {
  return type === "float" || isWhole(type);
}

function typeError(expression: Expression, text: string) {
  return refused(`type error: ${printExpression(expression)}: ${text}`);
}
