/** The engine port on DuckDB in a child process, which is started again and filled again when it fails. */
import { mkdir, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { Signal, untilAborted } from "#base/async.ts";
import { DbError, describeError, isKind } from "#base/errors.ts";
import { readBlockHeader } from "#block/block.ts";
import type { GenerationId } from "#model/ids.ts";
import type { Plan } from "#model/query/plan.ts";
import type { ResultBatch } from "#model/query/result.ts";
import type { Clock } from "#ports/clock.ts";
import type {
  BufferedBlock,
  CompactRequest,
  Engine,
  EngineRefill,
  RowText,
  WriteFilesRequest,
  WrittenFile,
} from "#ports/engine.ts";
import type { Log } from "#ports/log.ts";
import { DirectQueries } from "../direct/direct.ts";
import { ChangeQueue } from "./change-queue.ts";
import { ChildLink, engineRestarted } from "./child-link.ts";
import { MergeProcess } from "./compaction/merge-process.ts";
import { FileWriter } from "./files/file-writer.ts";
import { type ChildSettings, resultBatch } from "./messages.ts";
import { filesOf, type PinnedFiles, Pins } from "./pins.ts";
import { assertShallow } from "./plan-depth.ts";

export interface DuckDbEngineOptions {
  /** What the engine's buffers and queries may take; the process takes a few hundred MB more. */
  readonly memorySizeMax: number;
  /** Threads for queries, all together. */
  readonly threads: number;
  /** Belongs to this engine alone; what is in it is removed. */
  readonly temporaryDirectory: string;
  /** The folder of all paths that `files` gives. */
  readonly cacheDirectory: string;
  readonly files: PinnedFiles;
  readonly refill: EngineRefill;
  readonly log: Log;
  readonly clock: Clock;
  /** What the engine may put aside on disk; four times the memory without it. */
  readonly spillSizeMax?: number;
  /** Queries at a time, 8 without it; others wait. */
  readonly queryCountMax?: number;
  /** What the process that compacts files may take, 768 MiB without it. */
  readonly compactionSizeMax?: number;
}

const QUERY_COUNT_MAX = 8;
const WRITTEN_ROW_COUNT_MIN = 8_192;
const DECODED_SIZE_MAX = 128 * 2 ** 20;
const COMPACTION_SIZE_MAX = 768 * 2 ** 20;
const QUERY_WAITING_MAX = 1_000;
/** Queries wait this long for an engine that is starting. */
const READY_MS_MAX = 30_000;
const BACKOFF_MS_MIN = 50;
const BACKOFF_MS_MAX = 5_000;
/** How often an engine that fails while it starts is tried before `open` rejects. */
const OPEN_COUNT_MAX = 3;
/** An engine that has run for this long was started well. */
const STEADY_MS = 60_000;

export class DuckDbEngine implements Engine {
  readonly #options: DuckDbEngineOptions;
  readonly #settings: ChildSettings;
  readonly #queue: ChangeQueue;
  readonly #fileWriter: FileWriter;
  readonly #merges: MergeProcess;
  readonly #direct: DirectQueries;
  readonly #changed = new Signal();
  readonly #closing = new AbortController();
  #link: ChildLink | undefined;
  #restartCount = 0;
  #running: Promise<void> = Promise.resolve();

  /** Starts the engine and fills it. Rejects with `unavailable` / `engine_start_failed` when that failed a few times. */
  static async open(options: DuckDbEngineOptions): Promise<DuckDbEngine> {
    const engine = new DuckDbEngine(options);
    engine.#running = engine.#run(await engine.#startFirst());
    return engine;
  }

  private constructor(options: DuckDbEngineOptions) {
    this.#options = options;
    this.#queue = new ChangeQueue(options.clock);
    this.#fileWriter = new FileWriter(options.log);
    this.#direct = new DirectQueries({ files: options.files, cacheSizeMax: DECODED_SIZE_MAX });
    const temporary = resolve(options.temporaryDirectory);
    this.#merges = new MergeProcess({ ...options, directory: join(temporary, "merged") });
    this.#settings = {
      memorySizeMax: options.memorySizeMax,
      threads: options.threads,
      directories: {
        cache: resolve(options.cacheDirectory),
        spill: join(temporary, "spill"),
      },
      spillSizeMax: options.spillSizeMax ?? 4 * options.memorySizeMax,
      queryCountMax: options.queryCountMax ?? QUERY_COUNT_MAX,
      queryWaitingMax: QUERY_WAITING_MAX,
    };
  }

  /** How often the engine was started again. */
  get restartCount(): number {
    return this.#restartCount;
  }

  /** The operating system's number of the child process; undefined while there is none. */
  get pid(): number | undefined {
    return this.#link?.pid;
  }

  async append(blocks: readonly BufferedBlock[]): Promise<void> {
    if (this.#closing.signal.aborted) throw closed();
    for (const { bytes } of blocks) readBlockHeader(bytes);
    if (blocks.length > 0) this.#queue.add({ kind: "append", blocks });
  }

  async dropGeneration(generation: GenerationId): Promise<void> {
    if (this.#closing.signal.aborted) throw closed();
    this.#queue.add({ kind: "drop", generation });
  }

  async *writeFiles(request: WriteFilesRequest, signal: AbortSignal): AsyncGenerator<WrittenFile> {
    signal.throwIfAborted();
    for (const file of await untilAborted(this.#fileWriter.write(request), signal)) {
      yield file;
      signal.throwIfAborted();
    }
  }

  async *compact(request: CompactRequest, signal: AbortSignal): AsyncGenerator<WrittenFile> {
    signal.throwIfAborted();
    const { compactionSizeMax: memorySizeMax = COMPACTION_SIZE_MAX, files } = this.#options;
    const wanted = request.files.map(({ file }) => file);
    using pins = await Pins.take(files, wanted, signal);
    const local = request.files.map(({ file, stampAbove }) => {
      const { key, rowCount, stampMin, time } = file;
      return { key, rowCount, stampMin, time, stampAbove, path: pins.paths.get(key) ?? "" };
    });
    yield* this.#merges.merge({ ...request, files: local, memorySizeMax }, signal);
  }

  async *query(plan: Plan, signal: AbortSignal, rowText?: RowText): AsyncGenerator<ResultBatch> {
    signal.throwIfAborted();
    assertShallow(plan);
    // The engine writes the text of many rows on its threads.
    const rowCountMax = rowText === undefined ? undefined : WRITTEN_ROW_COUNT_MIN;
    const direct = await this.#direct.answer(plan, signal, rowCountMax);
    if (direct !== undefined) return yield* direct;
    using held = new DisposableStack();
    const pins = held.use(await Pins.take(this.#options.files, filesOf(plan), signal));
    // What was appended before is there before the plan.
    await this.#ready(signal);
    await untilAborted(this.#queue.settled(), signal);
    const link = await this.#ready(signal);
    const work = { kind: "query", plan, rowText, paths: pins.paths } as const;
    const items = link.work(work, signal, () => pins[Symbol.dispose]());
    // The engine may read the files until the work has ended there.
    held.move();
    for await (const batch of items) yield resultBatch(batch);
  }

  bufferSizeBytes(): number {
    return this.#queue.waitingSizeBytes + (this.#link?.bufferSizeBytes ?? 0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort(closed());
    this.#changed.notify();
    await this.#running;
    await this.#link?.[Symbol.asyncDispose]();
    this.#link = undefined;
    await this.#fileWriter[Symbol.asyncDispose]();
    await this.#merges[Symbol.asyncDispose]();
    this.#queue.rejectAll(closed());
    await rm(resolve(this.#options.temporaryDirectory), { recursive: true, force: true });
  }

  /** The engine, once it is filled; rejects with `unavailable` when that takes too long. */
  async #ready(signal: AbortSignal): Promise<ChildLink> {
    const { clock } = this.#options;
    const untilMs = clock.monotonicMs() + READY_MS_MAX;
    for (;;) {
      this.#closing.signal.throwIfAborted();
      if (this.#link !== undefined && !this.#link.dead) return this.#link;
      const restMs = untilMs - clock.monotonicMs();
      if (restMs <= 0) throw engineRestarted();
      const stop = new AbortController();
      const either = AbortSignal.any([signal, stop.signal]);
      const late = clock.sleep(restMs, either).catch(() => undefined);
      try {
        await Promise.race([this.#changed.wait(either), late]);
      } finally {
        stop.abort();
      }
      signal.throwIfAborted();
    }
  }

  /** Keeps an engine running until it is disposed of. */
  async #run(first: ChildLink): Promise<void> {
    const { log, clock } = this.#options;
    let link: ChildLink | undefined = first;
    let failureCount = 0;
    while (!this.#closing.signal.aborted) {
      const startMs = clock.monotonicMs();
      if (link !== undefined) await this.#serve(link);
      if (this.#closing.signal.aborted) return;
      if (clock.monotonicMs() - startMs > STEADY_MS) failureCount = 0;
      failureCount += 1;
      const delayMs = Math.min(BACKOFF_MS_MIN * 2 ** (failureCount - 1), BACKOFF_MS_MAX);
      const reason = link?.deathText;
      log.warn("The engine is started again", { failureCount, delayMs, reason });
      await clock.sleep(delayMs, this.#closing.signal).catch(() => undefined);
      if (this.#closing.signal.aborted) return;
      this.#restartCount += 1;
      link = await this.#start().catch((error: unknown) => {
        log.error("The engine could not be started", { error: describeError(error) });
        return undefined;
      });
      if (link === undefined) {
        this.#queue.rejectOlder(clock.monotonicMs() - READY_MS_MAX, engineRestarted());
      }
    }
    await link?.[Symbol.asyncDispose]();
  }

  /** Lets queries and changes in until `link` dies or the engine closes. */
  async #serve(link: ChildLink): Promise<void> {
    this.#link = link;
    this.#changed.notify();
    await this.#queue.serve(link, this.#closing.signal);
    if (!link.dead) return;
    this.#link = undefined;
    // A child that was killed may take a while to go, and its folders and memory with it.
    await link.exited;
  }

  /** As #start; what may pass, as a process that is killed, is tried again. */
  async #startFirst(): Promise<ChildLink> {
    const { log, clock } = this.#options;
    for (let failureCount = 1; ; failureCount += 1) {
      try {
        return await this.#start();
      } catch (error) {
        if (!isKind(error, "unavailable") || failureCount >= OPEN_COUNT_MAX) throw error;
        log.warn("The engine is started again", { failureCount, error: describeError(error) });
        await clock.sleep(BACKOFF_MS_MIN);
      }
    }
  }

  /** A child that has all blocks of the refill. */
  async #start(): Promise<ChildLink> {
    const { log, clock, refill } = this.#options;
    const { spill } = this.#settings.directories;
    await rm(spill, { recursive: true, force: true });
    await mkdir(spill, { recursive: true });
    const link = await ChildLink.start(this.#settings, { log, clock });
    try {
      await ChangeQueue.fill(link, refill(), this.#closing.signal);
      return link;
    } catch (error) {
      await link[Symbol.asyncDispose]();
      throw error;
    }
  }
}

function closed(): DbError {
  return new DbError("unavailable", "engine_closed", "the engine is being stopped");
}
