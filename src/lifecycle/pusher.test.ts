import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { utf8 } from "#base/bytes.ts";
import { DbError } from "#base/errors.ts";
import { Catalog } from "#catalog/catalog.ts";
import { memoryStore } from "#objectstore/memory.ts";
import { silentLog } from "#ports/log.ts";
import type { ObjectStore } from "#ports/object-store.ts";
import type { Transport, TransportAnswer } from "#ports/transport.ts";
import { HandClock, settle } from "#testing/hand-clock.ts";
import { logPorts, neverAborted } from "#testing/logs.ts";
import { decodePush, PUSH_PATH, Pusher } from "./pusher.ts";

const TAKEN: TransportAnswer = { status: 202, body: new Uint8Array(0) };
const SILENCE = new DbError("unavailable", "peer_unreachable", "no answer");

/** Registers a node of these modes, whose address is its node-id. */
async function register(store: ObjectStore, nodeId: string, modes: readonly string[], seed = 1) {
  const catalog = new Catalog("cluster01", logPorts(store, seed), neverAborted());
  await catalog.refresh();
  await catalog.createCluster({ uuid: "uuid", secret: "secret" });
  const rest = { instanceId: nodeId, address: nodeId, coreCount: 1, hasLog: true };
  await catalog.register({ nodeId, modes, ...rest }, () => BigInt(seed));
  return catalog;
}

/** A network that notes what was pushed where, and answers as the test says. */
class Network implements Transport {
  readonly pushed: string[] = [];
  answer: (address: string) => Promise<TransportAnswer> = async () => TAKEN;

  async send(address: string, { method, path, body }: Parameters<Transport["send"]>[1]) {
    assert.equal(`${method} ${path}`, `POST ${PUSH_PATH}`);
    const { node, position } = decodePush(body ?? utf8(""));
    this.pushed.push(`${address}: node ${node} at ${position}`);
    return this.answer(address);
  }

  /** What was pushed since this was asked last. */
  take(): readonly string[] {
    return this.pushed.splice(0);
  }
}

/** The pusher of node host01, which has a peer that answers queries. */
async function pushing() {
  const store = memoryStore();
  const catalog = await register(store, "host01", ["ingest", "query"]);
  const reader = await register(store, "reader", ["query"], 2);
  await catalog.refresh();
  const clock = new HandClock();
  const network = new Network();
  const pusher = new Pusher({ catalog, transport: network, clock, log: silentLog });
  const end = new AbortController();
  const running = pusher.run(end.signal);
  return {
    store,
    catalog,
    reader,
    clock,
    network,
    pusher,
    async [Symbol.asyncDispose]() {
      end.abort();
      await running;
      assert.equal(clock.sleeperCount, 0, "no timer outlives it");
    },
  };
}

suite("pushes", () => {
  test("go to the other nodes that answer queries, when an entry stands in the log", async () => {
    await using world = await pushing();
    const { catalog, network, pusher, store } = world;
    await register(store, "second", ["query", "compact"], 3);
    await register(store, "writer", ["ingest"], 4);
    await catalog.refresh();
    await settle();
    pusher.settled(7);
    await settle();
    assert.deepEqual(network.take(), ["reader: node 1 at 7", "second: node 1 at 7"]);
    await settle();
    assert.deepEqual(network.take(), [], "once");
  });

  test("go to a node that starts later, and not to one that has stopped", async () => {
    await using world = await pushing();
    const { catalog, network, pusher, reader, store } = world;
    await reader.setNodeState("stopped", 5n);
    await catalog.refresh();
    pusher.settled(2);
    await settle();
    assert.deepEqual(network.take(), []);
    await register(store, "reader", ["query"], 3);
    await catalog.refresh();
    pusher.settled(3);
    await settle();
    assert.deepEqual(network.take(), ["reader: node 1 at 3"]);
  });

  test("wait for nobody: a slow peer is told the newest position when it has answered, however many came", async () => {
    await using world = await pushing();
    const { network, pusher } = world;
    const slow = Promise.withResolvers<TransportAnswer>();
    network.answer = () => slow.promise;
    for (let position = 2; position <= 1_000; position++) {
      pusher.settled(position);
      if (position === 2) await settle();
    }
    await settle();
    assert.deepEqual(network.take(), ["reader: node 1 at 2"]);
    slow.resolve(TAKEN);
    await settle();
    assert.deepEqual(network.take(), ["reader: node 1 at 1000"]);
    assert.deepEqual(pusher.counts, { sent: 2, failed: 0, merged: 997 + 1 });
  });

  test("leave a peer that does not take them alone for a second, and no other", async () => {
    await using world = await pushing();
    const { catalog, clock, network, pusher, store } = world;
    await register(store, "second", ["query"], 3);
    await catalog.refresh();
    await settle();
    for (const refusal of [
      () => Promise.reject(SILENCE),
      async () => ({ status: 404, body: utf8("not found") }),
    ]) {
      network.answer = async (address) => (address === "reader" ? refusal() : TAKEN);
      const failed = pusher.counts.failed;
      pusher.settled(2);
      await settle();
      network.take();
      for (const position of [3, 4]) {
        pusher.settled(position);
        await clock.advance(400);
      }
      assert.deepEqual(network.take(), ["second: node 1 at 3", "second: node 1 at 4"]);
      network.answer = async () => TAKEN;
      await clock.advance(300);
      assert.deepEqual(network.take(), ["reader: node 1 at 4"]);
      assert.equal(pusher.counts.failed, failed + 1);
      pusher.settled(1);
      await settle();
    }
  });

  test("end when they are told to, although a peer never answers", async () => {
    await using world = await pushing();
    world.network.answer = () => new Promise(() => undefined);
    world.pusher.settled(2);
    await settle();
    assert.equal(world.network.pushed.length, 1);
  });
});

test("what is no push is refused", () => {
  const bodies = [
    "",
    "{",
    "null",
    '{"node":1}',
    '{"node":0,"position":1}',
    '{"node":1,"position":1.5}',
  ];
  for (const body of [
    ...bodies,
    '{"node":1,"position":"2"}',
    '{"node":1,"position":9007199254740992}',
  ])
    assert.throws(() => decodePush(utf8(body)), { kind: "invalid", code: "push_malformed" }, body);
  assert.throws(() => decodePush(Uint8Array.of(255)), { code: "push_malformed" });
  assert.deepEqual(decodePush(utf8('{"node":3,"position":9,"later":true}')), {
    node: 3,
    position: 9,
  });
});
