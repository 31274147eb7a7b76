/** Sums, differences and products of times, dates, durations and intervals. */
import { type Expression, isInterval, type LiteralValue } from "#model/query/expression.ts";
import { typeText } from "#model/query/type-text.ts";
import { isInteger, isTimestamp, type ValueType } from "#model/query/value-type.ts";
import { addMonths } from "#model/time/date.ts";
import { DAY_NS } from "#model/time-units.ts";
import { coerce, commonType } from "./coerce.ts";
import { planningError } from "./errors.ts";
import { addIntervals, call, foldTime, literal } from "./fold.ts";
import { isNumeric } from "./types/common-type.ts";

type Kind = "timestamp" | "date" | "time" | "duration" | "interval" | "number" | "null" | "other";
type Sum = "+" | "-";

const TIMES: ReadonlySet<Kind> = new Set(["timestamp", "date", "time", "duration", "interval"]);

/** `left operator right` where one of them is a time of some kind; undefined where none is, or there is no such operation. */
export function timeArithmetic(
  operator: string,
  left: Expression,
  right: Expression,
): Expression | undefined {
  const [one, other] = [kindOf(left.type), kindOf(right.type)];
  if (!TIMES.has(one) && !TIMES.has(other)) return undefined;
  if (one === "null" || other === "null") {
    return literal(null, one === "null" ? right.type : left.type);
  }
  if (operator === "*" || operator === "/") return product(operator, left, right);
  if (operator !== "+" && operator !== "-") return undefined;
  return sum(operator, [left, one], [right, other]);
}

function sum(
  operator: Sum,
  [left, one]: readonly [Expression, Kind],
  [right, other]: readonly [Expression, Kind],
): Expression | undefined {
  switch (`${one} ${operator} ${other}`) {
    case "timestamp + interval":
    case "timestamp - interval":
      return moved(operator, left, right);
    case "interval + timestamp":
      return moved(operator, right, left);
    case "date + interval":
    case "date - interval":
      return movedDate(operator, left, right);
    case "interval + date":
      return movedDate(operator, right, left);
    case "timestamp + duration":
    case "timestamp - duration":
    case "duration + duration":
    case "duration - duration":
      return shifted(operator, left, right);
    case "duration + timestamp":
      return shifted(operator, right, left);
    case "date + time":
      return shifted(operator, coerce(left, "timestamp"), sinceMidnight(right));
    case "time + date":
      return shifted(operator, coerce(right, "timestamp"), sinceMidnight(left));
    case "date + number":
    case "date - number":
      return movedDays(operator, left, right);
    case "number + date":
      return movedDays(operator, right, left);
    default:
      return difference(operator, [left, one], [right, other]);
  }
}

/** Of two instants or days a duration; of times of day and intervals an interval. */
function difference(
  operator: Sum,
  [left, one]: readonly [Expression, Kind],
  [right, other]: readonly [Expression, Kind],
): Expression | undefined {
  const kinds = [one, other];
  const all = (...allowed: readonly Kind[]) => kinds.every((kind) => allowed.includes(kind));
  if (all("timestamp", "date")) {
    if (operator === "+") return undefined;
    const common =
      one === "date" && other === "date" ? "timestamp" : commonType([left, right], "int64");
    const type = common ?? "timestamp";
    return foldTime(
      call("timestamp_difference", [coerce(left, type), coerce(right, type)], "duration"),
    );
  }
  if (all("time") && operator === "+") return undefined;
  if (!all("interval", "duration", "time")) return undefined;
  return intervalSum(operator, coerce(left, "interval"), coerce(right, "interval"));
}

function moved(operator: Sum, time: Expression, interval: Expression): Expression {
  const name = operator === "+" ? "add_interval" : "subtract_interval";
  return foldTime(call(name, [time, interval], time.type));
}

function movedDate(operator: Sum, date: Expression, interval: Expression): Expression {
  const known = date.kind === "literal" && interval.kind === "literal";
  const day = known ? movedDay(operator, date.value, interval.value) : undefined;
  if (day !== undefined) return literal(day, "date");
  const name = operator === "+" ? "add_to_date" : "subtract_from_date";
  return call(name, [date, interval], "date");
}

/** Whole months and days: what is left of an interval is not counted. Undefined where that is no day, or NULL. */
function movedDay(operator: Sum, day: LiteralValue, interval: LiteralValue): bigint | undefined {
  if (typeof day !== "bigint" || !isInterval(interval)) return undefined;
  const sign = operator === "+" ? 1 : -1;
  const month = addMonths(Number(day), sign * interval.months);
  if (month === undefined) return undefined;
  const total = BigInt(month) + BigInt(sign) * (interval.nanoseconds / DAY_NS);
  return total === BigInt.asIntN(32, total) ? total : undefined;
}

function movedDays(operator: Sum, date: Expression, days: Expression): Expression | undefined {
  if (!isInteger(days.type)) return undefined;
  const count = coerce(days, "int32");
  const signed = operator === "+" ? count : call("negate", [count], "int32");
  return call("add_days", [date, signed], "date");
}

function shifted(operator: Sum, time: Expression, by: Expression): Expression {
  return call(operator === "+" ? "add_duration" : "subtract_duration", [time, by], time.type);
}

function sinceMidnight(time: Expression): Expression {
  return coerce(coerce(time, "int64"), "duration");
}

function intervalSum(operator: Sum, left: Expression, right: Expression): Expression {
  if (left.kind !== "literal" || right.kind !== "literal") {
    const name = operator === "+" ? "add_intervals" : "subtract_intervals";
    return call(name, [left, right], "interval");
  }
  if (!isInterval(left.value) || !isInterval(right.value)) return literal(null, "interval");
  const total = addIntervals(left.value, right.value, operator === "+" ? 1 : -1);
  if (total === undefined) throw planningError("the sum of two intervals is too long");
  return literal(total, "interval");
}

function product(operator: "*" | "/", left: Expression, right: Expression): Expression | undefined {
  const [one, other] = [kindOf(left.type), kindOf(right.type)];
  if (one === "interval" && other === "number") return multiple(operator, left, right);
  if (one === "number" && other === "interval" && operator === "*") {
    return multiple(operator, right, left);
  }
  throw planningError(
    `Cannot coerce arithmetic expression ${typeText(left.type)} ${operator} ${typeText(right.type)} to valid types`,
  );
}

function multiple(operator: "*" | "/", interval: Expression, factor: Expression): Expression {
  if (operator === "*" && isInteger(factor.type)) {
    return call("multiply_interval", [interval, coerce(factor, "int64")], "interval");
  }
  const float = coerce(factor, "float64");
  const by = operator === "*" ? float : call("divide", [literal(1, "float64"), float], "float64");
  return call("multiply_interval", [interval, by], "interval");
}

function kindOf(type: ValueType): Kind {
  if (isTimestamp(type)) return "timestamp";
  if (isNumeric(type)) return "number";
  switch (type) {
    case "date":
    case "time":
    case "duration":
    case "interval":
    case "null":
      return type;
    default:
      return "other";
  }
}
