/** The engine's process: takes requests from the adapter that started it, and ends with it. */
import { writeFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { assert, errorOfParts } from "#base/errors.ts";
import type { Plan } from "#model/query/plan.ts";
import { scansOf } from "#model/query/walk.ts";
import type { Answer, ChildSettings, Request } from "../messages.ts";
import { BufferTables } from "./buffer-tables.ts";
import { ConnectionPool, openDatabase } from "./database.ts";
import { changeFailureOf, failureOf } from "./failures.ts";
import { FewRows } from "./query/few-rows.ts";
import { Job, type QueryContext, runQuery } from "./query/query.ts";
import type { BufferName } from "./table.ts";

/** Tables of few rows take up to one part of so many of the memory. */
const SMALL_TABLES_SHARE = 4;

class EngineProcess {
  readonly #tables: BufferTables;
  readonly #pool: ConnectionPool;
  readonly #jobs: Map<number, Job>;
  readonly #fewRows = new FewRows();

  static async open(settings: ChildSettings): Promise<EngineProcess> {
    const instance = await openDatabase(settings);
    const { queryCountMax: countMax, queryWaitingMax: waitingMax } = settings;
    const pool = new ConnectionPool(instance, { countMax, waitingMax });
    const jobs = new Map<number, Job>();
    const tables = await BufferTables.open(instance, {
      onFailure: failureTeller(),
      nowMs: () => Number(process.hrtime.bigint() / 1_000_000n),
      querying: () => jobs.size > 0,
      sleep,
      smallTablesSizeMax: settings.memorySizeMax / SMALL_TABLES_SHARE,
    });
    return new EngineProcess(tables, pool, jobs);
  }

  private constructor(tables: BufferTables, pool: ConnectionPool, jobs: Map<number, Job>) {
    this.#jobs = jobs;
    this.#tables = tables;
    this.#pool = pool;
  }

  /** Settles when the answers to `request` have been sent; never rejects. */
  async handle(request: Exclude<Request, { kind: "open" }>): Promise<void> {
    switch (request.kind) {
      case "append":
        return this.#change(request.id, async () => this.#tables.append(request.blocks));
      case "drop":
        return this.#change(request.id, () => this.#tables.drop(request.generation));
      case "query": {
        const context = this.#context(request.paths);
        const run = async (job: Job) => {
          using _ = await this.#settle(buffersOf(request.plan), job);
          await runQuery(job, request, context);
        };
        return this.#work(request.id, request.paths, run);
      }
      case "next":
        this.#jobs.get(request.id)?.next();
        return;
      case "cancel":
        this.#jobs.get(request.id)?.cancel();
        answer({ kind: "heard" });
    }
  }

  async #change(id: number, work: () => Promise<void>): Promise<void> {
    try {
      await work();
      this.#answerDone(id);
    } catch (error) {
      answer({ kind: "failed", id, failure: changeFailureOf(error) });
    }
  }

  /** Makes the rows of these tables readable for `job`. */
  async #settle(sources: readonly BufferName[], job: Job): Promise<Disposable> {
    try {
      return await this.#tables.settle(sources, () => !job.cancelled);
    } catch (error) {
      throw errorOfParts(changeFailureOf(error));
    }
  }

  async #work(
    id: number,
    paths: QueryContext["paths"],
    run: (job: Job) => Promise<void>,
  ): Promise<void> {
    const job = new Job(this.#pool, (item) => answer({ kind: "item", id, item }));
    this.#jobs.set(id, job);
    try {
      await run(job);
      this.#answerDone(id);
    } catch (error) {
      // Whatever an interrupted query says, its consumer knows why it ended.
      if (job.cancelled) this.#answerDone(id);
      else answer({ kind: "failed", id, failure: failureOf(error, job.sql, paths) });
    } finally {
      this.#jobs.delete(id);
    }
  }

  #answerDone(id: number): void {
    answer({ kind: "done", id, bufferSizeBytes: this.#tables.sizeBytes() });
  }

  #context(paths: ReadonlyMap<string, string>): QueryContext {
    const findBuffer: QueryContext["findBuffer"] = (generation, id) =>
      this.#tables.find(generation, id);
    return { findBuffer, paths, fewRows: this.#fewRows };
  }
}

/** Says what failed unseen to who reads this process's words, once while it is the same. Lack of memory is told otherwise. */
function failureTeller(): (error: unknown) => void {
  let told = "";
  return (error) => {
    const { code, cause = code } = changeFailureOf(error);
    if (code === "buffer_memory" || cause === told) return;
    told = cause;
    process.stderr.write(`buffered rows could not be inserted: ${cause}\n`);
  };
}

/** The buffered tables that `plan` reads. */
function buffersOf(plan: Plan): BufferName[] {
  return scansOf(plan).flatMap(({ groups, tableId }) =>
    groups
      .flatMap(({ sources }) => sources)
      .flatMap((source) =>
        source.kind === "buffer" ? [{ generation: source.generation, tableId }] : [],
      ),
  );
}

function answer(message: Answer): void {
  // The channel is gone when the adapter is; "disconnect" then ends this process.
  if (process.connected) process.send?.(message);
}

async function openEngine(settings: ChildSettings): Promise<EngineProcess> {
  await volunteer();
  const engine = await EngineProcess.open(settings);
  answer({ kind: "ready" });
  return engine;
}

/** Where memory runs out, the system ends this process rather than the node, which can start it again. */
async function volunteer(): Promise<void> {
  await writeFile("/proc/self/oom_score_adj", "500").catch(() => undefined);
}

function listen(): void {
  let engine: Promise<EngineProcess> | undefined;
  process.on("message", (request: Request) => {
    if (request.kind === "open") {
      // A failure ends the process, and tells the adapter so.
      engine = openEngine(request.settings);
      return;
    }
    assert(engine !== undefined, "the engine is opened first");
    void engine.then((opened) => opened.handle(request));
  });
  // A terminal and an init system signal all processes of a group; this one ends with its node, which needs it to stop cleanly.
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(name, () => undefined);
  // At once: an orderly exit would wait for running queries, or end badly beside them.
  process.on("disconnect", () => process.kill(process.pid, "SIGKILL"));
}

listen();
