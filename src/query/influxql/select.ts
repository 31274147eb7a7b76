import { retentionOf } from "#catalog/catalog-state.ts";
import type { Clock } from "#ports/clock.ts";
import type { Engine } from "#ports/engine.ts";
import type { Random } from "#ports/random.ts";
import type { View } from "#view/view.ts";
import { FileCount, keptTime, type QueryRunner } from "../runner.ts";
import { sourceGroups } from "../sources.ts";
import type { SeriesChunk, StatementAnswer } from "./answer.ts";
import type { ExplainStatement, SelectStatement } from "./ast.ts";
import { checkSelect } from "./check/select.ts";
import { explained } from "./explain.ts";
import type { StatementContext } from "./influxql.ts";
import { selectSeries } from "./points/select.ts";
import { regexTest } from "./regex/regex.ts";
import { resolveSelect } from "./resolve/select.ts";
import { tablesOf } from "./resolve/tables.ts";
import type { ResolvedSelect } from "./resolved.ts";
import type { Reading } from "./source/reading.ts";
import { EnginePoints } from "./source/source.ts";

export interface SelectsOptions {
  readonly runner: QueryRunner;
  readonly engine: Engine;
  readonly clock: Clock;
  /** Which rows `sample` takes. */
  readonly random: Random;
  /** Data files that one statement may read; undefined: any number. */
  readonly filesMax?: number | undefined;
}

/** Rows that read `view`, which is the caller's to dispose of. */
export interface BegunSelect extends StatementAnswer {
  readonly view: View;
}

/** A SELECT whose names are looked up in `view`, and how to read what it names. */
export interface ReadSelect {
  readonly select: ResolvedSelect;
  readonly view: View;
  readonly reading: Reading;
  /** Counts what was read. */
  readonly files: FileCount;
}

/** SELECT: text has been parsed, rows are made as they are asked for. */
export class Selects {
  readonly #options: SelectsOptions;

  constructor(options: SelectsOptions) {
    this.#options = options;
  }

  /**
   * `onFiles` is told how many data files it reads. Rejects with what checking and resolving throw, `unavailable` / `token_timeout`; its
   * rows with `exceeded` / `query_file_limit`, and as those of `Engine.query`.
   */
  async begin(
    statement: SelectStatement,
    context: StatementContext,
    onFiles: (fileCount: number) => void,
  ): Promise<BegunSelect> {
    const { reading, select, view } = await this.#resolve(statement, context, onFiles);
    const series = this.#rows(select, reading, context.signal);
    return { series, messages: [], zone: statement.zone, view };
  }

  /** What a SELECT is made of; with ANALYZE, what its rows were and how long they took as well. Rejects as `begin`. */
  async explain(
    { analyze, select: statement }: ExplainStatement,
    context: StatementContext,
    onFiles: (fileCount: number) => void,
  ): Promise<BegunSelect> {
    const { clock } = this.#options;
    const startMs = clock.monotonicMs();
    const resolved = await this.#resolve(statement, context, onFiles);
    const { reading, select, view } = resolved;
    const { signal } = context;
    const rows = analyze ? this.#rows(select, reading, signal) : undefined;
    const series = explained(resolved, { rows, clock, startMs });
    return { series, messages: [], zone: undefined, view };
  }

  #rows(select: ResolvedSelect, reading: Reading, signal: AbortSignal): AsyncIterable<SeriesChunk> {
    const { random } = this.#options;
    const source = new EnginePoints(reading);
    return selectSeries(select, { source, random, matcher: regexTest, signal });
  }

  async #resolve(
    statement: SelectStatement,
    context: StatementContext,
    onFiles: (fileCount: number) => void,
  ): Promise<ReadSelect> {
    const { clock, engine, filesMax, runner } = this.#options;
    const nowNs = clock.nowNs();
    const checked = checkSelect(statement, nowNs);
    const { signal, tokens } = context;
    const { value: select, view } = await runner.onView(tokens, signal, (on, isNewest) =>
      resolveSelect(checked, tablesOf(on.catalog, context, isNewest)),
    );
    const files = new FileCount(filesMax);
    const reading: Reading = {
      kept: (table) => {
        const database = view.catalog.databases.get(table.databaseId);
        return keptTime(database && retentionOf(database, table.id), nowNs);
      },
      sources: (table, time) => {
        const groups = sourceGroups(view, table, time);
        files.add(groups);
        onFiles(files.count);
        return groups;
      },
      run: (plan) => engine.query(plan, signal),
    };
    return { select, view, reading, files };
  }
}
