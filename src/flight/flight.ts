import { setImmediate } from "node:timers/promises";
import type { AccessPolicy } from "#access/authorize.ts";
import { parseAuthorization } from "#access/credential.ts";
import { readFirstRow, type SentMessage } from "#arrow/first-row.ts";
import { arrowFields, encapsulated, encodeSchema } from "#arrow/schema.ts";
import { DbError, isKind } from "#base/errors.ts";
import type { Clock } from "#ports/clock.ts";
import { parameterNames } from "#query/parameters.ts";
import { admit } from "./admission.ts";
import { databaseOf } from "./database.ts";
import type { Call } from "./grpc/call.ts";
import { frame } from "./grpc/frames.ts";
import type { Method } from "./grpc/server.ts";
import { encodeAny, encodeProtobuf, Message, readAny } from "./protobuf.ts";
import type { FlightServices } from "./services.ts";
import { readCommand } from "./sql/command.ts";
import { FlightSql } from "./sql/flight-sql.ts";
import {
  encodeHandle,
  type Prepared,
  parametersOfRow,
  probeTypes,
  readHandle,
} from "./sql/prepared.ts";
import { Statements } from "./sql/statements.ts";
import { encodeTicket, parseTicket } from "./ticket.ts";

const SERVICE = "/arrow.flight.protocol.FlightService/";
const SQL = "arrow.flight.protocol.sql.";
/** The number of descriptors that hold a command. */
const COMMAND = 2n;
const BODY = 1000;
/** Parameters of a prepared statement, which is planned up to four times for each. */
const PARAMETER_COUNT_MAX = 100;
/** Bytes of the greeting of a client, who is not known yet, and gets them back. */
const HANDSHAKE_SIZE_MAX = 64 * 1024;

export interface FlightOptions {
  readonly services: FlightServices;
  readonly access: AccessPolicy;
  readonly clock: Clock;
  /** How long a call may take, beside queries, which have a time of their own. */
  readonly timeoutMs: number;
  /** 5 s unless given. */
  readonly keepAliveMs?: number;
}

const KEEP_ALIVE_MS = 5_000;

/** The methods of `FlightService` that there are, by path. */
export function flightMethods(options: FlightOptions): ReadonlyMap<string, Method> {
  const flight = new Flight(options);
  const methods: Readonly<Record<string, Method>> = {
    Handshake: (call) => flight.handshake(call),
    GetFlightInfo: (call) => flight.getFlightInfo(call),
    DoGet: (call) => flight.doGet(call),
    DoAction: (call) => flight.doAction(call),
    DoPut: (call) => flight.doPut(call),
  };
  return new Map(Object.entries(methods).map(([name, method]) => [SERVICE + name, method]));
}

/** Arrow Flight as clients of InfluxDB 3 speak it. */
class Flight {
  readonly #options: FlightOptions;
  readonly #statements: Statements;
  readonly #sql: FlightSql;

  constructor(options: FlightOptions) {
    this.#options = options;
    const streaming = {
      clock: options.clock,
      keepAliveMs: options.keepAliveMs ?? KEEP_ALIVE_MS,
    };
    this.#statements = new Statements(options.services, streaming);
    this.#sql = new FlightSql(this.#statements, streaming);
  }

  /** Gives a client that brings a token, or a password that is one, the header that it is to bring from now on. Checks nothing. */
  async handshake(call: Call): Promise<void> {
    const request = new Message(await call.message(HANDSHAKE_SIZE_MAX));
    const { authorization } = call.headers;
    const credential = parseAuthorization(authorization, { method: "POST", path: call.path });
    if (credential.kind === "token") call.setHeader("authorization", `Bearer ${credential.token}`);
    await call.send(frame(encodeProtobuf({ 1: request.number(1), 2: request.bytes(2) })));
  }

  /** What a command answers, and the one ticket for it. */
  async getFlightInfo(call: Call): Promise<void> {
    await this.#admit(call);
    const bytes = await call.message();
    const descriptor = new Message(bytes);
    if (descriptor.number(1) !== COMMAND)
      throw new DbError(
        "unsupported",
        "flight_command",
        "only commands can be described, no paths",
      );
    const database = databaseOf(call.headers);
    const command = descriptor.bytes(2);
    this.#limit(call);
    const fields = await this.#sql.describe(call, database, readCommand(command));
    const ticket = encodeProtobuf({ 1: encodeTicket(database, command) });
    const info = encodeProtobuf({
      1: encapsulated(encodeSchema(fields)),
      2: bytes,
      3: encodeProtobuf({ 1: ticket }),
      4: -1n,
      5: -1n,
    });
    await call.send(frame(info));
  }

  /** The rows of a ticket. */
  async doGet(call: Call): Promise<void> {
    await this.#admit(call);
    const ticket = parseTicket(new Message(await call.message()).bytes(1));
    if (ticket.kind === "command") {
      const command = readCommand(ticket.command);
      if (command.kind === "tables") this.#limit(call);
      return this.#sql.send(call, ticket.database, command);
    }
    const { database, language, parameters, text } = ticket;
    await this.#statements.send(call, { language, database, parameters, text, tokens: [] });
  }

  /** Makes a prepared statement, or forgets one, which takes nothing. */
  async doAction(call: Call): Promise<void> {
    await this.#admit(call);
    const action = new Message(await call.message());
    const type = action.text(1);
    if (type === "ClosePreparedStatement") return call.send(frame(encodeProtobuf({})));
    if (type !== "CreatePreparedStatement")
      throw new DbError("invalid", "flight_action", `there is no action '${type.slice(0, 200)}'`);
    const { message } = readAny(action.bytes(2));
    this.#limit(call);
    const result = await this.#prepare(call, databaseOf(call.headers), message.text(1));
    const any = encodeAny(`${SQL}ActionCreatePreparedStatementResult`, result);
    await call.send(frame(encodeProtobuf({ 1: any })));
  }

  /** Gives a prepared statement its parameters. */
  async doPut(call: Call): Promise<void> {
    await this.#admit(call);
    let handle: Uint8Array | undefined;
    const sent: SentMessage[] = [];
    for await (const bytes of call.messages()) {
      const data = new Message(bytes);
      handle ??= handleOf(data.message(1));
      if (data.has(2)) sent.push({ header: data.bytes(2), body: data.bytes(BODY) });
      if (sent.length === 2) break;
    }
    const [schema, batch] = sent;
    const { parameters, text } = readHandle(handle ?? new Uint8Array());
    const given = schema && batch ? parametersOfRow(readFirstRow(schema, batch)) : parameters;
    const result = encodeProtobuf({ 1: encodeHandle({ text, parameters: given }) });
    await call.send(frame(encodeProtobuf({ 1: result })));
  }

  async #prepare(call: Call, database: string, text: string): Promise<Uint8Array> {
    const describe = ({ parameters }: Pick<Prepared, "parameters">) =>
      this.#statements.describe({ database, text, parameters, tokens: [] }, call.signal);
    const names = parameterNames(text);
    if (names.length > PARAMETER_COUNT_MAX) throw tooManyParameters(names.length);
    // What has no plan with parameters that are not known is told before it is planned again and again.
    const unknown = Object.fromEntries(names.map((name) => [name, null] as const));
    const fields = arrowFields(await describe({ parameters: unknown }));
    const types = await probeTypes(names, async (parameters) => {
      // Planning may take long, and wait for nothing: others have their turn.
      await setImmediate();
      call.signal.throwIfAborted();
      try {
        await describe({ parameters });
        return true;
      } catch (error) {
        if (isKind(error, "invalid") || isKind(error, "unsupported")) return false;
        throw error;
      }
    });
    const parameters = names.map((name, index) => ({
      name: `$${name}`,
      type: types[index] ?? "string",
      nullable: true,
    }));
    return encodeProtobuf({
      1: encodeHandle({ text, parameters: {} }),
      2: encapsulated(encodeSchema(fields)),
      3: encapsulated(encodeSchema(parameters)),
    });
  }

  #limit(call: Call): void {
    const { timeoutMs } = this.#options;
    call.limit(timeoutMs, () => callTimeout(timeoutMs));
  }

  #admit(call: Call): Promise<void> {
    const { access, services } = this.#options;
    return admit(call, "query", access, services);
  }
}

function callTimeout(timeoutMs: number): DbError {
  return new DbError(
    "exceeded",
    "query_timeout",
    `the call took longer than ${timeoutMs} ms: ask for less, or raise --query-timeout`,
    { detail: { timeoutMs } },
  );
}

function tooManyParameters(count: number): DbError {
  return new DbError(
    "exceeded",
    "query_parameter_count",
    `the statement has ${count} parameters, more than the ${PARAMETER_COUNT_MAX} that a prepared one may have`,
    { detail: { count, countMax: PARAMETER_COUNT_MAX } },
  );
}

/** The handle of the prepared statement that a descriptor names. */
function handleOf(descriptor: Message): Uint8Array {
  const command = readCommand(descriptor.bytes(2));
  if (command.kind === "prepared") return command.handle;
  throw new DbError(
    "unsupported",
    "flight_command",
    "Flight takes parameters of prepared statements, no rows",
  );
}
