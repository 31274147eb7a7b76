/** Clients of InfluxDB 1 and 2, as their makers publish them, against a whole node. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { HttpError, InfluxDB as InfluxDB2, Point } from "@influxdata/influxdb-client";
import { InfluxDB } from "influx";
import { Sandbox, type TestNode } from "./cluster.ts";

const NEW_YEAR_MS = 1_735_689_600_000;
const NEW_YEAR_NS = "1735689600000000000";

let sandbox: Sandbox;
let node: TestNode;
before(async () => {
  sandbox = await Sandbox.open();
  node = await sandbox.start({});
});
after(async () => {
  await node.stop();
  await sandbox[Symbol.asyncDispose]();
});

suite("the client of InfluxDB 1 for Node", () => {
  let client: InfluxDB;
  before(async () => {
    client = new InfluxDB(`${node.url}/one`);
    await client.createDatabase("one");
    await client.writePoints([
      point("a", { usage: 1.5, ok: true, s: 'tä "x"' }, 0),
      point("b", { usage: 2.5 }, 10_000),
    ]);
  });

  test("finds the server alive, and its version", async () => {
    const [host] = await client.ping(5_000);
    assert.equal(host?.online, true);
    assert.match(host.version, /^\d+\.\d+\.\d+/);
  });

  test("reads what it wrote, of every type, to the nanosecond", async () => {
    await client.writePoints([{ measurement: "ns", fields: { v: 1 }, timestamp: "1234567890" }]);
    const [exact] = await client.query("SELECT v FROM ns");
    assert.equal(timeOf(exact).getNanoTime(), "1234567890");
    const rows = await client.query("SELECT * FROM cpu");
    assert.deepEqual(
      rows.map((row) => [timeOf(row).getTime(), { ...Object(row), time: undefined }]),
      [
        [NEW_YEAR_MS, { time: undefined, host: "a", ok: true, s: 'tä "x"', usage: 1.5 }],
        [NEW_YEAR_MS + 10_000, { time: undefined, host: "b", ok: null, s: null, usage: 2.5 }],
      ],
    );
  });

  test("groups, binds values and asks several things at once", async () => {
    const groups = (await client.query("SELECT max(usage) FROM cpu GROUP BY host")).groups();
    assert.deepEqual(
      groups.map(({ name, tags }) => [name, tags]),
      [
        ["cpu", { host: "a" }],
        ["cpu", { host: "b" }],
      ],
    );
    const placeholders = { host: "b" };
    const bound = await client.query("SELECT usage FROM cpu WHERE host = $host", { placeholders });
    assert.partialDeepStrictEqual([...bound], [{ usage: 2.5 }]);
    const [counts, keys] = await client.query(["SELECT count(usage) FROM cpu", "SHOW TAG KEYS"]);
    assert.partialDeepStrictEqual(counts, [{ count: 2 }]);
    assert.partialDeepStrictEqual(keys, [{ tagKey: "host" }]);
    assert.deepEqual(await client.getSeries({ measurement: "cpu" }), ["cpu,host=a", "cpu,host=b"]);
  });

  test("makes, fills and drops retention policies, users and continuous queries", async () => {
    const week = { replication: 1, isDefault: false };
    await client.createRetentionPolicy("week", { ...week, duration: "7d" });
    await client.alterRetentionPolicy("week", { ...week, duration: "14d" });
    assert.partialDeepStrictEqual(
      [...(await client.showRetentionPolicies())],
      [
        { name: "autogen", duration: "0s", default: true },
        { name: "week", duration: "336h0m0s", default: false },
      ],
    );
    const retentionPolicy = "week";
    await client.writeMeasurement("cpu", [{ fields: { usage: 9 } }], { retentionPolicy });
    const kept = await client.query("SELECT usage FROM cpu", { retentionPolicy });
    assert.partialDeepStrictEqual([...kept], [{ usage: 9 }]);
    await client.createUser("bob", "secret");
    await client.grantPrivilege("bob", "READ", "one");
    assert.partialDeepStrictEqual([...(await client.getUsers())], [{ user: "bob", admin: false }]);
    await client.dropUser("bob");
    const text = "SELECT mean(usage) INTO five FROM cpu GROUP BY time(5m)";
    await client.createContinuousQuery("five", text);
    assert.partialDeepStrictEqual([...(await client.showContinousQueries())], [{ name: "five" }]);
    await client.dropContinuousQuery("five");
    await client.dropRetentionPolicy("week");
    assert.equal((await client.showRetentionPolicies()).length, 1);
  });

  test("is told what is wrong", async () => {
    await assert.rejects(
      client.query("SELEC"),
      /error parsing query: found SELEC, expected SELECT/,
    );
    await assert.rejects(client.query("SELECT mean(s) FROM cpu"), /unsupported mean iterator type/);
    const wrong = client.writeMeasurement("cpu", [{ fields: { usage: "text" } }]);
    await assert.rejects(wrong, /field type conflict: input field .*usage.* on measurement .*cpu/);
  });

  test("drops series, measurements and databases", async () => {
    const database = "dropped";
    await client.createDatabase(database);
    const lines = [point("a", { v: 1 }, 0), point("b", { v: 2 }, 0)];
    await client.writePoints(lines, { database });
    await client.query("DROP SERIES FROM cpu WHERE \"host\" = 'b'", { database });
    const left = await client.query("SELECT host, v FROM cpu", { database });
    assert.partialDeepStrictEqual([...left], [{ host: "a", v: 1 }]);
    assert.equal(left.length, 1);
    await client.dropMeasurement("cpu", database);
    assert.deepEqual(await client.getMeasurements(database), []);
    await client.dropDatabase(database);
    assert.equal((await client.getDatabaseNames()).includes(database), false);
  });
});

suite("a node that asks for tokens", () => {
  test("takes one as the password of InfluxDB 1, and of InfluxDB 2 as its token", async () => {
    await using other = await Sandbox.open();
    const guarded = await other.start({ auth: true });
    const made = await other.run(
      "create token --admin --format json --host".split(" ").concat(guarded.url),
    );
    const { token } = JSON.parse(made.out) as { token: string };
    const { hostname: host, port } = new URL(guarded.url);
    const clientWith = (password: string) =>
      new InfluxDB({ host, port: Number(port), username: "any", password, database: "guarded" });
    const [one, stranger] = [clientWith(token), clientWith("guessed")];
    assert.equal((await one.ping(5_000))[0]?.online, true);
    assert.equal((await stranger.ping(5_000))[0]?.online, false);
    await one.writeMeasurement("cpu", [{ fields: { v: 1 } }]);
    await assert.rejects(stranger.query("SELECT v FROM cpu"), /401/);
    const writer = new InfluxDB2({ url: guarded.url, token }).getWriteApi("any", "guarded");
    writer.writeRecord("cpu v=2");
    await writer.close();
    const rows = await one.query("SELECT sum(v) FROM cpu");
    assert.partialDeepStrictEqual([...rows], [{ sum: 3 }]);
  });
});

suite("the client of InfluxDB 2 for Node", () => {
  test("writes points of every type, in gzip, which any API reads", async () => {
    const client = new InfluxDB2({ url: node.url, token: "any" });
    const options = { maxRetries: 0, gzipThreshold: 1, defaultTags: { zone: "x" } };
    const writer = client.getWriteApi("any", "two", "ns", options);
    writer.writePoint(
      new Point("cpu")
        .tag("host", "a")
        .floatField("usage", 0.5)
        .intField("n", -3)
        .uintField("u", 4)
        .booleanField("ok", true)
        .stringField("s", 'tä "x"')
        .timestamp("1735689600000000001"),
    );
    await writer.close();
    const expected = { host: "a", zone: "x", usage: 0.5, n: -3, u: 4, ok: true, s: 'tä "x"' };
    const [row] = await node.rows("two", "SELECT * FROM cpu");
    assert.deepEqual(row, { ...expected, time: "2025-01-01T00:00:00.000000001" });
    const { text } = await node.get(
      `/query?db=two&epoch=ns&q=${encodeURIComponent("SELECT s, n FROM cpu")}`,
    );
    assert.match(text, /"values":\[\[1735689600000000001,"tä \\"x\\"",-3\]\]/);
  });

  test("writes into a policy of InfluxDB 1, and hears which line is wrong", async () => {
    const client = new InfluxDB2({ url: node.url, token: "any" });
    const writer = client.getWriteApi("any", "two/week", "s", { maxRetries: 0 });
    writer.writeRecord("cpu v=1 1735689600");
    await writer.close();
    const one = new InfluxDB(`${node.url}/two`);
    assert.partialDeepStrictEqual([...(await one.query("SELECT v FROM two.week.cpu"))], [{ v: 1 }]);
    const failures: unknown[] = [];
    const bad = client.getWriteApi("any", "two", "s", {
      maxRetries: 0,
      writeFailed: async (error) => void failures.push(error),
    });
    bad.writeRecords(["cpu v=1 1735689600", "cpu v=oops 1735689600"]);
    await bad.close();
    const [error] = failures;
    assert.ok(error instanceof HttpError);
    assert.equal(error.statusCode, 400);
    assert.equal(error.code, "invalid");
    assert.match(error.message, /line 2/);
  });
});

const hasShell = spawnSync("influx", ["-version"]).stdout?.toString().includes("version: 1.");
const skip = hasShell ? false : "the shell of InfluxDB 1 (`influx`) is not installed";

suite("the shell of InfluxDB 1", { skip }, () => {
  test("writes and asks, in its formats", async () => {
    assert.equal(await shell(["-execute", "CREATE DATABASE shell"]), "");
    const line = `INSERT cpu,host=a usage=1.5,n=2i ${NEW_YEAR_NS}`;
    assert.equal(await shell(["-database", "shell", "-execute", line]), "");
    const ask = ["-database", "shell", "-execute", "SELECT * FROM cpu", "-format"];
    assert.equal(
      await shell([...ask, "csv"]),
      `name,time,host,n,usage\ncpu,${NEW_YEAR_NS},a,2,1.5\n`,
    );
    assert.match(
      await shell([...ask, "column", "-precision", "rfc3339"]),
      /^name: cpu\ntime +host +n +usage\n[- ]+\n2025-01-01T00:00:00Z +a +2 +1\.5\n/,
    );
    const { results } = JSON.parse(await shell([...ask, "json"])) as { results: object[] };
    assert.partialDeepStrictEqual(results, [{ series: [{ name: "cpu" }] }]);
    assert.match(await shell(["-execute", "SELEC"]), /^ERR: error parsing query: found SELEC/);
  });

  test("takes statements that are piped in, and imports what it exported", async () => {
    const file = join(sandbox.directory, "exported");
    const lines = `cpu,host=a v=1 ${NEW_YEAR_NS}\ncpu,host=b v=2 ${NEW_YEAR_NS}\n`;
    const head = "# DDL\nCREATE DATABASE imported\n# DML\n# CONTEXT-DATABASE: imported\n";
    await writeFile(file, head + lines);
    assert.match(
      await shell(["-import", "-path", file, "-precision", "ns"]),
      /Processed 2 inserts/,
    );
    assert.equal(
      await shell(["-database", "imported", "-format", "csv"], "SELECT sum(v) FROM cpu"),
      "name,time,sum\ncpu,0,3\n",
    );
  });
});

function point(host: string, fields: Readonly<Record<string, unknown>>, afterMs: number) {
  return {
    measurement: "cpu",
    tags: { host },
    fields,
    timestamp: new Date(NEW_YEAR_MS + afterMs),
  };
}

function timeOf(row: unknown): Date & { getNanoTime(): string } {
  return (row as { time: Date & { getNanoTime(): string } }).time;
}

async function shell(words: readonly string[], input = ""): Promise<string> {
  const { hostname, port } = new URL(node.url);
  const all = ["-host", hostname, "-port", port, ...words];
  const { out, error } = await sandbox.run(all, { program: "influx", input });
  return out + error;
}
