import { INT64_MAX } from "../../operators.ts";
import type { OutputExpression } from "../../resolved.ts";
import { ColumnBuilder, type PointColumn, type PointValue, valueAt } from "./columns.ts";
import { applyMath, mathType } from "./math.ts";
import { operate, operatedType } from "./operate.ts";

/** Rows that expressions read. */
export interface Cells {
  readonly rowCount: number;
  /** The column of an input, a transformation or what stands beside a selector. */
  columnOf(expression: OutputExpression): PointColumn;
}

type BinaryOutput = Extract<OutputExpression, { readonly kind: "binary" }>;
type MathOutput = Extract<OutputExpression, { readonly kind: "math" }>;

/** The cells of `expression`; NaN is still NaN. */
export function evaluate(expression: OutputExpression, cells: Cells): PointColumn {
  switch (expression.kind) {
    case "literal":
      return repeated(expression.value, cells.rowCount);
    case "binary":
      return evaluateBinary(expression, cells);
    case "math":
      return evaluateMath(expression, cells);
    default:
      return cells.columnOf(expression);
  }
}

/** `column` as it is answered: what is not a number is absent. */
export function withoutNaN(column: PointColumn): PointColumn {
  if (column.type !== "float64" || !column.values.some(Number.isNaN)) return column;
  const present = column.present?.slice() ?? new Uint8Array(column.values.length).fill(1);
  column.values.forEach((value, row) => {
    if (Number.isNaN(value)) present[row] = 0;
  });
  return { ...column, present };
}

function repeated(value: PointValue, rowCount: number): PointColumn {
  switch (typeof value) {
    case "number":
      return { type: "float64", values: new Float64Array(rowCount).fill(value) };
    case "bigint":
      return value > INT64_MAX
        ? { type: "uint64", values: new BigUint64Array(rowCount).fill(value) }
        : { type: "int64", values: new BigInt64Array(rowCount).fill(value) };
    case "string":
      return { type: "string", values: Array.from({ length: rowCount }, () => value) };
    default:
      return { type: "boolean", values: new Uint8Array(rowCount).fill(value ? 1 : 0) };
  }
}

function evaluateBinary({ operator, left, right }: BinaryOutput, cells: Cells): PointColumn {
  const [a, b] = [evaluate(left, cells), evaluate(right, cells)];
  const types = { left: a.type, right: b.type };
  const builder = new ColumnBuilder(operatedType(operator, types), cells.rowCount);
  for (let row = 0; row < cells.rowCount; row += 1) {
    builder.push(operate(operator, valueAt(a, row), valueAt(b, row), types));
  }
  return builder.finish();
}

function evaluateMath({ name, arguments: operands }: MathOutput, cells: Cells): PointColumn {
  const columns = operands.map((operand) => evaluate(operand, cells));
  const builder = new ColumnBuilder(mathType(name, columns[0]?.type), cells.rowCount);
  for (let row = 0; row < cells.rowCount; row += 1) {
    builder.push(
      applyMath(
        name,
        columns.map((column) => valueAt(column, row)),
      ),
    );
  }
  return builder.finish();
}
