import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { HttpClient } from "./http.ts";
import { isAlive } from "./server.ts";
import type { Place } from "./stores.ts";

const EXAMPLES = fileURLToPath(new URL("../../examples/", import.meta.url));
export const TOPOLOGIES = [
  "basic",
  "high-availability",
  "dedicated-compactor",
  "workload-isolation",
] as const;
/** Snapshots and compaction all the time. */
const OPTIONS =
  "--wal-files-per-snapshot 20 --gen1-duration 1m --compaction-check-interval 1s".split(" ");
const SERVES = /^(\S+) \((\S+)\) serves http:\/\/(\S+) \(process (\d+)\)$/gm;
const START_MS_MAX = 120_000;
/** A node that takes writes may hang for a minute. */
const WRITE_MS_MAX = 180_000;
const SEEN_MS_MAX = 30_000;
const BATCH_ROWS = 20;
export const PHASE_MS = 4_000;
/** How long answers are compared after the last write, while files are compacted. */
const QUIET_MS = 8_000;

/** A node of a topology. */
export interface Member {
  readonly name: string;
  readonly modes: readonly string[];
  readonly address: string;
  readonly http: HttpClient;
  pid: number;
}

/** A cluster that a script of examples/ started. */
export class Topology implements AsyncDisposable {
  readonly #folder: string;
  readonly #environment: NodeJS.ProcessEnv;
  readonly #options: readonly string[];
  readonly #script: ChildProcess;
  readonly #restarted: ChildProcess[] = [];
  #members: readonly Member[] = [];
  #out = "";
  /** Each acknowledged row, as a query answers it. */
  readonly #rows: string[] = [];

  static async start(script: string, place: Place): Promise<Topology> {
    const topology = new Topology(
      script,
      await mkdtemp(join(tmpdir(), "tidelake-topology-")),
      place,
    );
    try {
      await topology.#untilUp();
    } catch (error) {
      await topology[Symbol.asyncDispose]();
      throw error;
    }
    return topology;
  }

  private constructor(script: string, folder: string, { options, env }: Place) {
    this.#folder = folder;
    this.#environment = { ...process.env, ...env, FOLDER: folder, PORTS: "any", TMPDIR: folder };
    this.#options = [...options, ...OPTIONS];
    this.#script = this.#spawn(join(EXAMPLES, `${script}.sh`), this.#options);
  }

  get members(): readonly Member[] {
    return this.#members;
  }

  /**
   * Writes all the time while `trouble` is made, and compares answers until some time after that. Resolves with how many rows there are in
   * the end; rejects with what is wrong.
   */
  async run(trouble: (topology: Topology) => Promise<void>): Promise<number> {
    const stop = new AbortController();
    const writers = this.#doing("ingest").map((member) => this.#writeOn(member, stop.signal));
    const writing = Promise.all(writers);
    // Whoever fails first is heard at once.
    const making = trouble(this).finally(() => stop.abort());
    await Promise.all([writing, making]);
    const untilMs = performance.now() + QUIET_MS;
    await this.#compare(SEEN_MS_MAX);
    while (performance.now() < untilMs) {
      await sleep(500);
      await this.#compare(0);
    }
    await this.#expectCompacted();
    return this.#rows.length;
  }

  /** Ends all its processes. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#script.kill("SIGTERM");
    for (const child of this.#restarted) child.kill("SIGTERM");
    const pids = this.#members.map(({ pid }) => pid);
    for (let waitedMs = 0; waitedMs < 60_000 && pids.some(isAlive); waitedMs += 100)
      await sleep(100);
    for (const pid of pids.filter(isAlive)) process.kill(pid, "SIGKILL");
    this.#script.kill("SIGKILL");
    for (const { http } of this.#members) http[Symbol.dispose]();
    await rm(this.#folder, { recursive: true, force: true, maxRetries: 3 });
  }

  #spawn(program: string, words: readonly string[]): ChildProcess {
    const child = spawn(program, words, {
      env: this.#environment,
      stdio: ["ignore", "pipe", "pipe"],
    });
    const keep = (chunk: Buffer) => {
      this.#out += chunk.toString();
    };
    child.stdout?.on("data", keep);
    child.stderr?.on("data", keep);
    return child;
  }

  async #untilUp(): Promise<void> {
    const untilMs = performance.now() + START_MS_MAX;
    while (!this.#out.includes("All nodes serve")) {
      if (this.#script.exitCode !== null || performance.now() > untilMs)
        throw new Error(`the cluster does not serve: ${this.#out}`);
      await sleep(100);
    }
    this.#members = [...this.#out.matchAll(SERVES)].map(
      ([, name = "", modes = "", address = "", pid]) => ({
        name,
        modes: modes.split(","),
        address,
        http: new HttpClient(`http://${address}`),
        pid: Number(pid),
      }),
    );
  }

  #doing(mode: string): readonly Member[] {
    return this.#members.filter(({ modes }) => modes.includes(mode));
  }

  /** Writes batch after batch; one whose answer was lost is sent again until it is acknowledged. */
  async #writeOn({ name, http }: Member, stop: AbortSignal): Promise<void> {
    for (let batch = 0; !stop.aborted; batch += 1) {
      const times = Array.from(
        { length: BATCH_ROWS },
        (_, index) => batch * BATCH_ROWS + index + 1,
      );
      const body = times.map((time) => `m,writer=${name} v=${time}i ${time}000000000`).join("\n");
      const untilMs = performance.now() + WRITE_MS_MAX;
      const path = "/api/v3/write_lp?db=d&precision=nanosecond";
      for (;;) {
        const answer = await http.ask({ method: "POST", path, body }).catch(String);
        if (typeof answer !== "string" && answer.status === 204) break;
        if (performance.now() > untilMs)
          throw new Error(
            `${name} takes no writes: ${typeof answer === "string" ? answer : answer.text}`,
          );
        await sleep(100);
      }
      for (const time of times) this.#rows.push(`${name},${time}`);
      await sleep(20);
    }
  }

  /** Kills `member`, and starts it again where it was after `awayMs`. */
  async killAndStart(member: Member, awayMs: number): Promise<void> {
    process.kill(member.pid, "SIGKILL");
    await sleep(awayMs);
    const { address, modes, name } = member;
    const program = join(EXAMPLES, "../bin/influxdb3");
    const words = `serve --node-id ${name} --cluster-id cluster01 --mode ${modes.join(",")} --http-bind ${address} --without-auth`;
    const file = this.#options.includes("--object-store")
      ? []
      : ["--object-store", "file", "--data-dir", join(this.#folder, "store")];
    const child = this.#spawn(program, [...words.split(" "), ...file, ...this.#options]);
    this.#restarted.push(child);
    member.pid = child.pid ?? 0;
    await this.#untilReady(member, child);
  }

  /** `member` hangs for `pauseMs`; the others answer meanwhile. */
  async pause(member: Member, pauseMs: number): Promise<void> {
    process.kill(member.pid, "SIGSTOP");
    try {
      for (const untilMs = performance.now() + pauseMs; performance.now() < untilMs; ) {
        await sleep(Math.min(PHASE_MS, pauseMs));
        await this.compareNow(member);
      }
    } finally {
      process.kill(member.pid, "SIGCONT");
    }
  }

  /** Every query node but `silent` shows, soon, all that is acknowledged now, and nothing twice. */
  compareNow(silent?: Member): Promise<void> {
    return this.#compare(undefined, silent);
  }

  async #untilReady({ name, http }: Member, child: ChildProcess): Promise<void> {
    const untilMs = performance.now() + START_MS_MAX;
    for (;;) {
      const answer = await http.ask({ path: "/ready", timeoutMs: 5_000 }).catch(() => undefined);
      if (answer?.status === 200) return;
      if (child.exitCode !== null || performance.now() > untilMs)
        throw new Error(`${name} does not serve again: ${this.#out.slice(-2_000)}`);
      await sleep(100);
    }
  }

  /** Answers that stayed while nothing was compacted would prove nothing. */
  async #expectCompacted(): Promise<void> {
    for (const { http, name } of this.#doing("query")) {
      const q = "SELECT sum(parquet_file_count) AS files FROM system.compacted_data";
      const body = JSON.stringify({ db: "d", q, format: "csv" });
      const { text } = await http.ask({ method: "POST", path: "/api/v3/query_sql", body });
      const fileCount = Number(text.trim().split("\n").at(1));
      if (!(fileCount > 0)) throw new Error(`${name} knows of no compacted files: ${text}`);
    }
  }

  /**
   * Every query node answers with all that was acknowledged when it is asked; where `withinMs` is given and nobody writes, within
   * that time, and with nothing else.
   */
  async #compare(withinMs: number | undefined, silent?: Member): Promise<void> {
    const untilMs = performance.now() + (withinMs ?? SEEN_MS_MAX);
    for (const { name, http } of this.#doing("query").filter((member) => member !== silent)) {
      const expected = new Set(this.#rows);
      for (;;) {
        const found = await rowsOf(http);
        const missing = expected.difference(new Set(found));
        const isExact = withinMs === undefined || hashOf(found) === hashOf([...expected]);
        if (missing.size === 0 && isExact && found.length === new Set(found).size) break;
        if (performance.now() > untilMs)
          throw new Error(
            `${name} answers ${found.length} rows of ${expected.size}; ${missing.size} are missing`,
          );
        await sleep(200);
      }
    }
  }
}

async function rowsOf(http: HttpClient): Promise<readonly string[]> {
  const body = JSON.stringify({ db: "d", q: "SELECT writer, v FROM m", format: "csv" });
  const answer = await http.ask({ method: "POST", path: "/api/v3/query_sql", body });
  if (answer.status !== 200)
    throw new Error(`a query was answered ${answer.status}: ${answer.text}`);
  return answer.text.trim().split("\n").slice(1);
}

/** The same for the same rows in any order, each as often. */
function hashOf(rows: readonly string[]): string {
  return createHash("sha256").update(rows.toSorted().join("\n")).digest("hex");
}
