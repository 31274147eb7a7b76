import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { DbError } from "#base/errors.ts";
import { memoryStore } from "#objectstore/memory.ts";
import type { ObjectStore } from "#ports/object-store.ts";
import { settle } from "#testing/hand-clock.ts";
import { storeWith } from "#testing/logs.ts";
import { SmallNode } from "#testing/small-node.ts";
import { Followers } from "./followers.ts";

/** A reader that follows every node of its catalog, on `store`. */
async function reading(store: ObjectStore) {
  const node = await SmallNode.open({ store, nodeId: "reader", seed: 9 });
  const { buffer, catalog, manifest, ports, logsChanged: changed } = node;
  const warnings: string[] = [];
  const followers = new Followers({
    catalog,
    manifest,
    buffer,
    ports: { ...ports, log: { ...ports.log, warn: (message) => warnings.push(message) } },
    changed,
    own: node.node,
    keepRows: true,
    peerRowsSizeMax: 2 ** 30,
    intervalMs: 250,
  });
  const end = new AbortController();
  return {
    node,
    followers,
    warnings,
    end,
    positions: () => [...followers.all()].map(({ state }) => state.position),
    async [Symbol.asyncDispose]() {
      end.abort();
      await node[Symbol.asyncDispose]();
    },
  };
}

suite("the followers of a process", () => {
  test("load the log of every other node that has one, and read on", async () => {
    const store = memoryStore();
    await using first = await SmallNode.open({ store });
    await using second = await SmallNode.open({ store, nodeId: "host02", seed: 2 });
    await using reader = await reading(store);
    await reader.followers.load();
    assert.deepEqual(reader.positions(), [1, 1]);
    const running = reader.followers.run(reader.end.signal);
    await first.write("m f=1 1");
    await second.write("m f=1 1");
    await second.write("m f=1 2");
    await reader.node.clock.advance(300);
    assert.deepEqual(reader.positions(), [2, 3]);
    reader.end.abort();
    await running;
    assert.equal(reader.node.clock.sleeperCount, 0);
  });

  test("take a new node as soon as the catalog names it", async () => {
    const store = memoryStore();
    await using reader = await reading(store);
    const running = reader.followers.run(reader.end.signal);
    await settle();
    assert.deepEqual(reader.positions(), []);
    assert.equal(reader.node.clock.sleeperCount, 0, "nobody looks again and again");
    await using first = await SmallNode.open({ store });
    await using second = await SmallNode.open({ store, nodeId: "host02", seed: 2 });
    await reader.node.catalog.refresh();
    await settle();
    assert.deepEqual(reader.positions(), [1, 1]);
    await first.write("m f=1 1");
    await second.write("m f=1 1");
    await reader.node.clock.advance(300);
    assert.deepEqual(reader.positions(), [2, 2]);
    reader.end.abort();
    await running;
  });

  test("leave the log of a node that was removed, with its rows, and take it again when it comes back", async () => {
    const store = memoryStore();
    await using first = await SmallNode.open({ store });
    await first.write("m f=1 1");
    await using reader = await reading(store);
    await reader.followers.load();
    const { catalog, buffer, clock } = reader.node;
    const running = reader.followers.run(reader.end.signal);
    await clock.advance(300);
    assert.equal(buffer.rowCount, 1);
    await catalog.transact(() => [
      { kind: "set_node_state", number: first.node, state: "removing", updatedAtNs: 1n },
      { kind: "remove_node", number: first.node },
    ]);
    await settle();
    assert.deepEqual([reader.positions(), buffer.rowCount], [[], 0]);
    assert.equal(clock.sleeperCount, 0, "nobody looks again and again");
    await using again = await SmallNode.open({ store, seed: 2 });
    await again.write("m f=2 2");
    await catalog.refresh();
    await clock.advance(300);
    assert.deepEqual([reader.positions(), buffer.rowCount], [[4], 2]);
    reader.end.abort();
    await running;
  });

  test("show every row of a node that came back while its log was still read for its removed self", async () => {
    const inner = memoryStore();
    const gate = Promise.withResolvers<void>();
    let shut = false;
    const store = storeWith(inner, {
      async get(key) {
        if (shut && key.startsWith("host01/log/entry/")) await gate.promise;
        return inner.get(key);
      },
    });
    await using first = await SmallNode.open({ store: inner });
    await using reader = await reading(store);
    await reader.followers.load();
    const { catalog, buffer, clock } = reader.node;
    const running = reader.followers.run(reader.end.signal);
    await settle();
    shut = true;
    await clock.advance(300);
    await first.catalog.refresh();
    await first.catalog.transact(() => [
      { kind: "set_node_state", number: first.node, state: "removing", updatedAtNs: 1n },
      { kind: "remove_node", number: first.node },
    ]);
    await catalog.refresh();
    await settle();
    await using again = await SmallNode.open({ store: inner, seed: 2 });
    await again.write("m f=2 2");
    await catalog.refresh();
    await settle();
    gate.resolve();
    await clock.advance(300);
    assert.deepEqual([reader.positions(), buffer.rowCount], [[3], 1]);
    reader.end.abort();
    await running;
  });

  test("a token makes the log of its node looked into, and no other", async () => {
    const inner = memoryStore();
    const listed: string[] = [];
    const store = storeWith(inner, {
      list: (prefix, options) => {
        listed.push(prefix);
        return inner.list(prefix, options);
      },
    });
    await using first = await SmallNode.open({ store: inner });
    await using second = await SmallNode.open({ store: inner, nodeId: "host02", seed: 2 });
    await using reader = await reading(store);
    await reader.followers.load();
    listed.length = 0;
    reader.followers.want(second.node, 1_000);
    reader.followers.want((second.node + 70) as typeof first.node, 1_000);
    const running = reader.followers.run(reader.end.signal);
    await settle();
    assert.deepEqual(new Set(listed), new Set(["host02/log/checkpoint/", "host02/log/entry/"]));
    reader.end.abort();
    await running;
  });

  test("a push moves the log of its node; one of a node that nobody follows is passed over", async () => {
    const store = memoryStore();
    await using first = await SmallNode.open({ store });
    await using second = await SmallNode.open({ store, nodeId: "host02", seed: 2 });
    await using reader = await reading(store);
    reader.followers.hear({ node: first.node, position: 2 });
    await reader.followers.load();
    const running = reader.followers.run(reader.end.signal);
    await settle();
    await first.write("m f=1 1");
    await second.write("m f=1 1");
    reader.followers.hear({ node: second.node, position: 2 });
    reader.followers.hear({ node: (second.node + 70) as typeof first.node, position: 2 });
    reader.followers.hear({ node: reader.node.node, position: 2 });
    await settle();
    assert.deepEqual(reader.positions(), [1, 2]);
    reader.end.abort();
    await running;
  });

  test("the log of a new node that cannot be read is shown with its trouble, until it can", async () => {
    const inner = memoryStore();
    let failure: DbError | undefined = new DbError("unsupported", "record_unknown", "too new");
    const store = storeWith(inner, {
      get: async (key) => {
        if (failure !== undefined && key.startsWith("host01/log/")) throw failure;
        return inner.get(key);
      },
    });
    await using reader = await reading(store);
    const running = reader.followers.run(reader.end.signal);
    await using writer = await SmallNode.open({ store: inner });
    await writer.write("m f=1 1");
    await reader.node.catalog.refresh();
    await settle();
    const [follower] = reader.followers.all();
    assert.equal(follower?.trouble, failure);
    failure = undefined;
    await reader.node.clock.advance(10_000);
    assert.deepEqual(reader.positions(), [2]);
    assert.equal(follower?.trouble, undefined);
    reader.end.abort();
    await running;
  });

  test("a store that does not answer makes a new node wait, and no other", async () => {
    const inner = memoryStore();
    let broken = true;
    const store = storeWith(inner, {
      get: async (key) => {
        if (broken && key.startsWith("host01/log/"))
          throw new DbError("unavailable", "store_unreachable", "no answer");
        return inner.get(key);
      },
    });
    await using first = await SmallNode.open({ store: inner });
    await using second = await SmallNode.open({ store: inner, nodeId: "host02", seed: 2 });
    await using reader = await reading(store);
    await assert.rejects(reader.followers.load(), { code: "store_unreachable" });
    const running = reader.followers.run(reader.end.signal);
    await first.write("m f=1 1");
    await second.write("m f=1 1");
    await reader.node.clock.advance(2_000);
    assert.deepEqual(reader.positions(), [2]);
    assert.ok(reader.warnings.length >= 1);
    broken = false;
    await reader.node.clock.advance(2_000);
    assert.deepEqual(reader.positions(), [2, 2]);
    reader.end.abort();
    await running;
    assert.equal(reader.node.clock.sleeperCount, 0);
  });
});
