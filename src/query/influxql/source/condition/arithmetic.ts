/** Arithmetic of WHERE: what is divided by zero is zero, and whole numbers are divided without their rest. */
import type { Expression } from "#model/query/expression.ts";
import { call, literal } from "../../../plan/bind/fold.ts";
import type { Operand } from "./operand.ts";

export type ArithmeticOperator = "+" | "-" | "*" | "/" | "%" | "&" | "|" | "^";

const INT64_MAX = literal(2n ** 63n - 1n, "int64");
const INT64_MIN = literal(-(2n ** 63n), "int64");
const ZERO = literal(0n, "int64");
const ONE = literal(1n, "int64");
const MINUS_ONE = literal(-1n, "int64");
const ZERO_FLOAT = literal(0, "float64");
/** Products of whole numbers are computed where they are below this by the measure of floats. */
const PRODUCT_MAX = literal(2 ** 62, "float64");

/** Undefined where the operator has no meaning for these types. */
export function arithmetic(
  operator: ArithmeticOperator,
  left: Operand,
  right: Operand,
): Operand | undefined {
  if (left.type === "integer" && right.type === "integer")
    return {
      type: "integer",
      expression: ofIntegers(operator, left.expression, right.expression),
    };
  const expression = ofFloats(operator, asFloat(left), asFloat(right));
  return expression && { type: "float", expression };
}

export function asFloat({ expression, type }: Operand): Expression {
  if (type === "float") return expression;
  if (expression.kind === "literal" && expression.value !== null)
    return literal(Number(expression.value), "float64");
  return { kind: "cast", operand: expression, safe: false, type: "float64" };
}

/** A whole number with the other sign; of the least one itself. */
export function negated(value: Expression): Expression {
  return difference(ZERO, value);
}

function ofFloats(
  operator: ArithmeticOperator,
  left: Expression,
  right: Expression,
): Expression | undefined {
  const sides = [left, right];
  switch (operator) {
    case "+":
      return call("add", sides, "float64");
    case "-":
      return call("subtract", sides, "float64");
    case "*":
      return call("multiply", sides, "float64");
    case "/":
      return choose(
        call("equal", [right, ZERO_FLOAT], "boolean"),
        call("multiply", [left, ZERO_FLOAT], "float64"),
        call("divide", sides, "float64"),
      );
    case "%":
      return call("modulo", sides, "float64");
    default:
      return undefined;
  }
}

function ofIntegers(operator: ArithmeticOperator, left: Expression, right: Expression): Expression {
  const sides = [left, right];
  switch (operator) {
    case "+":
      return sum(left, right);
    case "-":
      return difference(left, right);
    case "*":
      return product(left, right);
    case "/":
      return quotient(left, right);
    case "%":
      return remainder(left, right);
    case "&":
      return call("bit_and", sides, "int64");
    case "|":
      return call("bit_or", sides, "int64");
    case "^":
      return call("bit_xor", sides, "int64");
  }
}

/** Beyond the greatest number comes the least. */
function sum(left: Expression, right: Expression): Expression {
  const most = minus(INT64_MAX, atLeastZero(right));
  const least = minus(INT64_MIN, atMostZero(right));
  return wrapped(left, { most, least }, plus(left, right));
}

function difference(left: Expression, right: Expression): Expression {
  const most = plus(INT64_MAX, atMostZero(right));
  const least = plus(INT64_MIN, atLeastZero(right));
  return wrapped(left, { most, least }, minus(left, right));
}

/**
 * `result` where `left` is not beyond what it may be at `most` and `least`. By how much it is gives the number at the other end, which is put
 * together of bits: engines add up constants, and would go beyond the numbers.
 */
function wrapped(
  left: Expression,
  { least, most }: { readonly least: Expression; readonly most: Expression },
  result: Expression,
): Expression {
  const above = minus(minus(left, most), ONE);
  return {
    kind: "case",
    branches: [
      { when: greater(left, most), result: call("bit_or", [above, INT64_MIN], "int64") },
      {
        when: less(left, least),
        result: call("bit_and", [minus(left, least), INT64_MAX], "int64"),
      },
    ],
    otherwise: result,
    type: "int64",
  };
}

/** NULL beyond what a whole number holds. */
function product(left: Expression, right: Expression): Expression {
  const floats = [left, right].map((side) => asFloat({ type: "integer", expression: side }));
  const size = call("abs", [call("multiply", floats, "float64")], "float64");
  return choose(
    call("less", [size, PRODUCT_MAX], "boolean"),
    call("multiply", [left, right], "int64"),
    literal(null, "int64"),
  );
}

function quotient(left: Expression, right: Expression): Expression {
  return {
    kind: "case",
    branches: [
      { when: equal(right, ZERO), result: zeroOf(left) },
      { when: equal(right, MINUS_ONE), result: negated(left) },
    ],
    otherwise: call("divide", [left, right], "int64"),
    type: "int64",
  };
}

function remainder(left: Expression, right: Expression): Expression {
  const none = call("or", [equal(right, ZERO), equal(right, MINUS_ONE)], "boolean");
  return choose(none, zeroOf(left), call("modulo", [left, right], "int64"));
}

/** NULL where `value` is. */
function zeroOf(value: Expression): Expression {
  return choose(call("is_null", [value], "boolean"), literal(null, "int64"), ZERO);
}

function choose(when: Expression, result: Expression, otherwise: Expression): Expression {
  return { kind: "case", branches: [{ when, result }], otherwise, type: otherwise.type };
}

/** So that no bound is computed beyond the numbers, whatever is tested first. */
function atLeastZero(value: Expression): Expression {
  return call("greatest", [value, ZERO], "int64");
}

function atMostZero(value: Expression): Expression {
  return call("least", [value, ZERO], "int64");
}

function plus(left: Expression, right: Expression): Expression {
  return call("add", [left, right], "int64");
}

function minus(left: Expression, right: Expression): Expression {
  return call("subtract", [left, right], "int64");
}

function greater(left: Expression, right: Expression): Expression {
  return call("greater", [left, right], "boolean");
}

function less(left: Expression, right: Expression): Expression {
  return call("less", [left, right], "boolean");
}

function equal(left: Expression, right: Expression): Expression {
  return call("equal", [left, right], "boolean");
}
