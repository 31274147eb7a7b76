/** Values as text of engine SQL. The only place where a user's text enters it. */
import { assert } from "#base/errors.ts";
import type { IntervalValue, LiteralValue, ValueType } from "#model/expression.ts";

/** The engine's type of a value. Timestamps are nanoseconds; an interval is a struct of months `m` and nanoseconds `n`. */
export const SQL_TYPES: Readonly<Record<ValueType, string>> = {
  null: "INTEGER",
  boolean: "BOOLEAN",
  int64: "BIGINT",
  uint64: "UBIGINT",
  float64: "DOUBLE",
  string: "VARCHAR",
  timestamp: "BIGINT",
  interval: "STRUCT(m BIGINT, n BIGINT)",
};

export const NAN = "CAST('NaN' AS DOUBLE)";

/** `value` of `type`; safe whatever a string holds. */
export function printLiteral(value: LiteralValue, type: ValueType): string {
  if (value === null) return type === "null" ? "NULL" : `CAST(NULL AS ${SQL_TYPES[type]})`;
  if (typeof value === "boolean") return value ? "TRUE" : "FALSE";
  if (typeof value === "bigint") return `CAST(${value} AS ${SQL_TYPES[type]})`;
  if (typeof value === "number") return printFloat(value);
  return typeof value === "string" ? printText(value) : printInterval(value);
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

function printFloat(value: number): string {
  if (Number.isNaN(value)) return NAN;
  const text = Object.is(value, -0) ? "-0.0" : String(value);
  return `CAST('${text}' AS DOUBLE)`;
}

function printInterval({ months, nanoseconds }: IntervalValue): string {
  return `{'m': CAST(${months} AS BIGINT), 'n': CAST(${nanoseconds} AS BIGINT)}`;
}
