import { isDeepStrictEqual } from "node:util";
import type { ColumnKind } from "../schema.ts";

/** Types without parts. `null` is the type of a bare NULL, which fits everywhere; `timestamp` is in nanoseconds and without a zone. */
export type PlainType =
  | "null"
  | "boolean"
  | IntegerType
  | "float32"
  | "float64"
  | "string"
  | "binary"
  | "timestamp"
  | "date"
  | "time"
  | "duration"
  | "interval";

/**
 * The type of a value in a query.
 *
 * What engines compute with: timestamps of every unit and zone are nanoseconds since the Unix epoch, dates days since it,
 * times of day nanoseconds since midnight, durations nanoseconds. A unit or a zone says how a value is rounded and shown.
 */
export type ValueType = PlainType | TimestampType | DecimalType | ListType | StructType | MapType;

export type TimeUnit = "second" | "millisecond" | "microsecond" | "nanosecond";

/** A timestamp with a unit other than nanoseconds, or a zone: an IANA name or an offset such as `+00:00`. Made by `timestampType`. */
export interface TimestampType {
  readonly kind: "timestamp";
  readonly unit: TimeUnit;
  readonly zone: string | undefined;
}

/** The most digits of a decimal. */
export const DECIMAL_PRECISION_MAX = 38;

/** Decimal numbers of up to `precision` (1 to 38) digits, `scale` of them after the point. */
export interface DecimalType {
  readonly kind: "decimal";
  readonly precision: number;
  readonly scale: number;
}

export interface ListType {
  readonly kind: "list";
  readonly item: ValueType;
}

/** Members have any names, also equal ones, in an order. */
export interface StructType {
  readonly kind: "struct";
  readonly members: readonly Member[];
}

export interface Member {
  readonly name: string;
  readonly type: ValueType;
}

export interface MapType {
  readonly kind: "map";
  readonly key: ValueType;
  readonly value: ValueType;
}

export type IntegerType =
  | "int8"
  | "int16"
  | "int32"
  | "int64"
  | "uint8"
  | "uint16"
  | "uint32"
  | "uint64";

/** The least and the greatest value of each type of whole numbers. */
export const INTEGER_RANGES: Readonly<Record<IntegerType, readonly [bigint, bigint]>> = {
  int8: [-(2n ** 7n), 2n ** 7n - 1n],
  int16: [-(2n ** 15n), 2n ** 15n - 1n],
  int32: [-(2n ** 31n), 2n ** 31n - 1n],
  int64: [-(2n ** 63n), 2n ** 63n - 1n],
  uint8: [0n, 2n ** 8n - 1n],
  uint16: [0n, 2n ** 16n - 1n],
  uint32: [0n, 2n ** 32n - 1n],
  uint64: [0n, 2n ** 64n - 1n],
};

export function timestampType(unit: TimeUnit, zone?: string): ValueType {
  return unit === "nanosecond" && zone === undefined
    ? "timestamp"
    : { kind: "timestamp", unit, zone };
}

export function listOf(item: ValueType): ListType {
  return { kind: "list", item };
}

export function structOf(members: readonly Member[]): StructType {
  return { kind: "struct", members };
}

export function isInteger(type: ValueType): type is IntegerType {
  return typeof type === "string" && Object.hasOwn(INTEGER_RANGES, type);
}

export function isFloat(type: ValueType): type is "float32" | "float64" {
  return type === "float32" || type === "float64";
}

export function isTimestamp(type: ValueType): type is "timestamp" | TimestampType {
  return type === "timestamp" || (typeof type === "object" && type.kind === "timestamp");
}

/** Whether both are the same type, parts and names included. */
export function sameType(left: ValueType, right: ValueType): boolean {
  return left === right || isDeepStrictEqual(left, right);
}

/** The type that values of a column have in a query. */
export function typeOfColumn(kind: ColumnKind): PlainType {
  switch (kind) {
    case "time":
      return "timestamp";
    case "tag":
    case "string":
      return "string";
    case "float":
      return "float64";
    case "integer":
      return "int64";
    case "uinteger":
      return "uint64";
    case "boolean":
      return "boolean";
  }
}
