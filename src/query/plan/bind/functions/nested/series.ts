import { type Expression, type IntervalValue, isInterval } from "#model/query/expression.ts";
import { typeText } from "#model/query/type-text.ts";
import { isInteger, isTimestamp, listOf, type ValueType } from "#model/query/value-type.ts";
import { DAY_NS } from "#model/time-units.ts";
import { coerce } from "../../coerce.ts";
import { planningError } from "../../errors.ts";
import { literal } from "../../fold.ts";
import { call } from "../../operators.ts";
import { type Builder, type CallContext, checkCount } from "../builder.ts";
import { operandAt } from "./list-types.ts";

/** Lists of numbers, dates and times from one to another, by name. */
export const SERIES_FUNCTIONS: Readonly<Record<string, Builder>> = {
  generate_series: series("through"),
  // As DataFusion has it: a last day that is less than a step before the end is left out.
  range: series("step_before"),
};

/** The same as tables. */
export const SERIES_TABLES: Readonly<Record<string, Builder>> = {
  generate_series: series("through"),
  range: series("before"),
};

/** How far a series goes: to its end, to before it, or for dates to a step before it. */
type Reach = "through" | "before" | "step_before";

function series(reach: Reach): Builder {
  return (operands, context) => {
    checkCount(operands, context, 1, 3);
    const ends = operands.length === 1 ? [literal(0n, "int64"), ...operands] : operands;
    const [start, stop, step] = [operandAt(ends, 0), operandAt(ends, 1), ends[2]];
    const type = typeOfEnds(start, stop, context);
    if (type === "null") return literal(null, listOf("int64"));
    if (step?.kind === "literal" && step.value === null) return literal(null, listOf(type));
    if (isInteger(type)) {
      const by = wholeStep(step, context);
      const bounds = [coerce(start, "int64"), coerce(stop, "int64")];
      const last = literal(reach === "through", "boolean");
      return call("list_series", [...bounds, by, last], listOf("int64"));
    }
    const by = intervalStep(step, context);
    if (type === "date") return days(start, stop, by, reach);
    const [from, to] = [coerce(start, "timestamp"), coerce(stop, "timestamp")];
    return coerce(instantsOf(from, to, by, reach === "through"), listOf(type));
  };
}

/** Whole days. */
function days(start: Expression, stop: Expression, by: IntervalValue, reach: Reach): Expression {
  if (by.months === 0 && by.nanoseconds % DAY_NS !== 0n) {
    throw planningError("Cannot generate date range less than 1 day.");
  }
  const [from, to] = [coerce(start, "timestamp"), coerce(stop, "timestamp")];
  const early = reach === "step_before";
  const end = early ? call("subtract_interval", [to, literal(by, "interval")], "timestamp") : to;
  return coerce(instantsOf(from, end, by, early || reach === "through"), listOf("date"));
}

function instantsOf(
  from: Expression,
  to: Expression,
  { months, nanoseconds }: IntervalValue,
  inclusive: boolean,
): Expression {
  const rest = literal(nanoseconds, "int64");
  const last = literal(inclusive, "boolean");
  const type = listOf("timestamp");
  if (months === 0) return call("list_series", [from, to, rest, last], type);
  return call("month_series", [from, to, literal(BigInt(months), "int64"), rest, last], type);
}

/** int64, date or a timestamp; NULL where an end is. */
function typeOfEnds(start: Expression, stop: Expression, context: CallContext): ValueType {
  const types = [start.type, stop.type];
  if (types.includes("null")) return "null";
  if (types.every(isInteger)) return "int64";
  if (types.every((type) => type === "date")) return "date";
  const instant = types.find(isTimestamp);
  const fitting = types.every((type) => isTimestamp(type) || type === "date" || type === "string");
  if (instant !== undefined && fitting) return instant;
  throw planningError(
    `Function '${context.name}' expects whole numbers, dates or timestamps but received ${types.map(typeText).join(", ")}`,
  );
}

function wholeStep(step: Expression | undefined, context: CallContext): Expression {
  if (step === undefined) return literal(1n, "int64");
  if (isInteger(step.type)) return coerce(step, "int64");
  throw planningError(
    `Function '${context.name}' expects a whole number as step but received ${typeText(step.type)}`,
  );
}

/** A constant interval; a day where nothing is said. */
function intervalStep(step: Expression | undefined, context: CallContext) {
  if (step === undefined) return { months: 0, nanoseconds: DAY_NS };
  const value = step.kind === "literal" && step.value !== null ? step.value : "";
  if (typeof value === "object" && isInterval(value)) return value;
  throw planningError(`Function '${context.name}' expects a constant interval as step`);
}
