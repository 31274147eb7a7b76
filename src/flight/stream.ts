/** Answers of DoGet: a schema, then batches, and signs of life while there are none. */
import { encodeBatches, encodeEmptyBatch } from "#arrow/batch.ts";
import { arrowFields, encodeSchema } from "#arrow/schema.ts";
import type { ArrowField } from "#arrow/type.ts";
import { DbError } from "#base/errors.ts";
import type { Field } from "#model/query/plan.ts";
import type { ResultBatch } from "#model/query/result.ts";
import { sameType } from "#model/query/value-type.ts";
import type { Clock } from "#ports/clock.ts";
import type { QueryAnswer } from "#query/query.ts";
import { encodeFlightData, encodeFlightSchema } from "./data.ts";
import type { Call } from "./grpc/call.ts";

export interface StreamOptions {
  readonly clock: Clock;
  /** A client hears at least so often that its query lives: proxies end what is silent. */
  readonly keepAliveMs: number;
}

/** Begins a query; `onFields` is to be called as of QueryRequest. */
export type StartQuery = (onFields: (fields: readonly Field[]) => void) => Promise<QueryAnswer>;

/** Sends the answer of a query: its schema as soon as that is known, its rows as the client takes them. */
export async function sendQuery(
  call: Call,
  options: StreamOptions,
  start: StartQuery,
): Promise<void> {
  const { clock } = options;
  const planned = Promise.withResolvers<readonly Field[]>();
  const startMs = clock.monotonicMs();
  const started = start(planned.resolve);
  started.catch(planned.reject);
  const stream = new AnswerStream(call, options, await planned.promise);
  const plannedMs = clock.monotonicMs();
  call.setTrailer("x-influxdata-planning-duration-seconds", secondsText(plannedMs - startMs));
  await stream.sendSchema();
  const { batches, fields } = await stream.whileAlive(started);
  if (!stream.has(fields)) throw schemaChanged();
  const rows = batches[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = await stream.whileAlive(rows.next());
      if (next.done === true) break;
      await stream.sendBatch(next.value);
    }
  } finally {
    await rows.return?.();
  }
  const endMs = clock.monotonicMs();
  call.setTrailer("x-influxdata-execution-duration-seconds", secondsText(endMs - plannedMs));
}

function secondsText(ms: number): string {
  return (ms / 1000).toFixed(6);
}

class AnswerStream {
  readonly #call: Call;
  readonly #options: StreamOptions;
  readonly #fields: readonly Field[];
  readonly #arrowFields: readonly ArrowField[];

  constructor(call: Call, options: StreamOptions, fields: readonly Field[]) {
    this.#call = call;
    this.#options = options;
    this.#fields = fields;
    this.#arrowFields = arrowFields(fields);
  }

  /** Whether the answer has the fields that its client was told. */
  has(fields: readonly Field[]): boolean {
    return (
      fields.length === this.#fields.length &&
      fields.every(({ name, type }, index) => {
        const told = this.#fields[index];
        return told?.name === name && sameType(told.type, type);
      })
    );
  }

  async sendSchema(): Promise<void> {
    await this.#call.send(encodeFlightSchema(encodeSchema(this.#arrowFields)));
  }

  async sendBatch(batch: ResultBatch): Promise<void> {
    for (const message of encodeBatches(this.#arrowFields, batch))
      await this.#call.send(encodeFlightData(message));
  }

  /** As `work` settles; batches without rows are sent meanwhile. */
  async whileAlive<T>(work: Promise<T>): Promise<T> {
    for (;;) {
      const waiting = new AbortController();
      const signal = AbortSignal.any([waiting.signal, this.#call.signal]);
      const { clock, keepAliveMs } = this.#options;
      const silent = clock.sleep(keepAliveMs, signal).then(() => SILENT);
      try {
        const settled = await Promise.race([work, silent]);
        if (settled !== SILENT) return settled as T;
      } finally {
        waiting.abort();
        silent.catch(() => undefined);
      }
      await this.#call.send(encodeFlightData(encodeEmptyBatch(this.#arrowFields)));
    }
  }
}

const SILENT = Symbol("silent");

function schemaChanged(): DbError {
  return new DbError(
    "unavailable",
    "flight_schema_changed",
    "the table got other columns while it was read: ask again",
  );
}
