import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { DbError } from "#base/errors.ts";
import { settle } from "#testing/hand-clock.ts";
import { check, shown, startMeta } from "#testing/meta/statements.ts";

const FOREVER = new AbortController().signal;

function subscription(where: string): string {
  return `CREATE SUBSCRIPTION s ON ${where} DESTINATIONS ALL 'udp://h:1'`;
}

const POLICIES = ": name,duration,shardGroupDuration,replicaN,default";

suite("statements on databases and policies", () => {
  test("are answered as by InfluxDB 1", async () => {
    await using meta = await startMeta();
    await check(meta, [
      ["SHOW DATABASES", "databases: name"],
      ["CREATE DATABASE a"],
      ["CREATE DATABASE b WITH DURATION 3d REPLICATION 2 SHARD DURATION 61m NAME foo"],
      [
        "CREATE DATABASE a WITH NAME other",
        "error: retention policy conflicts with an existing policy",
      ],
      ['CREATE DATABASE "."', "error: invalid name"],
      ['CREATE DATABASE c WITH NAME "x/y"', "error: invalid name"],
      ["SHOW DATABASES", "databases: name", "a", "b"],
      ["SHOW RETENTION POLICIES", POLICIES, "autogen|0s|168h0m0s|1|true"],
      ["SHOW RETENTION POLICIES ON b", POLICIES, "foo|72h0m0s|1h1m0s|2|true"],
      ["SHOW RETENTION POLICIES ON z", "error: database not found: z"],
      [
        "CREATE RETENTION POLICY p ON a DURATION 30m REPLICATION 1",
        "error: retention policy duration must be at least 1h0m0s",
      ],
      ["CREATE RETENTION POLICY p ON a DURATION 1d REPLICATION 1 DEFAULT"],
      ["ALTER RETENTION POLICY p ON a DURATION 2d"],
      [
        "SHOW RETENTION POLICIES",
        POLICIES,
        "autogen|0s|168h0m0s|1|false",
        "p|48h0m0s|1h0m0s|1|true",
      ],
      ["DROP RETENTION POLICY p ON a"],
      ["DROP RETENTION POLICY p ON a"],
      ["DROP DATABASE b"],
      ["DROP DATABASE b"],
      ["SHOW DATABASES", "databases: name", "a"],
      ["SHOW SUBSCRIPTIONS"],
    ]);
    assert.deepEqual(await shown(meta, "SHOW RETENTION POLICIES", ""), [
      "error: database name required",
    ]);
  });

  test("subscriptions are refused, for nothing is sent on", async () => {
    await using meta = await startMeta();
    await check(meta, [
      ["CREATE DATABASE a"],
      [
        subscription("a.autogen"),
        "error: writes are not sent on to subscribers here: let whoever writes send them to both",
      ],
      [subscription("a.none"), "error: retention policy not found: none"],
      [subscription("b.autogen"), "error: database not found: b"],
      ["DROP SUBSCRIPTION s ON a.autogen", "error: subscription not found"],
    ]);
  });
});

suite("statements on users", () => {
  test("keep and show them", async () => {
    await using meta = await startMeta();
    await check(meta, [
      ["CREATE DATABASE a; CREATE DATABASE b"],
      ["CREATE USER u WITH PASSWORD 'x'"],
      ["CREATE USER u WITH PASSWORD 'x'"],
      ["CREATE USER u WITH PASSWORD 'y'", "error: user already exists"],
      ["CREATE USER u WITH PASSWORD 'x' WITH ALL PRIVILEGES", "error: user already exists"],
      ["CREATE USER admin WITH PASSWORD '' WITH ALL PRIVILEGES"],
      ["SHOW USERS", ": user,admin", "u|false", "admin|true"],
      ["GRANT READ ON none TO u", "error: database not found: none"],
      ["GRANT READ ON a TO nobody", "error: user not found"],
      [
        "GRANT ALL ON b TO u; GRANT WRITE ON a TO u; REVOKE READ ON b FROM u; REVOKE READ ON a FROM u",
      ],
      ["SHOW GRANTS FOR u", ": database,privilege", "b|WRITE", "a|WRITE"],
      ["REVOKE WRITE ON a FROM u; DROP DATABASE b; GRANT ALL PRIVILEGES TO u"],
      ["SHOW GRANTS FOR u", ": database,privilege", "a|NO PRIVILEGES"],
      ["SHOW GRANTS FOR nobody", "error: user not found"],
      ["SET PASSWORD FOR nobody = 'x'", "error: user not found"],
      ["SET PASSWORD FOR u = 'z'"],
      ["CREATE USER u WITH PASSWORD 'z' WITH ALL PRIVILEGES"],
      ["DROP USER admin"],
      ["DROP USER admin", "error: user not found"],
      ["SHOW USERS", ": user,admin", "u|true"],
    ]);
    const text = JSON.stringify([...meta.node.catalog.state.users.values()]);
    assert.match(text, /scrypt:16384:8:1:/);
    assert.doesNotMatch(text, /"z"/);
  });
});

suite("statements that wait to hash passwords", () => {
  const over = new DbError("exceeded", "query_timeout", "over");

  test("are ended while they wait, and change nothing then", async () => {
    await using meta = await startMeta();
    const end = new AbortController();
    const asked = (name: string, signal: AbortSignal) =>
      meta.run(`CREATE USER ${name} WITH PASSWORD 'x'`, "", { signal });
    const working = asked("a", FOREVER);
    await settle();
    const waiting = asked("b", end.signal);
    await settle();
    end.abort(over);
    await assert.rejects(waiting, over);
    await working;
    assert.deepEqual([...meta.node.catalog.state.users.keys()], ["a"]);
  });

  test("change nothing when they were ended while it was their turn", async () => {
    await using meta = await startMeta();
    const end = new AbortController();
    const asked = meta.run("CREATE USER a WITH PASSWORD 'x'", "", { signal: end.signal });
    await settle();
    end.abort(over);
    await assert.rejects(asked, over);
    assert.deepEqual([...meta.node.catalog.state.users.keys()], []);
  });

  test("are refused where many wait", async () => {
    await using meta = await startMeta();
    const end = new AbortController();
    const asked = Array.from({ length: 120 }, (_, index) =>
      meta.run(`CREATE USER u${index} WITH PASSWORD 'x'`, "", { signal: end.signal }).then(
        () => "done",
        (error: unknown) => (error instanceof DbError ? `${error.kind} ${error.code}` : "?"),
      ),
    );
    await settle();
    end.abort(over);
    const ends = await Promise.all(asked);
    const countOf = (wanted: string) => ends.filter((one) => one === wanted).length;
    assert.ok(countOf("exceeded passwords_full") > 0);
    assert.ok(countOf("exceeded query_timeout") >= 90);
    assert.equal(ends.includes("?"), false);
  });
});

suite("statements on continuous queries", () => {
  const body = "BEGIN SELECT mean(v) INTO t FROM m, (SELECT v FROM b..n) GROUP BY time(1h) END";
  const whole =
    "CREATE CONTINUOUS QUERY q ON a BEGIN SELECT mean(v) INTO a.p.t FROM a.p.m, (SELECT v FROM b.autogen.n) GROUP BY time(1h) END";

  test("keep them with all names they mean, and show them by database", async () => {
    await using meta = await startMeta();
    await check(meta, [
      ["CREATE DATABASE a; CREATE DATABASE b"],
      ["CREATE RETENTION POLICY p ON a DURATION INF REPLICATION 1 DEFAULT"],
      [`CREATE CONTINUOUS QUERY q ON a ${body}`],
      [`CREATE CONTINUOUS QUERY q ON a ${body}`],
      ["ALTER RETENTION POLICY autogen ON a DEFAULT"],
      [`CREATE CONTINUOUS QUERY q ON a ${body}`, "error: continuous query already exists"],
      [`CREATE CONTINUOUS QUERY q ON z ${body}`, "error: database not found: z"],
      [
        "CREATE CONTINUOUS QUERY q ON b BEGIN SELECT v INTO a.z.t FROM m END",
        "error: retention policy not found: a.z",
      ],
      ["SHOW CONTINUOUS QUERIES", "a: name,query", `q|${whole}`, "b: name,query"],
    ]);
    const [kept] = meta.node.catalog.state.continuousQueries.values();
    assert.deepEqual(kept, { database: "a", name: "q", text: whole });
    await check(meta, [
      ["DROP CONTINUOUS QUERY q ON a"],
      ["DROP CONTINUOUS QUERY q ON a"],
      ["SHOW CONTINUOUS QUERIES", "a: name,query", "b: name,query"],
    ]);
  });
});
