import { fromUtf8 } from "#base/bytes.ts";
import { DbError } from "#base/errors.ts";
import { v } from "#base/schema.ts";
import type { Catalog } from "#catalog/catalog.ts";
import { type CatalogState, findNode, type NodeRecord } from "#catalog/catalog-state.ts";
import type { NodeConfig } from "./config.ts";
import type { NodePorts } from "./ports.ts";

/** Where a node tells who it is. */
export const IDENTIFY_PATH = "/api/v3/tidelake/node";
/** Where a node is told that the catalog has something new. */
export const REFRESH_PATH = "/api/v3/tidelake/refresh";

const ASK_TIMEOUT_MS = 2_000;

const identitySchema = v.object({
  nodeId: v.string(),
  clusterId: v.string(),
  processId: v.string(),
});

export interface RegistrationOptions {
  readonly config: NodeConfig;
  readonly ports: NodePorts;
  readonly catalog: Catalog;
  /** `host:port` where other nodes find this one. */
  readonly address: string;
  readonly processId: string;
}

/**
 * Takes the node-id for this process, in its next epoch.
 *
 * Rejects with `invalid` / `cluster_id_is_node_id` and, where a process answers as that node, `conflict` / `node_id_in_use`. That question is
 * courtesy; the fence in the node's log is the safety.
 */
export async function registerNode(options: RegistrationOptions): Promise<NodeRecord> {
  const { catalog, config, ports, address } = options;
  const { clock, coreCount, makeUuid } = ports;
  const state = await catalog.refresh();
  refuseClusterId(state, config);
  await refuseWhenAlive(options, findNode(state, config.nodeId));
  await catalog.createCluster({ uuid: makeUuid(), secret: makeUuid() + makeUuid() });
  return catalog.register(
    {
      nodeId: config.nodeId,
      instanceId: makeUuid(),
      modes: config.modes,
      address,
      coreCount,
      hasLog: config.modes.includes("ingest"),
    },
    () => clock.nowNs(),
  );
}

/** Tells the other nodes that this one is new, so that they need not wait for their next look. Nothing rests on it. */
export async function greetPeers({ catalog, ports }: RegistrationOptions): Promise<void> {
  const own = catalog.writer.node;
  const peers = [...catalog.state.nodes.values()].filter(
    ({ number, state }) => number !== own && state === "running",
  );
  const request = { method: "POST", path: REFRESH_PATH, timeoutMs: ASK_TIMEOUT_MS } as const;
  await Promise.allSettled(peers.map(({ address }) => ports.transport.send(address, request)));
}

function refuseClusterId(state: CatalogState, { clusterId, nodeId }: NodeConfig): void {
  if (clusterId !== nodeId && findNode(state, clusterId) === undefined) return;
  throw new DbError(
    "invalid",
    "cluster_id_is_node_id",
    "cluster-id cannot match any node-id in the cluster",
    { detail: { clusterId } },
  );
}

async function refuseWhenAlive(
  { config, ports, processId }: RegistrationOptions,
  registered: NodeRecord | undefined,
): Promise<void> {
  if (registered === undefined || registered.state === "stopped") return;
  const identity = await askIdentity(ports, registered.address);
  const other = identity !== undefined && identity.processId !== processId;
  if (!other || identity.nodeId !== config.nodeId || identity.clusterId !== config.clusterId)
    return;
  throw new DbError(
    "conflict",
    "node_id_in_use",
    `a process at ${registered.address} runs as node-id ${config.nodeId} of cluster ${config.clusterId}: stop it, or choose another --node-id`,
    { detail: { nodeId: config.nodeId, address: registered.address } },
  );
}

/** Who answers at `address`; undefined for silence, and for answers that are not a node's. */
async function askIdentity({ transport }: NodePorts, address: string) {
  try {
    const request = { method: "GET", path: IDENTIFY_PATH, timeoutMs: ASK_TIMEOUT_MS } as const;
    const { status, body } = await transport.send(address, request);
    if (status !== 200) return undefined;
    const answer = v.safeParse(identitySchema, JSON.parse(fromUtf8(body)));
    return answer.success ? answer.output : undefined;
  } catch {
    return undefined;
  }
}
