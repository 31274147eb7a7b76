/** Values as text of engine SQL. The only place where a user's text enters it. */
import { assert } from "#base/errors.ts";
import type { IntervalValue, LiteralValue } from "#model/query/expression.ts";
import type { PlainType, ValueType } from "#model/query/value-type.ts";

const SQL_TYPES: Readonly<Record<PlainType, string>> = {
  null: "INTEGER",
  boolean: "BOOLEAN",
  int8: "TINYINT",
  int16: "SMALLINT",
  int32: "INTEGER",
  int64: "BIGINT",
  uint8: "UTINYINT",
  uint16: "USMALLINT",
  uint32: "UINTEGER",
  uint64: "UBIGINT",
  float32: "FLOAT",
  float64: "DOUBLE",
  string: "VARCHAR",
  binary: "BLOB",
  timestamp: "BIGINT",
  date: "INTEGER",
  time: "BIGINT",
  duration: "BIGINT",
  interval: "STRUCT(m BIGINT, n BIGINT)",
};

/**
 * The engine's type of a value. Timestamps, times and durations are nanoseconds, dates days; an interval is a struct of months `m` and
 * nanoseconds `n`; the members of a struct are `f0`, `f1` …, whatever they are called.
 */
export function sqlType(type: ValueType): string {
  if (typeof type === "string") return SQL_TYPES[type];
  switch (type.kind) {
    case "timestamp":
      return SQL_TYPES.timestamp;
    case "decimal":
      return `DECIMAL(${type.precision}, ${type.scale})`;
    case "list":
      return `${sqlType(type.item)}[]`;
    case "map":
      return `MAP(${sqlType(type.key)}, ${sqlType(type.value)})`;
    case "struct": {
      const members = type.members.map((member, index) => `f${index} ${sqlType(member.type)}`);
      return `STRUCT(${members.join(", ")})`;
    }
  }
}

export const NAN = "CAST('NaN' AS DOUBLE)";

/** `value` of `type`; safe whatever a string holds. */
export function printLiteral(value: LiteralValue, type: ValueType): string {
  if (value === null) return type === "null" ? "NULL" : `CAST(NULL AS ${sqlType(type)})`;
  if (typeof value === "boolean") return value ? "TRUE" : "FALSE";
  if (typeof value === "bigint") return `CAST(${printWhole(value, type)} AS ${sqlType(type)})`;
  if (typeof value === "number") return printFloat(value, type);
  if (typeof value === "string") return printText(value);
  return value instanceof Uint8Array ? printBytes(value) : printInterval(value);
}

/** `text` in quotes. NUL would end the statement for the engine's parser, so it is concatenated. */
export function printText(text: string): string {
  if (!text.includes("\0")) return quote(text, "'");
  const parts = text.split("\0").map((part) => quote(part, "'"));
  return `(${parts.join(" || chr(0) || ")})`;
}

/** `name` as an identifier. Names come from the catalog, which takes no NUL. */
export function printName(name: string): string {
  assert(!name.includes("\0"), "a name holds no NUL");
  return quote(name, '"');
}

function quote(text: string, mark: "'" | '"'): string {
  return `${mark}${text.replaceAll(mark, mark + mark)}${mark}`;
}

function printFloat(value: number, type: ValueType): string {
  if (type === "float64" && Number.isNaN(value)) return NAN;
  const text = Object.is(value, -0) ? "-0.0" : String(value);
  return `CAST('${text}' AS ${sqlType(type)})`;
}

/** A decimal gets its point back. */
function printWhole(value: bigint, type: ValueType): string {
  if (typeof type === "string" || type.kind !== "decimal" || type.scale === 0) return String(value);
  const digits = String(value < 0n ? -value : value).padStart(type.scale + 1, "0");
  const sign = value < 0n ? "-" : "";
  return `'${sign}${digits.slice(0, -type.scale)}.${digits.slice(-type.scale)}'`;
}

function printBytes(value: Uint8Array): string {
  return `from_hex('${value.toHex()}')`;
}

function printInterval({ months, nanoseconds }: IntervalValue): string {
  return `{'m': CAST(${months} AS BIGINT), 'n': CAST(${nanoseconds} AS BIGINT)}`;
}
