import type { AggregateCall, Expression } from "#model/query/expression.ts";
import { isFloat, type ValueType } from "#model/query/value-type.ts";
import { coerce } from "../coerce.ts";
import { planningError } from "../errors.ts";
import { literal } from "../fold.ts";
import {
  type AggregateBuilder,
  type AggregateRequest,
  checkOperands,
  constantValue,
  floatOf,
  isDecimal,
  numberOf,
} from "./request.ts";

/** Percentiles by their names, the shown one first. The value comes first, or from WITHIN GROUP (ORDER BY value). */
export const PERCENTILES: Readonly<Record<string, AggregateBuilder>> = {
  approx_median: (request) => {
    checkOperands(request, 1);
    return approximate(request, 0.5);
  },
  approx_percentile_cont: (asked) => {
    const { request, descending } = withValue(asked);
    checkOperands(request, 2, 3);
    return approximate(request, fraction(request, 1, descending));
  },
  approx_percentile_cont_with_weight: (asked) => {
    const { request, descending } = withValue(asked);
    checkOperands(request, 3, 4);
    const part = fraction(request, 2, descending);
    return {
      name: "approx_percentile_weighted",
      arguments: [floatOf(request, 0), floatOf(request, 1), literal(part, "float64")],
      distinct: request.distinct,
      type: numberOf(request, 0).type,
    };
  },
  "percentile_cont quantile_cont": (asked) => {
    const { request, descending } = withValue(asked);
    checkOperands(request, 2);
    const part = fraction(request, 1, descending);
    const value = numberOf(request, 0);
    return {
      name: "percentile",
      arguments: [value, literal(part, "float64")],
      distinct: request.distinct,
      type: betweenType(value.type),
    };
  },
};

/** What lies between whole numbers is a float. */
function betweenType(type: ValueType): ValueType {
  return isFloat(type) || isDecimal(type) ? type : "float64";
}

function approximate(request: AggregateRequest, part: number): AggregateCall {
  return {
    name: "approx_percentile",
    arguments: [floatOf(request, 0), literal(part, "float64")],
    distinct: request.distinct,
    type: numberOf(request, 0).type,
  };
}

function withValue(asked: AggregateRequest): {
  readonly request: AggregateRequest;
  readonly descending: boolean;
} {
  if (!asked.withinGroup) return { request: asked, descending: false };
  const [key, ...more] = asked.orderBy;
  if (key === undefined || more.length > 0) {
    throw planningError("Only a single ordering expression is permitted in a WITHIN GROUP clause");
  }
  const operands: readonly Expression[] = [key.expression, ...asked.operands];
  return { request: { ...asked, operands, orderBy: [] }, descending: key.descending };
}

/** Operand `index`, a constant from 0 to 1: the part of the values that lies below the answer. */
function fraction(request: AggregateRequest, index: number, descending: boolean): number {
  const operand = floatOf(request, index);
  const value = constantValue(coerce(operand, "float64"));
  const name = request.name.toUpperCase();
  if (typeof value !== "number") {
    throw planningError(`Percentile value for '${name}' must be a literal`);
  }
  if (value >= 0 && value <= 1) return descending ? 1 - value : value;
  throw planningError(
    `Percentile value must be between 0.0 and 1.0 inclusive, ${value} is invalid`,
  );
}
