import { DbError, isKind } from "#base/errors.ts";
import type { Field } from "#model/query/plan.ts";
import type { QueryAnswer, QueryRequest } from "#query/query.ts";
import type { Call } from "../grpc/call.ts";
import type { FlightServices } from "../services.ts";
import { type StreamOptions, sendQuery } from "../stream.ts";

/** Statements, whose errors are told as clients of InfluxDB 3 read them. */
export class Statements {
  readonly #services: FlightServices;
  readonly #options: StreamOptions;

  constructor(services: FlightServices, options: StreamOptions) {
    this.#services = services;
    this.#options = options;
  }

  /** The fields that an answer has. */
  async describe(request: QueryRequest, signal: AbortSignal): Promise<readonly Field[]> {
    try {
      return await this.#services.describe(request, signal);
    } catch (error) {
      throw planningError(error, request.database);
    }
  }

  async query(request: QueryRequest, signal: AbortSignal): Promise<QueryAnswer> {
    let isPlanned = false;
    try {
      const onFields = (fields: readonly Field[]) => {
        isPlanned = true;
        request.onFields?.(fields);
      };
      return await this.#services.query({ ...request, onFields }, signal);
    } catch (error) {
      throw isPlanned ? error : planningError(error, request.database);
    }
  }

  /** Sends the answer to `request`. */
  async send(call: Call, request: QueryRequest): Promise<void> {
    await sendQuery(call, this.#options, {
      start: (onFields) => this.query({ ...request, onFields }, call.signal),
      // In InfluxQL its own rows would be asked for: it would wait for its turn twice.
      describe:
        request.language === "influxql" ? undefined : (signal) => this.describe(request, signal),
    });
  }
}

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
