import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { DbError } from "#base/errors.ts";
import { memoryStore } from "#objectstore/memory.ts";
import { storeWith } from "#testing/logs.ts";
import { pair, recordOf, type Started, start, stop } from "#testing/members.ts";
import { EXIT_REPLACED, endOf } from "./ending.ts";

suite("a process that meets a later epoch of its node", () => {
  test("because the node was stopped in its place ends in order, and is not to be started again", async () => {
    const { writer, other } = await pair();
    await other.node.stopNode("host01");
    await other.clock.advance(10_000);
    const end = await endOfFenced(writer);
    assert.equal(end.exitCode, 0);
    assert.match(end.message, /^node host01 was stopped while this process did not answer/);
    await stop(writer);
    await stop(other);
  });

  test("because the node was removed ends in order as well", async () => {
    const { writer, other } = await pair();
    await other.node.stopNode("host01");
    await other.clock.advance(10_000);
    await other.node.removeNode("host01");
    const going = await endOf(fenced(), {
      ...writer,
      nodeId: "host01",
      catalog: writer.node.catalog,
    });
    assert.equal(going.exitCode, 0);
    assert.match(going.message, /^node host01 was stopped and is being removed/);
    await other.clock.advance(10_000);
    const end = await endOfFenced(writer);
    assert.equal(end.exitCode, 0);
    assert.match(end.message, /^node host01 was removed from the cluster while/);
    await stop(writer);
    await stop(other);
  });

  test("because another process has its node-id ends with a code of its own, and names that process", async () => {
    const store = memoryStore();
    const before = await start(store, 1);
    await using after = await start(store, 2);
    assert.equal(recordOf(after)?.epoch, 2);
    const end = await endOfFenced(before);
    assert.equal(end.exitCode, EXIT_REPLACED);
    assert.match(
      end.message,
      /another process at host01 \(epoch 2, this one is 1\) has taken over node-id host01/,
    );
    await stop(before);
  });

  test("and does not reach the store goes by what it read last", async () => {
    const inner = memoryStore();
    let silent = false;
    const store = storeWith(inner, {
      get: (key) => (silent ? new Promise(() => undefined) : inner.get(key)),
    });
    const alone = await start(store, 1);
    silent = true;
    const ending = endOf(fenced(), { ...alone, nodeId: "host01", catalog: alone.node.catalog });
    await alone.clock.advance(2_000);
    const { exitCode, message } = await ending;
    assert.equal(exitCode, EXIT_REPLACED, "nobody knows whether it is wanted");
    assert.match(message, /does not say yet by whom/);
    silent = false;
    await stop(alone);
  });

  test("is not what fails for another reason", async () => {
    await using alone = await start(memoryStore(), 1);
    const damage = new DbError("corrupt", "log_hole", "an entry is gone");
    const end = await endOf(damage, { ...alone, nodeId: "host01", catalog: alone.node.catalog });
    assert.deepEqual(end, { exitCode: 1, message: "Serve command failed: an entry is gone" });
  });
});

/** How the process of `started` ends, which has met one. */
async function endOfFenced({ node, clock }: Started) {
  await node.refresh().catch(() => undefined);
  return endOf(await node.failure, { nodeId: "host01", catalog: node.catalog, clock });
}

function fenced(): DbError {
  return new DbError("conflict", "node_fenced", "a later epoch");
}
