/** Functions that tell parts of a time, or show it as text. */
import type { Expression } from "#model/query/expression.ts";
import { typeText } from "#model/query/type-text.ts";
import { isTimestamp } from "#model/query/value-type.ts";
import { parsePattern } from "#model/time/pattern.ts";
import { coerce } from "../../coerce.ts";
import { planningError } from "../../errors.ts";
import { call, type Literal, literal } from "../../fold.ts";
import { argumentError, type CallContext, checkCount } from "../builder.ts";
import { timestampOf, type UnitNames, unitNames, unitOf } from "./arguments.ts";

const SHORT_NAMES = {
  year: "y yr yrs",
  month: "mon mons",
  week: "w",
  day: "d",
  hour: "h hr hrs",
  minute: "m min mins",
  second: "s sec secs",
  millisecond: "ms msec msecs",
  microsecond: "us usec usecs",
  nanosecond: "ns nsec nsecs",
} as const;
const PARTS: UnitNames = new Map([
  ...unitNames("year quarter month week day hour minute second millisecond microsecond nanosecond"),
  ...["dow", "doy", "isodow", "epoch"].map((name): [string, string] => [name, name]),
  ...Object.entries(SHORT_NAMES).flatMap(([unit, names]) =>
    names.split(" ").map((name): [string, string] => [name, unit]),
  ),
]);
const PARTS_OF_DAY: ReadonlySet<unknown> = new Set(
  "hour minute second millisecond microsecond nanosecond epoch".split(" "),
);
const PARTS_OF_CALENDAR: ReadonlySet<unknown> = new Set(["dow", "doy", "isodow"]);

export function datePart(operands: readonly Expression[], context: CallContext): Expression {
  checkCount(operands, context, 2);
  const unit = unitOf(operands, PARTS, context);
  const [, operand = literal(null, "null")] = operands;
  const type = unit.value === "epoch" ? "float64" : "int64";
  switch (operand.type) {
    case "interval":
    case "duration":
      if (PARTS_OF_CALENDAR.has(unit.value)) throw partError(unit, operand);
      return call("interval_part", [unit, coerce(operand, "interval")], type);
    case "time":
      if (!PARTS_OF_DAY.has(unit.value)) throw partError(unit, operand);
      // A time of day is one of the first day.
      return call("date_part", [unit, coerce(coerce(operand, "int64"), "timestamp")], type);
    default: {
      const part = call("date_part", [unit, timestampOf(operands, 1, context)], type);
      // The engine's week begins with Monday 1.
      return unit.value === "isodow"
        ? call("subtract", [part, literal(1n, "int64")], "int64")
        : part;
    }
  }
}

export function toText(operands: readonly Expression[], context: CallContext): Expression {
  checkCount(operands, context, 2);
  const [operand = literal(null, "null"), given = literal(null, "null")] = operands;
  if (operand.type === "null" || given.type === "null") return literal(null, "string");
  if (given.type !== "string") throw argumentError(context, "String", operands, given.type);
  if (operand.type === "duration") return coerce(operand, "string");
  if (!isTimestamp(operand.type) && operand.type !== "date" && operand.type !== "time") {
    throw argumentError(context, "Timestamp", operands, operand.type);
  }
  if (given.kind === "literal" && typeof given.value === "string") checkPattern(given.value);
  return call("write_pattern", [operand, given], "string");
}

function checkPattern(text: string): void {
  if (parsePattern(text) !== undefined) return;
  throw planningError(
    `'${text.slice(0, 100)}' is no pattern of times: it has a specifier that is none`,
  );
}

function partError({ value }: Literal, { type }: Expression): Error {
  return planningError(
    `${typeof value === "string" ? value : "this"} is no part of ${typeText(type)}`,
  );
}
