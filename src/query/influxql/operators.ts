/** Operators on two numbers, the same for constants and for values of rows. Each answers undefined for operators that are not of its kind. */
import type { BinaryOperator } from "./ast.ts";

export const INT64_MIN = -(2n ** 63n);
export const INT64_MAX = 2n ** 63n - 1n;

/** What two whole numbers make, of any length. What is divided by zero is zero. */
export function wholeResult(
  operator: BinaryOperator,
  left: bigint,
  right: bigint,
): bigint | undefined {
  switch (operator) {
    case "+":
      return left + right;
    case "-":
      return left - right;
    case "*":
      return left * right;
    case "/":
      return right === 0n ? 0n : left / right;
    case "%":
      return right === 0n ? 0n : left % right;
    case "&":
      return left & right;
    case "|":
      return left | right;
    case "^":
      return left ^ right;
    default:
      return undefined;
  }
}

/** What two floats make. What is divided by zero is zero. */
export function floatResult(
  operator: BinaryOperator,
  left: number,
  right: number,
): number | undefined {
  switch (operator) {
    case "+":
      return left + right;
    case "-":
      return left - right;
    case "*":
      return left * right;
    case "/":
      return right === 0 ? 0 : left / right;
    case "%":
      return left % right;
    default:
      return undefined;
  }
}

/** Whether a comparison of two numbers is true. */
export function comparison<T extends bigint | number>(
  operator: BinaryOperator,
  left: T,
  right: T,
): boolean | undefined {
  switch (operator) {
    case "=":
      return left === right;
    case "!=":
      return left !== right;
    case "<":
      return left < right;
    case "<=":
      return left <= right;
    case ">":
      return left > right;
    case ">=":
      return left >= right;
    default:
      return undefined;
  }
}

/** Whether `operator` works on bits. */
export function isBitwise(operator: BinaryOperator): boolean {
  return operator === "&" || operator === "|" || operator === "^";
}
