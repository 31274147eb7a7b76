import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { check, shown, startMeta } from "#testing/meta/statements.ts";

suite("DELETE and DROP", () => {
  const DELETES: readonly (readonly [text: string, ...wishes: string[]])[] = [
    ["DELETE FROM m", "a: m"],
    ["DELETE WHERE h = 'x'", "a: m,n h = x", "a/rp: m h = x"],
    ["DELETE FROM /^n/ WHERE h =~ /x/ OR k != 'q'", "a: n or(h =~ x,k != q)"],
    ["DROP SERIES FROM m WHERE 'x' = h", "a: m h = x", "a/rp: m h = x"],
    ["DELETE WHERE _name = 'n' AND time < 150", "a: n until 149"],
    ["DELETE FROM none WHERE v = 1"],
    ["DELETE FROM m WHERE true AND time = 5", "a: m until 5", "a/rp: m until 5"],
  ];

  test("name the rows of all policies", async () => {
    await using meta = await startMeta();
    await meta.write("a", ["m,h=x v=1 100", "n,h=x,k=q v=1 100"]);
    for (const [text, ...wishes] of DELETES.slice(0, 1)) {
      assert.deepEqual(await shown(meta, text), []);
      assert.deepEqual(meta.wishes(), wishes, text);
    }
    await meta.write("a/rp", ["m,h=x w=1 100"]);
    for (const [text, ...wishes] of DELETES.slice(1)) {
      assert.deepEqual(await shown(meta, text), [], text);
      assert.deepEqual(meta.wishes(), wishes, text);
    }
  });

  test("are refused where they name fields, in the words of InfluxDB 1", async () => {
    await using meta = await startMeta();
    await meta.write("a", ["m,h=x v=1 100"]);
    const fields = "error: shard 1: fields not supported in WHERE clause during deletion";
    await check(meta, [
      ["DELETE FROM m WHERE v = 1", fields],
      ["DELETE FROM m WHERE h = 1", fields],
      ["DROP SERIES FROM m WHERE h = 'x' AND v > 1", fields],
      ["DROP SERIES WHERE time > 0", "error: DROP SERIES doesn't support time in WHERE clause"],
      [
        "DELETE FROM m WHERE h = k",
        "error: rows are not deleted by comparing two tags: name values, or regular expressions",
      ],
    ]);
    assert.deepEqual(meta.wishes(), []);
    assert.deepEqual(await shown(meta, "DELETE FROM m", "z"), ["error: database not found: z"]);
    assert.deepEqual(await shown(meta, "DROP MEASUREMENT m", ""), ["error: database not found: "]);
  });

  test("are refused where conditions of many measurements are too long together", async () => {
    await using meta = await startMeta();
    const names = Array.from({ length: 20 }, (_, index) => `m${index}`);
    await meta.write(
      "a",
      names.map((name) => `${name},h=x v=1 100`),
    );
    const own = names.map((name) => `(_name = '${name}' AND h = '${name}')`).join(" OR ");
    const [answer] = await shown(meta, `DELETE WHERE h = '${'"'.repeat(900_000)}' OR ${own}`);
    assert.match(answer ?? "", /^error: one delete of rows has 33554432 characters at most/);
    assert.deepEqual(meta.wishes(), []);
  });

  test("a measurement goes from all policies", async () => {
    await using meta = await startMeta();
    await meta.write("a", ["m v=1 1", "n v=1 1"]);
    await meta.write("a/rp", ["m v=1 1"]);
    await check(meta, [
      ["DROP MEASUREMENT none"],
      ["DROP MEASUREMENT m"],
      ["SHOW MEASUREMENTS", "measurements: name", "n"],
    ]);
  });
});

suite("SHOW of the node", () => {
  test("tells of queries that run, and ends them", async () => {
    await using meta = await startMeta();
    const record = meta.log.begin("SELECT 1", "influxql", "a");
    const other = meta.log.begin("SELECT 2");
    await meta.clock.advance(1_234);
    await check(meta, [
      [
        "SHOW QUERIES",
        ": qid,query,database,duration,status",
        "1|SELECT 1|a|1s|running",
        "2|SELECT 2||1s|running",
      ],
      ["KILL QUERY 1"],
      ["KILL QUERY 99", "error: no such query id: 99"],
    ]);
    assert.equal(record.killed.aborted, true);
    assert.equal(other.killed.aborted, false);
    record.end("fail");
    await check(meta, [["KILL QUERY 1", "error: no such query id: 1"]]);
  });

  test("has figures by module", async () => {
    await using meta = await startMeta();
    await meta.write("a", ["m v=1 1"]);
    await check(meta, [
      [
        "SHOW STATS FOR 'queryExecutor'",
        "queryExecutor: queriesActive,queriesExecuted,queriesFinished",
        "0|0|0",
      ],
      ["SHOW STATS FOR 'database'", "database,database=a: numMeasurements", "1"],
      ["SHOW STATS FOR 'none'"],
      ["SHOW DIAGNOSTICS", "build: Version", "1.0"],
    ]);
  });
});
