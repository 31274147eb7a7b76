/** Prepared statements: a handle is the statement with its parameters, so that any node can answer it and none remembers it. */
import type { Cell } from "#arrow/first-row.ts";
import { fromUtf8 } from "#base/bytes.ts";
import { DbError } from "#base/errors.ts";
import { parseExactJson } from "#base/json.ts";
import type { LiteralValue } from "#model/query/expression.ts";
import type { ValueType } from "#model/query/value-type.ts";
import { encodeAny, encodeProtobuf, readAny } from "../protobuf.ts";
import type { Parameters } from "../ticket.ts";

export interface Prepared {
  readonly text: string;
  readonly parameters: Parameters;
}

const WHOLE = /^-?\d{1,20}$/;
const INT64_MIN = -(2n ** 63n);
const UINT64_MAX = 2n ** 64n - 1n;
const HANDLE = "influxdata.iox.querier.v1.FlightSqlPreparedStatementHandle";

export function encodeHandle({ parameters, text }: Prepared): Uint8Array {
  const values = Object.entries(parameters).map(([name, value]) => [name, tagged(value)]);
  return encodeAny(HANDLE, encodeProtobuf({ 1: text, 2: JSON.stringify(values) }));
}

/** Reads a handle of ours, or the text of a statement, which handles were once. Throws `invalid` / `flight_handle`. */
export function readHandle(bytes: Uint8Array): Prepared {
  let any: ReturnType<typeof readAny>;
  try {
    any = readAny(bytes);
  } catch {
    return { text: textOf(bytes), parameters: {} };
  }
  if (any.type !== HANDLE) throw badHandle();
  const json = any.message.text(2);
  return { text: any.message.text(1), parameters: parametersOf(json === "" ? "[]" : json) };
}

/** The row of a client's parameters: by their names, and by their places, from 1. */
export function parametersOfRow(cells: readonly Cell[]): Parameters {
  return Object.fromEntries([
    ...cells.map(({ value }, index) => [String(index + 1), value] as const),
    ...cells.map(({ name, value }) => [name.replace(/^\$/, ""), value] as const),
  ]);
}

/** What a parameter may be, the likeliest first: a value of each, which the planner is asked to take. */
const PROBES: readonly (readonly [ValueType, LiteralValue])[] = [
  ["string", "1970-01-01T00:00:00Z"],
  ["boolean", true],
  ["float64", 0.5],
  ["int64", 1n],
];

/**
 * The types that the parameters `names` may have, as far as the planner tells by what it takes: a text goes wherever a text or a point
 * in time is expected, a float wherever a number is. `isTaken` says whether the statement has a plan with these values.
 */
export async function probeTypes(
  names: readonly string[],
  isTaken: (parameters: Parameters) => Promise<boolean>,
): Promise<readonly ValueType[]> {
  const unknown = Object.fromEntries(names.map((name) => [name, null] as const));
  const types: ValueType[] = [];
  for (const name of names) {
    let found: ValueType = "string";
    for (const [type, value] of PROBES) {
      if (!(await isTaken({ ...unknown, [name]: value }))) continue;
      found = type;
      break;
    }
    types.push(found);
  }
  return types;
}

/** Values that JSON does not tell apart. */
function tagged(value: LiteralValue): unknown {
  if (typeof value === "bigint") return { whole: String(value) };
  if (typeof value === "number") return { float: String(value) };
  if (value instanceof Uint8Array) return { bytes: value.toBase64() };
  return value;
}

function parametersOf(json: string): Parameters {
  try {
    const entries = parseExactJson(json) as [string, unknown][];
    return Object.fromEntries(entries.map(([name, value]) => [name, untagged(value)] as const));
  } catch (error) {
    throw badHandle(error);
  }
}

function untagged(value: unknown): LiteralValue {
  if (value === null || typeof value === "boolean" || typeof value === "string") return value;
  const { bytes, float, whole } = value as Readonly<Record<string, string | undefined>>;
  if (whole !== undefined) return wholeOf(whole);
  if (float !== undefined) return Number(float);
  if (bytes !== undefined) return Uint8Array.fromBase64(bytes);
  throw badHandle();
}

/** A number of 64 bits, with a sign or without. */
function wholeOf(text: string): bigint {
  if (!WHOLE.test(text)) throw badHandle();
  const value = BigInt(text);
  if (value < INT64_MIN || value > UINT64_MAX) throw badHandle();
  return value;
}

function textOf(bytes: Uint8Array): string {
  try {
    return fromUtf8(bytes);
  } catch (error) {
    throw badHandle(error);
  }
}

function badHandle(cause?: unknown): DbError {
  return new DbError(
    "invalid",
    "flight_handle",
    "the handle of a prepared statement is none that a node of this cluster made",
    { cause },
  );
}
