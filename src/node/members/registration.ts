import { fromUtf8 } from "#base/bytes.ts";
import { DbError } from "#base/errors.ts";
import { v } from "#base/schema.ts";
import { type Catalog, catalogPrefix } from "#catalog/catalog.ts";
import {
  type CatalogState,
  findNode,
  findRemovedNode,
  type NodeRecord,
} from "#catalog/catalog-state.ts";
import { nodeLogPrefix } from "#lifecycle/followers.ts";
import { probePutIfAbsent } from "#objectstore/probe.ts";
import type { NodeConfig } from "../config.ts";
import type { NodePorts } from "../ports.ts";

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
 * Rejects with `invalid` / `cluster_id_is_node_id`, `node_id_is_cluster_id` or `node_id_foreign` and, where a process answers as that node,
 * `conflict` / `node_id_in_use`; `node_removing` while the node-id is being removed. That question is courtesy; the fence in the node's log is the safety.
 */
export async function registerNode(options: RegistrationOptions): Promise<NodeRecord> {
  const { catalog, config, ports, address } = options;
  const { clock, coreCount, makeUuid } = ports;
  const state = await catalog.refresh();
  refuseClusterId(state, config);
  if (state.cluster === undefined) await refuseNodeAsCluster(options);
  if (!isKnown(state, config.nodeId)) await refuseForeignNode(options);
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
      cliParams: config.cliParams,
    },
    () => clock.nowNs(),
  );
}

/** Tells the other nodes that the catalog has something new, so that they need not wait for their next look. Nothing rests on it. */
export async function greetPeers({
  catalog,
  ports,
}: Pick<RegistrationOptions, "catalog" | "ports">): Promise<void> {
  const own = catalog.writer.node;
  const peers = [...catalog.state.nodes.values()].filter(
    ({ number, state }) => number !== own && (state === "running" || state === "stopping"),
  );
  const request = { method: "POST", path: REFRESH_PATH, timeoutMs: ASK_TIMEOUT_MS } as const;
  await Promise.allSettled(
    peers.map(({ address, number: node, epoch }) =>
      ports.transport.send(address, { ...request, to: { node, epoch } }),
    ),
  );
}

/** Whether a process answers as `node` where it is registered. */
export async function answersAs(
  { config, ports }: Pick<RegistrationOptions, "config" | "ports">,
  { address, nodeId }: NodeRecord,
): Promise<boolean> {
  const identity = await askIdentity(ports, address);
  return identity?.nodeId === nodeId && identity.clusterId === config.clusterId;
}

/** Rejects with `unsupported` / `store_unsafe`. */
export async function refuseUnsafeStore({
  config,
  ports,
}: Pick<RegistrationOptions, "config" | "ports">): Promise<void> {
  if (await probePutIfAbsent(ports.store, `${config.clusterId}/probe/`, ports.random)) return;
  throw new DbError(
    "unsupported",
    "store_unsafe",
    "the object store lets an object be put twice although the second put asks that it is absent: nodes on it would overwrite each other",
  );
}

function refuseClusterId(state: CatalogState, { clusterId, nodeId }: NodeConfig): void {
  if (clusterId === nodeId || findNode(state, clusterId) !== undefined)
    throw clusterIdIsNodeId(clusterId);
}

/** A new cluster does not take the name of a node of another cluster in the same store. */
async function refuseNodeAsCluster({ config, ports }: RegistrationOptions): Promise<void> {
  const { clusterId } = config;
  if (await hasObjects(ports, nodeLogPrefix(clusterId))) throw clusterIdIsNodeId(clusterId);
}

/** A new node does not go on with what somebody else has begun under its name. */
async function refuseForeignNode({ catalog, config, ports }: RegistrationOptions): Promise<void> {
  const { clusterId, nodeId } = config;
  if (await hasObjects(ports, catalogPrefix(nodeId))) {
    throw new DbError(
      "invalid",
      "node_id_is_cluster_id",
      `node-id ${nodeId} is the cluster-id of a cluster in this object store: choose another --node-id`,
      { detail: { nodeId } },
    );
  }
  if (!(await hasObjects(ports, nodeLogPrefix(nodeId)))) return;
  // Another process may have registered the node, and begun its log, since the catalog was read.
  if (isKnown(await catalog.refresh(), nodeId)) return;
  throw new DbError(
    "invalid",
    "node_id_foreign",
    `the object store has a log of a node ${nodeId} that cluster ${clusterId} does not know: it is another cluster's, or the catalog was removed`,
    { detail: { clusterId, nodeId } },
  );
}

function isKnown(state: CatalogState, nodeId: string): boolean {
  return findNode(state, nodeId) !== undefined || findRemovedNode(state, nodeId) !== undefined;
}

async function hasObjects({ store }: NodePorts, prefix: string): Promise<boolean> {
  return (await store.list(prefix, { countMax: 1 })).length > 0;
}

function clusterIdIsNodeId(clusterId: string): DbError {
  return new DbError(
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
