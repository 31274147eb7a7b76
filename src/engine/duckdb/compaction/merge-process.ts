/** Merging of files in a process of its own, which is started when it is first needed. */
import { type ChildProcess, fork } from "node:child_process";
import { createInterface } from "node:readline";
import { Semaphore } from "#base/async.ts";
import { DbError, errorOfParts } from "#base/errors.ts";
import type { Clock } from "#ports/clock.ts";
import type { WrittenFile } from "#ports/engine.ts";
import type { Log } from "#ports/log.ts";
import { Inbox } from "../inbox.ts";
import { makeFolder, removeFolder, takeBack } from "./aside.ts";
import type { MergeAnswer, MergeCall, MergedFile, MergeRequest, MergeWork } from "./messages.ts";

const CHILD_PATH = new URL("./child.ts", import.meta.url);
/** Variables the child gets: none that change Node, none that hold secrets. */
const ENVIRONMENT_NAMES = ["PATH", "LD_LIBRARY_PATH", "TMPDIR", "SystemRoot"] as const;
/** A process that says nothing for so long hangs: it says something after each column. */
const SILENT_MS_MAX = 300_000;
/** After a request of so many rows the process ends, and its memory is the system's again. */
const KEPT_ROW_COUNT_MAX = 200_000;
const LOG_LINE_SIZE_MAX = 2_000;

interface Child {
  readonly process: ChildProcess;
  readonly inbox: { current: Inbox<MergedFile>; answerCount: number };
  /** Whether it was asked for something that it has not answered. */
  works: boolean;
}

export interface MergeProcessOptions {
  readonly log: Log;
  readonly clock: Clock;
  /** For files on their way from the process: a folder for each request, which is gone after it. Made when it is not there. */
  readonly directory: string;
}

export class MergeProcess implements AsyncDisposable {
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #directory: string;
  readonly #turn = new Semaphore(1);
  readonly #exits = new Set<Promise<void>>();
  #idle: Child | undefined;
  #running: Child | undefined;
  #closed = false;

  constructor({ clock, directory, log }: MergeProcessOptions) {
    this.#clock = clock;
    this.#directory = directory;
    this.#log = log;
  }

  /** The operating system's number of the process; undefined while there is none. */
  get pid(): number | undefined {
    return (this.#running ?? this.#idle)?.process.pid;
  }

  /**
   * The files of `request`; the next is made when it is asked for. One request at a time, others wait. Leaving the loop or aborting
   * `signal` ends the process. Rejects as the engine port says.
   */
  async *merge(request: MergeRequest, signal: AbortSignal): AsyncGenerator<WrittenFile> {
    const release = await this.#turn.acquire(signal);
    try {
      const directory = await makeFolder(this.#directory);
      try {
        if (this.#closed) throw closed();
        yield* this.#merge({ ...request, directory }, signal);
      } finally {
        await removeFolder(directory);
      }
    } finally {
      release();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    this.#idle?.process.kill("SIGKILL");
    this.#running?.process.kill("SIGKILL");
    this.#idle = undefined;
    await Promise.all(this.#exits);
  }

  async *#merge(request: MergeWork, signal: AbortSignal): AsyncGenerator<WrittenFile> {
    const child = this.#idle ?? this.#start();
    this.#idle = undefined;
    this.#running = child;
    const inbox = new Inbox<MergedFile>();
    child.inbox.current = inbox;
    const ended = new AbortController();
    const onAbort = () => inbox.stop(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    void this.#watch(child, ended.signal);
    let whole = false;
    try {
      child.works = true;
      send(child, { kind: "merge", request });
      for (;;) {
        const made = await inbox.next();
        if (made === undefined) break;
        // Whoever takes the file may wait for a store: meanwhile nothing is to be heard of the process.
        child.works = false;
        const { path, ...file } = made;
        yield { ...file, bytes: await takeBack(path) };
        child.works = true;
        child.inbox.answerCount += 1;
        send(child, { kind: "next" });
      }
      whole = true;
    } finally {
      ended.abort();
      signal.removeEventListener("abort", onAbort);
      this.#running = undefined;
      const rowCount = request.files.reduce((sum, file) => sum + file.rowCount, 0);
      if (whole && rowCount <= KEPT_ROW_COUNT_MAX && !this.#closed) this.#idle = child;
      else child.process.kill("SIGKILL");
    }
  }

  #start(): Child {
    const child = fork(CHILD_PATH, [], {
      serialization: "advanced",
      execArgv: ["--disable-warning=ExperimentalWarning", "--expose-gc"],
      env: childEnvironment(),
      stdio: ["ignore", "pipe", "pipe", "ipc"],
    });
    const inbox = { current: new Inbox<MergedFile>(), answerCount: 0 };
    const started: Child = { process: child, inbox, works: false };
    const exit = Promise.withResolvers<void>();
    this.#exits.add(exit.promise);
    const end = (cause: Error) => {
      exit.resolve();
      this.#exits.delete(exit.promise);
      if (this.#idle === started) this.#idle = undefined;
      inbox.current.fail(restarted(cause));
    };
    child.on("message", (answer: MergeAnswer) => {
      inbox.answerCount += 1;
      receive(inbox.current, answer);
    });
    child.on("error", end);
    child.on("exit", (code, signal) =>
      end(new Error(`the compaction's process ended (${signal ?? `exit code ${code}`})`)),
    );
    for (const stream of [child.stdout, child.stderr]) {
      if (stream === null) continue;
      createInterface({ input: stream }).on("line", (line) => {
        const said = { line: line.slice(0, LOG_LINE_SIZE_MAX) };
        this.#log.warn("The compaction's process said something", said);
      });
    }
    return started;
  }

  /** Ends a child that has said nothing for too long, until `signal` is aborted. Never rejects. */
  async #watch(child: Child, signal: AbortSignal): Promise<void> {
    for (;;) {
      const { answerCount } = child.inbox;
      await this.#clock.sleep(SILENT_MS_MAX, signal).catch(() => undefined);
      if (signal.aborted) return;
      if (!child.works || child.inbox.answerCount > answerCount) continue;
      this.#log.error("The compaction's process hangs and is killed", { silentMs: SILENT_MS_MAX });
      child.process.kill("SIGKILL");
      return;
    }
  }
}

function send(child: Child, call: MergeCall): void {
  // An error means that the child is going; its exit tells whoever waits.
  if (child.process.connected) child.process.send(call, () => undefined);
}

function receive(inbox: Inbox<MergedFile>, answer: MergeAnswer): void {
  switch (answer.kind) {
    case "file":
      inbox.push(answer.file);
      return;
    case "alive":
      return;
    case "done":
      inbox.finish();
      return;
    case "failed":
      inbox.fail(errorOfParts(answer.failure));
  }
}

function childEnvironment(): Record<string, string> {
  const environment: Record<string, string> = { TZ: "UTC" };
  for (const name of ENVIRONMENT_NAMES) {
    const value = process.env[name];
    if (value !== undefined) environment[name] = value;
  }
  return environment;
}

function restarted(cause: unknown): DbError {
  return new DbError(
    "unavailable",
    "compaction_restarted",
    "the process that compacts files ended and is started again: nothing is lost",
    { cause },
  );
}

function closed(): DbError {
  return new DbError("unavailable", "engine_closed", "the engine is being stopped");
}
