/** The engine port in plain JavaScript: for the simulated world, and the other adapter's oracle. */
import type { GenerationId } from "#model/ids.ts";
import type { Plan, ScanSource } from "#model/query/plan.ts";
import type { ResultBatch } from "#model/query/result.ts";
import type {
  BufferedBlock,
  CompactRequest,
  Engine,
  WriteFilesRequest,
  WrittenFile,
} from "#ports/engine.ts";
import { PlainBuffer } from "./buffer.ts";
import { compactedFiles } from "./compact.ts";
import type { Row } from "./expression/value.ts";
import { type FileLoader, loadFile } from "./plain-file.ts";
import { resultBatches } from "./result.ts";
import type { StampedBatch } from "./rows.ts";
import { type LoadTable, run } from "./run.ts";
import { filesOf } from "./write.ts";

export interface PlainEngineOptions {
  readonly files: FileLoader;
}

/**
 * An empty engine. It has no process that could fail, so it is never refilled, and no limit of memory.
 *
 * A query is computed whole before its first batch, in one go but for the loading of files.
 */
export function plainEngine(options: PlainEngineOptions): Engine {
  return new PlainEngine(options.files);
}

class PlainEngine implements Engine {
  readonly #buffer = new PlainBuffer();
  readonly #files: FileLoader;

  constructor(files: FileLoader) {
    this.#files = files;
  }

  async append(blocks: readonly BufferedBlock[]): Promise<void> {
    this.#buffer.append(blocks);
  }

  async dropGeneration(generation: GenerationId): Promise<void> {
    this.#buffer.drop(generation);
  }

  async *writeFiles(request: WriteFilesRequest, signal: AbortSignal): AsyncGenerator<WrittenFile> {
    signal.throwIfAborted();
    for (const file of filesOf(request)) {
      yield file;
      signal.throwIfAborted();
    }
  }

  async *compact(request: CompactRequest, signal: AbortSignal): AsyncGenerator<WrittenFile> {
    signal.throwIfAborted();
    const batches: StampedBatch[] = [];
    for (const { file } of request.files)
      batches.push(await untilAborted(signal, () => loadFile(this.#files, file)));
    for (const file of compactedFiles(request, batches)) {
      yield file;
      signal.throwIfAborted();
    }
  }

  async *query(plan: Plan, signal: AbortSignal): AsyncGenerator<ResultBatch> {
    signal.throwIfAborted();
    const load: LoadTable = (tableId) => async (source: ScanSource) => {
      if (source.kind === "buffer") return this.#buffer.find(tableId, source);
      return [await untilAborted(signal, () => loadFile(this.#files, source.file))];
    };
    const rows: readonly Row[] = await run(plan, load);
    for (const batch of resultBatches(rows, plan.fields)) {
      signal.throwIfAborted();
      yield batch;
    }
    signal.throwIfAborted();
  }

  bufferSizeBytes(): number {
    return this.#buffer.sizeBytes();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#buffer.clear();
  }
}

/** As `load` settles, or rejects with the reason of `signal` when that is aborted first. */
async function untilAborted(
  signal: AbortSignal,
  load: () => Promise<StampedBatch>,
): Promise<StampedBatch> {
  signal.throwIfAborted();
  const aborted = Promise.withResolvers<never>();
  const onAbort = () => aborted.reject(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await Promise.race([load(), aborted.promise]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}
