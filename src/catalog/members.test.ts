import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { memoryStore } from "#objectstore/memory.ts";
import type { ObjectStore } from "#ports/object-store.ts";
import { logPorts, neverAborted } from "#testing/logs.ts";
import { Catalog } from "./catalog.ts";
import { findNode, findRemovedNode, type NodeState } from "./catalog-state.ts";
import { askToRemove, askToStop, forgetNode, markStopped, takeEpoch } from "./members.ts";

const NOW_NS = 7n;

/** A node of modes `modes`, as it registers on `store`. */
async function register(store: ObjectStore, nodeId: string, modes = ["ingest"]) {
  const catalog = new Catalog("cluster01", logPorts(store), neverAborted());
  await catalog.refresh();
  const rest = { instanceId: `of ${nodeId}`, address: nodeId, coreCount: 1, hasLog: true };
  const record = await catalog.register({ nodeId, modes, ...rest }, () => 1n);
  return { catalog, record };
}

suite("what nodes decide about others", () => {
  const stops: readonly [NodeState, NodeState | RegExp][] = [
    ["running", "stopping"],
    ["stopping", "stopping"],
    ["stopped", /^tried to stop a node \(host01\) that is already stopped$/],
    ["removing", /^tried to stop a node \(host01\) that is already stopped$/],
  ];
  const removals: readonly [NodeState, NodeState | RegExp][] = [
    ["running", /^node 'host01' is not fully stopped \(current state: running\)$/],
    ["stopping", /^node 'host01' is not fully stopped \(current state: stopping\)$/],
    ["stopped", "removing"],
    ["removing", "removing"],
  ];
  for (const [what, ask, table] of [
    ["stop", askToStop, stops],
    ["removal", askToRemove, removals],
  ] as const)
    for (const [before, after] of table)
      test(`a ${what} of a node that is ${before} ${typeof after === "string" ? `leaves it ${after}` : "is refused"}`, async () => {
        const store = memoryStore();
        const { record } = await register(store, "host01");
        const { catalog } = await register(store, "host02");
        await catalog.transact(() => [
          { kind: "set_node_state", number: record.number, state: before, updatedAtNs: 2n },
        ]);
        const asked = catalog.transact((state) => ask(state, "host01", NOW_NS));
        if (typeof after !== "string") return assert.rejects(asked, { message: after });
        const node = findNode(await asked, "host01");
        assert.deepEqual([node?.state, node?.epoch], [after, 1]);
        assert.equal(node?.updatedAtNs, before === after ? 2n : NOW_NS);
      });

  test("nodes that are not there are named", async () => {
    const { catalog } = await register(memoryStore(), "host01");
    const missing = { kind: "not_found", code: "node_not_found" };
    for (const ask of [askToStop, askToRemove])
      await assert.rejects(
        catalog.transact((state) => ask(state, "host09", NOW_NS)),
        missing,
      );
  });

  test("a compactor goes only while another one runs", async () => {
    const store = memoryStore();
    const { catalog } = await register(store, "host01", ["compact"]);
    await catalog.setNodeState("stopped", 2n);
    await register(store, "host02", ["query"]);
    await catalog.refresh();
    await assert.rejects(
      catalog.transact((state) => askToRemove(state, "host01", NOW_NS)),
      { kind: "conflict", code: "node_compacts", message: /^node 'host01' has compact mode and/ },
    );
    await register(store, "host03", ["compact"]);
    await catalog.refresh();
    const state = await catalog.transact((now) => askToRemove(now, "host01", NOW_NS));
    assert.equal(findNode(state, "host01")?.state, "removing");
  });

  test("of two who close a node the later one has the word", async () => {
    const store = memoryStore();
    const { record } = await register(store, "host01");
    const { catalog } = await register(store, "host02");
    await catalog.transact((state) => askToStop(state, "host01", NOW_NS));
    const take = async () => {
      let taken: ReturnType<typeof takeEpoch>;
      await catalog.transact((state) => {
        taken = takeEpoch(state, { number: record.number, state: "stopping" });
        return taken === undefined ? [] : [{ kind: "register_node", node: taken.node }];
      });
      return taken;
    };
    const [first, second] = [await take(), await take()];
    assert.ok(first !== undefined && second !== undefined);
    assert.deepEqual([first.writer.epoch, second.writer.epoch], [2, 3]);
    await catalog.transact((state) => markStopped(state, first.writer, 8n));
    assert.equal(findNode(catalog.state, "host01")?.state, "stopping");
    await catalog.transact((state) => markStopped(state, second.writer, 9n));
    assert.equal(findNode(catalog.state, "host01")?.state, "stopped");
    assert.equal(await take(), undefined, "a node that has stopped is not closed");
  });

  test("a removed node-id comes back with its number and the next epoch, as a new instance", async () => {
    const store = memoryStore();
    const { catalog: first, record } = await register(store, "host01");
    await first.setNodeState("stopped", 2n);
    const { catalog } = await register(store, "host02");
    await catalog.transact((state) => askToRemove(state, "host01", NOW_NS));
    await assert.rejects(register(store, "host01"), { kind: "conflict", code: "node_removing" });
    await catalog.transact((state) => forgetNode(state, { node: record.number, epoch: 9 }));
    assert.ok(findNode(catalog.state, "host01") !== undefined, "somebody else closes it by now");
    await catalog.transact((state) => forgetNode(state, { node: record.number, epoch: 1 }));
    assert.equal(findNode(catalog.state, "host01"), undefined);
    assert.equal(findRemovedNode(catalog.state, "host01")?.epoch, 1);
    const { record: other } = await register(store, "host03");
    assert.equal(other.number, 3);
    const again = await register(store, "host01");
    assert.deepEqual([again.record.number, again.record.epoch], [1, 2]);
    assert.equal(findRemovedNode(again.catalog.state, "host01"), undefined);
  });

  test("a process that was asked to go does not say that it has only stopped", async () => {
    const store = memoryStore();
    const { catalog: own } = await register(store, "host01");
    await own.setNodeState("stopped", 2n);
    const { catalog } = await register(store, "host02");
    await catalog.transact((state) => askToRemove(state, "host01", NOW_NS));
    await own.refresh();
    await own.setNodeState("stopped", 3n);
    assert.equal(findNode(own.state, "host01")?.state, "removing");
  });
});
