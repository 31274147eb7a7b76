import { Semaphore, untilAborted } from "#base/async.ts";
import { DbError, isKind } from "#base/errors.ts";
import { type Catalog, databaseNotFound } from "#catalog/catalog.ts";
import {
  type DatabaseRecord,
  findDatabase,
  findTable,
  retentionOf,
} from "#catalog/catalog-state.ts";
import type { LiteralValue } from "#model/query/expression.ts";
import type { Field, Plan, SourceGroup } from "#model/query/plan.ts";
import type { ResultBatch } from "#model/query/result.ts";
import { ALL_TIME, TIME_MIN, type TimeRange } from "#model/time-range.ts";
import { parseWriteToken } from "#model/write-token.ts";
import type { Clock } from "#ports/clock.ts";
import type { Engine, RowText } from "#ports/engine.ts";
import type { View } from "#view/view.ts";
import type { Views } from "#view/views.ts";
import { analyzed } from "./analyze.ts";
import { DATABASE_TABLE_NAMES, findDatabaseTable } from "./database-tables.ts";
import type { PlanContext } from "./plan/context.ts";
import { type PlannedSteps, planInSteps, planStatement } from "./plan/plan.ts";
import { QueryLog, type QueryRecord } from "./query-log.ts";
import { Running } from "./running.ts";
import { sourceGroups } from "./sources.ts";
import type { Statement } from "./sql/ast.ts";
import { parseStatement } from "./sql/statement.ts";
import { inSteps } from "./steps.ts";
import { findSystemTable, type LastSeenNs, type SystemTable } from "./system-tables.ts";

export interface QueryRequest {
  readonly database: string;
  readonly text: string;
  readonly parameters: Readonly<Record<string, LiteralValue>>;
  /** Write tokens: the answer is given when this node has those writes. */
  readonly tokens: readonly string[];
  /** How the rows will be written: batches may come as such text. */
  readonly rowText?: RowText | undefined;
  /** Told the fields of the answer before any row of it is there; again if it is planned again. */
  readonly onFields?: (fields: readonly Field[]) => void;
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
  /** Data files that one query may read; undefined: any number. */
  readonly filesMax?: number | undefined;
  /** Queries that `system.queries` remembers; none unless given. */
  readonly logEntriesMax?: number | undefined;
  readonly timeoutMs: number;
  /** When this node last heard from another one. */
  readonly lastSeenNs: LastSeenNs;
  /** Told of stored objects that turned out to be damaged or gone. */
  readonly onDamage: (error: DbError) => void;
  /** System tables beside those of the catalog. */
  readonly systemTables?: SystemTables;
}

/** Tables `system.<name>`. */
export interface SystemTables {
  readonly names: readonly string[];
  /** One of a view, asked in `database`; undefined when there is none. */
  find(
    name: string,
    view: Pick<View, "catalog" | "manifest">,
    database: DatabaseRecord | undefined,
  ): SystemTable | undefined;
}

/** The database of the cluster's own tables; it is there without being created. */
export const INTERNAL_DATABASE = "_internal";

/** The read path: text → statement → plan over one view → engine. */
export class Queries {
  readonly #options: QueriesOptions;
  readonly #permits: Semaphore;
  readonly #log: QueryLog;

  constructor(options: QueriesOptions) {
    this.#options = options;
    this.#permits = new Semaphore(options.concurrentMax);
    const { catalog, clock, logEntriesMax = 0 } = options;
    this.#log = new QueryLog(clock, logEntriesMax, () => catalog.writer);
  }

  /** Queries that run at once; more wait. */
  get concurrentMax(): number {
    return this.#permits.countMax;
  }

  /**
   * Lets `countMax` queries run at once from now on; undefined: as many as at the start. Those that run go on. Throws `invalid` /
   * `query_limit_range` for more than at the start: the engine has threads for no more.
   */
  limitConcurrency(countMax: number | undefined): void {
    const { concurrentMax } = this.#options;
    const wanted = countMax ?? concurrentMax;
    if (!Number.isSafeInteger(wanted) || wanted < 1 || wanted > concurrentMax)
      throw new DbError(
        "invalid",
        "query_limit_range",
        `the limit is a whole number from 1 to ${concurrentMax}, which --max-concurrent-queries set when the node was started`,
        { detail: { concurrentMax } },
      );
    this.#permits.countMax = wanted;
  }

  /**
   * Resolves when the first rows are there, so that what fails early fails with a status. Aborting `signal` ends the query at any
   * time; so do the end of its time, which counts from now, and letting go of the batches.
   *
   * Rejects with `not_found` / `database_not_found`, what parsing and planning reject with, `exceeded` / `query_timeout`,
   * `query_file_limit`, `queries_full`, `unavailable` / `token_timeout`, and what `Engine.query` rejects with.
   */
  async run(request: QueryRequest, signal: AbortSignal): Promise<QueryAnswer> {
    const record = this.#log.begin(request.text);
    const asked: Asked = { request, statement: this.#parse(request, record), record };
    const running = new Running(this.#options, record, signal);
    try {
      await running.enter(this.#permits);
      return await this.#start(asked, running);
    } catch (error) {
      running.fail();
      await running.end();
      throw error;
    }
  }

  /**
   * The fields that the answer of `request` has; nothing of it is read. Rejects as `run` does with what parsing and planning reject with.
   */
  async describe(request: QueryRequest, signal: AbortSignal): Promise<readonly Field[]> {
    const statement = parseStatement(request.text);
    const record = this.#log.unseen(request.text);
    const planned = await this.#plan({ request, statement, record }, signal);
    planned.view[Symbol.dispose]();
    return answerFields(planned);
  }

  #parse({ text }: QueryRequest, record: QueryRecord): Statement {
    try {
      return parseStatement(text);
    } catch (error) {
      record.end("fail");
      throw error;
    }
  }

  async #start(asked: Asked, running: Running): Promise<QueryAnswer> {
    let vanished: DbError | undefined;
    while (true) {
      const startMs = this.#options.clock.monotonicMs();
      const { view, explanation, ...steps } = await this.#plan(asked, running.signal);
      const { plan } = steps;
      const rowText = explanation === undefined ? asked.request.rowText : undefined;
      const { engine } = this.#options;
      const batches = inSteps(steps, (step) => engine.query(step, running.signal, rowText));
      const shown =
        explanation === undefined
          ? batches
          : analyzed(explanation, batches, this.#options.clock, startMs);
      const rows = shown[Symbol.asyncIterator]();
      const { fields } = explanation ?? plan;
      try {
        const first = await rows.next();
        return { fields, batches: running.show(view, first, rows) };
      } catch (error) {
        view[Symbol.dispose]();
        // Nothing was answered yet: a file that was replaced since the view was taken is not in a newer one.
        if (!isKind(error, "not_found") || error.code !== "file_vanished")
          throw running.reasonOf(error);
        await this.#options.views.refresh(running.signal);
        if (vanished !== undefined) throw await this.#goneAgain(error, running.signal);
        vanished = error;
      }
    }
  }

  /** A view, and the plan on it. Names that this node has not heard of are asked for before they are refused. */
  async #plan(
    { request, statement, record }: Asked,
    signal: AbortSignal,
  ): Promise<Planned & { readonly view: View }> {
    const { catalog, clock, filesMax, lastSeenNs, systemTables, views } = this.#options;
    const tokens = request.tokens.map(parseWriteToken);
    const nowNs = clock.nowNs();
    // What the cluster says of itself is asked for now, not when the catalog is synced next.
    if (request.database === INTERNAL_DATABASE) await untilAborted(catalog.refresh(), signal);
    for (let asked = false; ; asked = true) {
      const view = await views.acquire(tokens, signal);
      const files = new FileCount(filesMax);
      const queries = () => this.#log.table();
      try {
        const options = { statement, nowNs, files, lastSeenNs, queries, systemTables };
        const planned = planOn(view, request, options);
        record.planned(files.count);
        request.onFields?.(answerFields(planned));
        return { view, ...planned };
      } catch (error) {
        view[Symbol.dispose]();
        const unknown = error instanceof DbError && UNKNOWN_NAMES.has(error.code);
        if (!unknown || asked) throw error;
        const newest = await untilAborted(catalog.refresh(), signal);
        if (newest.position === view.catalog.position) throw error;
      }
    }
  }

  /** Files were gone in two views. It is damage where the newest still names one; else they were replaced again, and whoever asks again hears. */
  async #goneAgain(error: DbError, signal: AbortSignal): Promise<DbError> {
    using view = await this.#options.views.acquire([], signal);
    const key = error.detail["key"];
    if (typeof key !== "string" || view.names(key)) this.#options.onDamage(error);
    return error;
  }
}

/** A query that is being answered. */
interface Asked {
  readonly request: QueryRequest;
  readonly statement: Statement;
  readonly record: QueryRecord;
}

/** Counts the data files that one plan reads. */
class FileCount {
  readonly #keys = new Set<string>();
  readonly #max: number;

  constructor(max = Number.POSITIVE_INFINITY) {
    this.#max = max;
  }

  get count(): number {
    return this.#keys.size;
  }

  /** Throws `exceeded` / `query_file_limit` when there are too many. */
  add(groups: readonly SourceGroup[]): void {
    for (const { sources } of groups)
      for (const source of sources) if (source.kind === "file") this.#keys.add(source.file.key);
    if (this.count <= this.#max) return;
    throw new DbError(
      "exceeded",
      "query_file_limit",
      `the query would read ${this.count} data files, at most ${this.#max} may be: ask for less time, or raise --query-file-limit`,
      { detail: { fileCount: this.count, filesMax: this.#max } },
    );
  }
}

/** Tables that are told of in the database of the cluster's own tables alone. */
const CLUSTER_TABLE_NAMES = ["databases", "tables", "tokens"];
const UNKNOWN_NAMES = new Set(["database_not_found", "table_not_found", "column_not_found"]);

interface Planning {
  readonly statement: Statement;
  readonly nowNs: bigint;
  readonly files: FileCount;
  readonly lastSeenNs: LastSeenNs;
  readonly systemTables: SystemTables | undefined;
  /** The table `system.queries`. */
  readonly queries: () => SystemTable;
}

/** What the engine is asked; with EXPLAIN ANALYZE, an explanation of it, which is answered once its rows have been counted. */
interface Planned extends PlannedSteps {
  readonly explanation?: Plan;
}

/** The fields of the answer. */
function answerFields({ explanation, plan }: Planned): readonly Field[] {
  return (explanation ?? plan).fields;
}

function planOn(view: View, request: QueryRequest, options: Planning): Planned {
  const { files, lastSeenNs, nowNs, queries, statement, systemTables } = options;
  const database = findDatabase(view.catalog, request.database);
  if (database === undefined && request.database !== INTERNAL_DATABASE)
    throw databaseNotFound(request.database);
  const context: PlanContext = {
    findTable: (name) => database && findTable(database, name),
    findSystemTable: (name) =>
      name === "queries"
        ? queries()
        : (findSystemTable(view.catalog, name, lastSeenNs) ??
          (database && findDatabaseTable(database, name, view)) ??
          systemTables?.find(name, view, database)),
    tableNames: () => tableNames(database),
    systemTableNames: () => [
      ...(database === undefined ? CLUSTER_TABLE_NAMES : DATABASE_TABLE_NAMES),
      "nodes",
      "queries",
      ...(systemTables?.names ?? []),
    ],
    sources: (table, time) => {
      const groups = sourceGroups(view, table, time);
      files.add(groups);
      return groups;
    },
    parameters: request.parameters,
    nowNs,
    fileCount: (table) => view.files(table.id, ALL_TIME).length,
    kept: (table) => keptTime(database && retentionOf(database, table.id), nowNs),
  };
  if (statement.kind !== "explain" || !statement.analyze) return planInSteps(statement, context);
  const explanation = planStatement(statement, context);
  return { ...planInSteps(statement.query, context), explanation };
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
