import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { utf8 } from "#base/bytes.ts";
import { DbError } from "#base/errors.ts";
import { Catalog } from "#catalog/catalog.ts";
import { findNode } from "#catalog/catalog-state.ts";
import { memoryStore } from "#objectstore/memory.ts";
import type { ObjectStore } from "#ports/object-store.ts";
import type { Transport, TransportRequest } from "#ports/transport.ts";
import { neverAborted } from "#testing/logs.ts";
import { nodeOptions } from "#testing/started-node.ts";
import type { NodeConfig } from "../config.ts";
import { greetPeers, IDENTIFY_PATH, REFRESH_PATH, registerNode } from "./registration.ts";

const IN_USE = { kind: "conflict", code: "node_id_in_use" };

/** A network that answers with `answer`, and keeps what it was asked. */
class Network implements Transport {
  readonly asked: (TransportRequest & { readonly address: string })[] = [];
  readonly #answer: unknown;
  readonly #status: number;

  constructor(answer: unknown, status = 200) {
    this.#answer = answer;
    this.#status = status;
  }

  async send(address: string, request: TransportRequest) {
    this.asked.push({ ...request, address });
    if (this.#answer === undefined) throw new DbError("unavailable", "peer_unreachable", "silence");
    const text = typeof this.#answer === "string" ? this.#answer : JSON.stringify(this.#answer);
    return { status: this.#status, body: utf8(text) };
  }
}

const SILENCE = new Network(undefined);

/** Registers a process, whose number is `seed`, on `store`. */
async function register(
  store: ObjectStore,
  seed: number,
  some: { readonly config?: Partial<NodeConfig>; readonly transport?: Transport } = {},
) {
  const { config = {}, transport = SILENCE } = some;
  const options = nodeOptions(store, seed, { config, ports: { transport } });
  const catalog = new Catalog(options.config.clusterId, options.ports, neverAborted());
  const record = await registerNode({ ...options, catalog });
  return { options: { ...options, catalog }, catalog, record };
}

/** What a node tells who asks for it. */
function identity(some: Record<string, string> = {}) {
  return { nodeId: "host01", clusterId: "cluster01", processId: "process-1", ...some };
}

suite("registering a node", () => {
  test("makes the cluster once, and counts the starts of a node-id", async () => {
    const store = memoryStore();
    const first = await register(store, 1);
    assert.deepEqual(
      [first.record.number, first.record.epoch, first.record.state, first.record.hasLog],
      [1, 1, "running", true],
    );
    const again = await register(store, 2);
    assert.deepEqual([again.record.number, again.record.epoch], [1, 2]);
    assert.equal(again.record.instanceId, first.record.instanceId);
    const other = await register(store, 3, { config: { nodeId: "host02", modes: ["query"] } });
    assert.deepEqual([other.record.number, other.record.epoch], [2, 1]);
    assert.equal(other.record.hasLog, false);
    assert.deepEqual(other.catalog.state.cluster, first.catalog.state.cluster);
  });

  test("of two starts at once gives each an epoch of its own", async () => {
    const store = memoryStore();
    const both = await Promise.all([register(store, 1), register(store, 2)]);
    const epochs = both.map(({ record }) => record.epoch);
    assert.deepEqual(new Set(epochs), new Set([1, 2]));
  });

  test("a cluster-id that is a node-id is refused, and leaves nothing behind", async () => {
    const refused = { kind: "invalid", code: "cluster_id_is_node_id" };
    const store = memoryStore();
    await assert.rejects(register(store, 1, { config: { clusterId: "host01" } }), refused);
    assert.deepEqual(await store.list(""), []);
    await register(store, 1);
    const before = await store.list("");
    const config = { nodeId: "cluster01", clusterId: "cluster01" };
    await assert.rejects(register(store, 2, { config }), refused);
    assert.deepEqual(await store.list(""), before);
  });
});

suite("a node-id that the catalog says is running", () => {
  test("is kept by a process that answers as that node", async () => {
    const store = memoryStore();
    const { record } = await register(store, 1);
    const network = new Network(identity());
    await assert.rejects(register(store, 2, { transport: network }), {
      ...IN_USE,
      message:
        "a process at host01 runs as node-id host01 of cluster cluster01: stop it, or choose another --node-id",
    });
    assert.deepEqual(network.asked, [
      { address: record.address, method: "GET", path: IDENTIFY_PATH, timeoutMs: 2_000 },
    ]);
    const { catalog } = await register(store, 3);
    assert.equal(findNode(catalog.state, "host01")?.epoch, 2, "the refused one took no epoch");
  });

  const strangers: readonly [name: string, answer: Network][] = [
    ["silence", SILENCE],
    ["another node", new Network(identity({ nodeId: "host02" }))],
    ["a node of another cluster", new Network(identity({ clusterId: "cluster02" }))],
    ["this very process", new Network(identity({ processId: "process-2" }))],
    ["another program", new Network("<html>hello</html>")],
    ["JSON of another program", new Network({ status: "ok" })],
    ["an error", new Network(identity(), 500)],
  ];
  for (const [name, transport] of strangers) {
    test(`is taken over where ${name} answers`, async () => {
      const store = memoryStore();
      await register(store, 1);
      const { record } = await register(store, 2, { transport });
      assert.equal(record.epoch, 2);
    });
  }

  test("is not asked for when it has stopped", async () => {
    const store = memoryStore();
    const { catalog } = await register(store, 1);
    await catalog.setNodeState("stopped", 1n);
    const network = new Network(identity());
    await register(store, 2, { transport: network });
    assert.deepEqual(network.asked, []);
  });
});

suite("greeting", () => {
  test("tells every other node that runs, once, and does not mind silence", async () => {
    const store = memoryStore();
    await register(store, 1);
    const stopped = await register(store, 2, { config: { nodeId: "host02" } });
    await stopped.catalog.setNodeState("stopped", 1n);
    await register(store, 3, { config: { nodeId: "host03" } });
    const { options } = await register(store, 4, { config: { nodeId: "host04" } });
    const network = new Network(undefined);
    await greetPeers({ ...options, ports: { ...options.ports, transport: network } });
    assert.deepEqual(
      network.asked.map(({ address, method, path }) => [address, method, path]),
      [
        ["host01", "POST", REFRESH_PATH],
        ["host03", "POST", REFRESH_PATH],
      ],
    );
  });
});
