import { Worker } from "node:worker_threads";
import { DbError, describeError, errorOfParts } from "#base/errors.ts";
import type { Log } from "#ports/log.ts";
import { describable, parseLines } from "../parse.ts";
import type { LineParser, ParsedBody, ParseOptions } from "../parsed.ts";
import type { ParseAnswer, ParseRequest } from "./messages.ts";

/** Smaller bodies are parsed at once in the caller's thread: sending them would take as long. */
const BODY_SIZE_MIN = 128 * 1024;
const THREAD = new URL("./parse-thread.ts", import.meta.url);

/**
 * Parses large bodies in a thread of its own, so that this one has time for others. The answers are those of the plain parser.
 *
 * Callers bound how many bodies wait: the thread takes them in the order they come.
 */
export class WorkerParser implements LineParser, AsyncDisposable {
  readonly #log: Log;
  readonly #thread: URL;
  readonly #waiting = new Map<number, PromiseWithResolvers<ParsedBody>>();
  #worker: Worker | undefined;
  #lastId = 0;
  #closed = false;

  /** `thread` is what runs there. */
  constructor(log: Log, thread = THREAD) {
    this.#log = log;
    this.#thread = thread;
  }

  /** Rejects besides with `unavailable` / `parser_restarted` where the thread died under the body: it was not stored. */
  async parse(body: Uint8Array, options: ParseOptions): Promise<ParsedBody> {
    if (body.length < BODY_SIZE_MIN || this.#closed) return parseLines(body, options);
    this.#lastId += 1;
    const id = this.#lastId;
    const own = ownMemory(body);
    const request: ParseRequest = { id, body: own, options };
    this.#worker ??= this.#start();
    this.#worker.postMessage(request, [own.buffer]);
    this.#worker.ref();
    const settle = Promise.withResolvers<ParsedBody>();
    this.#waiting.set(id, settle);
    return settle.promise;
  }

  /** Ends the thread; what waits is rejected. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    await this.#worker?.terminate();
  }

  #start(): Worker {
    const worker = new Worker(this.#thread);
    worker.on("message", (answer: ParseAnswer) => this.#receive(answer));
    worker.on("error", (error) => this.#lose(worker, error));
    // An answer that cannot be read is none.
    worker.on("messageerror", () => void worker.terminate());
    worker.on("exit", () => this.#lose(worker, undefined));
    return worker;
  }

  #receive(answer: ParseAnswer): void {
    const settle = this.#waiting.get(answer.id);
    this.#waiting.delete(answer.id);
    // A thread that waits keeps no process.
    if (this.#waiting.size === 0) this.#worker?.unref();
    if (answer.kind === "parsed") settle?.resolve(describable(answer.body, answer.parts));
    else settle?.reject(errorOfParts(answer.error));
  }

  /** The next body starts another thread. */
  #lose(worker: Worker, cause: unknown): void {
    if (this.#worker !== worker) return;
    this.#worker = undefined;
    if (!this.#closed) {
      const error = cause === undefined ? "it ended" : describeError(cause);
      this.#log.error("The thread that reads line protocol is started again", { error });
    }
    for (const { reject } of this.#waiting.values()) {
      reject(
        new DbError(
          "unavailable",
          "parser_restarted",
          "the thread that reads line protocol ended and is started again: nothing of the body was stored, send it again",
          { cause },
        ),
      );
    }
    this.#waiting.clear();
  }
}

/** `body` with memory of its own, which can be given away. */
function ownMemory(body: Uint8Array): Uint8Array<ArrayBuffer> {
  const { buffer, byteLength } = body;
  const whole = buffer instanceof ArrayBuffer && buffer.byteLength === byteLength;
  // A Buffer has methods that are lost on the way, and whose memory may be marked as not to be given away.
  return whole && !Buffer.isBuffer(body) ? new Uint8Array(buffer) : new Uint8Array(body);
}
