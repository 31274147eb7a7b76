/** What the end-to-end tests share: real programs in a folder of their own, spoken to over HTTP and the command line. */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

export const REPOSITORY = fileURLToPath(new URL("../..", import.meta.url));
export const PROGRAM = join(REPOSITORY, "bin/influxdb3");

const START_MS_MAX = 30_000;
const STOP_MS_MAX = 30_000;
const COMMAND_MS_MAX = 30_000;
const ANSWER_MS_MAX = 60_000;
const POLL_MS = 20;

/** How a program ended, and what it printed. */
export interface Ended {
  /** Null when a signal ended it. */
  readonly exitCode: number | null;
  readonly out: string;
  readonly error: string;
}

export interface StartOptions {
  readonly nodeId?: string;
  readonly mode?: string;
  /** Where the store is; the sandbox's own folder without it. */
  readonly store?: string;
  /** The options of another store than a folder. */
  readonly storeWords?: readonly string[];
  readonly bind?: string;
  /** Whether it asks for tokens. */
  readonly auth?: boolean;
  readonly more?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

export interface CommandOptions {
  readonly program?: string;
  readonly cwd?: string;
  readonly input?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** A folder for a cluster: its store, its temporary files, and its user's home. */
export class Sandbox implements AsyncDisposable {
  readonly directory: string;
  readonly #processes: TestNode[] = [];

  private constructor(directory: string) {
    this.directory = directory;
  }

  static async open(): Promise<Sandbox> {
    const sandbox = new Sandbox(await mkdtemp(join(tmpdir(), "tidelake-e2e-")));
    for (const folder of [sandbox.temporary, sandbox.home]) await mkdir(folder);
    return sandbox;
  }

  get store(): string {
    return join(this.directory, "store");
  }

  get temporary(): string {
    return join(this.directory, "tmp");
  }

  get home(): string {
    return join(this.directory, "home");
  }

  /** The keys of all objects in the store. */
  async objects(): Promise<readonly string[]> {
    return (await filesUnder(this.store)).filter((path) => !path.startsWith(".tmp~"));
  }

  /** The environment of a program: nothing of the user's but where programs are. */
  environment(more: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv {
    const { PATH } = process.env;
    return { PATH, HOME: this.home, TMPDIR: this.temporary, ...more };
  }

  /** Starts a node and resolves when it serves. */
  async start(options: StartOptions = {}): Promise<TestNode> {
    const node = this.launch(options);
    await node.serving();
    return node;
  }

  /** Starts a node without waiting for it. */
  launch(options: StartOptions = {}): TestNode {
    const listener = join(this.directory, `listener-${this.#processes.length}`);
    const words = [...this.serveWords(options), "--tcp-listener-file-path", listener];
    return this.launchWords(words, listener, { env: options.env ?? {} });
  }

  /** The command line of a node; its port is any free one. */
  serveWords(options: StartOptions = {}): string[] {
    const { nodeId = "host01", mode = "all", bind = "127.0.0.1:0", more = [] } = options;
    const access = options.auth === true ? [] : ["--without-auth"];
    const folder = ["--object-store", "file", "--data-dir", options.store ?? this.store];
    const words = `serve --node-id ${nodeId} --cluster-id cluster01 --mode ${mode}
      --http-bind ${bind}`.split(/\s+/);
    return [...words, ...access, ...(options.storeWords ?? folder), ...more];
  }

  /** Starts the program with `words`, one of which makes it write its address to the file `listener`. */
  launchWords(words: readonly string[], listener: string, options: CommandOptions = {}): TestNode {
    const child = spawn(options.program ?? PROGRAM, words, {
      cwd: options.cwd ?? this.directory,
      env: this.environment(options.env),
      stdio: ["ignore", "pipe", "pipe"],
    });
    const node = new TestNode(child, listener);
    this.#processes.push(node);
    return node;
  }

  /** Runs a command to its end. */
  async run(words: readonly string[], options: CommandOptions = {}): Promise<Ended> {
    const { promise, resolve } = Promise.withResolvers<Ended>();
    const settings = {
      cwd: options.cwd ?? this.directory,
      env: this.environment(options.env),
      timeout: COMMAND_MS_MAX,
      killSignal: "SIGKILL",
    } as const;
    const child = execFile(options.program ?? PROGRAM, words, settings, (error, out, errors) =>
      resolve({ exitCode: error === null ? 0 : codeOf(error), out, error: errors }),
    );
    child.stdin?.on("error", () => undefined).end(options.input ?? "");
    return promise;
  }

  /** Ends what is still running. */
  async killAll(): Promise<void> {
    for (const node of this.#processes) await node.kill();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.killAll();
    await rm(this.directory, { recursive: true, force: true });
  }
}

export interface Query {
  readonly token?: string | undefined;
  readonly format?: string;
}

/** A node in a process of its own. */
export class TestNode {
  readonly pid: number;
  readonly ended: Promise<Ended>;
  readonly #child: ChildProcess;
  readonly #listener: string;
  #out = "";
  #error = "";
  #hasEnded = false;
  #url = "";

  constructor(child: ChildProcess, listener: string) {
    this.pid = child.pid ?? 0;
    this.#child = child;
    this.#listener = listener;
    child.stdout?.on("data", (chunk: Buffer) => {
      this.#out += chunk.toString();
    });
    child.stderr?.on("data", (chunk: Buffer) => {
      this.#error += chunk.toString();
    });
    const { promise, resolve } = Promise.withResolvers<Ended>();
    child.once("close", (exitCode) => {
      this.#hasEnded = true;
      resolve({ exitCode, out: this.#out, error: this.#error });
    });
    this.ended = promise;
  }

  /** Without a slash at its end. */
  get url(): string {
    return this.#url;
  }

  /** Whether the process and its output have ended. */
  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** What it has printed so far, as a log. */
  get out(): string {
    return this.#out;
  }

  /** Resolves when the node serves; rejects with what it printed when it ends instead. */
  async serving(): Promise<void> {
    const address = await eventually(
      async () => {
        if (this.#hasEnded) throw new Error(`the node ended: ${this.#out}${this.#error}`);
        return (await readFile(this.#listener, "utf8").catch(() => "")) || undefined;
      },
      { what: "a node that serves", withinMs: START_MS_MAX },
    );
    await rm(this.#listener);
    this.#url = `http://${address}`;
  }

  /** Asks the process to stop, and resolves when it and its output have ended. */
  async stop(signal: "SIGTERM" | "SIGINT" = "SIGTERM"): Promise<Ended> {
    this.#child.kill(signal);
    const late = new AbortController();
    const timer = sleep(STOP_MS_MAX, undefined, { signal: late.signal }).then(() => {
      throw new Error(`the node did not stop: ${this.#out}${this.#error}`);
    });
    timer.catch(() => undefined);
    try {
      return await Promise.race([this.ended, timer]);
    } finally {
      late.abort();
    }
  }

  /** Ends the process at once, as a power failure would. */
  async kill(): Promise<void> {
    if (!this.#hasEnded) this.#child.kill("SIGKILL");
    await this.ended;
  }

  async get(path: string): Promise<{ status: number; text: string }> {
    const response = await fetch(this.#url + path, { signal: AbortSignal.timeout(ANSWER_MS_MAX) });
    return { status: response.status, text: await response.text() };
  }

  async post(path: string, body: string | Uint8Array<ArrayBuffer>, headers = {}) {
    const signal = AbortSignal.timeout(ANSWER_MS_MAX);
    const response = await fetch(this.#url + path, { method: "POST", body, headers, signal });
    const token = response.headers.get("x-tidelake-write-token") ?? undefined;
    return { status: response.status, text: await response.text(), token, response };
  }

  /** Writes `lines` and gives the token; rejects unless all of them were taken. */
  async write(database: string, lines: string): Promise<string | undefined> {
    const path = `/api/v3/write_lp?db=${encodeURIComponent(database)}&precision=nanosecond`;
    const { status, text, token } = await this.post(path, lines);
    if (status !== 204) throw new Error(`write: ${status} ${text}`);
    return token;
  }

  async query(database: string, text: string, { token, format = "json" }: Query = {}) {
    const body = JSON.stringify({ db: database, q: text, format, min_token: token });
    return this.post("/api/v3/query_sql", body, { "content-type": "application/json" });
  }

  /** The rows of an answer; rejects when there is none. */
  async rows(database: string, text: string, options: Query = {}): Promise<readonly Row[]> {
    const answer = await this.query(database, text, options);
    if (answer.status !== 200) throw new Error(`query: ${answer.status} ${answer.text}`);
    return JSON.parse(answer.text) as Row[];
  }

  /** The engine's process, found as the node's child; undefined while there is none. */
  async enginePid(): Promise<number | undefined> {
    return (await childrenOf(this.pid))[0];
  }
}

export type Row = Readonly<Record<string, unknown>>;

/** Asks `find` again and again until it answers something. */
export async function eventually<T>(
  find: () => Promise<T | undefined>,
  { what, withinMs = 20_000 }: { what: string; withinMs?: number },
): Promise<T> {
  const endMs = performance.now() + withinMs;
  while (true) {
    const found = await find();
    if (found !== undefined) return found;
    if (performance.now() > endMs) throw new Error(`waited ${withinMs} ms in vain for ${what}`);
    await sleep(POLL_MS);
  }
}

/** The processes whose parent is `pid`. */
export async function childrenOf(pid: number): Promise<readonly number[]> {
  const { promise, resolve } = Promise.withResolvers<string>();
  execFile("ps", ["-A", "-o", "pid=,ppid="], (_error, out) => resolve(out));
  const pairs = (await promise).split("\n").map((line) => line.trim().split(/\s+/).map(Number));
  return pairs.flatMap(([child = 0, parent]) => (parent === pid ? [child] : []));
}

/** Whether a process `pid` runs. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Paths of all files under `directory`, relative to it and in order; none when it is not there. */
export async function filesUnder(directory: string): Promise<readonly string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true }).catch(
    () => [],
  );
  return entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name).slice(directory.length + 1))
    .toSorted();
}

function codeOf(error: Error): number | null {
  return "code" in error && typeof error.code === "number" ? error.code : null;
}
