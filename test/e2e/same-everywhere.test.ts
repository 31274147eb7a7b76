/** What SHOW tells, asked of two nodes while the rows are in buffers, in files, and compacted. */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { eventually, Sandbox, type TestNode } from "./cluster.ts";

const OFTEN = ["--wal-files-per-snapshot", "4", "--compaction-check-interval", "100ms"];

const STATEMENTS = `SHOW DATABASES; SHOW RETENTION POLICIES ON db; SHOW USERS; SHOW GRANTS FOR u; SHOW CONTINUOUS QUERIES;
  SHOW MEASUREMENTS; SHOW MEASUREMENTS WITH MEASUREMENT =~ /^c/; SHOW MEASUREMENTS WHERE host = 'a1';
  SHOW TAG KEYS; SHOW TAG KEYS FROM cpu; SHOW TAG VALUES WITH KEY = host; SHOW TAG VALUES FROM mem WITH KEY =~ /./ WHERE host = 'a2';
  SHOW FIELD KEYS; SHOW SERIES; SHOW SERIES FROM cpu WHERE host =~ /^a/; SHOW SERIES FROM db.week.cpu; SHOW SHARDS; SHOW SHARD GROUPS;
  SHOW SERIES CARDINALITY; SHOW SERIES EXACT CARDINALITY; SHOW MEASUREMENT CARDINALITY; SHOW TAG KEY CARDINALITY;
  SHOW FIELD KEY CARDINALITY; SHOW TAG VALUES CARDINALITY WITH KEY = host; SELECT count(v) FROM /./ GROUP BY *`;

/** A part of the rows: all series, some times of each. */
function partOf(part: number): string {
  return Array.from({ length: 30 }, (_, row) => {
    const time = 1_700_000_000_000_000_000n + BigInt(row * 4 + part) * 1_000_000_000n;
    const tags = row % 5 === 0 ? "" : `,host=a${row % 3}`;
    return [`cpu${tags},core=${row % 2} v=${row}i ${time}`, `mem${tags} v=${row},s="x" ${time}`];
  })
    .flat()
    .join("\n");
}

async function ask(node: TestNode, text: string, token?: string): Promise<string> {
  const body = new URLSearchParams({ db: "db", q: text, ...(token && { min_token: token }) });
  const answer = await node.post("/query", body.toString(), {
    "content-type": "application/x-www-form-urlencoded",
  });
  assert.equal(answer.status, 200, answer.text);
  assert.ok(!answer.text.includes('"error"'), answer.text);
  return answer.text;
}

suite("what SHOW tells", () => {
  test("is the same on every node, with rows in buffers, in files and in compacted files", async () => {
    await using sandbox = await Sandbox.open();
    const one = await sandbox.start({ mode: "ingest,query", more: OFTEN });
    const other = await sandbox.start({ nodeId: "host02", mode: "query,compact", more: OFTEN });
    await ask(
      one,
      `CREATE DATABASE db; CREATE RETENTION POLICY week ON db DURATION INF REPLICATION 1; CREATE USER u WITH PASSWORD 'x';
       GRANT READ ON db TO u; CREATE CONTINUOUS QUERY q ON db BEGIN SELECT mean(v) INTO m FROM cpu GROUP BY time(52w) END`,
    );
    const same = async (token: string | undefined): Promise<string> => {
      const [here, there] = [
        await ask(one, STATEMENTS, token),
        await ask(other, STATEMENTS, token),
      ];
      assert.equal(there, here);
      return here;
    };
    await one.write("db/week", "cpu,host=w v=1i 1700000000000000000");
    let token = await one.write("db", partOf(0));
    const buffered = await same(token);
    assert.match(buffered, /"cpu,core=0,host=a1"/);
    assert.deepEqual(
      (await sandbox.objects()).filter((key) => key.endsWith(".parquet")),
      [],
    );
    for (let part = 1; part < 4; part += 1) token = await one.write("db", partOf(part));
    const all = await same(token);
    await eventually(
      async () => (await sandbox.objects()).some((key) => key.endsWith(".parquet")) || undefined,
      { what: "files", withinMs: 30_000 },
    );
    assert.equal(await same(token), all);
    for (let part = 0; part < 4; part += 1) token = await one.write("db", partOf(part));
    await eventually(
      async () => {
        const rows = await one.rows("db", "SELECT table_name FROM system.compacted_data");
        return rows.length >= 2 || undefined;
      },
      { what: "compacted files of both tables", withinMs: 30_000 },
    );
    assert.equal(await same(token), all);
    await ask(other, "DELETE FROM cpu WHERE host = 'a1'; DROP MEASUREMENT mem");
    await eventually(
      async () => {
        const [here, there] = [await ask(one, STATEMENTS), await ask(other, STATEMENTS)];
        return (here === there && !here.includes("a1") && !here.includes("mem")) || undefined;
      },
      { what: "one answer after deletes", withinMs: 10_000 },
    );
  });
});
