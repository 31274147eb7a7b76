/** SELECT INTO on whole nodes: what becomes of rows that their target does not keep, or that is gone. */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { memoryStore } from "#objectstore/memory.ts";
import { storeWith } from "#testing/logs.ts";
import { start } from "#testing/members.ts";
import { askInfluxQl, writeLines } from "#testing/started-node.ts";

const HOUR_NS = 3_600_000_000_000n;

/** The numbers that statements answer. */
async function countsIn(node: Parameters<typeof askInfluxQl>[0], text: string) {
  return [...(await askInfluxQl(node, text)).matchAll(/"rows":\[\["?0"?,"?(\d+)"?\]\]/g)].map(
    ([, count]) => Number(count),
  );
}

suite("SELECT INTO", () => {
  test("tells how many rows are past the retention of the target, and writes all others", async () => {
    await using one = await start(memoryStore(), 1);
    const { clock, node } = one;
    const now = clock.nowNs();
    const lines = Array.from({ length: 25_000 }, (_, index) => {
      const isOld = index % 5 === 0;
      return `m,i=${index % 2} f=1 ${now - (isOld ? 2n * HOUR_NS : 0n) + BigInt(index)}`;
    });
    await writeLines(node, lines.join("\n"));
    await askInfluxQl(node, "CREATE RETENTION POLICY short ON db DURATION 1h REPLICATION 1");
    assert.equal(
      await askInfluxQl(node, "SELECT * INTO short.t FROM m GROUP BY *"),
      '["partial write: points beyond retention policy dropped=5000"]',
    );
    assert.deepEqual(await countsIn(node, "SELECT count(f) FROM short.t"), [20_000]);
  });

  test("says as InfluxDB 1 does which types do not fit", async () => {
    await using one = await start(memoryStore(), 1);
    await writeLines(one.node, 't v="x" 1\nm,a\\ b=1 v=1,w=2i 2');
    assert.equal(
      await askInfluxQl(one.node, "SELECT v INTO t FROM m"),
      '["partial write: field type conflict: input field \\"v\\" on measurement \\"t\\" is type float, already exists as type string dropped=1"]',
    );
  });

  test("ends where its target is dropped meanwhile, and does not bring it back", async () => {
    const store = memoryStore();
    await using other = await start(store, 2, { nodeId: "host02" });
    let putsLeft = Number.POSITIVE_INFINITY;
    const dropping = storeWith(store, {
      async putIfAbsent(key, ...rest) {
        if (key.startsWith("host01/log/entry/")) putsLeft -= 1;
        if (putsLeft === 0) await askInfluxQl(other.node, "DROP DATABASE gone");
        return store.putIfAbsent(key, ...rest);
      },
    });
    await using one = await start(dropping, 1);
    const lines = Array.from({ length: 35_000 }, (_, index) => `m f=1 ${index}`);
    await writeLines(one.node, lines.join("\n"));
    await askInfluxQl(one.node, "CREATE DATABASE gone");
    putsLeft = 2;
    assert.equal(
      await askInfluxQl(one.node, "SELECT f INTO gone.autogen.t FROM m"),
      '["database not found: gone"]',
    );
    assert.match(await askInfluxQl(other.node, "SHOW DATABASES"), /"rows":\[\["db"\]\]/);
  });
});
