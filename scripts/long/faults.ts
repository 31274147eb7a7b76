import { setTimeout as sleep } from "node:timers/promises";
import { print } from "./output.ts";
import { startStore } from "./stores.ts";
import { PHASE_MS, TOPOLOGIES, Topology } from "./topology.ts";

export interface FaultOptions {
  readonly store: string;
  /** How long each node hangs. */
  readonly pauseSeconds: number;
}

/**
 * In every topology of examples/, under writes, each node hangs for `pauseSeconds` and goes on, and is killed for as long as a standby
 * takes to notice; the query nodes that are left are compared with what was acknowledged all the time, row by row.
 */
export async function runFaults({ pauseSeconds, store }: FaultOptions): Promise<string[]> {
  const failures: string[] = [];
  await using parts = new AsyncDisposableStack();
  const makePlace = await startStore(store, parts);
  if (makePlace === undefined) return [`no server of ${store} is installed here`];
  for (const script of TOPOLOGIES) {
    const startedMs = performance.now();
    try {
      await using topology = await Topology.start(script, await makePlace());
      const rowCount = await topology.run((running) => troubleEach(running, pauseSeconds));
      const seconds = Math.round((performance.now() - startedMs) / 1_000);
      const count = topology.members.length;
      print(
        `  ${script} on ${store}: ${count} nodes hung for ${pauseSeconds} s each and were killed; ${rowCount} rows, the same on every node (${seconds} s)`,
      );
    } catch (error) {
      failures.push(`${script} on ${store}: ${String(error)}`);
    }
  }
  return failures;
}

/** Longer than a standby takes to be in office in place of one that died. */
const AWAY_MS = 12_000;

async function troubleEach(topology: Topology, pauseSeconds: number): Promise<void> {
  for (const member of topology.members) {
    await sleep(PHASE_MS);
    await topology.pause(member, pauseSeconds * 1_000);
    await sleep(PHASE_MS);
    await topology.compareNow();
    await topology.killAndStart(member, AWAY_MS);
  }
  await sleep(PHASE_MS);
}
