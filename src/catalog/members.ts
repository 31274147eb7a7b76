/**
 * What is decided about nodes other than the one that decides: pure functions of a state, for `Catalog.transact`. What a node says of
 * itself stands in catalog.ts.
 */
import { DbError } from "#base/errors.ts";
import type { Writer } from "#objectlog/shared-log.ts";
import { type CatalogState, findNode, type NodeRecord } from "./catalog-state.ts";
import type { CatalogChange } from "./changes.ts";

type Changes = readonly CatalogChange[];

/** Throws `not_found` / `node_not_found`. */
export function requireNode(state: CatalogState, nodeId: string): NodeRecord {
  const node = findNode(state, nodeId);
  if (node !== undefined) return node;
  throw new DbError(
    "not_found",
    "node_not_found",
    `node not found: ${nodeId}; system.nodes lists those of this cluster`,
    { detail: { nodeId } },
  );
}

/** Marks the node as `stopping`; nothing where it is marked. Throws `invalid` / `node_already_stopped`, or `node_not_found`. */
export function askToStop(state: CatalogState, nodeId: string, nowNs: bigint): Changes {
  const node = requireNode(state, nodeId);
  if (node.state === "stopping") return [];
  if (node.state === "running") return [stateChange(node, "stopping", nowNs)];
  throw new DbError(
    "invalid",
    "node_already_stopped",
    `tried to stop a node (${nodeId}) that is already stopped`,
    { detail: { nodeId, state: node.state } },
  );
}

/**
 * Marks the node as `removing`; nothing where it is marked. Throws `conflict` / `node_not_stopped`, `node_compacts` where nobody
 * would be left to compact, or `node_not_found`.
 */
export function askToRemove(state: CatalogState, nodeId: string, nowNs: bigint): Changes {
  const node = requireNode(state, nodeId);
  if (node.state === "removing") return [];
  if (node.state !== "stopped") {
    throw new DbError(
      "conflict",
      "node_not_stopped",
      `node '${nodeId}' is not fully stopped (current state: ${node.state})`,
      { detail: { nodeId, state: node.state } },
    );
  }
  if (node.modes.includes("compact") && !hasOtherCompactor(state, node)) {
    throw new DbError(
      "conflict",
      "node_compacts",
      `node '${nodeId}' has compact mode and cannot be removed while no other node with mode compact is running`,
      { detail: { nodeId } },
    );
  }
  return [stateChange(node, "removing", nowNs)];
}

/** The next epoch of a node that is in `state`, for who closes its log, and what the node is in it; undefined where it is not. */
export function takeEpoch(
  { nodes }: CatalogState,
  { number, state }: Pick<NodeRecord, "number" | "state">,
): { readonly writer: Writer; readonly node: NodeRecord } | undefined {
  const node = nodes.get(number);
  if (node?.state !== state) return undefined;
  const epoch = node.epoch + 1;
  return { writer: { node: number, epoch }, node: { ...node, epoch } };
}

/** Marks a node as `stopped` whose log `closer` has closed; nothing where somebody has taken a later epoch. */
export function markStopped(state: CatalogState, closer: Writer, nowNs: bigint): Changes {
  const node = state.nodes.get(closer.node);
  if (node?.epoch !== closer.epoch || node.state !== "stopping") return [];
  return [stateChange(node, "stopped", nowNs)];
}

/** Forgets a node whose log `closer` has closed; nothing where somebody has taken a later epoch. */
export function forgetNode(state: CatalogState, closer: Writer): Changes {
  const node = state.nodes.get(closer.node);
  if (node?.epoch !== closer.epoch || node.state !== "removing") return [];
  return [{ kind: "remove_node", number: node.number }];
}

function stateChange(
  { number }: NodeRecord,
  state: NodeRecord["state"],
  updatedAtNs: bigint,
): CatalogChange {
  return { kind: "set_node_state", number, state, updatedAtNs };
}

function hasOtherCompactor({ nodes }: CatalogState, { number }: NodeRecord): boolean {
  return [...nodes.values()].some(
    (other) =>
      other.number !== number && other.state === "running" && other.modes.includes("compact"),
  );
}
