import { DbError } from "#base/errors.ts";
import type { Catalog } from "#catalog/catalog.ts";
import type { CatalogState } from "#catalog/catalog-state.ts";
import type { LineParser, ParsedBody, ParseLimits, RejectedLine } from "#lineprotocol/parsed.ts";
import type { ColumnBatch } from "#model/batch.ts";
import { type OrderStamp, STAMP_NONE } from "#model/stamp.ts";
import { encodeWriteToken, parseWriteToken } from "#model/write-token.ts";
import type { Clock } from "#ports/clock.ts";
import { BATCH_ROW_COUNT_MAX, toBatches } from "./batches.ts";
import type { RowProblem } from "./check-rows.ts";
import type { Flusher, FlushReceipt } from "./flusher.ts";
import { type Validated, validate } from "./validate.ts";
import type { SchemaLimits, WriteOutcome, WriteRequest } from "./write.ts";

export interface IngestOptions {
  readonly catalog: Catalog;
  readonly flusher: Flusher;
  readonly parser: LineParser;
  readonly clock: Clock;
  readonly schemaLimits: SchemaLimits;
  readonly parseLimits: ParseLimits;
  /** How long a write waits to be durable before it is answered that this is not known. */
  readonly writeWaitMsMax: number;
}

/** Rounds of catalog change and check that one write may take while others change the same tables. */
const ROUNDS_MAX = 20;
/** Rejected lines that an answer describes. */
const REJECTED_MAX = 100;

/**
 * The write path: parse → check against the catalog, which learns new tables and columns → batches → flush → acknowledge.
 * Its steps stand in the files of this folder, in that order.
 */
export class Ingest {
  readonly #options: IngestOptions;

  constructor(options: IngestOptions) {
    this.#options = options;
  }

  /**
   * Resolves when every line that is not in `rejected` is durable and can be queried here (`sync`), or is checked and queued.
   *
   * Rejects with `invalid` / `write_empty`; `exceeded` / `write_queue_full`, `database_limit`; `unavailable` when it is not known
   * whether the lines are or will be stored: writing them again does no harm.
   */
  async write(request: WriteRequest, signal: AbortSignal): Promise<WriteOutcome> {
    const { clock, flusher, parser, parseLimits } = this.#options;
    flusher.refuseWhenFull();
    const tokens = request.tokens.map(parseWriteToken);
    const body = await parser.parse(request.body, {
      precision: request.precision,
      defaultTimeNs: clock.nowNs(),
      limits: parseLimits,
    });
    if (body.lineCount === 0)
      throw new DbError("invalid", "write_empty", "incoming write was empty");
    const stampFloor = maxOf(tokens.map(({ stamp }) => stamp));
    for (let round = 0; round < ROUNDS_MAX; round++) {
      const { validated, state } = await this.#check(request, body);
      const outcome = outcomeOf(body, validated);
      if (outcome.rejectedCount > 0 && !request.acceptPartial) return outcome;
      if (validated.tables.length === 0) return outcome;
      const queued = this.#queue(request, validated, { state, stampFloor });
      if (!request.sync) {
        // Nobody waits; what becomes of it shows in the metrics of the flusher.
        queued.catch(() => undefined);
        return outcome;
      }
      const receipts = await this.#waitFor(queued, signal);
      const last = receipts.at(-1);
      if (last === undefined || receipts.some((receipt) => isLost(receipt, validated))) continue;
      const { position, stamp, catalog } = last;
      const { node } = this.#options.catalog.writer;
      const token = encodeWriteToken({ catalog: catalog.position, node, position, stamp });
      return { ...outcome, token };
    }
    throw new DbError(
      "unavailable",
      "schema_contended",
      "the tables of this write are changed too often by others: send it again",
    );
  }

  /** Checks until the catalog knows all that the accepted lines use. Names and types refused are asked for anew first. */
  async #check(
    { database, acceptPartial }: WriteRequest,
    { tables, rejectedCount }: ParsedBody,
  ): Promise<{ validated: Validated; state: CatalogState }> {
    const { catalog, schemaLimits } = this.#options;
    const decide = (state: CatalogState) => validate(tables, state, database, schemaLimits);
    if (decide(catalog.state).problems.length > 0) await catalog.refresh();
    for (let round = 0; round < ROUNDS_MAX; round++) {
      const { state } = catalog;
      const validated = decide(state);
      const refused = !acceptPartial && validated.problems.length + rejectedCount > 0;
      if (refused || validated.changes.length === 0) return { validated, state };
      await catalog.transact((newest) => {
        const again = decide(newest);
        return !acceptPartial && again.problems.length > 0 ? [] : again.changes;
      });
    }
    throw new DbError("unavailable", "schema_contended", "the catalog changes too fast: try again");
  }

  async #queue(
    { body }: WriteRequest,
    { tables }: Validated,
    { state, stampFloor }: { state: CatalogState; stampFloor: OrderStamp },
  ): Promise<readonly FlushReceipt[]> {
    const groups = [...groupBatches(tables.flatMap((table) => [...toBatches(table)]))];
    const sizeBytes = Math.ceil(body.length / groups.length);
    return Promise.all(
      groups.map(({ batches, rowCount }) =>
        this.#options.flusher.add({
          batches,
          rowCount,
          sizeBytes,
          stampFloor,
          catalogVersion: state.position,
        }),
      ),
    );
  }

  async #waitFor<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
    const { clock, writeWaitMsMax } = this.#options;
    const done = new AbortController();
    const late = clock.sleep(writeWaitMsMax, AbortSignal.any([signal, done.signal])).then(() => {
      throw new DbError(
        "unavailable",
        "write_unconfirmed",
        `the object store has not confirmed the write within ${writeWaitMsMax} ms; it may be stored later, and sending it again does no harm`,
        { detail: { writeWaitMsMax } },
      );
    });
    try {
      return await Promise.race([work, late]);
    } finally {
      work.catch(() => undefined);
      late.catch(() => undefined);
      done.abort();
    }
  }
}

/** Whether a table of the write was dropped before its rows were durable: then the write belongs into a new one. */
function isLost({ catalog }: FlushReceipt, { tables }: Validated): boolean {
  return tables.some(({ schema }) => {
    const database = schema && catalog.databases.get(schema.databaseId);
    return database === undefined || database.dropped !== undefined;
  });
}

/** Batches that go into one flush: at most BATCH_ROW_COUNT_MAX rows together. */
function* groupBatches(batches: readonly ColumnBatch[]) {
  let group: ColumnBatch[] = [];
  let rowCount = 0;
  for (const batch of batches) {
    if (group.length > 0 && rowCount + batch.times.length > BATCH_ROW_COUNT_MAX) {
      yield { batches: group, rowCount };
      group = [];
      rowCount = 0;
    }
    group.push(batch);
    rowCount += batch.times.length;
  }
  yield { batches: group, rowCount };
}

function outcomeOf(body: ParsedBody, { problems }: Validated): WriteOutcome {
  const described = problems
    .toSorted((left, right) => left.line - right.line)
    .slice(0, REJECTED_MAX)
    .map((problem) => describe(body, problem));
  const rejected = [...body.rejected, ...described]
    .toSorted((left, right) => left.lineNumber - right.lineNumber)
    .slice(0, REJECTED_MAX);
  return {
    token: undefined,
    rejected,
    rejectedCount: body.rejectedCount + problems.length,
    limitMet: problems.some(({ limitMet }) => limitMet),
  };
}

function describe(body: ParsedBody, { line, message }: RowProblem): RejectedLine {
  return { ...body.describeLine(line), message };
}

function maxOf(stamps: readonly OrderStamp[]): OrderStamp {
  return stamps.reduce((most, stamp) => (stamp > most ? stamp : most), STAMP_NONE);
}
