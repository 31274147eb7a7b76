import { DbError } from "#base/errors.ts";
import { plainEngine } from "#engine/plain/plain.ts";
import type { DataFile } from "#model/data-file.ts";
import type { Engine, EngineRefill } from "#ports/engine.ts";
import type { ObjectStore } from "#ports/object-store.ts";
import type { Process } from "./process.ts";

const DELAY_MS_MAX = 5;

/** The plain engine behind a delay, as a process that can fail and be started again. */
export class SimEngine implements Engine {
  readonly #process: Process;
  readonly #store: ObjectStore;
  readonly #refill: EngineRefill;
  #inner: Engine;
  #runCount = 0;

  constructor(process: Process, store: ObjectStore, refill: EngineRefill) {
    this.#process = process;
    this.#store = store;
    this.#refill = refill;
    this.#inner = this.#open();
  }

  /** Loses all rows, as a killed engine does, and gets them back from the refill. */
  async crash(): Promise<void> {
    this.#runCount += 1;
    this.#inner = this.#open();
    await this.#inner.append([...this.#refill()]);
  }

  append: Engine["append"] = async (blocks) => {
    await this.#delay();
    await this.#inner.append(blocks);
  };

  dropGeneration: Engine["dropGeneration"] = async (generation) => {
    await this.#delay();
    await this.#inner.dropGeneration(generation);
  };

  writeFiles: Engine["writeFiles"] = (request, signal) =>
    this.#guard(this.#inner.writeFiles(request, signal));

  compact: Engine["compact"] = (request, signal) =>
    this.#guard(this.#inner.compact(request, signal));

  query: Engine["query"] = (plan, signal, rowText) =>
    this.#guard(this.#inner.query(plan, signal, rowText));

  bufferSizeBytes(): number {
    return this.#inner.bufferSizeBytes();
  }

  /** Queries that run fail, as when their process ends. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#runCount += 1;
    await this.#inner[Symbol.asyncDispose]();
  }

  #open(): Engine {
    return plainEngine({ files: { load: (file) => this.#load(file) } });
  }

  async #load({ key }: DataFile): Promise<Uint8Array> {
    const bytes = await this.#store.get(key);
    if (bytes !== undefined) return bytes;
    throw new DbError("not_found", "file_vanished", `file ${key} is gone`);
  }

  async *#guard<T>(rows: AsyncIterable<T>): AsyncGenerator<T> {
    const run = this.#runCount;
    for await (const row of rows) {
      await this.#delay();
      if (run !== this.#runCount)
        throw new DbError("unavailable", "engine_restarted", "the engine was started again");
      yield row;
    }
    if (run !== this.#runCount)
      throw new DbError("unavailable", "engine_restarted", "the engine was started again");
  }

  #delay(): Promise<void> {
    return this.#process.call(this.#process.world.below(DELAY_MS_MAX), () => undefined);
  }
}
