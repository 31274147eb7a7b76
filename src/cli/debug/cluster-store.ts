/** What the commands have in common that look into the object store of a cluster, without a node. */
import type { ObjectLogPorts } from "#objectlog/object-log.ts";
import { retryingStore } from "#objectstore/retrying.ts";
import { silentLog } from "#ports/log.ts";
import type { CommandInput } from "../command.ts";
import type { OptionSpec } from "../options.ts";
import { parseId } from "../serve/config.ts";
import { STORE_OPTIONS, storeConfig } from "../serve/store-options.ts";

export const CLUSTER_STORE_OPTIONS: readonly OptionSpec[] = [
  {
    name: "cluster-id",
    value: "CLUSTER_ID",
    about: "Name of the cluster",
    env: "INFLUXDB3_CLUSTER_ID",
  },
  { name: "json", about: "Print JSON" },
  ...STORE_OPTIONS.map((spec) => ({ ...spec, group: "Object store" })),
];

/** The cluster's name, and ports to read its logs with; `parts` closes what they hold. */
export async function openClusterStore(
  { settings, terminal }: CommandInput,
  parts: AsyncDisposableStack,
): Promise<{ readonly clusterId: string; readonly ports: ObjectLogPorts }> {
  const clusterId = settings.parse("cluster-id", parseId);
  const config = storeConfig(settings, { workingDirectory: process.cwd(), env: terminal.env });
  for (const warning of settings.warnings) terminal.error(`warning: ${warning}`);
  // Loaded here, so that the commands of a client do not wait for it.
  const { openStore, retriesOf } = await import("#node/real/open-store.ts");
  const { realClock: clock, realRandom: random } = await import("#node/real/machine.ts");
  const opened = await openStore(config, { clock, random, log: silentLog }, parts);
  const store = retryingStore(opened, clock, random, retriesOf(config));
  return { clusterId, ports: { store, clock, random, log: silentLog } };
}
