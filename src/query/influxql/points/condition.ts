/** WHERE on the rows of a subquery. */
import type { BinaryExpression, BinaryOperator, Expression } from "../ast.ts";
import {
  type ColumnType,
  type PointColumn,
  type PointValue,
  valueAt,
  wholeOf,
} from "./values/columns.ts";
import { operate } from "./values/operate.ts";

/** What a condition may name. */
export interface ConditionRows {
  readonly rowCount: number;
  /** The column of a name; undefined: no column has it, it is a tag. */
  column(name: string): PointColumn | undefined;
  /** The value of a tag that all rows have; empty where they have it not. */
  tag(name: string): string;
}

/** Whether a text has what a regular expression (RE2's syntax) looks for. */
export type Matcher = (pattern: string) => (text: string) => boolean;

type Cell = PointValue | null;

/** A part of a condition, row by row. */
interface Operand {
  readonly type: ColumnType;
  at(row: number): Cell;
}

/** The rows for which `condition` is true. */
export function rowsWhere(
  condition: Expression,
  rows: ConditionRows,
  matcher: Matcher,
): Int32Array {
  const operand = operandOf(condition, { rows, matcher });
  const found = new Int32Array(rows.rowCount);
  let count = 0;
  for (let row = 0; row < rows.rowCount; row += 1) {
    if (operand.at(row) !== true) continue;
    found[count] = row;
    count += 1;
  }
  return found.subarray(0, count);
}

interface Context {
  readonly rows: ConditionRows;
  readonly matcher: Matcher;
}

function operandOf(expression: Expression, context: Context): Operand {
  switch (expression.kind) {
    case "variable":
      return variableOperand(expression.name, expression.cast, context.rows);
    case "parenthesized":
      return operandOf(expression.expression, context);
    case "binary":
      return binaryOperand(expression, context);
    case "integer":
      return constant("int64", expression.value);
    case "unsigned":
      return constant("uint64", expression.value);
    case "number":
      return constant("float64", expression.value);
    case "string":
      return constant("string", expression.value);
    case "boolean":
      return constant("boolean", expression.value);
    case "duration":
    case "time":
      return constant("int64", expression.value);
    default:
      return constant("null", null);
  }
}

function constant(type: ColumnType, value: Cell): Operand {
  return { type, at: () => value };
}

function variableOperand(name: string, cast: string | undefined, rows: ConditionRows): Operand {
  const column = rows.column(name);
  if (column === undefined) return constant("string", rows.tag(name));
  const type = castType(cast) ?? column.type;
  if (type === column.type) return { type, at: (row) => valueAt(column, row) };
  return { type, at: (row) => castCell(valueAt(column, row), type) };
}

function castType(cast: string | undefined): ColumnType | undefined {
  switch (cast) {
    case "float":
      return "float64";
    case "integer":
      return "int64";
    case "unsigned":
      return "uint64";
    case "string":
    case "boolean":
      return cast;
    default:
      return undefined;
  }
}

/** Numbers become other numbers; what cannot be cast stays as it is. */
function castCell(value: Cell, type: ColumnType): Cell {
  if (typeof value !== "number" && typeof value !== "bigint") return value;
  if (type === "float64") return Number(value);
  if (type === "int64" || type === "uint64") return wholeOf(value) ?? null;
  return value;
}

function binaryOperand({ operator, left, right }: BinaryExpression, context: Context): Operand {
  if (operator === "=~" || operator === "!~") return regexOperand(operator, left, right, context);
  const [a, b] = [operandOf(left, context), operandOf(right, context)];
  const types = { left: a.type, right: b.type };
  return {
    type: resultType(operator, types.left, types.right),
    at: (row) => operate(operator, a.at(row), b.at(row), types),
  };
}

function resultType(operator: BinaryOperator, left: ColumnType, right: ColumnType): ColumnType {
  if (!isWhole(left) || !isWhole(right)) return left === "null" ? right : left;
  if (left === "uint64" || right === "uint64") return "uint64";
  return operator === "/" ? "float64" : "int64";
}

function isWhole(type: ColumnType): boolean {
  return type === "int64" || type === "uint64";
}

function regexOperand(
  operator: "=~" | "!~",
  left: Expression,
  right: Expression,
  context: Context,
): Operand {
  const text = operandOf(left, context);
  if (right.kind !== "regex") return constant("boolean", false);
  const matches = context.matcher(right.pattern);
  return {
    type: "boolean",
    at: (row) => {
      const value = text.at(row);
      if (typeof value !== "string") return null;
      return matches(value) === (operator === "=~");
    },
  };
}
