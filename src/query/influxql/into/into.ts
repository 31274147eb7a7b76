import { utf8 } from "#base/bytes.ts";
import { DbError } from "#base/errors.ts";
import type { CatalogState } from "#catalog/catalog-state.ts";
import { requirePolicy } from "#catalog/v1/policies.ts";
import { V1_EXPIRED, v1PartialWrite } from "#lineprotocol/v1-misfit.ts";
import type { SeriesChunk, StatementAnswer } from "../answer.ts";
import type { MeasurementTarget, SelectStatement } from "../ast.ts";
import { keysOfTop } from "../check/expressions.ts";
import type { StatementContext } from "../influxql.ts";
import { linesOf } from "./lines.ts";

/** Lines of one write. */
const LINE_COUNT_MAX = 10_000;
/** Characters of one write, about. */
const TEXT_LENGTH_MAX = 2 ** 22;

export interface IntoOptions {
  /** The newest catalog. */
  readonly catalog: (signal: AbortSignal) => Promise<CatalogState>;
  /** Writes lines with times in nanoseconds, durably; answers how many of them do not fit, and what is said of the first of these. */
  readonly write: (lines: TargetLines, signal: AbortSignal) => Promise<LinesOutcome>;
}

export interface TargetLines {
  /** A database of InfluxDB 1, and a policy of it. */
  readonly database: string;
  readonly policy: string | undefined;
  readonly body: Uint8Array;
  /** Write tokens that the request brought. */
  readonly tokens: readonly string[];
}

export interface LinesOutcome {
  readonly rejectedCount: number;
  readonly reason: string | undefined;
  /** Rows that were not stored, as they are past their retention; they are not among the rejected. */
  readonly expiredCount: number;
}

/** SELECT INTO: the rows of an answer become writes, some thousand at a time. */
export class Into {
  readonly #options: IntoOptions;

  constructor(options: IntoOptions) {
    this.#options = options;
  }

  /**
   * Resolves when all rows are durable, with how many they were; what was written before something failed stays. Rejects with
   * `not_found` / `database_not_found`, `policy_not_found`, `invalid` / `influxql_into`, and what the rows and their writes reject with;
   * and with `invalid` / `influxql_into_expired` when all rows are durable but those that are past the retention of the target.
   */
  async write(
    { fields, into }: SelectStatement,
    rows: AsyncIterable<SeriesChunk>,
    context: StatementContext,
  ): Promise<StatementAnswer> {
    const target = await this.#target(into, context);
    let writtenCount = 0n;
    let expiredCount = 0;
    // The tags that top() names are tags of what is written.
    const keys = fields.flatMap(({ expression }) => keysOfTop(expression));
    const tagNames = new Set(keys.map(({ name }) => name));
    for await (const { body, lineCount } of bodiesOf(rows, into, tagNames)) {
      const outcome = await this.#options.write({ ...target, body }, context.signal);
      if (outcome.rejectedCount > 0) throw misfit(outcome);
      expiredCount += outcome.expiredCount;
      writtenCount += BigInt(lineCount);
    }
    if (expiredCount > 0) throw expired(expiredCount);
    return writtenAnswer(writtenCount);
  }

  async #target(
    into: MeasurementTarget | undefined,
    { database, retentionPolicy, signal, tokens }: StatementContext,
  ): Promise<Omit<TargetLines, "body">> {
    const name = into?.database || database;
    if (!name) throw new DbError("invalid", "database_missing", "database name required");
    const policy = into?.retentionPolicy || (into?.database ? undefined : retentionPolicy);
    requirePolicy(await this.#options.catalog(signal), name, policy);
    return { database: name, policy, tokens };
  }
}

interface Body {
  readonly body: Uint8Array;
  readonly lineCount: number;
}

/** All rows as bodies of writes; where `into` names no measurement, into that of each series. */
async function* bodiesOf(
  rows: AsyncIterable<SeriesChunk>,
  into: MeasurementTarget | undefined,
  tagNames: ReadonlySet<string>,
): AsyncGenerator<Body> {
  let lines: string[] = [];
  let length = 0;
  for await (const chunk of rows) {
    checkTime(chunk);
    for (const line of linesOf(chunk, into?.measurement || chunk.name, tagNames)) {
      if (line === undefined) continue;
      lines.push(line);
      length += line.length;
      if (lines.length < LINE_COUNT_MAX && length < TEXT_LENGTH_MAX) continue;
      yield bodyOf(lines);
      lines = [];
      length = 0;
    }
  }
  if (lines.length > 0) yield bodyOf(lines);
}

function bodyOf(lines: readonly string[]): Body {
  return { body: utf8(lines.join("\n")), lineCount: lines.length };
}

function checkTime({ cells, columns }: SeriesChunk): void {
  const index = columns.indexOf("time");
  if (cells[index]?.type === "timestamp" && columns.indexOf("time", index + 1) < 0) return;
  throw new DbError(
    "invalid",
    "influxql_into",
    "rows that are written have one column time, which is their time: give other columns other names",
  );
}

function misfit({ reason = "some rows do not fit", rejectedCount }: LinesOutcome): DbError {
  return new DbError("invalid", "influxql_into", v1PartialWrite(reason, rejectedCount));
}

function expired(count: number): DbError {
  return new DbError("invalid", "influxql_into_expired", v1PartialWrite(V1_EXPIRED, count));
}

/** Whether nothing is wrong but that some rows are past the retention of their target. */
export function isExpired({ code }: DbError): boolean {
  return code === "influxql_into_expired";
}

function writtenAnswer(writtenCount: bigint): StatementAnswer {
  const chunk: SeriesChunk = {
    name: "result",
    tags: [],
    columns: ["time", "written"],
    rowCount: 1,
    cells: [
      { type: "timestamp", values: new BigInt64Array(1) },
      { type: "int64", values: BigInt64Array.of(writtenCount) },
    ],
    partial: false,
  };
  return { series: once(chunk), messages: [], zone: undefined };
}

async function* once(chunk: SeriesChunk): AsyncGenerator<SeriesChunk> {
  yield chunk;
}
