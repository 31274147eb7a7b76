import { Semaphore, untilAborted } from "#base/async.ts";
import { DbError, isKind } from "#base/errors.ts";
import { type Catalog, databaseNotFound } from "#catalog/catalog.ts";
import { type DatabaseRecord, findDatabase, findTable } from "#catalog/catalog-state.ts";
import type { LiteralValue } from "#model/expression.ts";
import type { Field, Plan, ResultBatch } from "#model/plan.ts";
import { ALL_TIME, TIME_MIN, type TimeRange } from "#model/time-range.ts";
import { parseWriteToken } from "#model/write-token.ts";
import type { Clock } from "#ports/clock.ts";
import type { Engine } from "#ports/engine.ts";
import type { View } from "#view/view.ts";
import type { Views } from "#view/views.ts";
import { planStatement } from "./plan/plan.ts";
import { Running } from "./running.ts";
import { sourceGroups } from "./sources.ts";
import type { Statement } from "./sql/ast.ts";
import { parseStatement } from "./sql/statement.ts";
import { findSystemTable, type LastSeenNs, type SystemTable } from "./system-tables.ts";

export interface QueryRequest {
  readonly database: string;
  readonly text: string;
  readonly parameters: Readonly<Record<string, LiteralValue>>;
  /** Write tokens: the answer is given when this node has those writes. */
  readonly tokens: readonly string[];
}

export interface QueryAnswer {
  readonly fields: readonly Field[];
  /** The next batch is made when it is asked for. A rejection means that the answer is not complete. */
  readonly batches: AsyncIterable<ResultBatch>;
}

export interface QueriesOptions {
  readonly catalog: Catalog;
  readonly views: Views;
  readonly engine: Engine;
  readonly clock: Clock;
  readonly concurrentMax: number;
  readonly timeoutMs: number;
  /** When this node last heard from another one. */
  readonly lastSeenNs: LastSeenNs;
  /** Told of stored objects that turned out to be damaged or gone. */
  readonly onDamage: (error: DbError) => void;
  /** System tables beside those of the catalog. */
  readonly systemTables?: SystemTables;
}

/** The table `system.<name>` of a view, asked in `database`; undefined when there is none. */
export type SystemTables = (
  name: string,
  view: Pick<View, "catalog" | "manifest">,
  database: DatabaseRecord | undefined,
) => SystemTable | undefined;

/** The database of the cluster's own tables; it is there without being created. */
export const INTERNAL_DATABASE = "_internal";

/** The read path: text → statement → plan over one view → engine. */
export class Queries {
  readonly #options: QueriesOptions;
  readonly #permits: Semaphore;

  constructor(options: QueriesOptions) {
    this.#options = options;
    this.#permits = new Semaphore(options.concurrentMax);
  }

  /**
   * Resolves when the first rows are there, so that what fails early fails with a status. Aborting `signal` ends the query at any
   * time; so do the end of its time, which counts from now, and letting go of the batches.
   *
   * Rejects with `not_found` / `database_not_found`, what parsing and planning reject with, `exceeded` / `query_timeout`,
   * `queries_full`, `unavailable` / `token_timeout`, and what `Engine.query` rejects with.
   */
  async run(request: QueryRequest, signal: AbortSignal): Promise<QueryAnswer> {
    const statement = parseStatement(request.text);
    const running = new Running(this.#options, signal);
    try {
      await running.enter(this.#permits);
      return await this.#start(request, statement, running);
    } catch (error) {
      await running.end();
      throw error;
    }
  }

  async #start(
    request: QueryRequest,
    statement: Statement,
    running: Running,
  ): Promise<QueryAnswer> {
    let vanished: DbError | undefined;
    while (true) {
      const { view, plan } = await this.#plan(request, statement, running.signal);
      const rows = this.#options.engine.query(plan, running.signal)[Symbol.asyncIterator]();
      try {
        const first = await rows.next();
        return { fields: plan.fields, batches: running.show(view, first, rows) };
      } catch (error) {
        view[Symbol.dispose]();
        // Nothing was answered yet: a file that was replaced since the view was taken is not in a newer one.
        if (!isKind(error, "not_found") || error.code !== "file_vanished")
          throw running.reasonOf(error);
        if (vanished !== undefined) throw this.#damaged(error);
        vanished = error;
        await this.#options.views.refresh(running.signal);
      }
    }
  }

  /** A view, and the plan on it. Names that this node has not heard of are asked for before they are refused. */
  async #plan(
    request: QueryRequest,
    statement: Statement,
    signal: AbortSignal,
  ): Promise<{ view: View; plan: Plan }> {
    const { catalog, clock, lastSeenNs, views } = this.#options;
    const tokens = request.tokens.map(parseWriteToken);
    const nowNs = clock.nowNs();
    // What the cluster says of itself is asked for now, not when the catalog is synced next.
    if (request.database === INTERNAL_DATABASE) await untilAborted(catalog.refresh(), signal);
    for (let asked = false; ; asked = true) {
      const view = await views.acquire(tokens, signal);
      try {
        const { systemTables } = this.#options;
        const options = { statement, nowNs, lastSeenNs, systemTables };
        return { view, plan: planOn(view, request, options) };
      } catch (error) {
        view[Symbol.dispose]();
        const unknown = error instanceof DbError && UNKNOWN_NAMES.has(error.code);
        if (!unknown || asked) throw error;
        const newest = await untilAborted(catalog.refresh(), signal);
        if (newest.position === view.catalog.position) throw error;
      }
    }
  }

  #damaged(error: DbError): DbError {
    this.#options.onDamage(error);
    return error;
  }
}

const UNKNOWN_NAMES = new Set(["database_not_found", "table_not_found", "column_not_found"]);

function planOn(
  view: View,
  request: QueryRequest,
  options: {
    readonly statement: Statement;
    readonly nowNs: bigint;
    readonly lastSeenNs: LastSeenNs;
    readonly systemTables: SystemTables | undefined;
  },
): Plan {
  const { lastSeenNs, nowNs, statement, systemTables } = options;
  const database = findDatabase(view.catalog, request.database);
  if (database === undefined && request.database !== INTERNAL_DATABASE)
    throw databaseNotFound(request.database);
  return planStatement(statement, {
    findTable: (name) => database && findTable(database, name),
    findSystemTable: (name) =>
      findSystemTable(view.catalog, name, lastSeenNs) ?? systemTables?.(name, view, database),
    tableNames: () => tableNames(database),
    sources: (table, time) => sourceGroups(view, table, time),
    parameters: request.parameters,
    nowNs,
    kept: keptTime(database?.retentionNs, nowNs),
  });
}

/** The times of rows that are not past their retention. Compaction removes the others later, by a clock of its own. */
function keptTime(retentionNs: bigint | undefined, nowNs: bigint): TimeRange {
  if (retentionNs === undefined) return ALL_TIME;
  const start = nowNs - retentionNs;
  return { ...ALL_TIME, start: start > TIME_MIN ? start : TIME_MIN };
}

function tableNames(database: DatabaseRecord | undefined): readonly string[] {
  return database === undefined ? [] : [...database.tableIds.keys()];
}
