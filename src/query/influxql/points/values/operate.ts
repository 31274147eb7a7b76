/** Operators of InfluxQL on single values, as InfluxDB 1 computes them. */
import type { BinaryOperator } from "../../ast.ts";
import { comparison, floatResult, wholeResult } from "../../operators.ts";
import type { ColumnType, PointValue } from "./columns.ts";

type Cell = PointValue | null;

/** Whole numbers: from a uint64 column or not. */
export interface OperandTypes {
  readonly left: ColumnType;
  readonly right: ColumnType;
}

const COMPARISONS: ReadonlySet<BinaryOperator> = new Set(["=", "!=", "<", "<=", ">", ">="]);
const OF_BOOLEANS: ReadonlySet<BinaryOperator> = new Set([...COMPARISONS, "AND", "OR", "=~", "!~"]);

/** The type of what `operate` gives. */
export function operatedType(operator: BinaryOperator, { left, right }: OperandTypes): ColumnType {
  if (OF_BOOLEANS.has(operator) || left === "boolean" || right === "boolean") return "boolean";
  if (!isNumeric(left) || !isNumeric(right)) return "null";
  if (left === "float64" || right === "float64") return "float64";
  if (left === "uint64" || right === "uint64") return "uint64";
  return operator === "/" ? "float64" : "int64";
}

function isNumeric(type: ColumnType): boolean {
  return type === "float64" || type === "int64" || type === "uint64";
}

/**
 * `left` `operator` `right`. Division by zero gives zero. Of absent values nothing can be said, but that beside a boolean they are false; a comparison
 * of values that cannot be compared is false. Regular expressions are the caller's.
 */
export function operate(
  operator: BinaryOperator,
  left: Cell,
  right: Cell,
  types: OperandTypes,
): Cell {
  if (typeof left === "boolean") return ofBooleans(operator, left, right);
  if (left === null && typeof right === "boolean") return ofBooleans(operator, false, right);
  if (typeof left === "string" && typeof right === "string") {
    return ofTexts(operator, left, right);
  }
  if (typeof left === "bigint" && typeof right === "bigint") {
    return ofWholes(operator, [left, right], types);
  }
  if (isNumber(left) && isNumber(right)) return ofFloats(operator, Number(left), Number(right));
  return COMPARISONS.has(operator) ? false : null;
}

function isNumber(value: Cell): value is number | bigint {
  return typeof value === "number" || typeof value === "bigint";
}

function ofBooleans(operator: BinaryOperator, left: boolean, other: Cell): Cell {
  // Absent counts as false beside a boolean.
  const known = typeof other === "boolean" || other === null;
  const right = other === true;
  switch (operator) {
    case "AND":
    case "&":
      return known && left && right;
    case "OR":
    case "|":
      return known && (left || right);
    case "^":
    case "!=":
      return known && left !== right;
    case "=":
      return known && left === right;
    default:
      return COMPARISONS.has(operator) ? false : null;
  }
}

function ofTexts(operator: BinaryOperator, left: string, right: string): Cell {
  if (operator === "=") return left === right;
  if (operator === "!=") return left !== right;
  return COMPARISONS.has(operator) ? false : null;
}

function ofFloats(operator: BinaryOperator, left: number, right: number): Cell {
  return floatResult(operator, left, right) ?? comparison(operator, left, right) ?? null;
}

function ofWholes(
  operator: BinaryOperator,
  [left, right]: readonly [bigint, bigint],
  types: OperandTypes,
): Cell {
  const signed = types.left === "int64" && types.right === "int64";
  if (operator === "/" && signed) return right === 0n ? 0 : Number(left) / Number(right);
  const compared = comparison(operator, left, right);
  if (compared !== undefined) return compared;
  const [a, b] = signed ? [left, right] : [BigInt.asUintN(64, left), BigInt.asUintN(64, right)];
  const result = wholeResult(operator, a, b);
  if (result === undefined) return null;
  return signed ? BigInt.asIntN(64, result) : BigInt.asUintN(64, result);
}
