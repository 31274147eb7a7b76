import { type Expression, isInterval, type SortKey } from "#model/query/expression.ts";
import type { FrameBound, WindowFrame } from "#model/query/plan.ts";
import { typeText } from "#model/query/type-text.ts";
import { isFloat, isInteger, isTimestamp, type ValueType } from "#model/query/value-type.ts";
import { SECOND_NS } from "#model/time-units.ts";
import type { SqlExpression, SqlFrame, SqlFrameBound } from "../../../sql/ast.ts";
import { constantValue, isDecimal } from "../aggregates/request.ts";
import { coerce } from "../coerce.ts";
import { planningError } from "../errors.ts";
import { literal } from "../fold.ts";

/** The order of a window, and the frame of each of its rows. */
interface Framed {
  readonly orderBy: readonly SortKey[];
  readonly frame?: WindowFrame;
}

/** Where a bound may stand: the start not after the end. */
const PLACES: Readonly<Record<SqlFrameBound["kind"], number>> = {
  unbounded_preceding: 0,
  preceding: 1,
  current_row: 2,
  following: 3,
  unbounded_following: 4,
};

/** Throws DbError `invalid` / `sql_planning` for frames that no row can have. */
export function frameOf(
  frame: SqlFrame | undefined,
  orderBy: readonly SortKey[],
  bind: (offset: SqlExpression) => Expression,
): Framed {
  if (frame === undefined) return { orderBy };
  const { unit, start, end } = frame;
  checkBounds(frame);
  const offsets = "offset" in start || "offset" in end;
  if (unit === "groups" && orderBy.length === 0) {
    throw planningError("GROUPS requires an ORDER BY clause");
  }
  if (unit !== "range" || !offsets) {
    const bound = (side: SqlFrameBound) => counted(side, bind);
    return { orderBy, frame: { unit, start: bound(start), end: bound(end) } };
  }
  const [key] = orderBy;
  if (key === undefined || orderBy.length > 1) {
    throw planningError("RANGE requires exactly one ORDER BY column");
  }
  // Floats and decimals are added as floats.
  const { expression } = key;
  const ordered = isDecimal(expression.type) ? coerce(expression, "float64") : expression;
  const bound = (side: SqlFrameBound) => ranged(side, ordered.type, bind);
  return {
    orderBy: [{ ...key, expression: ordered }],
    frame: { unit, start: bound(start), end: bound(end) },
  };
}

function checkBounds({ start, end }: SqlFrame): void {
  if (start.kind === "unbounded_following") {
    throw planningError("Invalid window frame: start bound cannot be UNBOUNDED FOLLOWING");
  }
  if (end.kind === "unbounded_preceding") {
    throw planningError("Invalid window frame: end bound cannot be UNBOUNDED PRECEDING");
  }
  if (PLACES[start.kind] <= PLACES[end.kind]) return;
  const [low, high] = [start, end].map(({ kind }) => kind.replaceAll("_", " ").toUpperCase());
  throw planningError(
    `Invalid window frame: start bound (${low}) cannot be larger than end bound (${high})`,
  );
}

/** A bound of rows or groups. */
function counted(side: SqlFrameBound, bind: (offset: SqlExpression) => Expression): FrameBound {
  if (!("offset" in side)) return side;
  const offset = withoutUnit(bind(side.offset));
  const count = constantValue(offset);
  if (typeof count !== "bigint" || count < 0n) {
    throw planningError("Invalid window frame: frame offsets must be non negative integers");
  }
  return { kind: side.kind, offset: literal(count, "int64") };
}

/** A bound of values near that of an order key. */
function ranged(
  side: SqlFrameBound,
  type: ValueType,
  bind: (offset: SqlExpression) => Expression,
): FrameBound {
  if (!("offset" in side)) return side;
  const target = offsetType(type);
  const offset = bind(side.offset);
  const value = constantValue(coerce(target === "interval" ? offset : withoutUnit(offset), target));
  if (value === undefined || value === null || isNegative(value)) {
    throw planningError("Invalid window frame: frame offsets must be constants, and not negative");
  }
  return { kind: side.kind, offset: literal(value, target) };
}

/** A text before PRECEDING is an interval, of seconds where it says no unit: over numbers it is the number. */
function withoutUnit(offset: Expression): Expression {
  if (offset.kind !== "literal" || !isInterval(offset.value)) return offset;
  const { months, nanoseconds } = offset.value;
  const whole = months === 0 && nanoseconds % SECOND_NS === 0n;
  return whole ? literal(nanoseconds / SECOND_NS, "int64") : offset;
}

function offsetType(type: ValueType): ValueType {
  if (isTimestamp(type) || type === "date") return "interval";
  if (isInteger(type)) return type === "uint64" ? "uint64" : "int64";
  if (isFloat(type)) return "float64";
  throw planningError(`RANGE with an offset cannot be used over ${typeText(type)}`);
}

function isNegative(value: Exclude<Parameters<typeof literal>[0], null>): boolean {
  if (typeof value === "object" && "months" in value) {
    return value.months < 0 || value.nanoseconds < 0n;
  }
  return typeof value === "bigint" || typeof value === "number" ? value < 0 : false;
}
