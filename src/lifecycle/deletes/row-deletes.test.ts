import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { TABLE_DELETES_MAX } from "#catalog/deletes.ts";
import { dropTable } from "#catalog/tables.ts";
import type { NamedTagCondition, RowDeletion } from "#model/row-delete.ts";
import { ALL_TIME } from "#model/time-range.ts";
import { encodeWriteToken } from "#model/write-token.ts";
import { memoryStore } from "#objectstore/memory.ts";
import { storeWith } from "#testing/logs.ts";
import { SmallNode, type SmallNodeOptions } from "#testing/small-node.ts";
import { RowDeletes, type RowDeletesOptions } from "./row-deletes.ts";

const FOREVER = new AbortController().signal;
const ALL: RowDeletion = { database: "db", tables: ["m"], time: ALL_TIME, condition: undefined };
const ROWS = "SELECT host, f FROM m ORDER BY time";

function deletesOf(node: SmallNode, some: Partial<RowDeletesOptions> = {}): RowDeletes {
  const { catalog, manifest, ports } = node;
  return new RowDeletes({
    catalog,
    manifest,
    ports,
    logs: () => [node.source, ...node.peers],
    findValues: () => Promise.reject(new Error("nobody asks")),
    ...some,
  });
}

function tagIs(value: string, negated = false): NamedTagCondition {
  return { kind: "equal", tag: "host", value, negated };
}

/** Two nodes on one store, of which the second reads the first when it is told to. */
async function twoNodes(some: Partial<SmallNodeOptions> = {}) {
  const store = memoryStore();
  const first = await SmallNode.open({ store, ...some });
  const second = await SmallNode.open({ store, nodeId: "host02", seed: 2, ...some });
  await first.catalog.refresh();
  await second.catalog.refresh();
  const follower = second.follow(first);
  await follower.load();
  return {
    first,
    second,
    follower,
    async [Symbol.asyncDispose]() {
      await second[Symbol.asyncDispose]();
      await first[Symbol.asyncDispose]();
    },
  };
}

suite("deleting rows", () => {
  test("covers what was acknowledged before, and nothing that is written after", async () => {
    await using node = await SmallNode.open();
    await node.write("m,host=a f=1 1\nm,host=b f=2 2\nm f=3 3");
    await deletesOf(node).deleteRows({ ...ALL, condition: tagIs("a") }, FOREVER);
    assert.deepEqual(await node.rows(ROWS), [
      { host: "b", f: 2 },
      { host: null, f: 3 },
    ]);
    await node.write("m,host=a f=4 1");
    assert.deepEqual(await node.rows(ROWS), [
      { host: "a", f: 4 },
      { host: "b", f: 2 },
      { host: null, f: 3 },
    ]);
  });

  const conditions: readonly (readonly [string, NamedTagCondition, readonly number[]])[] = [
    ["a tag that rows lack is the empty text", tagIs(""), [1, 2]],
    ["a tag that no table has", { kind: "equal", tag: "none", value: "", negated: false }, []],
    ["a value no row has", tagIs("x"), [1, 2, 3]],
    ["all but one value", tagIs("b", true), [2]],
    ["both", { kind: "and", conditions: [tagIs("a", true), tagIs("b", true)] }, [1, 2]],
    ["either", { kind: "or", conditions: [tagIs("a"), tagIs("b")] }, [3]],
  ];
  for (const [name, condition, left] of conditions) {
    test(`chooses rows by tags: ${name}`, async () => {
      await using node = await SmallNode.open();
      await node.write("m,host=a f=1 1\nm,host=b f=2 2\nm f=3 3");
      await deletesOf(node).deleteRows({ ...ALL, condition }, FOREVER);
      const rows = await node.rows("SELECT f FROM m ORDER BY time");
      assert.deepEqual(
        rows.map(({ f }) => f),
        left,
      );
    });
  }

  test("chooses rows by time, both ends included, in files as well", async () => {
    await using node = await SmallNode.open();
    await node.write("m f=1 1\nm f=2 2\nm f=3 3\nm f=4 4");
    await node.snapshotter.take(FOREVER);
    await deletesOf(node).deleteRows({ ...ALL, time: { start: 2n, end: 3n } }, FOREVER);
    assert.deepEqual(await node.rows("SELECT f FROM m ORDER BY time"), [{ f: 1 }, { f: 4 }]);
  });

  test("shows again what an older row said where a newer one was written back", async () => {
    await using node = await SmallNode.open();
    await node.write("m f=1,g=1 1");
    await deletesOf(node).deleteRows(ALL, FOREVER);
    await node.write("m g=2 1");
    assert.deepEqual(await node.rows("SELECT f, g FROM m"), [{ f: null, g: 2 }]);
  });

  test("finds in the store what this process has not read of other nodes", async () => {
    await using nodes = await twoNodes();
    const { first, follower, second } = nodes;
    await first.write("m f=1 1");
    await first.snapshotter.take(FOREVER);
    await first.write("m f=2 2");
    assert.equal(follower.state.lastStamp, 0n);
    const token = await deletesOf(second).deleteRows(ALL, FOREVER);
    await first.write("m f=3 3");
    const tokens = [encodeWriteToken(token)];
    assert.deepEqual(await first.rows("SELECT f FROM m", { tokens }), [{ f: 3 }]);
    await follower.poll();
    assert.deepEqual(await second.rows("SELECT f FROM m"), [{ f: 3 }]);
  });

  test("finds the end of a log whose entries are gone under a checkpoint", async () => {
    await using nodes = await twoNodes();
    const { first, second } = nodes;
    await first.write("m f=1 1");
    await first.snapshotter.take(FOREVER);
    const office = await first.manifest.takeOver();
    const [snapshot] = first.writer.state.snapshots;
    assert.ok(snapshot !== undefined);
    await first.manifest.publish(office, () => ({
      kind: "adopt",
      body: { node: first.node, ...snapshot, files: [...snapshot.files] },
      needs: { catalog: first.catalog.state.position, manifest: 0 },
    }));
    await first.writer.checkpoint(first.adopted());
    await first.writer.checkpoint(first.adopted());
    await deletesOf(second).deleteRows(ALL, FOREVER);
    await first.catalog.refresh();
    assert.deepEqual(await first.rows("SELECT f FROM m"), []);
  });

  test("asks nothing of a table that is not there, and names a database that is not", async () => {
    await using node = await SmallNode.open();
    await node.write("m f=1 1");
    const { position } = node.catalog.state;
    await deletesOf(node).deleteRows({ ...ALL, tables: ["other"] }, FOREVER);
    assert.equal(node.catalog.state.position, position);
    await assert.rejects(deletesOf(node).deleteRows({ ...ALL, database: "none" }, FOREVER), {
      code: "database_not_found",
    });
  });

  test("refuses more characters of tags than nodes keep in memory", async () => {
    await using node = await SmallNode.open();
    await node.write("m,host=a f=1 1");
    const values = Array.from({ length: 300 }, (_, index) => `${index}`.padEnd(60_000, "x"));
    const deletes = deletesOf(node, { findValues: async () => values });
    const condition: NamedTagCondition = {
      kind: "matches",
      tag: "host",
      pattern: "x",
      negated: false,
    };
    const asked = deletes.deleteRows({ ...ALL, condition }, FOREVER);
    await assert.rejects(asked, { kind: "exceeded", code: "delete_limit" });
  });

  test("looks up no more values than one request may have", async () => {
    await using node = await SmallNode.open();
    const tables = ["m1", "m2", "m3", "m4", "m5"];
    await node.write(tables.map((table) => `${table},host=a f=1 1`).join("\n"));
    const value = "x".repeat(12 * 2 ** 20);
    let askedCount = 0;
    const findValues = async () => {
      askedCount += 1;
      return [value];
    };
    const condition: NamedTagCondition = {
      kind: "matches",
      tag: "host",
      pattern: "x",
      negated: false,
    };
    const asked = deletesOf(node, { findValues }).deleteRows(
      { ...ALL, tables, condition },
      FOREVER,
    );
    await assert.rejects(asked, { kind: "exceeded", code: "delete_limit" });
    assert.equal(askedCount, 3);
  });

  test("refuses a condition that is too long for all tables together", async () => {
    await using node = await SmallNode.open();
    const tables = Array.from({ length: 20 }, (_, index) => `m${index}`);
    await node.write(tables.map((table) => `${table},host=a f=1 1`).join("\n"));
    const { position } = node.catalog.state;
    const hosts = Array.from({ length: 2_000 }, (_, index) => tagIs(`${index}`.padEnd(1_000)));
    const deletion = { ...ALL, condition: { kind: "or", conditions: hosts } } as const;
    const asked = deletesOf(node).deleteRows({ ...deletion, tables: undefined }, FOREVER);
    await assert.rejects(asked, {
      kind: "exceeded",
      code: "delete_limit",
      message: /name the tables/,
    });
    assert.equal(node.catalog.state.position, position);
    await deletesOf(node).deleteRows({ ...deletion, tables: tables.slice(10) }, FOREVER);
    assert.equal(node.catalog.state.deletes.size, 10);
  });

  test("keeps nothing of a range of time that is empty", async () => {
    await using node = await SmallNode.open();
    await node.write("m f=1 1");
    const { position } = node.catalog.state;
    const token = await deletesOf(node).deleteRows(
      { ...ALL, time: { start: 2n, end: 1n } },
      FOREVER,
    );
    assert.equal(token.catalog, position);
    assert.equal(node.catalog.state.position, position);
  });

  test("refuses a condition on a field", async () => {
    await using node = await SmallNode.open();
    await node.write("m f=1 1");
    const condition: NamedTagCondition = { kind: "equal", tag: "f", value: "1", negated: false };
    const asked = deletesOf(node).deleteRows({ ...ALL, condition }, FOREVER);
    await assert.rejects(asked, { kind: "invalid", code: "delete_field" });
  });

  test("keeps the values that a pattern matched", async () => {
    await using node = await SmallNode.open();
    await node.write("m,host=a f=1 1\nm,host=b f=2 2\nm,host=c f=3 3");
    const asked: unknown[] = [];
    const deletes = deletesOf(node, {
      findValues({ columnId, pattern }, tokens) {
        asked.push([columnId, pattern, tokens.map(({ position }) => position)]);
        return Promise.resolve(["b", "a"]);
      },
    });
    const condition: NamedTagCondition = {
      kind: "matches",
      tag: "host",
      pattern: "[ab]",
      negated: false,
    };
    const tail = node.writer.state.position;
    await deletes.deleteRows({ ...ALL, condition }, FOREVER);
    assert.deepEqual(asked, [[1, "[ab]", [tail]]]);
    assert.deepEqual(await node.rows(ROWS), [{ host: "c", f: 3 }]);
  });

  test("asks for the values of a tag that comes before the ends of the logs are found", async () => {
    await using node = await SmallNode.open();
    await node.write("m f=1 1");
    let written: Promise<unknown> | undefined;
    const store = storeWith(node.store, {
      async get(key) {
        written ??= node.write("m,host=x2 f=2 2");
        await written;
        return node.store.get(key);
      },
    });
    const deletes = deletesOf(node, {
      ports: { ...node.ports, store },
      findValues: ({ columnId }) => Promise.resolve(columnId === undefined ? [] : ["x2"]),
    });
    const condition: NamedTagCondition = {
      kind: "matches",
      tag: "host",
      pattern: "x",
      negated: true,
    };
    await deletes.deleteRows({ ...ALL, condition }, FOREVER);
    assert.deepEqual(await node.rows(ROWS), [{ host: "x2", f: 2 }]);
  });

  test("takes a tag that comes meanwhile for missing in the rows that are meant, and in no other", async () => {
    await using node = await SmallNode.open();
    await node.write("m f=1 1");
    const deletes = deletesOf(node, {
      async findValues({ columnId }) {
        assert.equal(columnId, undefined);
        await node.write("m,host=a f=2 2");
        return [""];
      },
    });
    const condition: NamedTagCondition = {
      kind: "matches",
      tag: "host",
      pattern: "^$",
      negated: false,
    };
    await deletes.deleteRows({ ...ALL, condition }, FOREVER);
    assert.deepEqual(await node.rows(ROWS), [{ host: "a", f: 2 }]);
  });

  test("replaces an earlier delete that it covers, and goes with its table", async () => {
    await using node = await SmallNode.open();
    await node.write("m,host=a f=1 1");
    const deletes = deletesOf(node);
    for (const end of [1n, 5n, 9n])
      await deletes.deleteRows({ ...ALL, time: { start: 0n, end } }, FOREVER);
    const pending = () => [...node.catalog.state.deletes.values()].flat();
    assert.deepEqual(
      pending().map(({ time }) => time.end),
      [9n],
    );
    await deletes.deleteRows({ ...ALL, condition: tagIs("a") }, FOREVER);
    assert.equal(pending().length, 2);
    await node.catalog.change((state) =>
      dropTable(state, { database: "db", table: "m" }, "table", { nowNs: 1n, hardDeleteAtNs: 1n }),
    );
    assert.deepEqual(pending(), []);
  });

  test("refuses more of one table than may wait", async () => {
    await using node = await SmallNode.open();
    await node.write("m f=1 1");
    const deletes = deletesOf(node);
    const one = (instant: number) =>
      deletes.deleteRows(
        { ...ALL, time: { start: BigInt(instant), end: BigInt(instant) } },
        FOREVER,
      );
    for (let instant = 0; instant < TABLE_DELETES_MAX; instant += 1) await one(instant);
    await assert.rejects(one(-1), { kind: "exceeded", code: "delete_limit" });
    await deletes.deleteRows(ALL, FOREVER);
    assert.equal([...node.catalog.state.deletes.values()].flat().length, 1);
  });
});
