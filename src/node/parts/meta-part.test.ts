import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { toJson } from "#base/schema.ts";
import { memoryStore } from "#objectstore/memory.ts";
import { start } from "#testing/members.ts";
import { askInfluxQl, writeLines } from "#testing/started-node.ts";

const CHANGES = `CREATE RETENTION POLICY p ON db DURATION 1d REPLICATION 1;
  CREATE USER u WITH PASSWORD 'x'; GRANT READ ON db TO u;
  CREATE CONTINUOUS QUERY q ON db BEGIN SELECT mean(f) INTO t FROM m GROUP BY time(1h) END`;

const QUESTIONS = `SHOW DATABASES; SHOW RETENTION POLICIES; SHOW USERS; SHOW GRANTS FOR u; SHOW CONTINUOUS QUERIES;
  SHOW MEASUREMENTS; SHOW TAG KEYS; SHOW TAG VALUES WITH KEY =~ /./; SHOW FIELD KEYS; SHOW SERIES; SHOW SHARDS; SHOW SHARD GROUPS;
  SHOW SERIES CARDINALITY; SHOW SERIES EXACT CARDINALITY; SHOW MEASUREMENT CARDINALITY; SHOW TAG KEY CARDINALITY;
  SHOW FIELD KEY CARDINALITY; SHOW TAG VALUES CARDINALITY WITH KEY = t`;

suite("statements that are no SELECT", () => {
  test("delete rows that this node has not heard of, and those that are past their retention", async () => {
    const store = memoryStore();
    await using one = await start(store, 1);
    await using other = await start(store, 2, { nodeId: "host02" });
    const nowNs = other.clock.nowNs();
    await writeLines(other.node, `m,t=a f=1 ${nowNs}\nn,t=a f=1 ${nowNs - 7_200_000_000_000n}`);
    const shorter = "ALTER RETENTION POLICY autogen ON db DURATION 1h SHARD DURATION 1h";
    assert.equal(await askInfluxQl(other.node, shorter), "[]");
    // The first node looks at the catalog, and has not looked at the log of the other.
    assert.equal(await askInfluxQl(one.node, "DELETE FROM m; DROP SERIES FROM /n/"), "[]");
    assert.equal(
      await askInfluxQl(one.node, "ALTER RETENTION POLICY autogen ON db DURATION INF"),
      "[]",
    );
    for (const { clock } of [one, other]) await clock.advance(11_000);
    for (const { node } of [one, other])
      assert.equal(await askInfluxQl(node, "SELECT f FROM /.*/"), "[]");
  });

  test("answer the same on every node, with rows in buffers and in files, and after deletes", async () => {
    const store = memoryStore();
    await using one = await start(store, 1, { snapshotAgeMs: 1_000 });
    await using other = await start(store, 2, { nodeId: "host02", snapshotAgeMs: 100_000 });
    const settled = async (ms: number) => {
      for (const { clock } of [one, other]) await clock.advance(ms);
    };
    const same = async () => {
      const answers = [
        await askInfluxQl(one.node, QUESTIONS),
        await askInfluxQl(other.node, QUESTIONS),
      ];
      assert.equal(answers[0], answers[1]);
      return answers[0] ?? "";
    };
    await writeLines(one.node, "m,t=a f=1 10\nm,t=b,u=x f=2 946684800000000000");
    await writeLines(other.node, "m,t=c g=1i 20\nn f=1 5");
    assert.equal(await askInfluxQl(one.node, CHANGES), "[]");
    await settled(500);
    assert.match(await same(), /"m,t=a"\],\["m,t=b,u=x"\],\["m,t=c"\]\]/);
    await settled(3_000);
    const inFiles = await same();
    assert.match(inFiles, /"q","CREATE CONTINUOUS QUERY q ON db/);
    assert.equal(
      await askInfluxQl(
        other.node,
        "DELETE FROM m WHERE t = 'a'; DROP MEASUREMENT n; KILL QUERY 99",
      ),
      toJson(["no such query id: 99"]),
    );
    await settled(500);
    const after = await same();
    assert.match(after, /"rows":\[\["m,t=b,u=x"\],\["m,t=c"\]\]/);
    assert.equal(
      await askInfluxQl(one.node, "DROP DATABASE db; SHOW DATABASES"),
      '[{"name":"databases","tags":[],"columns":["name"],"partial":false,"rows":[]}]',
    );
    await same();
  });
});
