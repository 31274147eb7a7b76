import { untilAborted } from "#base/async.ts";
import { assert, DbError, isKind } from "#base/errors.ts";
import type { Catalog } from "#catalog/catalog.ts";
import type { CatalogState } from "#catalog/catalog-state.ts";
import { databaseOfWrite, requirePolicy } from "#catalog/v1/policies.ts";
import type { ParsedBody, ParseLimits, RejectedLine } from "#lineprotocol/parsed.ts";
import { nextStamp, type OrderStamp, STAMP_NONE } from "#model/stamp.ts";
import { encodeWriteToken, parseWriteToken } from "#model/write-token.ts";
import type { Clock } from "#ports/clock.ts";
import type { Stage, StagedBody } from "#staging/stage.ts";
import { PROBLEMS_KEPT_MAX, type RowProblem } from "./check-rows.ts";
import type { Flusher, FlushReceipt } from "./flusher.ts";
import { groupRows, toStagedRows } from "./rows.ts";
import { type Validated, validate } from "./validate.ts";
import type { SchemaLimits, WriteOutcome, WriteRequest } from "./write.ts";

export interface IngestOptions {
  readonly catalog: Catalog;
  readonly flusher: Flusher;
  readonly stage: Stage;
  readonly clock: Clock;
  readonly schemaLimits: SchemaLimits;
  readonly parseLimits: ParseLimits;
  /** How long a write waits to be durable before it is answered that this is not known. */
  readonly writeWaitMsMax: number;
}

/** Rounds of catalog change and check that one write may take while others change the same tables. */
const ROUNDS_MAX = 20;
/** How far a token may be ahead of this node's clock: further than clocks of a cluster differ. */
const TOKEN_AHEAD_NS_MAX = 86_400_000_000_000n;

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
   * Rejects with `invalid` / `write_empty`, `write_token`; `exceeded` / `write_queue_full`, `buffer_full`, `database_limit`;
   * `not_found` / `database_not_found`, `policy_not_found` of a policy that must exist;
   * `unavailable` when it is not known whether the lines are or will be stored: writing them again does no harm. That goes for the
   * reason of `signal` as well.
   */
  async write(request: WriteRequest, signal: AbortSignal): Promise<WriteOutcome> {
    const release = await this.#options.flusher.admit(request.body.length, signal);
    const answer = Promise.withResolvers<WriteOutcome>();
    // The work goes on when nobody waits for it any more, and takes its place until it ends.
    void this.#store(request, answer.resolve).then(answer.resolve, answer.reject).finally(release);
    return this.#waitFor(answer.promise, signal);
  }

  /** Stores what fits of `request`; tells `onQueued` at once where nobody waits for more. */
  async #store(
    request: WriteRequest,
    onQueued: (outcome: WriteOutcome) => void,
  ): Promise<WriteOutcome> {
    const { catalog, clock, stage, parseLimits } = this.#options;
    const stampFloor = this.#stampFloor(request.tokens);
    using body = await stage.parse(request.body, {
      precision: request.precision,
      escapedTabs: request.escapedTabs,
      defaultTimeNs: clock.nowNs(),
      limits: parseLimits,
    });
    if (body.lineCount === 0)
      throw new DbError("invalid", "write_empty", "incoming write was empty");
    for (let round = 0; round < ROUNDS_MAX; round++) {
      const { validated, state, parsed } = await this.#check(request, body);
      const outcome = outcomeOf(body, validated, parsed);
      if (outcome.rejectedCount > 0 && !request.acceptPartial) return outcome;
      if (validated.tables.length === 0) return outcome;
      const queued = this.#queue(body, validated, { state, stampFloor });
      if (!request.sync) onQueued(outcome);
      const receipts = await queued;
      const last = receipts.at(-1);
      if (last === undefined || receipts.some((receipt) => isLost(receipt, validated))) continue;
      const { node } = catalog.writer;
      const { position, stamp } = last;
      const token = { catalog: last.catalog.position, node, position, stamp };
      return { ...outcome, token: encodeWriteToken(token) };
    }
    throw new DbError(
      "unavailable",
      "schema_contended",
      "the tables of this write are changed too often by others: send it again",
    );
  }

  /** The stamp that the write must be above. A token that somebody made up must not set the stamps of all later writes. */
  #stampFloor(texts: readonly string[]): OrderStamp {
    const { catalog, clock } = this.#options;
    const soonNs = clock.nowNs() + TOKEN_AHEAD_NS_MAX;
    const limit = nextStamp(catalog.writer.node, soonNs, STAMP_NONE);
    const stamps = texts.map((text) => {
      const { stamp } = parseWriteToken(text);
      if (stamp <= limit) return stamp;
      throw new DbError(
        "invalid",
        "write_token",
        `"${text}" is a write token of more than a day from now: send one as a write's answer gave it`,
      );
    });
    return stamps.reduce((most, stamp) => (stamp > most ? stamp : most), STAMP_NONE);
  }

  /** Checks until the catalog knows all that the accepted lines use. Names and types refused are asked for anew first. */
  async #check(
    { acceptPartial, database, policy }: WriteRequest,
    body: StagedBody,
  ): Promise<{ validated: Validated; state: CatalogState; parsed: ParsedBody | undefined }> {
    const { catalog, clock, schemaLimits } = this.#options;
    let parsed: ParsedBody | undefined;
    const nowNs = policy && clock.nowNs();
    const decide = (state: CatalogState) => {
      const target = policy ? policyTarget(state, database, policy) : database;
      const tables = { looks: body.tables, nowNs, parsed: parsed?.tables };
      return validate(tables, state, target, schemaLimits);
    };
    if (refuses(() => decide(catalog.state))) await catalog.refresh();
    for (let round = 0; round < ROUNDS_MAX; round++) {
      const { state } = catalog;
      const validated = decide(state);
      if (validated === undefined) {
        parsed = await body.parsed();
        continue;
      }
      const refused = !acceptPartial && validated.problems.count + body.rejectedCount > 0;
      if (refused || validated.changes.length === 0) return { validated, state, parsed };
      await catalog.transact((newest) => {
        const again = decide(newest);
        if (again === undefined) return [];
        return !acceptPartial && again.problems.count > 0 ? [] : again.changes;
      });
    }
    throw new DbError("unavailable", "schema_contended", "the catalog changes too fast: try again");
  }

  #queue(
    body: StagedBody,
    { tables }: Validated,
    { state, stampFloor }: { state: CatalogState; stampFloor: OrderStamp },
  ): Promise<readonly FlushReceipt[]> {
    const groups = [...groupRows(tables.flatMap((table) => [...toStagedRows(body, table)]))];
    const { position: catalogVersion } = state;
    return Promise.all(
      groups.map((rows) => this.#options.flusher.add({ rows, stampFloor, catalogVersion })),
    );
  }

  async #waitFor<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
    const { clock, writeWaitMsMax } = this.#options;
    const done = new AbortController();
    const late = clock.sleep(writeWaitMsMax, done.signal).then(() => {
      throw new DbError(
        "unavailable",
        "write_unconfirmed",
        `the write was not confirmed within ${writeWaitMsMax} ms; it may be stored later, and sending it again does no harm`,
        { detail: { writeWaitMsMax } },
      );
    });
    try {
      return await untilAborted(Promise.race([work, late]), signal);
    } finally {
      done.abort();
    }
  }
}

/** Our database that rows for a policy go to. Throws as `requirePolicy` where it must exist. */
function policyTarget(
  state: CatalogState,
  database: string,
  { mustExist, name }: NonNullable<WriteRequest["policy"]>,
): string {
  if (mustExist === true) return requirePolicy(state, database, name).databaseName;
  return databaseOfWrite(state, database, name);
}

/** Whether `decide` finds anything to refuse, or may when it sees the rows. */
function refuses(decide: () => Validated | undefined): boolean {
  try {
    return decide()?.problems.count !== 0;
  } catch (error) {
    if (isKind(error, "exceeded") || isKind(error, "not_found")) return true;
    throw error;
  }
}

/** Whether a table of the write was dropped before its rows were durable: then the write belongs into a new one. */
function isLost({ catalog }: FlushReceipt, { tables }: Validated): boolean {
  return tables.some(({ schema }) => {
    if (schema === undefined) return true;
    const database = catalog.databases.get(schema.databaseId);
    return database?.dropped !== undefined || !database?.tables.has(schema.id);
  });
}

/** `parsed` is there where there are problems. */
function outcomeOf(
  { rejected, rejectedCount }: StagedBody,
  { expiredCount, problems }: Validated,
  parsed: ParsedBody | undefined,
): WriteOutcome {
  const described = problems.first().map((problem) => describe(parsed, problem));
  return {
    token: undefined,
    ...(expiredCount > 0 && { expiredCount }),
    rejected: [...rejected, ...described]
      .toSorted((left, right) => left.lineNumber - right.lineNumber)
      .slice(0, PROBLEMS_KEPT_MAX),
    rejectedCount: rejectedCount + problems.count,
    limitMet: problems.limitMet,
  };
}

function describe(parsed: ParsedBody | undefined, { line, message }: RowProblem): RejectedLine {
  assert(parsed !== undefined, "rows that are refused were seen");
  return { ...parsed.describeLine(line), message };
}
