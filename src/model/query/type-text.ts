import type { PlainType, TimeUnit, ValueType } from "./value-type.ts";

const TYPE_TEXTS: Readonly<Record<PlainType, string>> = {
  null: "Null",
  boolean: "Boolean",
  int8: "Int8",
  int16: "Int16",
  int32: "Int32",
  int64: "Int64",
  uint8: "UInt8",
  uint16: "UInt16",
  uint32: "UInt32",
  uint64: "UInt64",
  float32: "Float32",
  float64: "Float64",
  string: "Utf8",
  binary: "Binary",
  timestamp: "Timestamp(ns)",
  date: "Date32",
  time: "Time64(ns)",
  duration: "Duration(ns)",
  interval: "Interval(MonthDayNano)",
};
const UNIT_TEXTS: Readonly<Record<TimeUnit, string>> = {
  second: "s",
  millisecond: "ms",
  microsecond: "µs",
  nanosecond: "ns",
};

/** A type as Arrow calls it: error texts and column names show it so. */
export function typeText(type: ValueType): string {
  if (typeof type === "string") return TYPE_TEXTS[type];
  switch (type.kind) {
    case "timestamp": {
      const unit = UNIT_TEXTS[type.unit];
      return type.zone === undefined ? `Timestamp(${unit})` : `Timestamp(${unit}, "${type.zone}")`;
    }
    case "decimal":
      return `Decimal128(${type.precision}, ${type.scale})`;
    case "list":
      return `List(${typeText(type.item)})`;
    case "struct": {
      const members = type.members.map((member) => `"${member.name}": ${typeText(member.type)}`);
      return `Struct(${members.join(", ")})`;
    }
    case "map":
      return `Map("entries": Struct("key": ${typeText(type.key)}, "value": ${typeText(type.value)}))`;
  }
}

/** A type in the words of model/query/value-type.ts; as Arrow calls it where it has parts. */
export function typeName(type: ValueType): string {
  return typeof type === "string" ? type : typeText(type);
}
