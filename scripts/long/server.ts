import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { type Answer, HttpClient } from "./http.ts";

export interface ServerOptions {
  readonly nodeId: string;
  readonly mode: string;
  readonly port: number;
  /** The folder of the file store. */
  readonly directory: string;
  /** Where the process may put temporary files. */
  readonly scratch: string;
  /** More words of the command line. */
  readonly options?: readonly string[];
  /** More words for the Node that runs it: profiling. */
  readonly nodeOptions?: string;
}

/** A request that the server answered with a refusal. */
export class RefusedError extends Error {
  readonly status: number;

  constructor({ status, text }: Answer) {
    super(`status ${status}: ${text.slice(0, 500)}`);
    this.status = status;
  }
}

export type Row = Readonly<Record<string, unknown>>;

const PROGRAM = fileURLToPath(new URL("../../bin/influxdb3", import.meta.url));
const READY_MS_MAX = 60_000;
const STOP_MS_MAX = 60_000;
const POLL_MS = 20;
const KEPT_LINES_MAX = 40;

/** A node as users start it, in a process of its own, that may be killed and started again. */
export class Server implements AsyncDisposable {
  readonly options: ServerOptions;
  readonly http: HttpClient;
  #child: ChildProcess | undefined;
  #ended: Promise<number | null> = Promise.resolve(null);
  #lines: string[] = [];

  constructor(options: ServerOptions) {
    this.options = options;
    this.http = new HttpClient(`http://127.0.0.1:${options.port}`);
    process.once("exit", () => this.#child?.kill("SIGKILL"));
  }

  get url(): string {
    return `http://127.0.0.1:${this.options.port}`;
  }

  get pid(): number {
    const pid = this.#child?.pid;
    if (pid === undefined) throw new Error(`${this.options.nodeId} does not run`);
    return pid;
  }

  /** Whether a process of it runs. */
  get running(): boolean {
    return this.#child !== undefined;
  }

  /** The last lines it printed, those of earlier processes too. */
  get lastLines(): readonly string[] {
    return this.#lines;
  }

  /** Starts a process; `ready` tells when it serves. */
  start(): void {
    const { directory, mode, nodeId, nodeOptions, options = [], port, scratch } = this.options;
    const words =
      `serve --node-id ${nodeId} --cluster-id cluster01 --mode ${mode} --object-store file
      --http-bind 127.0.0.1:${port} --without-auth --log-filter warn`.split(/\s+/);
    const env = { ...process.env, TMPDIR: scratch };
    const child = spawn(PROGRAM, [...words, "--data-dir", directory, ...options], {
      cwd: scratch,
      env: nodeOptions === undefined ? env : { ...env, NODE_OPTIONS: nodeOptions },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const ended = Promise.withResolvers<number | null>();
    child.once("error", ended.reject);
    child.once("exit", (code) => {
      if (this.#child === child) this.#child = undefined;
      ended.resolve(code);
    });
    for (const input of [child.stdout, child.stderr])
      createInterface({ input }).on("line", (line) => this.#keep(line));
    this.#child = child;
    this.#ended = ended.promise;
  }

  /** Resolves with how long it took, in milliseconds, until it answers that it is ready; rejects when its process ends before. */
  async ready(): Promise<number> {
    const startedMs = performance.now();
    while (performance.now() - startedMs < READY_MS_MAX) {
      if (!this.running) throw new Error(`${this.options.nodeId} ended: ${this.#story()}`);
      const answer = await this.http
        .ask({ path: "/ready", timeoutMs: 5_000 })
        .catch(() => undefined);
      if (answer?.status === 200) return performance.now() - startedMs;
      await sleep(POLL_MS);
    }
    throw new Error(
      `${this.options.nodeId} is not ready after ${READY_MS_MAX} ms: ${this.#story()}`,
    );
  }

  /** Ends the process at once, as a power failure does. */
  async kill(): Promise<void> {
    this.#child?.kill("SIGKILL");
    await this.#ended;
  }

  /** Asks the process to stop; resolves with its exit code. */
  async stop(): Promise<number | null> {
    const child = this.#child;
    if (child === undefined) return null;
    child.kill("SIGTERM");
    const timer = setTimeout(() => child.kill("SIGKILL"), STOP_MS_MAX);
    const code = await this.#ended;
    clearTimeout(timer);
    return code;
  }

  /** The process of its engine; undefined while there is none. */
  enginePid(): number | undefined {
    return this.running ? childrenOf(this.pid)[0] : undefined;
  }

  /** Writes `lines`; resolves with the write token. Rejects with RefusedError, or because no answer came. */
  async write(database: string, lines: string, tokens: readonly string[] = []): Promise<string> {
    const answer = await this.http.ask({
      method: "POST",
      path: `/api/v3/write_lp?db=${database}&precision=nanosecond`,
      headers: tokenHeader(tokens),
      body: lines,
    });
    if (answer.status !== 204) throw new RefusedError(answer);
    return String(answer.headers["x-tidelake-write-token"]);
  }

  /** The rows that `text` answers. */
  async query(
    database: string,
    text: string,
    tokens: readonly string[] = [],
  ): Promise<readonly Row[]> {
    const answer = await this.http.ask({
      method: "POST",
      path: "/api/v3/query_sql",
      headers: { "content-type": "application/json", ...tokenHeader(tokens) },
      body: JSON.stringify({ db: database, q: text, format: "json" }),
    });
    if (answer.status !== 200) throw new RefusedError(answer);
    return JSON.parse(answer.text) as readonly Row[];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    this.http[Symbol.dispose]();
  }

  #keep(line: string): void {
    this.#lines.push(line);
    if (this.#lines.length > KEPT_LINES_MAX) this.#lines.shift();
  }

  #story(): string {
    return this.#lines.slice(-5).join(" | ");
  }
}

/** A port that is free now. */
export function freePort(): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const probe = createServer();
  probe.once("error", reject);
  probe.listen(0, "127.0.0.1", () => {
    const address = probe.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    probe.close(() => resolve(port));
  });
  return promise;
}

/** Whether a process lives. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** The processes that `pid` started and that live. */
function childrenOf(pid: number): readonly number[] {
  try {
    const text = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim();
    return text === "" ? [] : text.split(" ").map(Number);
  } catch {
    return [];
  }
}

function tokenHeader(tokens: readonly string[]): Readonly<Record<string, string>> {
  return tokens.length === 0 ? {} : { "x-tidelake-write-token": tokens.join(",") };
}
