import { untilAborted } from "#base/async.ts";
import type { DbError } from "#base/errors.ts";
import { type Catalog, databaseNotFound } from "#catalog/catalog.ts";
import {
  type DatabaseRecord,
  findDatabase,
  findTable,
  retentionOf,
} from "#catalog/catalog-state.ts";
import { INTERNAL_DATABASE } from "#model/database-name.ts";
import type { LiteralValue } from "#model/query/expression.ts";
import type { Field, Plan } from "#model/query/plan.ts";
import type { ResultBatch } from "#model/query/result.ts";
import { ALL_TIME } from "#model/time-range.ts";
import type { Clock } from "#ports/clock.ts";
import type { Engine, RowText } from "#ports/engine.ts";
import type { View } from "#view/view.ts";
import type { Views } from "#view/views.ts";
import { analyzed } from "./analyze.ts";
import { DATABASE_TABLE_NAMES, findDatabaseTable } from "./database-tables.ts";
import type { PlanContext } from "./plan/context.ts";
import { type PlannedSteps, planInSteps, planStatement } from "./plan/plan.ts";
import type { QueryRecord } from "./query-log.ts";
import { FileCount, keptTime, QueryRunner } from "./runner.ts";
import type { Running } from "./running.ts";
import { sourceGroups } from "./sources.ts";
import type { Statement } from "./sql/ast.ts";
import { parseStatement } from "./sql/statement.ts";
import { inSteps } from "./steps.ts";
import { findSystemTable, type LastSeenNs, type SystemTable } from "./system-tables.ts";

export interface QueryRequest {
  /** SQL unless given. */
  readonly language?: "influxql" | undefined;
  /** Of InfluxQL, it may be empty where the statement names one. */
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

/** The read path: text → statement → plan over one view → engine. */
export class Queries {
  /** What queries in other languages share with those in SQL. */
  readonly runner: QueryRunner;
  readonly #options: QueriesOptions;

  constructor(options: QueriesOptions) {
    this.#options = options;
    this.runner = new QueryRunner(options);
  }

  /** Queries that run at once; more wait. */
  get concurrentMax(): number {
    return this.runner.concurrentMax;
  }

  /**
   * Lets `countMax` queries run at once from now on; undefined: as many as at the start. Those that run go on. Throws `invalid` /
   * `query_limit_range` for more than at the start: the engine has threads for no more.
   */
  limitConcurrency(countMax: number | undefined): void {
    this.runner.limitConcurrency(countMax);
  }

  /**
   * Resolves when the first rows are there, so that what fails early fails with a status. Aborting `signal` ends the query at any
   * time; so do the end of its time, which counts from now, and letting go of the batches.
   *
   * Rejects with `not_found` / `database_not_found`, what parsing and planning reject with, `exceeded` / `query_timeout`,
   * `query_file_limit`, `queries_full`, `unavailable` / `token_timeout`, and what `Engine.query` rejects with.
   */
  async run(request: QueryRequest, signal: AbortSignal): Promise<QueryAnswer> {
    const record = this.runner.log.begin(request.text, "sql", request.database);
    const asked: Asked = { request, statement: this.#parse(request, record), record };
    let fields: readonly Field[] = [];
    const batches = await this.runner.run<ResultBatch>(
      record,
      async (running) => {
        const attempt = await this.#attempt(asked, running);
        fields = attempt.fields;
        return attempt;
      },
      signal,
    );
    return { fields, batches };
  }

  /**
   * The fields that the answer of `request` has; nothing of it is read. Rejects as `run` does with what parsing and planning reject with, and
   * as `QueryRunner.describe`.
   */
  async describe(request: QueryRequest, signal: AbortSignal): Promise<readonly Field[]> {
    const statement = parseStatement(request.text);
    const record = this.runner.log.unseen(request.text);
    const asked: Asked = { request, statement, record };
    return this.runner.describe(
      record,
      async (ending) => {
        const planned = await this.#plan(asked, ending);
        planned.view[Symbol.dispose]();
        return answerFields(planned);
      },
      signal,
    );
  }

  #parse({ text }: QueryRequest, record: QueryRecord): Statement {
    try {
      return parseStatement(text);
    } catch (error) {
      record.end("fail");
      throw error;
    }
  }

  async #attempt(asked: Asked, running: Running<ResultBatch>) {
    const startMs = this.#options.clock.monotonicMs();
    const { view, explanation, ...steps } = await this.#plan(asked, running.signal);
    const rowText = explanation === undefined ? asked.request.rowText : undefined;
    const { clock, engine } = this.#options;
    const batches = inSteps(steps, (step) => engine.query(step, running.signal, rowText));
    const shown =
      explanation === undefined ? batches : analyzed(explanation, batches, clock, startMs);
    const { fields } = explanation ?? steps.plan;
    return { view, rows: shown[Symbol.asyncIterator](), fields };
  }

  /** A view, and the plan on it. */
  async #plan(
    { request, statement, record }: Asked,
    signal: AbortSignal,
  ): Promise<Planned & { readonly view: View }> {
    const { catalog, clock, filesMax, lastSeenNs, systemTables } = this.#options;
    const nowNs = clock.nowNs();
    // What the cluster says of itself is asked for now, not when the catalog is synced next.
    if (request.database === INTERNAL_DATABASE) await untilAborted(catalog.refresh(), signal);
    const queries = () => this.runner.log.table();
    const { view, value } = await this.runner.onView(request.tokens, signal, (on) => {
      const files = new FileCount(filesMax);
      const options = { statement, nowNs, files, lastSeenNs, queries, systemTables };
      const planned = planOn(on, request, options);
      record.planned(files.count);
      return planned;
    });
    request.onFields?.(answerFields(value));
    return { view, ...value };
  }
}

/** A query that is being answered. */
interface Asked {
  readonly request: QueryRequest;
  readonly statement: Statement;
  readonly record: QueryRecord;
}

/** Tables that are told of in the database of the cluster's own tables alone. */
const CLUSTER_TABLE_NAMES = ["databases", "tables", "tokens"];

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

function tableNames(database: DatabaseRecord | undefined): readonly string[] {
  return database === undefined ? [] : [...database.tableIds.keys()];
}
