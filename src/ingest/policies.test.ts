import assert from "node:assert/strict";
import { suite, test } from "node:test";
import * as fc from "fast-check";
import { createPolicy, createV1Database } from "#catalog/v1/policies.ts";
import { timeFloorOf } from "#staging/stage.ts";
import { SmallNode } from "#testing/small-node.ts";

const HOUR_NS = 3_600_000_000_000n;
const LIMITS = { databaseCountMax: 5 };
const NOTHING = { durationNs: undefined, replication: undefined, shardDurationNs: undefined };

/** Database `db` whose default policy `p` keeps rows for an hour. */
async function openNode(): Promise<SmallNode> {
  const node = await SmallNode.open();
  await node.catalog.change((state) => createV1Database(state, "db", undefined, LIMITS));
  const spec = { ...NOTHING, durationNs: HOUR_NS };
  const policy = { database: "db", name: "p", spec, isDefault: true };
  await node.catalog.change((state) => createPolicy(state, policy, LIMITS));
  return node;
}

function databasesOf(node: SmallNode): readonly string[] {
  return [...node.catalog.state.databaseIds.keys()];
}

suite("a write into a retention policy", () => {
  test("goes where the policy's name says, without one to the default", async () => {
    await using node = await openNode();
    const now = node.clock.nowNs();
    await node.write(`m f=1 ${now}`, { policy: { name: undefined } });
    await node.write(`m f=2 ${now}`, { policy: { name: "autogen" } });
    await node.write(`m f=3 ${now}`, { policy: { name: "New" } });
    await node.write(`m f=4 ${now}`);
    assert.deepEqual(databasesOf(node), ["db", "db/p", "db/new"]);
    const rowsIn = async (database: string) =>
      (await node.rows("SELECT f FROM m", { database })).map(({ f }) => f);
    assert.deepEqual(await rowsIn("db/p"), [1]);
    assert.deepEqual(await rowsIn("db/new"), [3]);
    assert.deepEqual(await rowsIn("db"), [4]);
  });

  test("stores no rows that are past it, and tells how many", async () => {
    await using node = await openNode();
    const now = node.clock.nowNs();
    const [old, kept] = [now - HOUR_NS - 1n, now - HOUR_NS];
    const policy = { name: undefined };
    const text = `m f=1 ${old}\nm f=2 ${kept}\nm f=3i ${now}\ngone f=1 ${old}\nm g=1,f=1 ${old}\nm f=4 ${now}`;
    const outcome = await node.write(text, { policy });
    assert.equal(outcome.expiredCount, 3);
    assert.deepEqual(
      outcome.rejected.map(({ lineNumber }) => lineNumber),
      [3],
    );
    const rows = await node.rows("SELECT f FROM m ORDER BY time", { database: "db/p" });
    assert.deepEqual(rows, [{ f: 2 }, { f: 4 }]);
    const none = await node.write(`gone f=1 ${old}`, { policy });
    assert.deepEqual([none.token, none.expiredCount], [undefined, 1]);
    const [, database] = [...node.catalog.state.databases.values()];
    const tables = [...(database?.tables.values() ?? [])];
    const shown = tables.map(({ columns, name }) => [
      name,
      ...columns.map((column) => column.name),
    ]);
    assert.deepEqual(shown, [["m", "time", "f"]]);
  });

  test("of other APIs stores all rows", async () => {
    await using node = await openNode();
    const old = node.clock.nowNs() - 2n * HOUR_NS;
    const outcome = await node.write(`m f=1 ${old}`, { database: "db/p" });
    assert.deepEqual([outcome.expiredCount, outcome.rejectedCount], [undefined, 0]);
  });

  test("looks at rows one by one only where some may be old", () => {
    fc.assert(
      fc.property(
        fc.array(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), { minLength: 1 }),
        (times) => {
          const least = times.reduce((left, right) => (left < right ? left : right));
          const floor = timeFloorOf(BigInt64Array.from(times));
          assert.ok(floor <= least && least - floor < 2n ** 32n);
        },
      ),
    );
  });
});
