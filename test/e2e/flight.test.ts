/** Clients of InfluxDB 3, as their makers publish them, against a whole node. */
import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { InfluxDBClient } from "@influxdata/influxdb3-client";
import { parquetReadObjects } from "hyparquet";
import { eventually, Sandbox, type TestNode } from "./cluster.ts";

suite("the client of InfluxDB 3", () => {
  let sandbox: Sandbox;
  let node: TestNode;
  let client: InfluxDBClient;
  before(async () => {
    sandbox = await Sandbox.open();
    node = await sandbox.start({});
    client = new InfluxDBClient({ host: node.url, token: "any", database: "db" });
    await client.write(
      'cpu,host=a,zone=x usage=0.5,n=3i,u=4u,s="tä",ok=true 1735689600000000001\ncpu,host=b usage=1.5 1735689601000000000',
    );
  });
  after(async () => {
    await client.close();
    await node.stop();
    await sandbox[Symbol.asyncDispose]();
  });

  async function rows(
    text: string,
    params?: Record<string, string | number | boolean>,
  ): Promise<readonly Record<string, unknown>[]> {
    const options = params === undefined ? {} : { params };
    return Array.fromAsync(client.query(text, "db", options));
  }

  test("reads every type, and NULL", async () => {
    assert.deepEqual(await rows("SELECT host, n, ok, s, u, usage, zone FROM cpu ORDER BY time"), [
      { host: "a", n: 3, ok: true, s: "tä", u: 4n, usage: 0.5, zone: "x" },
      { host: "b", n: null, ok: null, s: null, u: null, usage: 1.5, zone: null },
    ]);
  });

  test("makes points of rows, with tags, fields and their types", async () => {
    const points = await Array.fromAsync(
      client.queryPoints("SELECT *, usage * 2 AS twice FROM cpu WHERE host = 'a'", "db"),
    );
    const lines = points.map((point) => point.asPoint("again").toLineProtocol());
    assert.deepEqual(lines, [
      'again,host=a,zone=x n=3i,ok=T,s="tä",twice=1,u=4u,usage=0.5 1735689600000',
    ]);
  });

  test("gives parameters", async () => {
    const text = "SELECT host FROM cpu WHERE host = $h AND usage < $u";
    assert.deepEqual(await rows(text, { h: "a", u: 5 }), [{ host: "a" }]);
    assert.deepEqual(await rows(text, { h: "c", u: 5 }), []);
  });

  test("reads more rows than a message holds, in order", async () => {
    const lines = Array.from({ length: 50_000 }, (_, i) => `many v=${i}i,s="text ${i}" ${i + 1}`);
    await client.write(lines.join("\n"), "db", undefined, { precision: "ns" });
    const got = await rows("SELECT v, s FROM many ORDER BY time");
    assert.equal(got.length, 50_000);
    assert.ok(got.every(({ s, v }, i) => v === i && s === `text ${i}`));
  });

  test("finds the same rows in answers as Parquet, and in compressed ones", async () => {
    const text = "SELECT host, usage FROM cpu ORDER BY time";
    const query = `${node.url}/api/v3/query_sql?db=db&q=${encodeURIComponent(text)}`;
    const expected = await rows(text);
    const accept = "application/vnd.apache.parquet";
    for (const asked of [fetch(`${query}&format=parquet`), fetch(query, { headers: { accept } })]) {
      const answer = await asked;
      assert.equal(answer.headers.get("content-type"), accept);
      assert.deepEqual(await parquetReadObjects({ file: await answer.arrayBuffer() }), expected);
    }
    for (const encoding of ["gzip", "zstd", "identity"]) {
      const answer = await fetch(query, { headers: { "accept-encoding": encoding } });
      const sent = answer.headers.get("content-encoding");
      assert.equal(sent, encoding === "identity" ? null : encoding);
      assert.deepEqual(await answer.json(), expected);
    }
  });

  test("is told what is wrong, with the status that says what to do", async () => {
    await assert.rejects(rows("SELECT nope FROM cpu"), {
      code: "INVALID_ARGUMENT",
      message: /^Error while planning query: .*nope/,
    });
    await assert.rejects(rows("SELEC 1"), { code: "INVALID_ARGUMENT" });
    await assert.rejects(Array.fromAsync(client.query("SELECT 1", "gone")), {
      code: "NOT_FOUND",
      message: "Database 'gone' not found",
    });
    await assert.rejects(Array.fromAsync(client.query("SELEC 1", "db", { type: "influxql" })), {
      code: "INVALID_ARGUMENT",
    });
  });

  test("asks in InfluxQL", async () => {
    const text = "SELECT usage, n FROM cpu WHERE host = $h GROUP BY zone";
    const options = { type: "influxql", params: { h: "a" } } as const;
    const [row, ...others] = await Array.fromAsync(client.query(text, "db", options));
    assert.deepEqual(others, []);
    assert.partialDeepStrictEqual(row, { "iox::measurement": "cpu", zone: "x", usage: 0.5, n: 3 });
    assert.deepEqual(Object.keys(row ?? {}), ["iox::measurement", "time", "zone", "usage", "n"]);
    assert.deepEqual(await Array.fromAsync(client.query("SELECT x FROM no", "db", options)), []);
  });

  test("is told which lines of a write were refused", async () => {
    const lines = "p v=1i 1\np v=oops 2";
    // The API of InfluxDB 2 takes all lines or none, the native one those that are right.
    await assert.rejects(client.write(lines, "db"), /line 2/);
    await assert.rejects(rows("SELECT v FROM p"), { code: "INVALID_ARGUMENT" });
    await assert.rejects(client.write(lines, "db", undefined, { noSync: true }), /partial write/);
    const kept = await eventually(
      async () => {
        const got = await rows("SELECT v FROM p").catch(() => []);
        return got.length > 0 ? got : undefined;
      },
      { what: "the good line" },
    );
    assert.deepEqual(kept, [{ v: 1 }]);
  });
});

test("Flight asks for tokens where HTTP does", async () => {
  await using sandbox = await Sandbox.open();
  const node = await sandbox.start({ auth: true });
  const made = await node.post("/api/v3/configure/token/admin", "");
  const { token } = JSON.parse(made.text) as { token: string };
  const ask = async (given: string) => {
    const client = new InfluxDBClient({ host: node.url, token: given });
    try {
      return await Array.fromAsync(client.query("SELECT 1 AS one", "_internal"));
    } finally {
      await client.close();
    }
  };
  assert.deepEqual(await ask(token), [{ one: 1n }]);
  await assert.rejects(ask("apiv3_wrong"), { code: "PERMISSION_DENIED" });
  await node.stop();
});
