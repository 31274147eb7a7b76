import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { percentile, round } from "../../scripts/long/figures.ts";
import { Server } from "../../scripts/long/server.ts";
import { Connection } from "../client.ts";
import { drained, metric } from "../metrics.ts";
import { benchFolder } from "../node.ts";
import { cpuSeconds, type ProcessUse, processesOf, residentBytes } from "../processes.ts";
import type { Figures } from "../report.ts";
import type { Case } from "./cases.ts";

export interface RunOptions {
  readonly connectionCount: number;
  /** Where the processes of the node leave their CPU profiles; it is then not killed but stopped. */
  readonly profile: string | undefined;
}

export interface Ran {
  readonly figures: Figures;
  /** What was answered otherwise than it must be, or not at all. */
  readonly wrong: readonly string[];
}

const PATH = "/api/v3/write_lp?db=bench&precision=nanosecond";
const PASS_COUNT = 2;
const USUAL_COUNT = 5;
const LOOK_MS = 250;
const RETRY_MS = 50;
const COUNT_MS = 500;
const DRAIN_MS_MAX = 600_000;
const MIB = 2 ** 20;
const KEPT_MAX = 10;

/**
 * Writes a case twice, new and known, asks, kills the node and starts it again, lets it make files, asks, stops it and starts it
 * again.
 */
export async function runCase(one: Case, { connectionCount, profile }: RunOptions): Promise<Ran> {
  await using folder = await benchFolder();
  const plain = await folder.node("host01", "all", ["--max-http-request-size", "50MB"]);
  const nodeOptions = `--cpu-prof --cpu-prof-dir=${profile ?? ""}`;
  const options = profile === undefined ? plain.options : { ...plain.options, nodeOptions };
  await using first = new Server(options);
  // So that files are made soon after the start.
  const later = [...(options.options ?? []), "--snapshot-age", "1s"];
  await using second = new Server({ ...options, options: later });
  const bench = new CaseBench(one, connectionCount);
  bench.watch([first, second]);
  try {
    await bench.write(first);
    await bench.ask(first, "buffered");
    await bench.restart(first, second, profile === undefined);
    await bench.makeFiles(second);
    await bench.ask(second, "files");
    await bench.stopAndStart(second);
    await bench.ask(second, "restarted");
    await bench.timed("lastStopMs", () => second.stop());
  } catch (error) {
    bench.wrong.push(error instanceof Error ? (error.stack ?? error.message) : String(error));
    for (const line of [...first.lastLines, ...second.lastLines].slice(-KEPT_MAX))
      bench.wrong.push(`the node said: ${line}`);
  } finally {
    bench.unwatch();
  }
  return { figures: bench.figures, wrong: bench.wrong };
}

class CaseBench {
  readonly #case: Case;
  readonly #connectionCount: number;
  readonly figures: Record<string, number | string> = {};
  readonly wrong: string[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(one: Case, connectionCount: number) {
    this.#case = one;
    this.#connectionCount = connectionCount;
    this.figures["case"] = one.name;
    this.figures["about"] = one.about;
  }

  /** Looks how much memory the processes take, all of them together. */
  watch(servers: readonly Server[]): void {
    this.#timer = setInterval(() => {
      for (const server of servers)
        if (server.running) this.#keepMost("residentMBMost", residentMB(processesOf(server.pid)));
    }, LOOK_MS);
  }

  unwatch(): void {
    clearInterval(this.#timer);
  }

  async write(server: Server): Promise<void> {
    server.start();
    await server.ready();
    this.#resident(server, "idle");
    for (let pass = 0; pass < PASS_COUNT; pass++) {
      const name = pass === 0 ? "new" : "known";
      const bodies = [...this.#case.bodies(pass)].map((text) => Buffer.from(text));
      const cpuSec = cpuSeconds(processesOf(server.pid));
      const tookMs = await this.timed(`${name}Ms`, () => this.#writeAll(server, bodies));
      const usedSec = cpuSeconds(processesOf(server.pid)) - cpuSec;
      this.figures[`${name}RowsPerSec`] = round((this.#case.rowCount / tookMs) * 1_000, 0);
      this.figures[`${name}CpuSecPerMRows`] = round((usedSec / this.#case.rowCount) * 1e6, 2);
      this.#resident(server, name);
      await this.#snapshots(server, name);
    }
  }

  /** Each query for the first time, then the middle of some more. */
  async ask(server: Server, name: string): Promise<void> {
    for (const [query, text] of Object.entries(this.#case.queries)) {
      await this.timed(`${name} ${query} firstMs`, () => server.query("bench", text));
      const usualMs: number[] = [];
      for (let count = 0; count < USUAL_COUNT; count++) {
        const startedMs = performance.now();
        await server.query("bench", text);
        usualMs.push(performance.now() - startedMs);
      }
      this.figures[`${name} ${query} usualMs`] = round(percentile(usualMs, 0.5));
    }
    await this.timed(`${name} checkMs`, () => this.#check(server, name));
    this.#resident(server, name);
  }

  async restart(first: Server, second: Server, kill: boolean): Promise<void> {
    if (kill) await first.kill();
    else await this.timed("firstStopMs", () => first.stop());
    second.start();
    this.figures["replayReadyMs"] = round(await second.ready(), 0);
  }

  /** Waits until what was replayed is in files; nothing is where a snapshot was due before the kill. */
  async makeFiles(server: Server): Promise<void> {
    await this.timed("filesMs", () => drained(server, DRAIN_MS_MAX));
    // A snapshot is counted a moment after its rows are.
    await sleep(COUNT_MS);
    await this.#snapshots(server, "replayed");
    this.figures["filesCpuSec"] = round(cpuSeconds(processesOf(server.pid)), 1);
  }

  async stopAndStart(server: Server): Promise<void> {
    await this.timed("stopMs", () => server.stop());
    server.start();
    this.figures["readyMs"] = round(await server.ready(), 0);
    this.#resident(server, "ready");
  }

  async timed(name: string, work: () => Promise<unknown>): Promise<number> {
    const startedMs = performance.now();
    await work();
    const tookMs = performance.now() - startedMs;
    this.figures[name] = round(tookMs);
    process.stderr.write(`${this.#case.name}: ${name} ${this.figures[name]}\n`);
    return tookMs;
  }

  async #writeAll(server: Server, bodies: readonly Uint8Array[]): Promise<void> {
    let next = 0;
    const write = async () => {
      using connection = new Connection(server.options.port);
      for (let body = bodies[next++]; body !== undefined; body = bodies[next++])
        await writeOne(connection, body);
    };
    await Promise.all(Array.from({ length: this.#connectionCount }, write));
  }

  async #check(server: Server, name: string): Promise<void> {
    for (const { rows, text } of this.#case.checks(PASS_COUNT)) {
      const answered = await server.query("bench", text);
      try {
        assert.deepEqual(answered, rows);
      } catch {
        if (this.wrong.length < KEPT_MAX)
          this.wrong.push(
            `${name}: ${text}: ${JSON.stringify(answered)}, not ${JSON.stringify(rows)}`,
          );
      }
    }
  }

  async #snapshots(server: Server, name: string): Promise<void> {
    const seconds = await metric(server, "tidelake_snapshots_seconds_total");
    this.figures[`${name} snapshots`] = await metric(server, "tidelake_snapshots_total");
    this.figures[`${name} snapshotsMs`] = round(seconds * 1_000, 0);
  }

  #resident(server: Server, name: string): void {
    for (const [role, memoryMB] of Object.entries(residentMB(processesOf(server.pid))))
      this.figures[`${name}MB${role}`] = memoryMB;
  }

  #keepMost(name: string, memoryMB: Readonly<Record<string, number>>): void {
    for (const [role, value] of Object.entries(memoryMB)) {
      const key = `${name}${role}`;
      this.figures[key] = Math.max(value, Number(this.figures[key] ?? 0));
    }
  }
}

/** All together, and by role. */
function residentMB(processes: readonly ProcessUse[]): Readonly<Record<string, number>> {
  return {
    "": sumMB(processes),
    " node": sumMB(processes.filter(({ role }) => role === "node")),
    " child": sumMB(processes.filter(({ role }) => role === "child")),
  };
}

function sumMB(processes: readonly ProcessUse[]): number {
  return round(residentBytes(processes) / MIB, 0);
}

/** Writes a body, again while it is told to come later. */
async function writeOne(connection: Connection, body: Uint8Array): Promise<void> {
  while (true) {
    const { status, text } = await connection.ask({ method: "POST", path: PATH, body });
    if (status === 204) return;
    if (status !== 429 && status !== 503) throw new Error(`${status} ${text.slice(0, 500)}`);
    await sleep(RETRY_MS);
  }
}
