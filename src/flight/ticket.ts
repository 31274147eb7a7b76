/** What a call of DoGet asks for. */
import { fromUtf8 } from "#base/bytes.ts";
import { DbError } from "#base/errors.ts";
import { parseExactJson } from "#base/json.ts";
import type { LiteralValue } from "#model/query/expression.ts";
import { encodeAny, encodeProtobuf, Message, readAny } from "./protobuf.ts";

export type Parameters = Readonly<Record<string, LiteralValue>>;

/** A statement, or a command of Flight SQL, in a database. */
export type Ticket =
  | {
      readonly kind: "statement";
      /** SQL unless given. */
      readonly language?: "influxql";
      readonly database: string;
      readonly text: string;
      readonly parameters: Parameters;
    }
  /** An `Any`, as GetFlightInfo was given it. */
  | { readonly kind: "command"; readonly database: string; readonly command: Uint8Array };

const READ_INFO = "influxdata.iox.querier.v1.ReadInfo";
const DATABASE_NAMES = ["database", "namespace_name", "bucket", "bucket-name"];
/** Numbers of the query types of ReadInfo. */
const INFLUXQL = 2n;
const COMMAND = 3n;

/** Reads a ticket of ours, or the JSON that clients of InfluxDB 3 send. Throws `invalid` / `flight_ticket`. */
export function parseTicket(bytes: Uint8Array): Ticket {
  const info = findReadInfo(bytes);
  return info === undefined ? ticketOfJson(bytes) : ticketOfReadInfo(info);
}

/** The ticket for `command` of Flight SQL. */
export function encodeTicket(database: string, command: Uint8Array): Uint8Array {
  return encodeAny(READ_INFO, encodeProtobuf({ 1: database, 3: COMMAND, 4: command }));
}

function findReadInfo(bytes: Uint8Array): Message | undefined {
  // `{` of JSON cannot begin a message: it would be a group.
  try {
    const { message, type } = readAny(bytes);
    if (type === READ_INFO) return message;
  } catch {
    // Not an Any.
  }
  try {
    return new Message(bytes);
  } catch {
    return undefined;
  }
}

function ticketOfReadInfo(info: Message): Ticket {
  const database = info.text(1);
  const text = info.text(2);
  const type = info.number(3);
  const command = info.bytes(4);
  if (database === "" || (type === COMMAND ? text !== "" : command.length > 0)) throw badTicket();
  if (type === COMMAND) return { kind: "command", database, command };
  return {
    kind: "statement",
    ...(type === INFLUXQL ? { language: "influxql" } : {}),
    database,
    text,
    parameters: protobufParameters(info),
  };
}

function protobufParameters(info: Message): Parameters {
  return Object.fromEntries(
    info.messages(6).map((parameter) => [parameter.text(1), parameterValue(parameter)]),
  );
}

/** A name, and one of six kinds of values. */
function parameterValue(parameter: Message): LiteralValue {
  if (parameter.has(3)) return parameter.number(3) !== 0n;
  if (parameter.has(4)) return parameter.number(4);
  if (parameter.has(5)) return BigInt.asIntN(64, parameter.number(5));
  if (parameter.has(6)) return doubleOf(parameter.number(6));
  return parameter.optionalText(7) ?? null;
}

function doubleOf(bits: bigint): number {
  const view = new DataView(new ArrayBuffer(8));
  view.setBigUint64(0, bits);
  return view.getFloat64(0);
}

function ticketOfJson(bytes: Uint8Array): Ticket {
  const value = parseJson(bytes);
  const named = DATABASE_NAMES.map((name) => value[name]).find((name) => name !== undefined);
  const { query_type: type = "sql", params, sql_query: text } = value;
  if (typeof named !== "string" || typeof text !== "string") throw badTicket();
  const isInfluxQl = type === "influxql";
  if (!isInfluxQl && type !== "sql" && type !== null) {
    const shown = typeof type === "string" ? type.slice(0, 100) : typeof type;
    throw new DbError(
      "invalid",
      "flight_ticket",
      `Unknown query type. Expected 'sql' or 'influxql', got ${shown}`,
    );
  }
  return {
    kind: "statement",
    ...(isInfluxQl ? { language: "influxql" } : {}),
    database: named,
    text,
    parameters: jsonParameters(params),
  };
}

function jsonParameters(params: unknown): Parameters {
  if (params === undefined || params === null) return {};
  if (typeof params !== "object" || Array.isArray(params)) throw badTicket();
  const entries = Object.entries(params as Readonly<Record<string, unknown>>);
  if (entries.some(([, value]) => typeof value === "object" && value !== null))
    throw new DbError(
      "invalid",
      "query_parameter",
      "JSON arrays and objects are not supported as query parameters. Expected null, boolean, number, or string.",
    );
  return Object.fromEntries(entries) as Parameters;
}

function parseJson(bytes: Uint8Array): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = parseExactJson(fromUtf8(bytes));
  } catch (error) {
    throw badTicket(error);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw badTicket();
  return value as Readonly<Record<string, unknown>>;
}

function badTicket(cause?: unknown): DbError {
  return new DbError("invalid", "flight_ticket", "Invalid ticket. Error: Invalid ticket", {
    cause,
  });
}
