import type { Server } from "../scripts/long/server.ts";
import { metric } from "./metrics.ts";
import { cpuByThread, difference, processesOf, residentBytes } from "./processes.ts";

/** What the node's processes did in its own rounds; what they do while the peer has its turn is left out. */
export class OwnRounds {
  readonly #server: Server;
  #cpu: ReadonlyMap<string, number>;
  #snapshotCount = 0;
  /** Snapshots of each round. */
  readonly snapshots: number[] = [];
  /** CPU seconds of all rounds, by `role` and `role/thread`. */
  readonly cpuSec = new Map<string, number>();
  residentBytesMax = 0;

  constructor(server: Server) {
    this.#server = server;
    this.#cpu = cpuByThread(processesOf(server.pid));
  }

  /** A round of `name` ended: all its rows are in files. */
  async ended(name: string): Promise<void> {
    const cpu = cpuByThread(processesOf(this.#server.pid));
    const snapshotCount = await metric(this.#server, "tidelake_snapshots_total");
    if (name === "ours") {
      this.snapshots.push(snapshotCount - this.#snapshotCount);
      for (const [thread, sec] of difference(this.#cpu, cpu))
        this.cpuSec.set(thread, (this.cpuSec.get(thread) ?? 0) + sec);
    }
    this.#cpu = cpu;
    this.#snapshotCount = snapshotCount;
  }

  look(): void {
    const bytes = residentBytes(processesOf(this.#server.pid));
    this.residentBytesMax = Math.max(this.residentBytesMax, bytes);
  }
}
