import assert from "node:assert/strict";
import { suite, test } from "node:test";
import type { NodeNumber } from "#model/ids.ts";
import { NODE_NUMBER_MAX } from "#model/stamp.ts";
import { ObjectLog } from "#objectlog/object-log.ts";
import { memoryStore } from "#objectstore/memory.ts";
import type { ObjectStore } from "#ports/object-store.ts";
import { instantClock, logPorts, neverAborted, writerOf } from "#testing/logs.ts";
import { Catalog, newDatabase, type Registration } from "./catalog.ts";
import { catalogMachine } from "./catalog-machine.ts";
import { EMPTY_CATALOG, findDatabase, findNode } from "./catalog-state.ts";

const LIMITS = { databaseCountMax: 3 };
const DAY_NS = 86_400_000_000_000n;
const DROP = { nowNs: 1_767_225_600_000_000_000n, hardDeleteAtNs: undefined };
const REGISTRATION: Registration = {
  nodeId: "node1",
  instanceId: "instance1",
  modes: ["ingest"],
  address: "host:8181",
  coreCount: 2,
  hasLog: true,
};

function open(store: ObjectStore, seed = 1): Catalog {
  return new Catalog("cluster", logPorts(store, seed), neverAborted());
}

function register(catalog: Catalog, more: Partial<Registration> = {}) {
  return catalog.register({ ...REGISTRATION, ...more }, () => instantClock().nowNs());
}

suite("catalog", () => {
  test("stands under the cluster's name", async () => {
    const store = memoryStore();
    await open(store).createCluster({ uuid: "u", secret: "s" });
    const keys = (await store.list("")).map(({ key }) => key);
    assert.deepEqual(keys, ["cluster/catalog/entry/00000000000000000001"]);
  });

  test("a cluster is created once, whoever is first", async () => {
    const store = memoryStore();
    const catalogs = [1, 2, 3].map((seed) => open(store, seed));
    await Promise.all(
      catalogs.map((catalog, index) => catalog.createCluster({ uuid: `${index}`, secret: "s" })),
    );
    const uuids = [];
    for (const catalog of catalogs) uuids.push((await catalog.refresh()).cluster?.uuid);
    assert.equal(new Set(uuids).size, 1);
    assert.equal(catalogs[0]?.state.position, 1);
  });

  test("each start of a node takes its next epoch and keeps its number and instance", async () => {
    const store = memoryStore();
    const first = open(store);
    assert.deepEqual(first.writer, { node: 0, epoch: 0 });
    await register(first);
    assert.deepEqual(first.writer, { node: 1, epoch: 1 });
    await register(open(store, 2), { nodeId: "node2", instanceId: "instance2" });
    const again = open(store, 3);
    const node = await register(again, {
      instanceId: "instance3",
      address: "host:9",
      hasLog: false,
    });
    assert.deepEqual(again.writer, { node: 1, epoch: 2 });
    assert.equal(node.instanceId, "instance1");
    assert.equal(node.address, "host:9");
    assert.equal(node.hasLog, true);
    assert.equal(findNode(again.state, "node2")?.number, 2);
  });

  test("of starts at once, each has an epoch of its own", async () => {
    const store = memoryStore();
    const nodes = await Promise.all([1, 2, 3, 4].map((seed) => register(open(store, seed))));
    assert.deepEqual(new Set(nodes.map(({ epoch }) => epoch)), new Set([1, 2, 3, 4]));
    assert.deepEqual(new Set(nodes.map(({ number }) => number)), new Set([1]));
  });

  test("a process whose node was started anew changes nothing any more", async () => {
    const store = memoryStore();
    const [older, newer] = [open(store), open(store, 2)];
    await register(older);
    await register(newer);
    await assert.rejects(older.createDatabase("db", undefined, LIMITS), {
      kind: "conflict",
      code: "node_fenced",
    });
    await assert.rejects(older.setNodeState("stopped", 1n), { code: "node_fenced" });
    const state = await newer.refresh();
    assert.equal(state.databases.size, 0);
    assert.equal(findNode(state, "node1")?.state, "running");
  });

  test("there are as many node numbers as fit into a stamp, and none is used again", async () => {
    const store = memoryStore();
    const nextNodeNumber = NODE_NUMBER_MAX as NodeNumber;
    const almostFull = { ...EMPTY_CATALOG, position: 1, nextNodeNumber };
    const log = new ObjectLog("cluster/catalog/", logPorts(store));
    await log.writeCheckpoint(1, catalogMachine.checkpoint(almostFull, writerOf(1, 1)));
    const catalog = open(store);
    await catalog.refresh();
    const node = await register(catalog, { nodeId: "the last" });
    assert.equal(node.number, NODE_NUMBER_MAX);
    await assert.rejects(register(catalog, { nodeId: "one too many" }), {
      kind: "exceeded",
      code: "node_limit",
      detail: { nodeNumberMax: NODE_NUMBER_MAX },
    });
    const again = open(store, 2);
    await again.refresh();
    assert.equal((await register(again, { nodeId: "the last" })).epoch, 2);
  });

  test("a database is there for everybody once it is created", async () => {
    const store = memoryStore();
    const [mine, other] = [open(store), open(store, 2)];
    await mine.createDatabase("db", DAY_NS, LIMITS);
    assert.equal(findDatabase(await other.refresh(), "db")?.retentionNs, DAY_NS);
    await assert.rejects(other.createDatabase("db", undefined, LIMITS), {
      kind: "conflict",
      code: "database_exists",
      message: "attempted to create a resource that already exists",
    });
  });

  test("a retention period is changed for everybody, and not written when it is the same", async () => {
    const store = memoryStore();
    const [mine, other] = [open(store), open(store, 2)];
    await mine.createDatabase("db", undefined, LIMITS);
    await mine.setRetention("db", DAY_NS);
    assert.equal(findDatabase(await other.refresh(), "db")?.retentionNs, DAY_NS);
    const { position } = mine.state;
    await other.setRetention("db", DAY_NS);
    assert.equal(other.state.position, position);
    await other.setRetention("db", undefined);
    assert.equal(findDatabase(await mine.refresh(), "db")?.retentionNs, undefined);
    await assert.rejects(mine.setRetention("no", DAY_NS), {
      kind: "not_found",
      code: "database_not_found",
    });
  });

  test("of creations at once, one wins and the others hear that it is there", async () => {
    const store = memoryStore();
    const outcomes = await Promise.allSettled(
      [1, 2, 3].map((seed) => open(store, seed).createDatabase("db", undefined, LIMITS)),
    );
    assert.equal(outcomes.filter(({ status }) => status === "fulfilled").length, 1);
    for (const outcome of outcomes)
      if (outcome.status === "rejected")
        assert.equal((outcome.reason as { code: string }).code, "database_exists");
  });

  test("databases have a limit, which names itself; dropped ones do not count", async () => {
    const catalog = open(memoryStore());
    for (const name of ["a", "b", "c"]) await catalog.createDatabase(name, undefined, LIMITS);
    await assert.rejects(catalog.createDatabase("d", undefined, LIMITS), {
      kind: "exceeded",
      code: "database_limit",
      message: "Adding a new database would exceed limit of 3 databases",
    });
    assert.throws(() => newDatabase(catalog.state, { name: "d", retentionNs: undefined }, LIMITS), {
      code: "database_limit",
    });
    await catalog.dropDatabase("a", DROP);
    await catalog.createDatabase("d", undefined, LIMITS);
  });

  test("a dropped database is gone, and its name is free for another one", async () => {
    const catalog = open(memoryStore());
    await catalog.createDatabase("db", undefined, LIMITS);
    await catalog.dropDatabase("db", { ...DROP, hardDeleteAtNs: DROP.nowNs + DAY_NS });
    assert.equal(findDatabase(catalog.state, "db"), undefined);
    const [dropped] = catalog.state.databases.values();
    assert.equal(dropped?.name, "db-20260101T000000-1");
    assert.deepEqual(dropped?.dropped, {
      atNs: DROP.nowNs,
      hardDeleteAtNs: DROP.nowNs + DAY_NS,
    });
    await assert.rejects(catalog.dropDatabase("db", DROP), {
      kind: "not_found",
      code: "database_not_found",
    });
    await catalog.createDatabase("db", undefined, LIMITS);
    assert.equal(findDatabase(catalog.state, "db")?.id, 2);
    await catalog.dropDatabase("db", DROP);
    assert.equal(catalog.state.databases.size, 2);
  });

  test("a database dropped and created twice within one second keeps both names", async () => {
    const catalog = open(memoryStore());
    for (let round = 0; round < 2; round++) {
      await catalog.createDatabase("db", undefined, LIMITS);
      await catalog.dropDatabase("db", DROP);
    }
    const names = [...catalog.state.databases.values()].map(({ name }) => name);
    assert.equal(new Set(names).size, 2);
  });

  test("a node says once that it is stopped", async () => {
    const catalog = open(memoryStore());
    await register(catalog);
    await catalog.setNodeState("stopped", 5n);
    const { position } = catalog.state;
    assert.equal(findNode(catalog.state, "node1")?.state, "stopped");
    await catalog.setNodeState("stopped", 6n);
    assert.equal(catalog.state.position, position);
    await register(catalog);
    assert.equal(findNode(catalog.state, "node1")?.state, "running");
  });

  test("a transaction without changes commits nothing", async () => {
    const catalog = open(memoryStore());
    assert.equal(await catalog.transact(() => []), EMPTY_CATALOG);
  });

  test("a transaction may need a manifest, and the state then needs it, too", async () => {
    const store = memoryStore();
    await open(store).transact(() => [{ kind: "create_cluster", uuid: "u", secret: "s" }], {
      catalog: 0,
      manifest: 12,
    });
    assert.deepEqual((await open(store, 2).refresh()).needs, { catalog: 0, manifest: 12 });
  });

  test("a version that is named elsewhere is reached, or said to be missing", async () => {
    const store = memoryStore();
    await open(store).createDatabase("db", undefined, LIMITS);
    const other = open(store, 2);
    assert.equal((await other.reach(1)).position, 1);
    await assert.rejects(other.reach(2), { kind: "unavailable", code: "log_behind" });
  });

  test("checkpoints bound the replay", async () => {
    const store = memoryStore();
    const options = { checkpointEntries: 2 };
    const catalog = new Catalog("cluster", logPorts(store), neverAborted(), options);
    for (const name of ["a", "b", "c"]) {
      await catalog.createDatabase(name, undefined, LIMITS);
      await catalog.keep();
    }
    assert.equal((await store.list("cluster/catalog/checkpoint/")).length, 1);
    assert.deepEqual([...(await open(store, 2).refresh()).databaseIds.keys()], ["a", "b", "c"]);
  });
});
