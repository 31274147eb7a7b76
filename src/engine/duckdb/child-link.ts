/** The adapter's end of one child process. */
import { type ChildProcess, fork } from "node:child_process";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { DbError, describeError, errorOfParts } from "#base/errors.ts";
import type { Clock } from "#ports/clock.ts";
import type { Log } from "#ports/log.ts";
import { Inbox } from "./inbox.ts";
import type { Answer, ChildSettings, Failure, MadeBatch, Request } from "./messages.ts";

const CHILD_PATH = new URL("./child/child.ts", import.meta.url);
/** Variables the child gets: none that change Node, none that hold secrets. */
const ENVIRONMENT_NAMES = ["PATH", "LD_LIBRARY_PATH", "TMPDIR", "SystemRoot"] as const;
const START_MS_MAX = 30_000;
const STOP_MS_MAX = 5_000;
/** An interrupt that comes before the engine has begun with a query is lost, so it is said again. */
const CANCEL_AGAIN_MS = 20;
/** A child that is told to end work and says nothing for this long hangs. */
const SILENT_MS_MAX = 5_000;
/** Work that has not ended so long after it was told to never will. */
const CANCEL_MS_MAX = 60_000;
/** A child that has not made a change for so long is asked whether it listens, and hangs when it says nothing for a while. */
const ASK_MS = 10_000;
const LISTEN_MS_MAX = 20_000;
const LOG_LINE_SIZE_MAX = 2_000;
/** For changes, insertions and their own files. */
const SPARE_THREADS = 4;

type WithoutId<T> = T extends { readonly id: number } ? Omit<T, "id"> : never;
export type Change = WithoutId<Extract<Request, { kind: "append" | "drop" }>>;
export type Work = WithoutId<Extract<Request, { kind: "query" }>>;

export interface ChildContext {
  readonly log: Log;
  readonly clock: Clock;
}

/** `unavailable` / `engine_restarted`: what whoever waits for a child that died is told. */
export function engineRestarted(cause?: unknown): DbError {
  return new DbError("unavailable", "engine_restarted", "the engine was started again", { cause });
}

export class ChildLink implements AsyncDisposable {
  readonly #process: ChildProcess;
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #inboxes = new Map<number, Inbox<MadeBatch>>();
  readonly #ready = new Inbox<never>();
  readonly #exit = Promise.withResolvers<void>();
  #bufferSizeBytes = 0;
  #answerCount = 0;
  #lastId = 0;
  #dead = false;
  #deathText = "";

  /** Starts a child and waits until it can work. Rejects with `unavailable` / `engine_start_failed`. */
  static async start(settings: ChildSettings, context: ChildContext): Promise<ChildLink> {
    const link = new ChildLink(context, settings.queryCountMax + SPARE_THREADS);
    try {
      await link.#open(settings);
      return link;
    } catch (cause) {
      await link[Symbol.asyncDispose]();
      throw new DbError("unavailable", "engine_start_failed", "the engine could not be started", {
        cause,
      });
    }
  }

  private constructor({ log, clock }: ChildContext, threadCount: number) {
    this.#log = log;
    this.#clock = clock;
    this.#process = fork(CHILD_PATH, [], {
      serialization: "advanced",
      execArgv: ["--disable-warning=ExperimentalWarning"],
      env: childEnvironment(threadCount),
      stdio: ["ignore", "pipe", "pipe", "ipc"],
    });
    this.#process.on("message", (answer: Answer) => this.#receive(answer));
    this.#process.on("error", (error) => this.#die(error));
    this.#process.on("exit", (code, signal) => {
      this.#exit.resolve();
      this.#die(new Error(`the engine's process ended (${signal ?? `exit code ${code}`})`));
    });
    for (const stream of [this.#process.stdout, this.#process.stderr]) {
      if (stream !== null) this.#logLines(stream);
    }
  }

  /** The operating system's number of the child; undefined when it could not be started. */
  get pid(): number | undefined {
    return this.#process.pid;
  }

  get dead(): boolean {
    return this.#dead;
  }

  /** Why it died; empty while it lives. */
  get deathText(): string {
    return this.#deathText;
  }

  /** Resolves when the child is gone. */
  get exited(): Promise<void> {
    return this.#exit.promise;
  }

  /** What the buffered rows took when the child last answered. */
  get bufferSizeBytes(): number {
    return this.#bufferSizeBytes;
  }

  /**
   * Resolves when the child has made the change. One that has not for long, and does not even listen, is killed, and so is one that
   * is waited for when `signal` is aborted.
   */
  async change(request: Change, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const { id, inbox } = this.#begin();
    const answered = new AbortController();
    try {
      this.#send({ ...request, id });
      void this.#watch(AbortSignal.any([answered.signal, signal]));
      const onAbort = () => inbox.stop(signal.reason);
      signal.addEventListener("abort", onAbort, { once: true });
      await inbox.next().finally(() => signal.removeEventListener("abort", onAbort));
    } finally {
      answered.abort();
      this.#inboxes.delete(id);
    }
  }

  /** Asks from time to time whether the child listens, until `signal` is aborted, and kills it when it does not. Never rejects. */
  async #watch(signal: AbortSignal): Promise<void> {
    const pause = (ms: number) => this.#clock.sleep(ms, signal).catch(() => undefined);
    for (;;) {
      await pause(ASK_MS);
      const answerCount = this.#answerCount;
      if (signal.aborted || this.#dead) return;
      // To end work that there is not ends nothing, and is answered.
      this.#send({ kind: "cancel", id: 0 });
      await pause(LISTEN_MS_MAX);
      if (signal.aborted || this.#dead) return;
      if (this.#answerCount === answerCount) this.kill(new Error("it hung"));
    }
  }

  /**
   * Gives what the child makes, each item when it is asked for. Rejects with the reason of `signal` at once. A consumer that
   * leaves does not wait for the child: `ended` is called when the work has ended there, and gets the items nobody took.
   */
  async *work(
    request: Work,
    signal: AbortSignal,
    ended: (rest: readonly MadeBatch[]) => void,
  ): AsyncGenerator<MadeBatch> {
    const { id, inbox } = this.#begin();
    const onAbort = () => inbox.stop(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      this.#send({ ...request, id });
      for (;;) {
        const item = await inbox.next();
        if (item === undefined) return;
        yield item;
        this.#send({ kind: "next", id });
      }
    } finally {
      signal.removeEventListener("abort", onAbort);
      void this.#leave(id, inbox, ended);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#process.pid === undefined) return;
    // The child ends itself when its channel closes.
    if (this.#process.connected) this.#process.disconnect();
    if (!(await this.#settles(this.#exit.promise, STOP_MS_MAX)))
      this.kill(new Error("it did not end"));
    await this.#exit.promise;
  }

  /** Ends the child at once, wherever it is. It counts as dead before it is gone: work that comes now is for the next one. */
  kill(cause: unknown): void {
    this.#die(new Error(`the engine's process was killed: ${describeError(cause)}`, { cause }));
    this.#process.kill("SIGKILL");
  }

  async #open(settings: ChildSettings): Promise<void> {
    this.#send({ kind: "open", settings });
    const opened = this.#ready.next();
    if (await this.#settles(opened, START_MS_MAX)) return opened;
    opened.catch(() => undefined);
    throw new Error(`the engine's process gave no sign within ${START_MS_MAX} ms`);
  }

  /** Whether `promise` settles within `delayMs`. */
  async #settles(promise: Promise<unknown>, delayMs: number): Promise<boolean> {
    const stop = new AbortController();
    const late = this.#clock.sleep(delayMs, stop.signal).then(
      () => false,
      () => true,
    );
    const settled = promise.then(
      () => true,
      () => true,
    );
    try {
      return await Promise.race([settled, late]);
    } finally {
      stop.abort();
    }
  }

  #begin(): { readonly id: number; readonly inbox: Inbox<MadeBatch> } {
    if (this.#dead) throw engineRestarted();
    this.#lastId += 1;
    const inbox = new Inbox<MadeBatch>();
    this.#inboxes.set(this.#lastId, inbox);
    return { id: this.#lastId, inbox };
  }

  async #leave(
    id: number,
    inbox: Inbox<MadeBatch>,
    ended: (rest: readonly MadeBatch[]) => void,
  ): Promise<void> {
    await this.#cancel(id, inbox);
    this.#inboxes.delete(id);
    ended(inbox.rest());
  }

  /** Resolves when the work has ended in the child, which is killed when it does not listen. Never rejects. */
  async #cancel(id: number, inbox: Inbox<MadeBatch>): Promise<void> {
    let silentMs = 0;
    // Rounds are counted rather than read from a clock: while this process stood still, no answer could come.
    for (let waitedMs = 0; !inbox.ended; waitedMs += CANCEL_AGAIN_MS) {
      if (silentMs >= SILENT_MS_MAX || waitedMs >= CANCEL_MS_MAX) {
        this.#log.error("The engine's process hangs and is killed", { silentMs, waitedMs });
        this.kill(new Error("it hung"));
        return inbox.end;
      }
      const answerCount = this.#answerCount;
      this.#send({ kind: "cancel", id });
      await this.#settles(inbox.end, CANCEL_AGAIN_MS);
      silentMs = this.#answerCount > answerCount ? 0 : silentMs + CANCEL_AGAIN_MS;
    }
  }

  #send(request: Request): void {
    // An error means that the child is going; its exit tells everybody.
    if (this.#process.connected) this.#process.send(request, () => undefined);
  }

  #receive(answer: Answer): void {
    this.#answerCount += 1;
    if (answer.kind === "ready") {
      this.#ready.finish();
      return;
    }
    if (answer.kind === "heard") return;
    const inbox = this.#inboxes.get(answer.id);
    switch (answer.kind) {
      case "item":
        inbox?.push(answer.item);
        return;
      case "done":
        this.#bufferSizeBytes = answer.bufferSizeBytes;
        inbox?.finish();
        return;
      case "failed":
        this.#logFailure(answer.failure);
        inbox?.fail(errorOfParts(answer.failure));
    }
  }

  #die(cause: Error): void {
    if (this.#dead) return;
    this.#dead = true;
    this.#deathText = cause.message;
    if (this.#process.pid === undefined) this.#exit.resolve();
    const error = engineRestarted(cause);
    this.#ready.fail(cause);
    for (const inbox of this.#inboxes.values()) inbox.fail(error);
  }

  #logFailure({ code, cause, kind }: Failure): void {
    if (cause === undefined) return;
    const level = kind === "internal" ? "error" : "debug";
    this.#log[level]("The engine refused a statement", { code, cause });
  }

  #logLines(stream: Readable): void {
    const lines = createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY });
    lines.on("line", (line) => {
      this.#log.warn("The engine's process said something", {
        line: line.slice(0, LOG_LINE_SIZE_MAX),
      });
    });
  }
}

/** `threadCount`: each query that runs holds one of the pool's threads, and changes need one, too. */
function childEnvironment(threadCount: number): Record<string, string> {
  const environment: Record<string, string> = {
    TZ: "UTC",
    UV_THREADPOOL_SIZE: String(threadCount),
  };
  for (const name of ENVIRONMENT_NAMES) {
    const value = process.env[name];
    if (value !== undefined) environment[name] = value;
  }
  return environment;
}
