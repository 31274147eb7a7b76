/** Rule 1: what a store must keep. */
import type { ObjectStore } from "#ports/object-store.ts";
import type { Process } from "../process.ts";
import { SimCluster } from "../sim-cluster.ts";
import { NO_STORE_FAULTS, SimStore } from "../sim-store.ts";
import type { Stage } from "./stage.ts";

/** Rule 1. On such a store the fence of a new epoch would replace an acknowledged flush. */
export async function storeThatOverwrites({ world, violations }: Stage): Promise<void> {
  const options = [{ nodeId: "host01", modes: ["ingest"] as const, config: {} }];
  const honest = new SimCluster(world, new SimStore(world, NO_STORE_FAULTS), options).hosts[0];
  const unsafe = new SimCluster(world, new OverwritingStore(world, NO_STORE_FAULTS), options)
    .hosts[0];
  const good = honest?.start();
  await good?.started;
  if (good?.node === undefined) violations.push("a node does not start on a store that is sound");
  const bad = unsafe?.start();
  await bad?.started;
  if (bad?.ended?.code !== "store_unsafe")
    violations.push("a node starts on a store that overwrites what is there");
}

/** A bucket that takes put-if-absent for put. */
class OverwritingStore extends SimStore {
  override of(process: Process): ObjectStore {
    const honest = super.of(process);
    return { ...honest, putIfAbsent: (key, body) => honest.put(key, body) };
  }
}
