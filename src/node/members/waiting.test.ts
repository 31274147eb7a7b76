import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { memoryStore } from "#objectstore/memory.ts";
import type { ObjectStore } from "#ports/object-store.ts";
import { nodeOptions } from "#testing/started-node.ts";
import type { NodeConfig } from "../config.ts";
import { Node } from "../node.ts";
import { waitForOthers } from "./waiting.ts";

/** A node on `store`, and how it waits for others. */
async function waiter(store: ObjectStore, config: Partial<NodeConfig>) {
  const options = nodeOptions(store, 1, {
    config: { nodeId: "waiter", modes: ["query"], ingesterWaitMsMax: 10_000, ...config },
  });
  const node = await Node.start(options);
  const warnings: string[] = [];
  const end = new AbortController();
  let done = false;
  const wait = async () => {
    const log = {
      ...options.ports.log,
      warn: (message: string) => {
        warnings.push(message);
      },
    };
    const { clock, config: own } = options;
    await waitForOthers({ config: own, catalog: node.catalog, clock, log }, end.signal);
    done = true;
  };
  const waited = wait();
  return {
    clock: options.clock,
    warnings,
    end,
    waited,
    isDone: () => done,
    [Symbol.asyncDispose]: () => node.stop(1_000),
  };
}

suite("a node that answers queries", () => {
  test("waits for one that takes writes, until it is there", async () => {
    const store = memoryStore();
    await using waiting = await waiter(store, {});
    await waiting.clock.advance(2_000);
    assert.equal(waiting.isDone(), false);
    const other = await Node.start(nodeOptions(store, 2, { config: { nodeId: "writer" } }));
    await waiting.clock.advance(1_000);
    assert.equal(waiting.isDone(), true);
    assert.deepEqual(waiting.warnings, []);
    await other.stop(1_000);
  });

  test("does not wait where the cluster has one, though it has stopped", async () => {
    const store = memoryStore();
    const other = await Node.start(nodeOptions(store, 2, { config: { nodeId: "writer" } }));
    await other.stop(1_000);
    await using waiting = await waiter(store, {});
    await waiting.waited;
    assert.deepEqual(waiting.warnings, []);
  });

  test("goes on without after a while, and says so", async () => {
    await using waiting = await waiter(memoryStore(), {});
    await waiting.clock.advance(9_900);
    assert.equal(waiting.isDone(), false);
    await waiting.clock.advance(100);
    assert.equal(waiting.isDone(), true);
    assert.deepEqual(waiting.warnings, ["no node runs in a mode that this one waited for"]);
  });

  test("stops waiting when it is told to", async () => {
    await using waiting = await waiter(memoryStore(), {});
    await waiting.clock.advance(1_000);
    waiting.end.abort();
    await waiting.waited;
  });

  for (const config of [
    { ingesterWaitMsMax: 0 },
    { modes: ["ingest", "query"] },
    { modes: ["compact"] },
    { ingesterWaitMsMax: undefined },
  ] as const)
    test(`does not wait with ${JSON.stringify(config)}`, async () => {
      await using waiting = await waiter(memoryStore(), config);
      await waiting.waited;
      assert.deepEqual(waiting.warnings, []);
    });
});

test("a node waits for a compactor only as long as it is told to", async () => {
  await using waiting = await waiter(memoryStore(), {
    modes: ["ingest"],
    compactorWaitMsMax: 700,
  });
  await waiting.clock.advance(600);
  assert.equal(waiting.isDone(), false);
  await waiting.clock.advance(100);
  assert.equal(waiting.isDone(), true);
});
