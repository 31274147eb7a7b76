import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { DbError } from "#base/errors.ts";
import { parseWriteToken, type WriteToken } from "#model/write-token.ts";
import { memoryStore } from "#objectstore/memory.ts";
import { settle } from "#testing/hand-clock.ts";
import { storeWith } from "#testing/logs.ts";
import { SmallNode } from "#testing/small-node.ts";

const FOREVER = new AbortController().signal;

/** Two nodes on one store, of which the second reads the first. */
async function twoNodes(store = memoryStore()) {
  const writer = await SmallNode.open({ store });
  const reader = await SmallNode.open({ store, nodeId: "host02", seed: 2 });
  await reader.catalog.refresh();
  const follower = reader.follow(writer);
  await follower.load();
  return {
    writer,
    reader,
    follower,
    async [Symbol.asyncDispose]() {
      await reader[Symbol.asyncDispose]();
      await writer[Symbol.asyncDispose]();
    },
  };
}

suite("taking a view", () => {
  test("reads on in the catalog as far as a log needs it", async () => {
    await using nodes = await twoNodes();
    const { writer, reader, follower } = nodes;
    await writer.write("m f=1 1");
    await follower.poll();
    assert.ok(reader.catalog.state.position < writer.catalog.state.position);
    using view = await reader.views.acquire([], FOREVER);
    assert.equal(view.catalog.position, writer.catalog.state.position);
    assert.equal(view.positionOf(writer.node), writer.writer.state.position);
  });

  test("reads on in the manifest as far as a log needs it", async () => {
    await using nodes = await twoNodes();
    const { writer, reader } = nodes;
    const office = await writer.manifest.takeOver();
    await writer.manifest.raiseBarrier(1);
    const needs = { catalog: 0, manifest: writer.manifest.state.position };
    reader.peers.splice(0, 1, { ...reader.source, state: { ...reader.source.state, needs } });
    using view = await reader.views.acquire([], FOREVER);
    assert.equal(view.manifest.position, writer.manifest.state.position);
    assert.equal(office.epoch, 1);
  });

  test("is refused while a log cannot be read on, also to those who bring a token", async () => {
    const trouble = new DbError("corrupt", "object_damaged", "an entry is damaged");
    await using node = await SmallNode.open();
    const { token = "" } = await node.write("m f=1 1");
    node.peers.push({ ...node.source, trouble });
    await assert.rejects(node.views.acquire([], FOREVER), trouble);
    await assert.rejects(node.views.acquire([parseWriteToken(token)], FOREVER), trouble);
    node.peers.pop();
    (await node.views.acquire([], FOREVER))[Symbol.dispose]();
  });

  test("that waits for the store ends with its signal", async () => {
    const inner = memoryStore();
    let hangs = false;
    const store = storeWith(inner, {
      get: (key) => (hangs ? new Promise(() => undefined) : inner.get(key)),
    });
    await using node = await SmallNode.open({ store });
    const leaving = new AbortController();
    hangs = true;
    const token: WriteToken = { catalog: 99, node: node.node, position: 1, stamp: 1n };
    const acquiring = assert.rejects(node.views.acquire([token], leaving.signal), /enough/);
    await settle();
    leaving.abort(new Error("enough"));
    await acquiring;
    hangs = false;
  });
});

suite("a view for tokens", () => {
  test("waits until the logs have the writes, and tells whose log to look into", async () => {
    const wanted: number[] = [];
    const store = memoryStore();
    await using writer = await SmallNode.open({ store });
    await using reader = await SmallNode.open({
      store,
      nodeId: "host02",
      seed: 2,
      views: { onWanted: ({ node, position }) => wanted.push(node, position) },
    });
    const follower = reader.follow(writer);
    await follower.load();
    const { token = "" } = await writer.write("m f=1 1");
    let seen: number | undefined;
    const reading = reader.rows("SELECT f FROM m", { tokens: [token] }).then((rows) => {
      seen = rows.length;
      return rows;
    });
    await reader.clock.advance(5_000);
    assert.equal(seen, undefined);
    assert.deepEqual(wanted, [writer.node, 2]);
    await follower.poll();
    assert.deepEqual(await reading, [{ f: 1 }]);
    assert.equal(reader.clock.sleeperCount, 0);
  });

  test("of several writes waits for all of them, once", async () => {
    await using nodes = await twoNodes();
    const { writer, reader, follower } = nodes;
    const first = (await writer.write("m f=1 1")).token ?? "";
    const second = (await writer.write("m f=2 2")).token ?? "";
    const waiting = assert.rejects(reader.rows("SELECT f FROM m", { tokens: [first, second] }), {
      kind: "unavailable",
      code: "token_timeout",
    });
    await reader.clock.advance(10_000);
    await waiting;
    await follower.poll();
    assert.equal((await reader.rows("SELECT f FROM m", { tokens: [second, first] })).length, 2);
  });

  test("of writes on several nodes waits for each of these", async () => {
    await using nodes = await twoNodes();
    const { writer, reader, follower } = nodes;
    const third = await SmallNode.open({ store: writer.store, nodeId: "host03", seed: 3 });
    await reader.catalog.refresh();
    const other = reader.follow(third);
    await other.load();
    const tokens = [await writer.write("m f=1 1"), await third.write("m f=2 2")].map(
      ({ token = "" }) => token,
    );
    let answered = false;
    const reading = reader.rows("SELECT f FROM m", { tokens }).finally(() => (answered = true));
    await settle();
    await follower.poll();
    await settle();
    assert.equal(answered, false);
    await other.poll();
    assert.equal((await reading).length, 2);
    await third[Symbol.asyncDispose]();
  });

  test("does not wait longer than it may, nor for who has left", async () => {
    await using node = await SmallNode.open();
    const token = { catalog: 0, node: node.node, position: 99, stamp: 1n };
    const late = assert.rejects(node.views.acquire([token], FOREVER), {
      code: "token_timeout",
      message: "this node does not have entry 99 of node number 1 after 10000 ms: ask again",
    });
    const leaving = new AbortController();
    const left = assert.rejects(node.views.acquire([token], leaving.signal), /gone/);
    await settle();
    leaving.abort(new Error("gone"));
    await left;
    await node.clock.advance(10_000);
    await late;
    assert.equal(node.clock.sleeperCount, 0);
  });

  test("of a node that the catalog does not have, or whose log is adopted so far, does not wait", async () => {
    await using node = await SmallNode.open();
    const gone = { catalog: 0, node: (node.node + 7) as typeof node.node, position: 9, stamp: 1n };
    (await node.views.acquire([gone], FOREVER))[Symbol.dispose]();
    await node.write("m f=1 1");
    await node.snapshotter.take(FOREVER);
    const office = await node.manifest.takeOver();
    const body = { node: node.node, through: 50, stamp: 1n, files: [] };
    const needs = { catalog: node.catalog.state.position, manifest: 0 };
    await node.manifest.publish(office, () => ({ kind: "adopt", body, needs }));
    const adopted = { catalog: 0, node: node.node, position: 50, stamp: 1n };
    (await node.views.acquire([adopted], FOREVER))[Symbol.dispose]();
  });

  test("of a catalog version that is not there is refused at once", async () => {
    await using node = await SmallNode.open();
    const token = { catalog: 99, node: node.node, position: 1, stamp: 1n };
    await assert.rejects(node.views.acquire([token], FOREVER), {
      kind: "unavailable",
      code: "log_behind",
    });
  });
});
