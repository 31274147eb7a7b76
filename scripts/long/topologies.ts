import { setTimeout as sleep } from "node:timers/promises";
import { print } from "./output.ts";
import { startStore } from "./stores.ts";
import { PHASE_MS, TOPOLOGIES, Topology } from "./topology.ts";

/**
 * Runs every topology of examples/ on each of `stores`; writes all the time, kills and restarts each node in turn, and compares the
 * answers of all query nodes with what was acknowledged, row by row.
 */
export async function runTopologies({ stores }: { stores: readonly string[] }): Promise<string[]> {
  const failures: string[] = [];
  for (const store of stores) {
    await using parts = new AsyncDisposableStack();
    const makePlace = await startStore(store, parts);
    if (makePlace === undefined) {
      print(`  ${store}: no server of it is installed here; left out`);
      continue;
    }
    for (const script of TOPOLOGIES) {
      const startedMs = performance.now();
      try {
        await using topology = await Topology.start(script, await makePlace());
        const rowCount = await topology.run(killEach);
        const seconds = Math.round((performance.now() - startedMs) / 1_000);
        print(`  ${script} on ${store}: ${rowCount} rows, the same on every node (${seconds} s)`);
      } catch (error) {
        failures.push(`${script} on ${store}: ${String(error)}`);
      }
    }
  }
  return failures;
}

/** Kills one node after the other, and starts each again where it was. */
async function killEach(topology: Topology): Promise<void> {
  for (const member of topology.members) {
    await sleep(PHASE_MS);
    await topology.compareNow();
    await topology.killAndStart(member, PHASE_MS / 4);
  }
  await sleep(PHASE_MS);
}
