import assert from "node:assert/strict";
import { suite, test } from "node:test";
import type { NodeNumber } from "#model/ids.ts";
import type { Writer } from "#objectlog/shared-log.ts";
import { memoryStore } from "#objectstore/memory.ts";
import type { ObjectStore } from "#ports/object-store.ts";
import { logPorts, neverAborted, writerOf } from "#testing/logs.ts";
import { fileOf } from "#testing/node-logs.ts";
import { Manifest, type OfficePlan } from "./manifest.ts";
import { adoptedOf } from "./manifest-state.ts";

const NODE_1 = 1 as NodeNumber;

function open(store: ObjectStore, writer: Writer = writerOf(1, 1)): Manifest {
  const signal = neverAborted();
  return new Manifest("cluster", logPorts(store, writer.node * 10 + writer.epoch), {
    writer: () => writer,
    signal,
    checkpointEntries: 4,
  });
}

function adoptPlan(through: number, catalog = 0): OfficePlan {
  const body = { node: NODE_1, through, stamp: 1n, files: [fileOf(`file ${through}`)] };
  return { kind: "adopt", body, needs: { catalog, manifest: 0 } };
}

suite("manifest", () => {
  test("stands under the cluster's name", async () => {
    const store = memoryStore();
    await open(store).takeOver();
    const keys = (await store.list("")).map(({ key }) => key);
    assert.deepEqual(keys, ["cluster/manifest/entry/00000000000000000001"]);
  });

  test("the compactor in office publishes", async () => {
    const store = memoryStore();
    const manifest = open(store);
    const office = await manifest.takeOver();
    assert.deepEqual(office, { node: 1, epoch: 1 });
    await manifest.publish(office, () => adoptPlan(4));
    assert.equal(adoptedOf(await open(store).refresh(), NODE_1).position, 4);
  });

  test("a plan that has nothing to do publishes nothing", async () => {
    const store = memoryStore();
    const manifest = open(store);
    const office = await manifest.takeOver();
    await manifest.publish(office, () => undefined);
    assert.equal((await open(store).refresh()).position, 1);
  });

  test("a take-over ends the term before it, and every plan of it", async () => {
    const store = memoryStore();
    const [first, second] = [open(store), open(store, writerOf(2, 1))];
    const office = await first.takeOver();
    assert.deepEqual(await second.takeOver(), { node: 2, epoch: 2 });
    let decidedCount = 0;
    const published = first.publish(office, () => {
      decidedCount += 1;
      return adoptPlan(4);
    });
    await assert.rejects(published, { kind: "conflict", code: "node_fenced" });
    assert.equal(decidedCount, 1);
    assert.equal((await second.refresh()).position, 2);
  });

  test("a new term of the same node ends its old one", async () => {
    const manifest = open(memoryStore());
    const office = await manifest.takeOver();
    await manifest.takeOver();
    await assert.rejects(
      manifest.publish(office, () => adoptPlan(4)),
      { code: "node_fenced" },
    );
  });

  test("of those who take over at once, each has a term of its own, and the last is in office", async () => {
    const store = memoryStore();
    const manifests = [1, 2, 3].map((node) => open(store, writerOf(node, 1)));
    const offices = await Promise.all(manifests.map((manifest) => manifest.takeOver()));
    assert.deepEqual(new Set(offices.map(({ epoch }) => epoch)), new Set([1, 2, 3]));
    const published = await Promise.allSettled(
      manifests.map((manifest, index) =>
        manifest.publish(offices[index] ?? writerOf(9, 9), ({ position }) =>
          adoptPlan(position + 1),
        ),
      ),
    );
    for (const [index, { status }] of published.entries())
      assert.equal(status, offices[index]?.epoch === 3 ? "fulfilled" : "rejected");
  });

  test("a plan that lost its number is made anew on what is there", async () => {
    const store = memoryStore();
    const manifest = open(store);
    const office = await manifest.takeOver();
    await open(store, writerOf(2, 1)).raiseBarrier(7);
    const seen: number[] = [];
    const state = await manifest.publish(office, ({ position }) => {
      seen.push(position);
      return adoptPlan(4, 7);
    });
    assert.deepEqual(seen, [1, 2]);
    assert.equal(state.position, 3);
  });

  test("a plan is stale that was made with less of the catalog than a barrier names, at any number", async () => {
    const store = memoryStore();
    const manifest = open(store);
    const office = await manifest.takeOver();
    await open(store, writerOf(2, 1)).raiseBarrier(7);
    for (let attempt = 0; attempt < 2; attempt++)
      await assert.rejects(
        manifest.publish(office, () => adoptPlan(4, 6)),
        { kind: "conflict", code: "plan_stale", detail: { planned: 6, named: 7 } },
      );
    await manifest.publish(office, () => adoptPlan(4, 7));
    assert.equal(manifest.state.position, 3);
  });

  test("a barrier is raised once for a version", async () => {
    const store = memoryStore();
    const manifest = open(store);
    assert.equal((await manifest.raiseBarrier(7)).position, 1);
    assert.equal((await manifest.raiseBarrier(7)).position, 1);
    assert.equal((await manifest.raiseBarrier(6)).position, 1);
    assert.equal((await manifest.raiseBarrier(8)).position, 2);
  });

  test("barriers may be raised by any node, and leave the office where it is", async () => {
    const store = memoryStore();
    const manifest = open(store);
    const office = await manifest.takeOver();
    await open(store, writerOf(2, 1)).raiseBarrier(0);
    await open(store, writerOf(2, 1)).raiseBarrier(1);
    await manifest.publish(office, () => adoptPlan(4, 1));
    assert.deepEqual(manifest.state.office, office);
  });

  test("an older epoch of a node that has written changes nothing any more", async () => {
    const store = memoryStore();
    const older = open(store);
    await open(store, writerOf(1, 2)).raiseBarrier(3);
    await assert.rejects(older.raiseBarrier(4), { code: "node_fenced" });
    await assert.rejects(older.takeOver(), { code: "node_fenced" });
  });

  test("a plan that the state refuses is a bug, and puts nothing", async () => {
    const store = memoryStore();
    const manifest = open(store);
    const office = await manifest.takeOver();
    const body = { inputs: ["not there"], outputs: [] };
    await assert.rejects(
      manifest.publish(office, () => ({
        kind: "replace",
        body,
        needs: { catalog: 0, manifest: 0 },
      })),
      { code: "assertion_failed" },
    );
    assert.equal((await open(store).refresh()).position, 1);
  });

  test("checkpoints bound the replay", async () => {
    const store = memoryStore();
    const manifest = open(store);
    const office = await manifest.takeOver();
    for (const through of [1, 2, 3, 4]) {
      await manifest.publish(office, () => adoptPlan(through));
      await manifest.keep();
    }
    assert.equal((await store.list("cluster/manifest/checkpoint/")).length, 1);
    assert.deepEqual(await open(store).refresh(), manifest.state);
    assert.equal((await open(store).reach(5)).position, 5);
  });
});
