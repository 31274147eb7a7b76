/** The type in which values of two types meet. */
import {
  type DecimalType,
  INTEGER_RANGES,
  type IntegerType,
  isFloat,
  isInteger,
  isTimestamp,
  sameType,
  type TimestampType,
  type TimeUnit,
  timestampType,
  type ValueType,
} from "#model/query/value-type.ts";

const INTEGER_TYPES = Object.keys(INTEGER_RANGES) as readonly IntegerType[];
/** From the coarsest. */
const UNITS: readonly TimeUnit[] = ["second", "millisecond", "microsecond", "nanosecond"];
const DECIMAL_DIGITS_MAX = 38;
/** The digits of the largest value of each. */
const INTEGER_DIGITS: Readonly<Record<IntegerType, number>> = {
  int8: 3,
  uint8: 3,
  int16: 5,
  uint16: 5,
  int32: 10,
  uint32: 10,
  int64: 20,
  uint64: 20,
};

export function isDecimal(type: ValueType): type is DecimalType {
  return typeof type === "object" && type.kind === "decimal";
}

export function isNumeric(type: ValueType): boolean {
  return isInteger(type) || isFloat(type) || isDecimal(type);
}

/** A whole number as a decimal that has room for each value of its type. */
export function decimalOf(type: ValueType): DecimalType | undefined {
  if (isDecimal(type)) return type;
  if (!isInteger(type)) return undefined;
  return { kind: "decimal", precision: INTEGER_DIGITS[type], scale: 0 };
}

export function decimalType(precision: number, scale: number): DecimalType {
  return {
    kind: "decimal",
    precision: Math.min(precision, DECIMAL_DIGITS_MAX),
    scale: Math.min(scale, DECIMAL_DIGITS_MAX),
  };
}

/**
 * The type that values of both can have together; undefined when there is none. Text wins over numbers, a float over other
 * numbers, times over text, an instant over a day. `mixedType` is what signed numbers and those of 64 bits without a sign give.
 */
export function commonOf(
  left: ValueType,
  right: ValueType,
  mixedType: "int64" | "float64",
): ValueType | undefined {
  if (left === "null") return right;
  if (right === "null" || sameType(left, right)) return left;
  if (isNumeric(left) && isNumeric(right)) return commonNumber(left, right, mixedType);
  return (
    commonTime(left, right) ??
    commonTime(right, left) ??
    withText(left, right) ??
    withText(right, left)
  );
}

function commonNumber(
  left: ValueType,
  right: ValueType,
  mixedType: "int64" | "float64",
): ValueType {
  if (left === "float64" || right === "float64") return "float64";
  const decimal = isDecimal(left) || isDecimal(right);
  if (isFloat(left) || isFloat(right)) return decimal ? "float64" : "float32";
  if (decimal) return widerDecimal(decimalOf(left), decimalOf(right));
  return isInteger(left) && isInteger(right) ? (narrowest(left, right) ?? mixedType) : mixedType;
}

function widerDecimal(
  left: DecimalType = decimalType(0, 0),
  right: DecimalType = decimalType(0, 0),
): DecimalType {
  const scale = Math.max(left.scale, right.scale);
  const whole = Math.max(left.precision - left.scale, right.precision - right.scale);
  return decimalType(whole + scale, scale);
}

/** The narrowest type that holds all values of both. */
function narrowest(left: IntegerType, right: IntegerType): IntegerType | undefined {
  const ranges = [INTEGER_RANGES[left], INTEGER_RANGES[right]];
  return INTEGER_TYPES.find((type) => {
    const [least, greatest] = INTEGER_RANGES[type];
    return ranges.every(([low, high]) => low >= least && high <= greatest);
  });
}

function commonTime(left: ValueType, right: ValueType): ValueType | undefined {
  if (isTimestamp(left) && isTimestamp(right)) {
    const [one, two] = [partsOf(left), partsOf(right)];
    const finest = Math.max(UNITS.indexOf(one.unit), UNITS.indexOf(two.unit));
    return timestampType(UNITS[finest] ?? "nanosecond", one.zone ?? two.zone);
  }
  if (left === "date" && (isTimestamp(right) || right === "time")) return "timestamp";
  if (left === "date" && isInteger(right)) return "date";
  return left === "interval" && right === "duration" ? "interval" : undefined;
}

/** Unit and zone of a type of timestamps. */
export function partsOf(type: "timestamp" | TimestampType): Omit<TimestampType, "kind"> {
  return type === "timestamp" ? { unit: "nanosecond", zone: undefined } : type;
}

function withText(text: ValueType, other: ValueType): ValueType | undefined {
  if (text !== "string") return undefined;
  if (isNumeric(other)) return "string";
  if (isTimestamp(other)) return timestampType("nanosecond", partsOf(other).zone);
  const read = other === "date" || other === "time" || other === "interval" || other === "binary";
  return read ? other : undefined;
}
