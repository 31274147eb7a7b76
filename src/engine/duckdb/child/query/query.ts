/** One query in the child: its connection, its end, and how far it may run ahead. */
import type { DuckDBConnection, DuckDBDataChunk, DuckDBResult } from "@duckdb/node-api";
import { DbError } from "#base/errors.ts";
import type { Plan } from "#model/query/plan.ts";
import { hasChance } from "#model/query/walk.ts";
import type { RowText } from "#ports/engine.ts";
import { BATCHES_AHEAD, type MadeBatch } from "../../messages.ts";
import { printPlan, printTextWithEnd, printWithEnd, rowCountBound } from "../../print/plan.ts";
import { printRowText } from "../../print/row-text.ts";
import type { PrintContext } from "../../print/scan.ts";
import type { ConnectionPool } from "../database.ts";
import { cellsOf, readCells } from "../vectors.ts";
import type { FewRows } from "./few-rows.ts";
import { batchFrom, type ChunkRows, resultWidth } from "./result.ts";
import { rowTextFrom } from "./row-text.ts";

/** Results of up to this many rows are computed whole: faster, and they need no row for their end. */
const WHOLE_ROW_COUNT_MAX = 8192;
/** Chunks of a batch grow to this many, 8192 rows, so that the first rows come early. */
const BATCH_CHUNK_COUNT_MAX = 4;

/** Work for one consumer, which takes batches one by one or ends it. */
export class Job {
  readonly #pool: ConnectionPool;
  readonly #send: (batch: MadeBatch) => void;
  /** How many batches it may make before one is taken. */
  #ahead = BATCHES_AHEAD;
  #cancelled = false;
  #connection: DuckDBConnection | undefined;
  #wake: () => void = () => undefined;
  /** What the engine was asked last, for the log. */
  sql = "";

  constructor(pool: ConnectionPool, send: (batch: MadeBatch) => void) {
    this.#pool = pool;
    this.#send = send;
  }

  get cancelled(): boolean {
    return this.#cancelled;
  }

  /** The consumer took a batch. */
  next(): void {
    this.#ahead += 1;
    this.#wake();
  }

  /**
   * Ends the work. An interrupt that comes before the engine has begun is lost, so the consumer says this again until the
   * work has ended.
   */
  cancel(): void {
    this.#cancelled = true;
    this.#pool.leave(this);
    this.#connection?.interrupt();
    this.#wake();
  }

  /** Runs `work` with a connection of its own; not at all when cancelled before that. */
  async run(work: (connection: DuckDBConnection) => Promise<void>): Promise<void> {
    if (this.#cancelled) return;
    const connection = await this.#pool.take(this);
    if (connection === undefined) return;
    this.#connection = connection;
    try {
      if (!this.#cancelled) await work(connection);
    } finally {
      this.#connection = undefined;
      await this.#pool.giveBack(connection, this.#cancelled);
    }
  }

  /** Gives a batch to the consumer, then waits until it may make one more, or has been cancelled. */
  async give(batch: MadeBatch): Promise<void> {
    if (this.#cancelled) return;
    this.#send(batch);
    this.#ahead -= 1;
    while (this.#ahead <= 0 && !this.#cancelled) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}

/** What is to be run, and how its rows may be given. */
export interface Wanted {
  readonly plan: Plan;
  readonly rowText: RowText | undefined;
}

/** What statements are printed with, and which of them give few rows. */
export interface QueryContext extends PrintContext {
  readonly fewRows: FewRows;
}

/** Runs a plan for `job`. */
export async function runQuery(job: Job, wanted: Wanted, context: QueryContext): Promise<void> {
  const { plan } = wanted;
  const { fewRows } = context;
  const sql = printPlan(plan, context);
  job.sql = sql;
  await job.run(async (connection) => {
    if (rowCountBound(plan) <= WHOLE_ROW_COUNT_MAX) {
      return giveWhole(job, plan, await rowsOf(connection, sql));
    }
    if (fewRows.expects(sql)) {
      const rows = await rowsOf(connection, `${sql} LIMIT ${WHOLE_ROW_COUNT_MAX + 1}`);
      const few = countOf(rows) <= WHOLE_ROW_COUNT_MAX;
      fewRows.learn(sql, few);
      if (few) return giveWhole(job, plan, rows);
    }
    const count = await runStream(job, wanted, { connection, sql });
    if (!job.cancelled) fewRows.learn(sql, count <= WHOLE_ROW_COUNT_MAX);
  });
}

async function rowsOf(connection: DuckDBConnection, sql: string): Promise<readonly ChunkRows[]> {
  const chunks = await (await connection.run(sql)).fetchAllChunks();
  return chunks.map((chunk) => ({ chunk, rowCount: chunk.rowCount }));
}

async function giveWhole(job: Job, plan: Plan, rows: readonly ChunkRows[]): Promise<void> {
  if (rows.length > 0) await job.give(batchFrom(plan.fields, rows));
}

/** Answers how many rows there were. */
async function runStream(
  job: Job,
  { plan, rowText }: Wanted,
  { connection, sql }: { readonly connection: DuckDBConnection; readonly sql: string },
): Promise<number> {
  const text = rowText && printRowText(plan.fields, rowText);
  const streamed = await connection.stream(
    text === undefined ? printWithEnd(plan, sql) : printTextWithEnd(sql, text),
  );
  const reading = text === undefined ? columnsOf(plan) : textOf(rowText);
  const { ended, rowCount } = await giveStream(job, streamed, reading);
  if (!ended && !job.cancelled) await failAgain(connection, plan, sql);
  return rowCount;
}

/** How the chunks of a stream become a batch, and which of their columns tells the last row. */
interface Reading {
  readonly endIndex: number;
  readonly batch: (rows: readonly ChunkRows[]) => MadeBatch;
}

function columnsOf({ fields }: Plan): Reading {
  const width = fields.reduce((count, { type }) => count + resultWidth(type), 0);
  return { endIndex: Math.max(width, 1), batch: (rows) => batchFrom(fields, rows) };
}

function textOf(format: RowText = "jsonl"): Reading {
  return {
    endIndex: 1,
    batch: (rows) => {
      const parts = rows.map(({ chunk, rowCount }) => cellsOf(chunk.chunk, 0, rowCount));
      return { rowCount: countOf(rows), columns: [], text: rowTextFrom(parts, format) };
    },
  };
}

/** Answers whether the row that tells the end was met, and how many there were before it. */
async function giveStream(
  job: Job,
  result: DuckDBResult,
  { batch, endIndex }: Reading,
): Promise<{ readonly ended: boolean; readonly rowCount: number }> {
  let waiting: ChunkRows[] = [];
  let allCount = 0;
  let chunkCountMax = 1;
  for (;;) {
    const chunk = await result.fetchChunk();
    if (chunk === null || chunk.rowCount === 0 || job.cancelled) break;
    const ended = endsResult(chunk, endIndex);
    const rowCount = chunk.rowCount - (ended ? 1 : 0);
    allCount += rowCount;
    if (rowCount > 0) waiting.push({ chunk, rowCount });
    if (waiting.length > 0 && (ended || waiting.length >= chunkCountMax)) {
      await job.give(batch(waiting));
      waiting = [];
      chunkCountMax = Math.min(chunkCountMax * 2, BATCH_CHUNK_COUNT_MAX);
    }
    if (ended) return { ended, rowCount: allCount };
  }
  if (job.cancelled) await drain(result);
  return { ended: false, rowCount: allCount };
}

function countOf(rows: readonly ChunkRows[]): number {
  return rows.reduce((count, part) => count + part.rowCount, 0);
}

function endsResult(chunk: DuckDBDataChunk, endIndex: number): boolean {
  const cells = cellsOf(chunk.chunk, endIndex, chunk.rowCount);
  return readCells(cells, 1)[chunk.rowCount - 1] === 1;
}

/** The query has been interrupted; this waits until the engine has let go of it. */
async function drain(result: DuckDBResult): Promise<void> {
  for (;;) {
    const chunk = await result.fetchChunk();
    if (chunk === null || chunk.rowCount === 0) return;
  }
}

/**
 * A stream that fails looks to its reader like one that ends, and the binding keeps the reason. So what has ended without its
 * last row is run once more, without its rows, to fail the same way. With other values by chance it may not.
 */
async function failAgain(connection: DuckDBConnection, plan: Plan, sql: string): Promise<never> {
  await connection.run(`EXPLAIN ANALYZE ${sql}`);
  if (hasChance(plan)) {
    throw new DbError(
      "invalid",
      "function_random",
      "a value that the statement made by chance could not be used: another time it may be",
    );
  }
  throw new DbError("internal", "engine_error", "the engine ended a result before its end");
}
