import { DbError } from "#base/errors.ts";
import type { ValueType } from "#model/query/value-type.ts";
import type { Cursor } from "./cursor.ts";
import { shown, unsupported } from "./errors.ts";

const INTEGERS = new Set("bigint int int2 int4 int8 integer smallint tinyint".split(" "));
const TYPES: ReadonlyMap<string, ValueType> = new Map([
  ...[...INTEGERS].map((name): [string, ValueType] => [name, "int64"]),
  ...named("float64", "double float float4 float8 real"),
  ...named("boolean", "bool boolean"),
  ...named("string", "char character string text varchar"),
  ...named("timestamp", "timestamp"),
  ...named("interval", "interval"),
]);
const KNOWN = new Set(
  "date dec decimal numeric time timestamptz bytea binary varbinary array struct map".split(" "),
);
const PRECISION_MAX = 9;

/**
 * Reads the name of a type; all whole numbers are 64 bits wide here, all floats double.
 * Throws DbError `unsupported` / `sql_unsupported` for types that are not built, `invalid` / `sql_planning` for what is none.
 */
export function parseType(cursor: Cursor): ValueType {
  const name = cursor.expectName();
  const type = TYPES.get(name);
  if (type === undefined) throw refusal(name);
  if (INTEGERS.has(name) && cursor.acceptWord("unsigned")) return "uint64";
  if (name === "double") cursor.acceptWord("precision");
  if (name === "char" || name === "character") cursor.acceptWord("varying");
  if (type === "string") acceptNumber(cursor);
  if (type === "timestamp") parseTimestampTail(cursor);
  return type;
}

function parseTimestampTail(cursor: Cursor): void {
  const precision = acceptNumber(cursor);
  if (precision !== undefined && precision !== PRECISION_MAX) {
    throw unsupported(`type TIMESTAMP(${precision})`);
  }
  if (cursor.acceptWord("without")) {
    for (const word of ["time", "zone"]) cursor.expectWord(word);
  }
  if (cursor.atWord("with")) throw unsupported("type TIMESTAMP WITH TIME ZONE");
}

/** Takes `(n)` if it comes next. */
function acceptNumber(cursor: Cursor): number | undefined {
  if (!cursor.acceptSymbol("(")) return undefined;
  if (cursor.token.kind !== "number") throw cursor.error("literal int");
  const value = Number(cursor.take().text);
  cursor.expectSymbol(")");
  return value;
}

function refusal(name: string): DbError {
  const upper = shown(name.toUpperCase());
  if (KNOWN.has(name)) return unsupported(`type ${upper}`);
  return new DbError(
    "invalid",
    "sql_planning",
    `Error during planning: Unsupported SQL type ${upper}`,
    { detail: { type: upper } },
  );
}

function named(type: ValueType, names: string): [string, ValueType][] {
  return names.split(" ").map((name) => [name, type]);
}
