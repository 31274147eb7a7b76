import type { Expression } from "../ast.ts";
import { isBitwise } from "../operators.ts";
import type { PointType } from "../resolved.ts";

/** `condition`, in which `&`, `|` and `^` take fields that are floats by their whole part, as in InfluxDB 3. 1.x finds no row so. */
export function bitsOfFloats(
  condition: Expression,
  types: ReadonlyMap<string, PointType>,
): Expression {
  switch (condition.kind) {
    case "parenthesized":
      return { ...condition, expression: bitsOfFloats(condition.expression, types) };
    case "binary": {
      const { left, operator, right } = condition;
      const sideOf = (side: Expression) =>
        isBitwise(operator) ? wholePart(side, types) : bitsOfFloats(side, types);
      return { ...condition, left: sideOf(left), right: sideOf(right) };
    }
    default:
      return condition;
  }
}

function wholePart(side: Expression, types: ReadonlyMap<string, PointType>): Expression {
  if (side.kind !== "variable") return bitsOfFloats(side, types);
  const isFloat = side.cast === undefined && types.get(side.name) === "float";
  return isFloat ? { ...side, cast: "integer" } : side;
}
