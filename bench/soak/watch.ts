import { statfs } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { percentile, round } from "../../scripts/long/figures.ts";
import type { Server } from "../../scripts/long/server.ts";
import { metric } from "../metrics.ts";
import { cpuSeconds, type ProcessUse, processesOf, residentBytes } from "../processes.ts";
import { type Attempt, isWritten, rowsPerSec } from "./writers.ts";

/** The node in one second. */
export interface Sample {
  readonly phase: string;
  readonly second: number;
  readonly residentMB: number;
  readonly nodeMB: number;
  readonly childMB: number;
  readonly cores: number;
  readonly rowsPerSec: number;
  readonly writeP50Ms: number;
  readonly refused: number;
  readonly failed: number;
  readonly unsavedRows: number;
  readonly snapshots: number;
}

const SAMPLE_MS = 1_000;
const MIB = 2 ** 20;
const FREE_BYTES_MIN = 5 * 2 ** 30;

/** Looks at a node's processes every second. */
export class Watch {
  readonly samples: Sample[] = [];
  /** Processes that were there once, and are not any more. */
  readonly ended: number[] = [];
  phase = "";
  readonly #server: Server;
  readonly #onSample: (sample: Sample) => void;
  #attempts: Attempt[] = [];
  #known = new Set<number>();

  constructor(server: Server, onSample: (sample: Sample) => void) {
    this.#server = server;
    this.#onSample = onSample;
  }

  /** A try to write a body came to its end. */
  hear = (attempt: Attempt): void => {
    this.#attempts.push(attempt);
  };

  /** Looks until `signal` is aborted; rejects when the disk is nearly full, or the node is gone. */
  async run(signal: AbortSignal): Promise<void> {
    const startedMs = performance.now();
    let lastMs = startedMs;
    let last = processesOf(this.#server.pid);
    for (let second = 1; !signal.aborted; second++) {
      await sleep(Math.max(0, startedMs + second * SAMPLE_MS - performance.now()));
      const [nowMs, now] = [performance.now(), processesOf(this.#server.pid)];
      this.#compare(now);
      const cores = (cpuSeconds(now) - cpuSeconds(last)) / ((nowMs - lastMs) / 1_000);
      const sample = await this.#take(now, { second, cores, seconds: (nowMs - lastMs) / 1_000 });
      this.samples.push(sample);
      this.#onSample(sample);
      [lastMs, last] = [nowMs, now];
      const { bavail, bsize } = await statfs(this.#server.options.directory);
      if (bavail * bsize < FREE_BYTES_MIN) throw new Error("the disk is nearly full");
    }
  }

  of(phase: string): readonly Sample[] {
    return this.samples.filter((sample) => sample.phase === phase);
  }

  #compare(now: readonly ProcessUse[]): void {
    const alive = new Set(now.map(({ pid }) => pid));
    for (const pid of this.#known) if (!alive.has(pid)) this.ended.push(pid);
    this.#known = alive;
  }

  async #take(
    processes: readonly ProcessUse[],
    { cores, second, seconds }: { second: number; cores: number; seconds: number },
  ): Promise<Sample> {
    const attempts = this.#attempts;
    this.#attempts = [];
    const written = attempts.filter(isWritten);
    const of = (role: ProcessUse["role"]) => processes.filter((process) => process.role === role);
    const count = (outcome: Attempt["outcome"]) =>
      attempts.filter((attempt) => attempt.outcome === outcome).length;
    const [unsavedRows, snapshots] = await Promise.all(
      ["tidelake_unsaved_rows", "tidelake_snapshots_total"].map((name) =>
        // A node under too much load may not answer; that shows in its writes.
        metric(this.#server, name).catch(() => Number.NaN),
      ),
    );
    return {
      phase: this.phase,
      second,
      residentMB: round(residentBytes(processes) / MIB, 1),
      nodeMB: round(residentBytes(of("node")) / MIB, 1),
      childMB: round(residentBytes(of("child")) / MIB, 1),
      cores: round(cores, 2),
      rowsPerSec: round(rowsPerSec(attempts, seconds), 0),
      writeP50Ms: round(
        percentile(
          written.map(({ tookMs }) => tookMs),
          0.5,
        ),
      ),
      refused: count("refused"),
      failed: count("failed"),
      unsavedRows: unsavedRows ?? Number.NaN,
      snapshots: snapshots ?? Number.NaN,
    };
  }
}
