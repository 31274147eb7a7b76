import type { AccessPolicy } from "#access/authorize.ts";
import { DbError, isKind } from "#base/errors.ts";
import type { Clock } from "#ports/clock.ts";
import type { QueryRequest } from "#query/query.ts";
import { admit } from "./admission.ts";
import type { Call } from "./grpc/call.ts";
import type { Method } from "./grpc/server.ts";
import { Message } from "./protobuf.ts";
import type { FlightServices } from "./services.ts";
import { sendQuery } from "./stream.ts";
import { parseTicket, type Ticket } from "./ticket.ts";

const SERVICE = "/arrow.flight.protocol.FlightService/";

export interface FlightOptions {
  readonly services: FlightServices;
  readonly access: AccessPolicy;
  readonly clock: Clock;
}

/** The methods of `FlightService` that there are, by path. */
export function flightMethods(options: FlightOptions): ReadonlyMap<string, Method> {
  const flight = new Flight(options);
  const methods: Readonly<Record<string, Method>> = {
    DoGet: (call) => flight.doGet(call),
  };
  return new Map(Object.entries(methods).map(([name, method]) => [SERVICE + name, method]));
}

/** Arrow Flight as clients of InfluxDB 3 speak it. */
class Flight {
  readonly #options: FlightOptions;

  constructor(options: FlightOptions) {
    this.#options = options;
  }

  /** The rows of a ticket. */
  async doGet(call: Call): Promise<void> {
    await this.#admit(call);
    const ticket = parseTicket(new Message(await call.message()).bytes(1));
    await this.#sendTicket(call, ticket);
  }

  async #sendTicket(call: Call, ticket: Ticket): Promise<void> {
    if (ticket.kind === "command")
      throw new DbError("unsupported", "grpc_method", "commands of Flight SQL are not there yet");
    const { database, parameters, text } = ticket;
    await this.#sendStatement(call, { database, parameters, text, tokens: [] });
  }

  async #sendStatement(call: Call, request: QueryRequest): Promise<void> {
    const { clock, services } = this.#options;
    await sendQuery(call, clock, async (onFields) => {
      let isPlanned = false;
      const noteFields: typeof onFields = (fields) => {
        isPlanned = true;
        onFields(fields);
      };
      try {
        return await services.query({ ...request, onFields: noteFields }, call.signal);
      } catch (error) {
        throw isPlanned ? error : planningError(error, request.database);
      }
    });
  }

  #admit(call: Call): Promise<void> {
    const { access, services } = this.#options;
    return admit(call, "query", access, services);
  }
}

/** What is wrong with a statement, as clients of InfluxDB 3 read it. */
function planningError(error: unknown, database: string): unknown {
  if (!(error instanceof DbError)) return error;
  const { code, detail, kind } = error;
  const options = { detail, cause: error };
  if (code === "database_not_found")
    return new DbError(
      "not_found",
      "database_not_found",
      `Database '${database}' not found`,
      options,
    );
  if (!isKind(error, "invalid") && code !== "sql_unsupported") return error;
  return new DbError(kind, code, `Error while planning query: ${error.message}`, options);
}
