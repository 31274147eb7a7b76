/** Answers of DoGet: a schema, then batches, and signs of life while there are none. */
import { type ArrowBatch, encodeBatches, encodeEmptyBatch } from "#arrow/batch.ts";
import { arrowFields, encodeSchema } from "#arrow/schema.ts";
import type { ArrowField } from "#arrow/type.ts";
import { DbError } from "#base/errors.ts";
import type { Field } from "#model/query/plan.ts";
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

/** A query that is to be answered. */
export interface AskedQuery {
  /** Begins it; `onFields` is to be called as of QueryRequest. */
  start(onFields: (fields: readonly Field[]) => void): Promise<QueryAnswer>;
  /** The fields that its answer will have, as far as is known before it has its turn; undefined where nothing is. */
  readonly describe?: ((signal: AbortSignal) => Promise<readonly Field[]>) | undefined;
}

/** Sends the answer of a query: its schema as soon as that is known, its rows as the client takes them. */
export async function sendQuery(
  call: Call,
  options: StreamOptions,
  query: AskedQuery,
): Promise<void> {
  const { clock } = options;
  const planned = Promise.withResolvers<readonly Field[]>();
  const startMs = clock.monotonicMs();
  const started = query.start(planned.resolve);
  started.catch(planned.reject);
  const told = await soonest(call, options, planned.promise, query.describe);
  const stream = new AnswerStream(call, options, arrowFields(told));
  const plannedMs = clock.monotonicMs();
  call.setTrailer("x-influxdata-planning-duration-seconds", secondsText(plannedMs - startMs));
  await stream.sendSchema();
  const { batches, fields } = await stream.whileAlive(started);
  if (!sameFields(told, fields)) throw schemaChanged();
  await stream.sendBatches(batches);
  const endMs = clock.monotonicMs();
  call.setTrailer("x-influxdata-execution-duration-seconds", secondsText(endMs - plannedMs));
}

/** Sends rows of `fields`, made as the client takes them. */
export async function sendRows(
  call: Call,
  options: StreamOptions,
  fields: readonly ArrowField[],
  batches: AsyncIterable<ArrowBatch>,
): Promise<void> {
  const stream = new AnswerStream(call, options, fields);
  await stream.sendSchema();
  await stream.sendBatches(batches);
}

/** What `planned` gives; where a query has to wait for its turn, what `describe` says of it, so that its client hears that it lives. */
async function soonest(
  { signal }: Call,
  { clock, keepAliveMs }: StreamOptions,
  planned: Promise<readonly Field[]>,
  describe: AskedQuery["describe"],
): Promise<readonly Field[]> {
  if (describe === undefined) return planned;
  const done = new AbortController();
  const either = AbortSignal.any([done.signal, signal]);
  const described = clock.sleep(keepAliveMs, either).then(() => describe(either));
  try {
    // What cannot be described now may yet have its turn.
    return await Promise.race([planned, described.catch(() => planned)]);
  } finally {
    done.abort();
  }
}

/** Whether an answer has the fields that its client was told. */
function sameFields(told: readonly Field[], fields: readonly Field[]): boolean {
  return (
    fields.length === told.length &&
    fields.every(({ name, type }, index) => {
      const other = told[index];
      return other?.name === name && sameType(other.type, type);
    })
  );
}

function secondsText(ms: number): string {
  return (ms / 1000).toFixed(6);
}

class AnswerStream {
  readonly #call: Call;
  readonly #options: StreamOptions;
  readonly #fields: readonly ArrowField[];

  constructor(call: Call, options: StreamOptions, fields: readonly ArrowField[]) {
    this.#call = call;
    this.#options = options;
    this.#fields = fields;
  }

  async sendSchema(): Promise<void> {
    await this.#call.send(encodeFlightSchema(encodeSchema(this.#fields)));
  }

  /** Asks for the next batch when the client has taken the last. */
  async sendBatches(batches: AsyncIterable<ArrowBatch>): Promise<void> {
    const rows = batches[Symbol.asyncIterator]();
    try {
      for (;;) {
        const next = await this.whileAlive(rows.next());
        if (next.done === true) break;
        for (const message of encodeBatches(this.#fields, next.value))
          await this.#call.send(encodeFlightData(message));
      }
    } finally {
      await rows.return?.();
    }
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
      await this.#call.send(encodeFlightData(encodeEmptyBatch(this.#fields)));
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
