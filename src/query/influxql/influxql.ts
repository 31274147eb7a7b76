import { DbError } from "#base/errors.ts";
import type { Clock } from "#ports/clock.ts";
import type { QueryRunner } from "../runner.ts";
import type { Running } from "../running.ts";
import type { Message, SeriesChunk, StatementAnswer, StatementResult } from "./answer.ts";
import type { ExplainStatement, InfluxQlStatement, SelectStatement } from "./ast.ts";
import { isChange, refuseOldStatement } from "./native/statement.ts";
import { type ParsedStatement, parseInfluxQl } from "./parse/parse.ts";
import { printStatement } from "./print/print.ts";
import type { InfluxQlRequest } from "./request.ts";
import type { Selects } from "./select.ts";

/** Statements that are no SELECT. */
export type OtherStatement = Exclude<InfluxQlStatement, SelectStatement | ExplainStatement>;

/** What a request says beside its statements. */
export interface StatementContext {
  /** Undefined or empty: none. */
  readonly database: string | undefined;
  /** Undefined or empty: the default one. */
  readonly retentionPolicy: string | undefined;
  /** Write tokens: the answer is given when this node has those writes. */
  readonly tokens: readonly string[];
  /** Whether it is answered as InfluxDB 3 does; else as 1.x does. */
  readonly native: boolean;
  /** Aborted when the client leaves, or its time is over. */
  readonly signal: AbortSignal;
}

export interface InfluxQlOptions {
  readonly clock: Clock;
  readonly runner: QueryRunner;
  readonly selects: Selects;
  /** Answers statements that are no SELECT. */
  readonly others: {
    execute(statement: OtherStatement, context: StatementContext): Promise<StatementAnswer>;
  };
  /** Writes the rows of a SELECT INTO, all of them before it resolves. */
  readonly into: {
    write(
      select: SelectStatement,
      rows: AsyncIterable<SeriesChunk>,
      context: StatementContext,
    ): Promise<StatementAnswer>;
  };
}

/** InfluxQL: the statements of a request, one after the other. */
export class InfluxQl {
  readonly #options: InfluxQlOptions;

  constructor(options: InfluxQlOptions) {
    this.#options = options;
  }

  /**
   * Each statement begins when its result is asked for; by then the rows of the one before are let go. After one that failed none is
   * run. All have the time of one query together. Whoever does not take all results calls `return`.
   *
   * Rejects with what parsing rejects with, and where it is answered as InfluxDB 3 does with `invalid` / `influxql_statement_count`, and what
   * `refuseOldStatement` throws.
   */
  async run(
    request: InfluxQlRequest,
    signal: AbortSignal,
  ): Promise<AsyncIterable<StatementResult>> {
    const { native, parameters, text } = request;
    const statements = parseInfluxQl(text, parameters, native ? "3" : "1");
    if (native && statements.length !== 1)
      throw new DbError(
        "invalid",
        "influxql_statement_count",
        "must provide only one InfluxQl statement per query",
        { detail: { count: statements.length } },
      );
    if (native)
      for (const { statement } of statements) refuseOldStatement(statement, request.database);
    return this.#results(statements, request, signal);
  }

  async *#results(
    statements: readonly ParsedStatement[],
    request: InfluxQlRequest,
    signal: AbortSignal,
  ): AsyncGenerator<StatementResult> {
    const startMs = this.#options.clock.monotonicMs();
    let failed = false;
    for (const [id, parsed] of statements.entries()) {
      if (failed) {
        yield { kind: "error", id, error: notExecuted() };
        continue;
      }
      let answer: RunningAnswer;
      try {
        answer = await this.#begin(parsed, { request, startMs }, signal);
      } catch (error) {
        if (!(error instanceof DbError)) throw error;
        failed = true;
        yield { kind: "error", id, error };
        continue;
      }
      try {
        yield { kind: "answer", id, answer };
      } finally {
        await answer.series.return();
      }
      failed = answer.series.failed;
    }
  }

  async #begin(
    { statement, text }: ParsedStatement,
    { request, startMs }: { readonly request: InfluxQlRequest; readonly startMs: number },
    signal: AbortSignal,
  ): Promise<RunningAnswer> {
    const { runner } = this.#options;
    // As 1.x shows it: without passwords, which 3.x has no statements with.
    const shown = request.native ? text : printStatement(statement);
    const record = runner.log.begin(shown, "influxql", request.database);
    let answer: Omit<StatementAnswer, "series"> | undefined;
    const series = await runner.run<SeriesChunk>(
      record,
      async (running) => {
        const context: StatementContext = { ...request, signal: running.signal };
        const begun = await this.#execute(statement, context, record.reads.bind(record));
        answer = begun;
        return { view: begun.view, rows: begun.series[Symbol.asyncIterator]() };
      },
      signal,
      { needsPlace: needsPlace(statement), startMs },
    );
    const { messages = [], zone } = answer ?? {};
    const told = request.readOnly && isChange(statement) ? [readOnlyMessage(shown)] : [];
    return { series, messages: [...messages, ...told], zone };
  }

  async #execute(
    statement: InfluxQlStatement,
    context: StatementContext,
    onFiles: (fileCount: number) => void,
  ): Promise<StatementAnswer & { readonly view: Disposable | undefined }> {
    const { into, others, selects } = this.#options;
    switch (statement.kind) {
      case "explain":
        return selects.explain(statement, context, onFiles);
      case "select": {
        const begun = await selects.begin(statement, context, onFiles);
        if (statement.into === undefined) return begun;
        try {
          const answer = await into.write(statement, begun.series, context);
          return { ...answer, view: undefined };
        } finally {
          begun.view[Symbol.dispose]();
        }
      }
      default:
        return { ...(await others.execute(statement, context)), view: undefined };
    }
  }
}

interface RunningAnswer extends StatementAnswer {
  readonly series: Running<SeriesChunk>;
}

/** Whether a statement reads data: what tells of the catalog and of queries is answered when all places are taken, too. */
function needsPlace(statement: InfluxQlStatement): boolean {
  switch (statement.kind) {
    case "select":
    case "explain":
    case "delete":
    case "drop_series":
      return true;
    case "show":
      return READING.has(statement.what);
    default:
      return false;
  }
}

const READING: ReadonlySet<string> = new Set([
  "field_keys",
  "field_key_cardinality",
  "measurement_cardinality",
  "measurements",
  "series",
  "series_cardinality",
  "tag_key_cardinality",
  "tag_keys",
  "tag_values",
  "tag_values_cardinality",
]);

function readOnlyMessage(text: string): Message {
  return {
    level: "warning",
    text: `deprecated use of '${text}' in a read only context, please use a POST request instead`,
  };
}

function notExecuted(): DbError {
  return new DbError("invalid", "influxql_not_executed", "not executed");
}
