import { Worker } from "node:worker_threads";
import { DbError, describeError, errorOfParts } from "#base/errors.ts";
import type { Log } from "#ports/log.ts";
import type { Answer, CallName, Calls } from "./messages.ts";

/** The stage's end of one thread. */
export class ThreadLink implements AsyncDisposable {
  readonly #log: Log;
  readonly #worker: Worker;
  readonly #waiting = new Map<number, PromiseWithResolvers<unknown>>();
  #lastId = 0;
  #lost: DbError | undefined;
  #closed = false;

  /** Starts `file`. */
  constructor(file: URL, log: Log) {
    this.#log = log;
    this.#worker = new Worker(file);
    this.#worker.on("message", (answer: Answer) => this.#receive(answer));
    // An answer that cannot be read is none.
    this.#worker.on("messageerror", () => void this.#worker.terminate());
    this.#worker.on("error", (error) => this.#lose(error));
    this.#worker.on("exit", () => this.#lose(undefined));
  }

  /** Whether the thread is gone, and all that it kept. */
  get lost(): boolean {
    return this.#lost !== undefined;
  }

  /** Throws `unavailable` / `parser_restarted` when it is. */
  throwIfLost(): void {
    if (this.#lost !== undefined) throw this.#lost;
  }

  /** Rejects as the thread says, or with `unavailable` / `parser_restarted` where it died. `memory` goes along. */
  async call<Name extends CallName>(
    name: Name,
    request: Calls[Name]["request"],
    memory: readonly ArrayBuffer[] = [],
  ): Promise<Calls[Name]["answer"]> {
    this.throwIfLost();
    this.#lastId += 1;
    const id = this.#lastId;
    this.#worker.postMessage({ id, name, request }, [...memory]);
    this.#worker.ref();
    const settle = Promise.withResolvers<unknown>();
    this.#waiting.set(id, settle);
    return settle.promise as Promise<Calls[Name]["answer"]>;
  }

  /** Ends the thread; what waits is rejected. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    await this.#worker.terminate();
  }

  #receive(answer: Answer): void {
    const settle = this.#waiting.get(answer.id);
    this.#waiting.delete(answer.id);
    // A thread that waits keeps no process.
    if (this.#waiting.size === 0) this.#worker.unref();
    if ("error" in answer) settle?.reject(errorOfParts(answer.error));
    else settle?.resolve(answer.value);
  }

  #lose(cause: unknown): void {
    if (this.#lost !== undefined) return;
    if (!this.#closed) {
      const error = cause === undefined ? "it ended" : describeError(cause);
      this.#log.error("The thread that reads line protocol is started again", { error });
    }
    this.#lost = new DbError(
      "unavailable",
      "parser_restarted",
      "the thread that reads line protocol ended and is started again: nothing of the body was stored, send it again",
      { cause },
    );
    for (const { reject } of this.#waiting.values()) reject(this.#lost);
    this.#waiting.clear();
  }
}
