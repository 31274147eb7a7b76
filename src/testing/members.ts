/** Nodes of one cluster on a store of a test's, each with a clock of its own. */
import { utf8 } from "#base/bytes.ts";
import { findNode } from "#catalog/catalog-state.ts";
import type { NodeConfig } from "#node/config.ts";
import { IDENTIFY_PATH } from "#node/members/registration.ts";
import { Node } from "#node/node.ts";
import { memoryStore } from "#objectstore/memory.ts";
import type { ObjectStore } from "#ports/object-store.ts";
import type { Transport } from "#ports/transport.ts";
import type { HandClock } from "./hand-clock.ts";
import { nodeOptions } from "./started-node.ts";

/** A network in which host01 answers everybody. */
export const ANSWERING: Transport = {
  send: async (_address, { path }) => {
    const identity = { nodeId: "host01", clusterId: "cluster01", processId: "process-1" };
    return { status: 200, body: utf8(path === IDENTIFY_PATH ? JSON.stringify(identity) : "") };
  },
};

/** A node on `store` and its clock; `seed` differs between processes. */
export async function start(
  store: ObjectStore,
  seed: number,
  config: Partial<NodeConfig> = {},
  transport?: Transport,
) {
  const options = nodeOptions(store, seed, { config, ports: { ...(transport && { transport }) } });
  const node = await Node.start(options);
  const { clock } = options;
  return { node, clock, [Symbol.asyncDispose]: () => stop({ node, clock }) };
}

export interface Started {
  readonly node: Node;
  readonly clock: HandClock;
}

export async function stop({ node, clock }: Started): Promise<void> {
  const stopping = node.stop(10_000);
  await clock.advance(0);
  await Promise.race([stopping, clock.advance(20_000)]);
  await stopping;
}

/** A cluster of a writer, and of a node that does everything else. */
export async function pair(store: ObjectStore = memoryStore()) {
  const writer = await start(store, 1, { modes: ["ingest"] });
  const other = await start(store, 2, { nodeId: "host02", modes: ["query", "compact"] });
  return { store, writer, other };
}

export function recordOf({ node }: Started, nodeId = "host01") {
  return findNode(node.catalog.state, nodeId);
}

export async function keysOf(store: ObjectStore, prefix: string): Promise<readonly string[]> {
  return (await store.list(prefix)).map(({ key }) => key);
}
