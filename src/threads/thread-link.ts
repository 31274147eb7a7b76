/** Calls to a thread of this process that keeps what it is given, and may end. */
import { Worker } from "node:worker_threads";
import { type DbError, describeError, type ErrorParts, errorOfParts } from "#base/errors.ts";
import type { Log } from "#ports/log.ts";

/** What a thread is asked and answers, by the names of its calls. */
export type CallTable = Readonly<
  Record<string, { readonly request: unknown; readonly answer: unknown }>
>;

export type CallRequest<Calls extends CallTable> = {
  [Name in keyof Calls]: {
    readonly id: number;
    readonly name: Name;
    readonly request: Calls[Name]["request"];
  };
}[keyof Calls];

export type CallAnswer =
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly error: ErrorParts };

export interface ThreadOptions {
  /** What runs in the thread: it calls `answerCalls`. */
  readonly file: URL;
  /** What the thread does, for the log. */
  readonly name: string;
  readonly log: Log;
  /** What its callers are told when it ended; `unavailable`. */
  readonly lostError: (cause: unknown) => DbError;
}

/** The caller's end of one thread. */
export class ThreadLink<Calls extends CallTable> implements AsyncDisposable {
  readonly #options: ThreadOptions;
  readonly #worker: Worker;
  readonly #waiting = new Map<number, PromiseWithResolvers<unknown>>();
  #lastId = 0;
  #lost: DbError | undefined;
  #closed = false;

  /** Starts the thread. */
  constructor(options: ThreadOptions) {
    this.#options = options;
    this.#worker = new Worker(options.file, { name: options.name });
    this.#worker.on("message", (answer: CallAnswer) => this.#receive(answer));
    // An answer that cannot be read is none.
    this.#worker.on("messageerror", () => void this.#worker.terminate());
    this.#worker.on("error", (error) => this.#lose(error));
    this.#worker.on("exit", () => this.#lose(undefined));
  }

  /** Whether the thread is gone, and all that it kept. */
  get lost(): boolean {
    return this.#lost !== undefined;
  }

  /** Throws what `lostError` says when it is. */
  throwIfLost(): void {
    if (this.#lost !== undefined) throw this.#lost;
  }

  /** Rejects as the thread says, or with `lostError` where it died. `memory` goes along. */
  async call<Name extends keyof Calls>(
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
    return settle.promise;
  }

  /** Ends the thread; what waits is rejected. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    await this.#worker.terminate();
  }

  #receive(answer: CallAnswer): void {
    const settle = this.#waiting.get(answer.id);
    this.#waiting.delete(answer.id);
    // A thread that waits keeps no process.
    if (this.#waiting.size === 0) this.#worker.unref();
    if ("error" in answer) settle?.reject(errorOfParts(answer.error));
    else settle?.resolve(answer.value);
  }

  #lose(cause: unknown): void {
    if (this.#lost !== undefined) return;
    const { log, lostError, name } = this.#options;
    if (!this.#closed) {
      const error = cause === undefined ? "it ended" : describeError(cause);
      log.error(`The thread that ${name} is started again`, { error });
    }
    this.#lost = lostError(cause);
    for (const { reject } of this.#waiting.values()) reject(this.#lost);
    this.#waiting.clear();
  }
}
