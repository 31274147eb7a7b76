/** What answers queries, in SQL and in InfluxQL. */
import { untilAborted } from "#base/async.ts";
import type { DbError } from "#base/errors.ts";
import { type Catalog, databaseNotFound } from "#catalog/catalog.ts";
import { v1DatabaseNames } from "#catalog/v1/policies.ts";
import type { WriteOutcome, WriteRequest } from "#ingest/write.ts";
import type { RejectedLine } from "#lineprotocol/parsed.ts";
import { readV1Line } from "#lineprotocol/v1-line.ts";
import { v1Misfit } from "#lineprotocol/v1-misfit.ts";
import { INTERNAL_DATABASE, v1NameOf } from "#model/database-name.ts";
import type { Field } from "#model/query/plan.ts";
import type { Engine } from "#ports/engine.ts";
import type { StatementResult } from "#query/influxql/answer.ts";
import { runsContinuousQueries } from "#query/influxql/continuous/claims.ts";
import { ContinuousQueries } from "#query/influxql/continuous/continuous.ts";
import { InfluxQl } from "#query/influxql/influxql.ts";
import { Into } from "#query/influxql/into/into.ts";
import { runNative } from "#query/influxql/native/native.ts";
import { findShown } from "#query/influxql/native/show.ts";
import type { InfluxQlRequest } from "#query/influxql/request.ts";
import { Selects } from "#query/influxql/select.ts";
import { Queries, type QueryAnswer, type QueryRequest, type SystemTables } from "#query/query.ts";
import type { Views } from "#view/views.ts";
import type { NodeConfig, NodeMode } from "../config.ts";
import type { LastSeen } from "../members/last-seen.ts";
import { requireMode } from "../members/refusals.ts";
import type { NodePorts } from "../ports.ts";
import { type ChangingNode, metaStatements } from "./meta-part.ts";

interface WritingNode {
  write(request: WriteRequest, signal: AbortSignal): Promise<WriteOutcome>;
}

export interface QueryPartOptions {
  readonly catalog: Catalog;
  readonly engine: Engine;
  readonly lastSeen: LastSeen;
  readonly views: Views;
  readonly config: NodeConfig;
  readonly ports: NodePorts;
  readonly node: ChangingNode & WritingNode;
  readonly systemTables: SystemTables;
  readonly onDamage: (error: DbError) => void;
}

/** A node that was silent for so long runs no continuous query any more, as far as this one is concerned. */
const SILENCE_MS_MAX = 30_000;

export class QueryPart {
  readonly queries: Queries;
  /** What a node that reads rows and takes writes has. */
  readonly continuous: ContinuousQueries | undefined;
  readonly #influxQl: InfluxQl;
  readonly #modes: readonly NodeMode[];
  readonly #catalog: Catalog;

  constructor({ config, lastSeen, node, ports, ...parts }: QueryPartOptions) {
    const { clock, random } = ports;
    const filesMax = config.queryFilesMax;
    this.queries = new Queries({
      ...parts,
      clock,
      filesMax,
      concurrentMax: config.concurrentQueriesMax,
      timeoutMs: config.queryTimeoutMs,
      logEntriesMax: config.queryLogEntriesMax,
      lastSeenNs: (number) => lastSeen.of(number),
    });
    const { runner } = this.queries;
    const { engine } = parts;
    const selects = new Selects({ runner, engine, clock, random, filesMax });
    this.#influxQl = new InfluxQl({
      clock,
      runner,
      selects,
      others: metaStatements(node, { config, log: runner.log, ports }),
      into: intoOf(parts.catalog, node),
    });
    this.#modes = config.modes;
    this.#catalog = parts.catalog;
    this.continuous = runsContinuousQueries(config.modes)
      ? new ContinuousQueries({
          ...ports,
          catalog: parts.catalog,
          isAlive: (number) => lastSeen.isHeard(number, SILENCE_MS_MAX),
          influxQl: (request, signal) => this.#influxQl.run(request, signal),
        })
      : undefined;
  }

  async query(request: QueryRequest, signal: AbortSignal): Promise<QueryAnswer> {
    this.#requireModeFor(request);
    if (request.language === "influxql") return this.#native(request, signal);
    return this.queries.run(request, signal);
  }

  /** The fields of what `query` would answer. In InfluxQL, its first rows say them. */
  async describe(request: QueryRequest, signal: AbortSignal): Promise<readonly Field[]> {
    this.#requireModeFor(request);
    if (request.language === "influxql") {
      const { batches, fields } = await this.query(request, signal);
      await batches[Symbol.asyncIterator]().return?.();
      return fields;
    }
    return this.queries.describe(request, signal);
  }

  /** Runs statements of InfluxQL. */
  async influxQl(
    request: InfluxQlRequest,
    signal: AbortSignal,
  ): Promise<AsyncIterable<StatementResult>> {
    requireMode(this.#modes, "query");
    return this.#influxQl.run(request, signal);
  }

  async #native(request: QueryRequest, signal: AbortSignal): Promise<QueryAnswer> {
    const { database, onFields, text } = request;
    let { state } = this.#catalog;
    // Names that this node has not heard of are asked for before they are refused.
    const isKnown = () => database === "" || v1DatabaseNames(state).includes(v1NameOf(database));
    if (!isKnown()) state = await untilAborted(this.#catalog.refresh(), signal);
    if (!isKnown() && database !== INTERNAL_DATABASE) throw databaseNotFound(database);
    const shown = findShown(text, database, state);
    if (shown === undefined)
      return runNative((...asked) => this.influxQl(...asked), request, signal);
    onFields?.(shown.fields);
    return shown;
  }

  /** What a node knows by itself it tells in any mode. */
  #requireModeFor({ database }: QueryRequest): void {
    if (database !== INTERNAL_DATABASE) requireMode(this.#modes, "query");
  }
}

/** Why the first of the lines does not fit, as InfluxDB 1 says it. */
function reasonOf([first]: readonly RejectedLine[]): string | undefined {
  if (first === undefined) return undefined;
  const read = readV1Line(first.text, 1n);
  const reason = read.kind === "taken" ? v1Misfit(first.message, read.measurement) : undefined;
  return reason ?? first.message;
}

/** Rows of a SELECT INTO go the way of all writes of this node. */
function intoOf(catalog: Catalog, node: WritingNode): Into {
  return new Into({
    catalog: (signal) => untilAborted(catalog.refresh(), signal),
    write: async ({ policy, ...lines }, signal) => {
      // A target that is dropped meanwhile stays dropped.
      const target = { ...lines, policy: { name: policy, mustExist: true } };
      const {
        rejected,
        rejectedCount,
        expiredCount = 0,
      } = await node.write(
        { ...target, precision: "nanosecond", acceptPartial: true, sync: true },
        signal,
      );
      return { rejectedCount, expiredCount, reason: reasonOf(rejected) };
    },
  });
}
