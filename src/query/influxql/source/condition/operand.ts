/** Parts of WHERE that are computed row by row, with the types and rules of InfluxDB 1. */
import type { Expression } from "#model/query/expression.ts";
import { call, literal } from "../../../plan/bind/fold.ts";
import type { BinaryExpression, Expression as InfluxExpression } from "../../ast.ts";
import { castColumn } from "../cast.ts";
import type { ScanColumns } from "../columns.ts";
import { type ArithmeticOperator, arithmetic } from "./arithmetic.ts";
import { compared, type NumberComparison } from "./compare.ts";
import { mathOf } from "./math.ts";
import { finds, findsNot } from "./pattern.ts";

/** A value of a row; NULL where it is missing, and of type `null` where no row has it. */
export interface Operand {
  readonly type: "float" | "integer" | "unsigned" | "string" | "boolean" | "null";
  readonly expression: Expression;
  /** Of a comparison the same, but NULL where it is false for want of a value: enough where rows are chosen by it. */
  readonly test?: Expression;
}

const NULL: Operand = { type: "null", expression: literal(null, "null") };
const FALSE = literal(false, "boolean");
const NONE: Operand = { type: "boolean", expression: FALSE };
const COMPARISONS: Readonly<Record<string, NumberComparison>> = {
  "=": "equal",
  "!=": "not_equal",
  "<": "less",
  "<=": "less_equal",
  ">": "greater",
  ">=": "greater_equal",
};

export function operandOf(expression: InfluxExpression, columns: ScanColumns): Operand {
  switch (expression.kind) {
    case "parenthesized":
      return operandOf(expression.expression, columns);
    case "variable": {
      const column = columns.find(expression.name);
      return column === undefined ? NULL : (castColumn(column, expression.cast, columns) ?? NULL);
    }
    case "integer":
      return { type: "integer", expression: literal(expression.value, "int64") };
    case "unsigned":
      return { type: "unsigned", expression: literal(expression.value, "uint64") };
    case "number":
      return { type: "float", expression: literal(expression.value, "float64") };
    case "string":
      return { type: "string", expression: literal(expression.value, "string") };
    case "boolean":
      return { type: "boolean", expression: literal(expression.value, "boolean") };
    case "binary":
      return ofBinary(expression, columns);
    case "call": {
      const operands = expression.arguments.map((one) => operandOf(one, columns));
      return (operands.every(isNumber) ? mathOf(expression.name, operands) : undefined) ?? NULL;
    }
    default:
      return NULL;
  }
}

function ofBinary({ left, operator, right }: BinaryExpression, columns: ScanColumns): Operand {
  const one = operandOf(left, columns);
  if (operator === "=~" || operator === "!~") return ofPattern(one, operator, right);
  const other = operandOf(right, columns);
  if (one.type === "boolean" && other.type === "boolean") return ofBooleans(one, operator, other);
  const comparison = COMPARISONS[operator];
  if (comparison !== undefined) return comparisonOf(one, comparison, other);
  if (!isArithmetic(operator) || !isNumber(one) || !isNumber(other)) return NULL;
  return arithmetic(operator, one, other) ?? NULL;
}

function ofPattern(text: Operand, operator: "=~" | "!~", pattern: InfluxExpression): Operand {
  if (text.type !== "string" || pattern.kind !== "regex") return NONE;
  const test = operator === "=~" ? finds : findsNot;
  return decided(test(pattern.pattern, text.expression, false));
}

function isArithmetic(operator: BinaryExpression["operator"]): operator is ArithmeticOperator {
  return operator !== "AND" && operator !== "OR" && COMPARISONS[operator] === undefined;
}

/** Of texts 1.x knows equality alone. */
function comparisonOf(one: Operand, comparison: NumberComparison, other: Operand): Operand {
  if (isNumber(one) && isNumber(other)) return decided(compared(comparison, one, other));
  const equality = comparison === "equal" || comparison === "not_equal";
  if (one.type !== "string" || other.type !== "string" || !equality) return NONE;
  return decided(call(comparison, [one.expression, other.expression], "boolean"));
}

function ofBooleans(one: Operand, operator: BinaryExpression["operator"], other: Operand): Operand {
  const sides = [one.expression, other.expression];
  const known = sides.map((side) => call("is_not_null", [side], "boolean"));
  const both = (test: Expression): Operand => decided(call("and", [...known, test], "boolean"));
  switch (operator) {
    case "AND":
    case "&":
      return both(call("and", sides, "boolean"));
    case "OR":
    case "|":
      return both(call("or", sides, "boolean"));
    case "=":
      return decided(call("equal", sides, "boolean"));
    case "!=":
    case "^":
      return decided(call("not_equal", sides, "boolean"));
    default:
      return COMPARISONS[operator] === undefined ? NULL : NONE;
  }
}

/** A comparison with what is missing is false, not NULL. */
function decided(test: Expression): Operand {
  return { type: "boolean", expression: call("coalesce", [test, FALSE], "boolean"), test };
}

export function isNumber({ type }: Operand): boolean {
  return type === "float" || type === "integer" || type === "unsigned";
}
