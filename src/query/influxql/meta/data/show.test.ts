import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { check, HOUR_NS, shown, startMeta, TestMeta } from "#testing/meta/statements.ts";
import { SmallNode } from "#testing/small-node.ts";

suite("SHOW of data", () => {
  test("tells what rows of all policies have", async () => {
    await using meta = await startMeta();
    await meta.write("a", [
      "m,h=x v=1 100",
      "m,h=y,r=eu v=2,i=3i 200",
      "n,h=x v=1 300",
      'n,k=q s="t",b=true 300',
      "odd\\ m\\,1,a\\ b=c\\=d v=1 1",
    ]);
    await meta.write("a/rp", ["p,h=x v=1i 100", "m,h=rr w=1 100"]);
    await check(meta, [
      ["SHOW MEASUREMENTS", "measurements: name", "m", "n", "odd m,1", "p"],
      ["SHOW MEASUREMENTS LIMIT 2 OFFSET 1", "measurements: name", "n", "odd m,1"],
      ["SHOW MEASUREMENTS WITH MEASUREMENT =~ /^[mp]/", "measurements: name", "m", "p"],
      ["SHOW MEASUREMENTS WITH MEASUREMENT = z"],
      ["SHOW MEASUREMENTS ON z"],
      [
        "SHOW TAG KEYS",
        "m: tagKey",
        "h",
        "r",
        "n: tagKey",
        "h",
        "k",
        "odd m,1: tagKey",
        "a b",
        "p: tagKey",
        "h",
      ],
      ["SHOW TAG KEYS FROM n, m, n LIMIT 1 OFFSET 1", "m: tagKey", "r", "n: tagKey", "k"],
      ["SHOW TAG KEYS FROM none"],
      ["SHOW FIELD KEYS FROM m", "m: fieldKey,fieldType", "i|integer", "v|float"],
      ["SHOW FIELD KEYS FROM rp.m", "m: fieldKey,fieldType", "w|float"],
      ["SHOW FIELD KEYS FROM z.m", "error: retention policy not found: z"],
      ["SHOW FIELD KEYS FROM z..m", "error: database not found: z"],
      ["SHOW FIELD KEYS FROM /n/ LIMIT 2", "n: fieldKey,fieldType", "b|boolean", "s|string"],
      [
        "SHOW TAG VALUES WITH KEY = h",
        "m: key,value",
        "h|rr",
        "h|x",
        "h|y",
        "n: key,value",
        "h|x",
        "p: key,value",
        "h|x",
      ],
      ["SHOW TAG VALUES FROM m WITH KEY !~ /h/", "m: key,value", "r|eu"],
      ["SHOW TAG VALUES FROM m WITH KEY IN (h, r) LIMIT 2 OFFSET 2", "m: key,value", "h|y", "r|eu"],
      ["SHOW TAG VALUES WITH KEY = none"],
      [
        "SHOW SERIES",
        ": key",
        "m,h=rr",
        "m,h=x",
        "m,h=y,r=eu",
        "n,h=x",
        "n,k=q",
        "odd\\ m\\,1,a\\ b=c\\=d",
        "p,h=x",
      ],
      ["SHOW SERIES FROM /^[mn]$/ LIMIT 3 OFFSET 2", ": key", "m,h=y,r=eu", "n,h=x", "n,k=q"],
      ["SHOW SERIES WHERE time > 0 LIMIT 1", ": key", "m,h=x"],
      ["SHOW SERIES LIMIT 1 OFFSET 99"],
      ["SHOW SERIES CARDINALITY", ": cardinality estimation", "7"],
      ["SHOW MEASUREMENT CARDINALITY", ": cardinality estimation", "4"],
      ["SHOW SERIES CARDINALITY ON z", ": cardinality estimation", "0"],
      ["SHOW SERIES EXACT CARDINALITY ON z", "error: database not found: z"],
      ["SHOW SERIES EXACT CARDINALITY FROM m, n", "m: count", "2", "n: count", "2"],
      ["SHOW SERIES EXACT CARDINALITY FROM rp.m, m", "m: count", "3"],
      [
        "SHOW SERIES EXACT CARDINALITY FROM m, n GROUP BY h",
        "m,h=x: count",
        "1",
        "m,h=y: count",
        "1",
        "n,h=: count",
        "1",
        "n,h=x: count",
        "1",
      ],
      ["SHOW MEASUREMENT EXACT CARDINALITY", ": count", "3"],
      [
        "SHOW MEASUREMENT EXACT CARDINALITY FROM m, n GROUP BY h",
        ",h=: count",
        "1",
        ",h=x: count",
        "2",
        ",h=y: count",
        "1",
      ],
      ["SHOW TAG KEY CARDINALITY FROM m, n", "m: count", "2", "n: count", "2"],
      ["SHOW FIELD KEY CARDINALITY FROM m, n", "m: count", "2", "n: count", "3"],
      ["SHOW TAG VALUES CARDINALITY FROM m WITH KEY IN (h, r)", "m: count", "3"],
      ["SHOW SERIES EXACT CARDINALITY OFFSET 1"],
      [
        "SHOW SERIES CARDINALITY WHERE time > 0",
        "error: SHOW SERIES EXACT CARDINALITY doesn't support time in WHERE clause",
      ],
    ]);
  });

  test("orders names and values by their bytes", async () => {
    await using meta = await startMeta();
    await meta.write("a", [
      "m,t=～,～=1,😀=1 f=1,～2=1,😀2=1 1",
      "m,t=😀 f=2 2",
      "～ f=1 1",
      "😀 f=1 1",
    ]);
    await check(meta, [
      ["SHOW MEASUREMENTS", "measurements: name", "m", "～", "😀"],
      ["SHOW TAG KEYS FROM m", "m: tagKey", "t", "～", "😀"],
      ["SHOW FIELD KEYS FROM m", "m: fieldKey,fieldType", "f|float", "～2|float", "😀2|float"],
      ["SHOW TAG VALUES WITH KEY = t", "m: key,value", "t|～", "t|😀"],
      ["SHOW SERIES", ": key", "m,t=～,～=1,😀=1", "m,t=😀", "～", "😀"],
    ]);
  });

  test("InfluxDB 3 finds measurements by their rows, times and fields included", async () => {
    await using meta = await startMeta();
    await meta.write("a", ["m,h=x v=1 100", "n,h=x v=2 200", "o,h=y v=2 200"]);
    const found = async (where: string) =>
      (await shown(meta, `SHOW MEASUREMENTS WHERE ${where}`, "a", { native: true })).slice(1);
    assert.deepEqual(await found("time > 100"), ["n", "o"]);
    assert.deepEqual(await found("time > 100 AND h = 'x'"), ["n"]);
    assert.deepEqual(await found("v = 2 AND h != 'x'"), ["o"]);
    assert.deepEqual(await found('h = "none"'), []);
  });

  test("the policy of the request is the default one of sources", async () => {
    await using meta = await startMeta();
    await meta.write("a", ["m,h=x v=1 100", "n,h=x v=2 200"]);
    await meta.write("a/rp", ["m,h=y w=1i 100"]);
    const inRp = (text: string) => shown(meta, text, "a", { retentionPolicy: "rp" });
    const inNone = (text: string) => shown(meta, text, "a", { retentionPolicy: "none" });
    const refused = ["error: retention policy not found: none"];
    assert.deepEqual(await inRp("SHOW FIELD KEYS"), ["m: fieldKey,fieldType", "w|integer"]);
    assert.deepEqual(await inRp("SHOW SERIES EXACT CARDINALITY"), ["m: count", "1"]);
    assert.deepEqual(await inRp("SHOW SERIES"), [": key", "m,h=x", "m,h=y", "n,h=x"]);
    for (const text of ["SHOW FIELD KEYS", "SHOW SERIES", "SHOW SERIES EXACT CARDINALITY"])
      assert.deepEqual(await inNone(text), refused);
    assert.deepEqual(await inNone("SHOW FIELD KEYS FROM autogen.n"), [
      "n: fieldKey,fieldType",
      "v|float",
    ]);
  });

  test("SHOW SERIES looks through measurements once", async () => {
    let queryCount = 0;
    const node = await SmallNode.open({
      engine: (inner) => ({
        append: (blocks) => inner.append(blocks),
        dropGeneration: (generation) => inner.dropGeneration(generation),
        writeFiles: (request, signal) => inner.writeFiles(request, signal),
        compact: (request, signal) => inner.compact(request, signal),
        bufferSizeBytes: () => inner.bufferSizeBytes(),
        query: (plan, signal) => {
          queryCount += 1;
          return inner.query(plan, signal);
        },
        [Symbol.asyncDispose]: () => inner[Symbol.asyncDispose](),
      }),
    });
    await using meta = new TestMeta(node);
    await meta.write("a", ["m,h=x v=1 100"]);
    assert.deepEqual(await shown(meta, "SHOW SERIES FROM /m/"), [": key", "m,h=x"]);
    // The pattern, then the rows.
    assert.equal(queryCount, 2);
  });

  const asX = "h = 'x'";
  const CONDITIONS: readonly (readonly [text: string, ...lines: string[]])[] = [
    [`SHOW MEASUREMENTS WHERE ${asX}`, "measurements: name", "m", "n"],
    ["SHOW MEASUREMENTS WHERE h != 'y'", "measurements: name", "n"],
    ["SHOW MEASUREMENTS WHERE h != ''", "measurements: name", "m", "n"],
    ["SHOW MEASUREMENTS WHERE k = ''"],
    ["SHOW MEASUREMENTS WHERE h =~ /y/ OR k = 'q'", "measurements: name", "m", "n"],
    ["SHOW MEASUREMENTS WHERE h !~ /y/ AND (k = 'q')", "measurements: name", "n"],
    ["SHOW MEASUREMENTS WHERE _name !~ /m/", "measurements: name", "n", "s"],
    ["SHOW MEASUREMENTS WHERE v = 1", "error: right side of '=' must be a tag value string"],
    ["SHOW MEASUREMENTS WHERE 'x' = h", "error: left side of '=' must be a tag key"],
    ["SHOW MEASUREMENTS WHERE h > 'x'", "error: invalid tag comparison operator"],
    [
      "SHOW MEASUREMENTS WHERE time > 0",
      "error: SHOW MEASUREMENTS doesn't support time in WHERE clause",
    ],
    [`SHOW SERIES WHERE ${asX}`, ": key", "m,h=x", "n,h=x"],
    ["SHOW SERIES WHERE 'x' = h AND v = 1", ": key", "m,h=x", "n,h=x"],
    ["SHOW SERIES WHERE h != 'x'", ": key", "m,h=y,r=eu", "n,k=q", "s"],
    ["SHOW SERIES WHERE h =~ /^$/", ": key", "n,k=q", "s"],
    ["SHOW SERIES WHERE nokey = 'x'"],
    ["SHOW SERIES FROM n WHERE nokey = '' AND h::tag = 'x'", ": key", "n,h=x"],
    ["SHOW SERIES WHERE h = h", ": key", "m,h=x", "m,h=y,r=eu", "n,h=x"],
    ["SHOW SERIES WHERE s = 't'"],
    ["SHOW SERIES WHERE v > 1", "error: invalid tag comparison operator"],
    ["SHOW SERIES WHERE h", "error: invalid condition expression: h"],
    ["SHOW SERIES WHERE time > now()"],
    ["SHOW TAG KEYS WHERE h = 'y'", "m: tagKey", "h", "r"],
    ["SHOW TAG KEYS FROM n WHERE v = 1 AND k = ''", "n: tagKey", "h"],
    ["SHOW TAG KEYS FROM n WHERE 'none' = h", "n: tagKey", "h", "k"],
    ["SHOW TAG VALUES WITH KEY = h WHERE r = ''", "m: key,value", "h|x", "n: key,value", "h|x"],
    ["SHOW TAG VALUES WITH KEY = h WHERE v = 1 AND r = 'eu'", "m: key,value", "h|y"],
    ["SHOW TAG VALUES WITH KEY = h WHERE 'x' = h", "error: left side of '=' must be a tag key"],
    [`SHOW SERIES EXACT CARDINALITY WHERE ${asX}`, "m: count", "1", "n: count", "1"],
    ["SHOW SERIES EXACT CARDINALITY WHERE v > 0"],
    ["SHOW TAG KEY CARDINALITY WHERE h = 'y'", "m: count", "2"],
  ];

  test("takes conditions as InfluxDB 1", async () => {
    await using meta = await startMeta();
    await meta.write("a", [
      "m,h=x v=1 100",
      "m,h=y,r=eu v=2 200",
      "n,h=x v=1 300",
      "n,k=q v=3 300",
      's s="t" 1',
    ]);
    await check(meta, CONDITIONS);
  });

  test("has a line for each shard with rows, under a number that stays", async () => {
    await using meta = await startMeta();
    await check(meta, [
      [
        "CREATE DATABASE a; CREATE RETENTION POLICY d ON a DURATION INF REPLICATION 1 SHARD DURATION 1d",
      ],
    ]);
    await meta.write("a", ["m v=1 0", "m v=1 946684800000000000"]);
    await meta.write("a/d", ["m v=1 0"]);
    const lines = await shown(meta, "SHOW SHARD GROUPS");
    const columns = "shard groups: id,database,retention_policy,start_time,end_time,expiry_time";
    assert.deepEqual(
      lines.map((line) => line.replace(/^\d+\|/, "")),
      [
        columns,
        "a|autogen|1969-12-29T00:00:00Z|1970-01-05T00:00:00Z|1970-01-05T00:00:00Z",
        "a|autogen|1999-12-27T00:00:00Z|2000-01-03T00:00:00Z|2000-01-03T00:00:00Z",
        "a|d|1970-01-01T00:00:00Z|1970-01-02T00:00:00Z|1970-01-02T00:00:00Z",
      ],
    );
    const [, first, , third] = lines.map((line) => line.split("|")[0]);
    await meta.write("a", ["older v=1 -10000000000000000"]);
    const later = await shown(meta, "SHOW SHARDS");
    assert.ok(
      later.includes(
        `${first}|a|autogen|${first}|1969-12-29T00:00:00Z|1970-01-05T00:00:00Z|1970-01-05T00:00:00Z|`,
      ),
    );
    await check(meta, [[`DROP SHARD ${third}`], ["DROP SHARD 7777"]]);
    assert.deepEqual(meta.deleted, [
      {
        database: "a/d",
        tables: undefined,
        condition: undefined,
        time: { start: 0n, end: 24n * HOUR_NS - 1n },
      },
    ]);
  });
});
