/** Functions of a row's window as engine SQL. */
import { assert } from "#base/errors.ts";
import type { Expression, IntervalValue, SortKey } from "#model/query/expression.ts";
import type { ChangeFunction, RankFunction } from "#model/query/functions/aggregate.ts";
import type { FrameBound, WindowCall, WindowFrame } from "#model/query/plan.ts";
import { isInteger, isTimestamp } from "#model/query/value-type.ts";
import { DAY_NS } from "#model/time-units.ts";
import { printExpression } from "../expression.ts";
import type { Names } from "../names.ts";
import { printDirection } from "../order.ts";
import { printShift } from "../time.ts";
import { printAggregate } from "./aggregate.ts";

type PlaceFunction =
  | Exclude<RankFunction, ChangeFunction>
  | "first_value"
  | "last_value"
  | "nth_value";

export function printWindow(call: WindowCall, names: Names): string {
  if (isRank(call.name)) return printRank(call, call.name, names);
  const over = printOver(call, names, call.frame);
  if (call.name === "first_value" || call.name === "last_value") {
    return `${printPlace(call.name, call, names)}${over}`;
  }
  // The engine has no places from the end, but for lists.
  if (call.name === "nth_value" && placeOf(call) > 0n) {
    return `${printPlace(call.name, call, names)}${over}`;
  }
  const { name, arguments: operands, distinct, filter, argumentOrder, ignoreNulls, type } = call;
  return printAggregate(
    {
      name,
      arguments: operands,
      distinct,
      ...(filter === undefined ? {} : { filter }),
      ...(argumentOrder === undefined ? {} : { orderBy: argumentOrder }),
      ignoreNulls,
      type,
    },
    names,
    over,
  );
}

const RANKS: Readonly<Record<RankFunction, string | undefined>> = {
  row_number: "UBIGINT",
  rank: "UBIGINT",
  dense_rank: "UBIGINT",
  percent_rank: undefined,
  cume_dist: undefined,
  ntile: "UBIGINT",
  lag: undefined,
  lead: undefined,
  difference: undefined,
  non_negative_difference: undefined,
  derivative: undefined,
  non_negative_derivative: undefined,
};

function isRank(name: WindowCall["name"]): name is RankFunction {
  return Object.hasOwn(RANKS, name);
}

/** Frames mean nothing to them. */
function printRank(call: WindowCall, name: RankFunction, names: Names): string {
  if (isChange(name)) return printChange(call, name, names);
  const text = `${printPlace(name, call, names)}${printOver(call, names, undefined)}`;
  const type = RANKS[name];
  return type === undefined ? text : `CAST(${text} AS ${type})`;
}

function isChange(name: RankFunction): name is ChangeFunction {
  return name.endsWith("difference") || name.endsWith("derivative");
}

function printChange(call: WindowCall, name: ChangeFunction, names: Names): string {
  const over = printOver(call, names, undefined);
  const [value = "", time = "", unit = ""] = call.arguments.map((argument) =>
    printExpression(argument, names),
  );
  const positive = name.startsWith("non_negative_");
  if (call.arguments.length === 1) {
    const before = `lag(${value} IGNORE NULLS)${over}`;
    const difference = `${value} - ${before}`;
    // Of unsigned numbers one below zero would be an error.
    return positive ? `CASE WHEN ${value} >= ${before} THEN ${difference} END` : difference;
  }
  const known = `CASE WHEN ${value} IS NOT NULL AND ${time} IS NOT NULL THEN {'v': ${value}, 't': ${time}} END`;
  const before = `lag(${known} IGNORE NULLS)${over}`;
  const units = `(CAST(${time} AS HUGEINT) - (${before}).t) / CAST(${unit} AS DOUBLE)`;
  const slope = `(${value} - (${before}).v) / (${units})`;
  return positive ? `CASE WHEN NOT ${slope} < 0 THEN ${slope} END` : slope;
}

function printPlace(name: PlaceFunction, call: WindowCall, names: Names): string {
  const args = call.arguments.map((argument) => printExpression(argument, names));
  const filter =
    call.filter === undefined ? "" : ` FILTER (WHERE ${printExpression(call.filter, names)})`;
  return `${name}(${args.join(", ")}${call.ignoreNulls ? " IGNORE NULLS" : ""})${filter}`;
}

function placeOf(call: WindowCall): bigint {
  const place = call.arguments[1];
  assert(place?.kind === "literal" && typeof place.value === "bigint", "the place is a number");
  return place.value;
}

function printOver(call: WindowCall, names: Names, frame: WindowFrame | undefined): string {
  const partition = call.partitionBy.map((key) => printExpression(key, names));
  const [ranged] = call.orderBy;
  const shifted = frame?.unit === "range" && ranged !== undefined && hasOffset(frame);
  const order = call.orderBy.map((key) => {
    const text = printExpression(key.expression, names);
    return `${shifted ? printWide(key.expression, text) : text} ${printDirection(key)}`;
  });
  const parts = [
    partition.length === 0 ? "" : `PARTITION BY ${partition.join(", ")}`,
    order.length === 0 ? "" : `ORDER BY ${order.join(", ")}`,
    frame === undefined ? "" : printFrame(frame, ranged, names),
  ];
  return ` OVER (${parts.filter((part) => part !== "").join(" ")})`;
}

function hasOffset({ start, end }: WindowFrame): boolean {
  return "offset" in start || "offset" in end;
}

/** An order key to which offsets are added, so wide that no sum leaves its type: of times nanoseconds. */
function printWide({ type }: Expression, key: string): string {
  if (type === "date") return `CAST(${key} AS HUGEINT) * ${DAY_NS}`;
  return isInteger(type) || isCounted(type) ? `CAST(${key} AS HUGEINT)` : key;
}

function isCounted(type: Expression["type"]): boolean {
  return isTimestamp(type) || type === "time" || type === "duration";
}

function printFrame(
  { unit, start, end }: WindowFrame,
  key: SortKey | undefined,
  names: Names,
): string {
  const bound = (side: FrameBound) => {
    if (!("offset" in side)) return side.kind.replaceAll("_", " ").toUpperCase();
    return `${printOffset(side, key, names)} ${side.kind.toUpperCase()}`;
  };
  return `${unit.toUpperCase()} BETWEEN ${bound(start)} AND ${bound(end)}`;
}

/** How far a bound is from the row: of months as many nanoseconds as they have from there. */
function printOffset(
  { kind, offset }: Extract<FrameBound, { offset: Expression }>,
  key: SortKey | undefined,
  names: Names,
): string {
  if (offset.type !== "interval" || key === undefined) return printExpression(offset, names);
  assert(offset.kind === "literal", "an offset is a literal");
  const { months, nanoseconds } = offset.value as IntervalValue;
  if (months === 0) return `CAST(${nanoseconds} AS HUGEINT)`;
  const { expression, descending } = key;
  const text = printExpression(expression, names);
  const time = expression.type === "date" ? `(CAST(${text} AS BIGINT) * ${DAY_NS})` : text;
  const back = (kind === "preceding") !== descending;
  const reached = printShift(time, back ? -1 : 1, offset, "");
  const distance = back ? `${time} - ${reached}` : `${reached} - ${time}`;
  return `CAST(coalesce(${distance}, 0) AS HUGEINT)`;
}
