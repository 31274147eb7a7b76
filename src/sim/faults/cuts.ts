import type { SimCluster, SimHost } from "../sim-cluster.ts";

/** The network of `host`, or its way to one other, breaks for `durationMs`. The store is still reachable. */
export function cutSomewhere(
  { hosts, network, world }: SimCluster,
  { nodeId }: SimHost,
  durationMs: number,
): void {
  const other = hosts[world.below(hosts.length)] as SimHost;
  if (world.chance(0.5) || other.nodeId === nodeId) network.cut(nodeId, durationMs);
  else network.cutPair(nodeId, other.nodeId, durationMs);
}
