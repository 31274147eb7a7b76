import { DbError } from "#base/errors.ts";
import {
  listOf,
  type Member,
  structOf,
  type TimeUnit,
  timestampType,
  type ValueType,
} from "#model/query/value-type.ts";
import type { Cursor } from "../cursor.ts";
import { shown, unsupported } from "../errors.ts";

const TYPES: ReadonlyMap<string, ValueType> = new Map([
  ...named("int8", "tinyint"),
  ...named("int16", "smallint int2"),
  ...named("int32", "int integer int4"),
  ...named("int64", "bigint int8"),
  ...named("float32", "float real float4"),
  ...named("float64", "double float8"),
  ...named("boolean", "bool boolean"),
  ...named("string", "char character string text varchar"),
  ...named("binary", "bytea"),
  ...named("date", "date"),
  ...named("interval", "interval"),
]);
const UNSIGNED: Readonly<Record<string, ValueType>> = {
  int8: "uint8",
  int16: "uint16",
  int32: "uint32",
  int64: "uint64",
};
type Reader = (cursor: Cursor, name: string) => ValueType;
/** Types with parts or words of their own. */
const READERS: ReadonlyMap<string, Reader> = new Map<string, Reader>([
  ["timestamp", (cursor) => timestampOf(acceptNumber(cursor), acceptZone(cursor))],
  ["timestamptz", (cursor) => timestampOf(acceptNumber(cursor), true)],
  ["time", parseTime],
  ["decimal", parseDecimal],
  ["numeric", parseDecimal],
  ["dec", parseDecimal],
  ["array", parseArray],
  ["struct", parseStruct],
  ["map", parseMap],
]);
const KNOWN = new Set("binary blob clob datetime json nvarchar uuid varbinary".split(" "));
const UNITS: Readonly<Record<number, TimeUnit>> = {
  0: "second",
  3: "millisecond",
  6: "microsecond",
  9: "nanosecond",
};
const ZONE = "+00:00";
const PRECISION_MAX = 38;
const DEFAULT_SCALE = 10;
const MEMBER_COUNT_MAX = 1000;

/** Whether `word` begins the name of a type. */
export function isTypeWord(word: string): boolean {
  return TYPES.has(word) || READERS.has(word);
}

/**
 * Reads the name of a type, with `[]` behind it for lists of it.
 * Throws DbError `unsupported` / `sql_unsupported` for types that are not built, `invalid` / `sql_planning` for what is none.
 */
export function parseType(cursor: Cursor): ValueType {
  return cursor.nested(() => {
    let type = parsePlainType(cursor);
    let depth = 0;
    while (cursor.acceptSymbol("[")) {
      if (cursor.token.kind === "number") cursor.take();
      cursor.expectSymbol("]");
      depth += 1;
      if (depth > LIST_DEPTH_MAX) throw tooDeepType();
      type = listOf(type);
    }
    return type;
  });
}

const LIST_DEPTH_MAX = 50;

function parsePlainType(cursor: Cursor): ValueType {
  const name = cursor.expectName();
  const read = READERS.get(name);
  if (read !== undefined) return read(cursor, name);
  const type = TYPES.get(name);
  if (type === undefined) throw refusal(name);
  if (name === "double") cursor.acceptWord("precision");
  if (name === "char" || name === "character") cursor.acceptWord("varying");
  if (type === "string" || type === "float32" || type === "float64") acceptNumber(cursor);
  const unsigned = typeof type === "string" ? UNSIGNED[type] : undefined;
  return unsigned !== undefined && cursor.acceptWord("unsigned") ? unsigned : type;
}

function timestampOf(precision: number | undefined, zoned: boolean): ValueType {
  const unit = UNITS[precision ?? 9];
  if (unit === undefined) throw unsupported(`type TIMESTAMP(${precision})`);
  return timestampType(unit, zoned ? ZONE : undefined);
}

/** `WITH TIME ZONE` or `WITHOUT TIME ZONE`; whether there is one. */
function acceptZone(cursor: Cursor): boolean {
  if (!cursor.atWord("with", "without") || !cursor.precedes("time")) return false;
  const zoned = cursor.take().text === "with";
  cursor.expectWords("time", "zone");
  return zoned;
}

function parseTime(cursor: Cursor): ValueType {
  const precision = acceptNumber(cursor);
  if (precision !== undefined) throw unsupported(`type TIME(${precision})`);
  if (acceptZone(cursor)) throw unsupported("type TIME WITH TIME ZONE");
  return "time";
}

function parseDecimal(cursor: Cursor): ValueType {
  if (!cursor.acceptSymbol("(")) {
    return { kind: "decimal", precision: PRECISION_MAX, scale: DEFAULT_SCALE };
  }
  const precision = expectNumber(cursor);
  const scale = cursor.acceptSymbol(",") ? expectNumber(cursor) : 0;
  cursor.expectSymbol(")");
  if (precision >= 1 && precision <= PRECISION_MAX && scale <= precision) {
    return { kind: "decimal", precision, scale };
  }
  if (precision > PRECISION_MAX && precision <= 2 * PRECISION_MAX && scale <= precision) {
    throw unsupported(`type DECIMAL of more than ${PRECISION_MAX} digits`);
  }
  throw new DbError(
    "invalid",
    "sql_planning",
    `Error during planning: Decimal(precision = ${precision}, scale = ${scale}) should satisfy ` +
      "`0 < precision <= 76`, and `scale <= precision`.",
  );
}

function parseArray(cursor: Cursor): ValueType {
  const close = expectOpening(cursor);
  const item = parseType(cursor);
  close();
  return listOf(item);
}

function parseStruct(cursor: Cursor): ValueType {
  const close = expectOpening(cursor);
  const members: Member[] = [];
  do {
    const name = cursor.expectAnyName();
    cursor.acceptSymbol(":");
    members.push({ name, type: parseType(cursor) });
    if (members.length > MEMBER_COUNT_MAX) throw tooManyMembers();
  } while (cursor.acceptSymbol(","));
  close();
  return structOf(members);
}

function parseMap(cursor: Cursor): ValueType {
  const close = expectOpening(cursor);
  const key = parseType(cursor);
  cursor.expectSymbol(",");
  const value = parseType(cursor);
  close();
  return { kind: "map", key, value };
}

/** Takes `<` or `(`; answers what takes the other end. */
function expectOpening(cursor: Cursor): () => void {
  if (cursor.acceptSymbol("(")) return () => cursor.expectSymbol(")");
  cursor.expectSymbol("<");
  return () => cursor.expectClosingAngle();
}

/** Takes `(n)` if it comes next. */
function acceptNumber(cursor: Cursor): number | undefined {
  if (!cursor.acceptSymbol("(")) return undefined;
  const value = expectNumber(cursor);
  cursor.expectSymbol(")");
  return value;
}

function expectNumber(cursor: Cursor): number {
  if (cursor.token.kind !== "number" || !/^\d{1,9}$/.test(cursor.token.text)) {
    throw cursor.error("literal int");
  }
  return Number(cursor.take().text);
}

function tooManyMembers(): DbError {
  return new DbError(
    "exceeded",
    "sql_too_complex",
    `A struct has more than ${MEMBER_COUNT_MAX} members: split it or simplify it.`,
    { detail: { memberCountMax: MEMBER_COUNT_MAX } },
  );
}

function tooDeepType(): DbError {
  return new DbError(
    "exceeded",
    "sql_too_deep",
    `A type is nested more than ${LIST_DEPTH_MAX} levels deep: split it or simplify it.`,
    { detail: { depthMax: LIST_DEPTH_MAX } },
  );
}

function refusal(name: string): DbError {
  const upper = shown(name.toUpperCase());
  if (KNOWN.has(name)) return unsupported(`Unsupported SQL type ${upper}`);
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
