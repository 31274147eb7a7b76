import type { BinaryOperator } from "./ast.ts";

/** What two whole numbers make; undefined where the operator makes no number of them. What is divided by zero is zero. */
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
