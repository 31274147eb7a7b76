/** Tables of every shape, their rows out of order, asked every kind of question while they are buffered, in files, and compacted. */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { eventually, Sandbox, type TestNode } from "./cluster.ts";

const ROW_COUNT = 60;
const FILE_COUNT = 4;
/** Long ago, so that every window has ended. */
const START_NS = 1_700_000_000_000_000_000n;
const SECOND_NS = 1_000_000_000n;
const OFTEN = ["--wal-files-per-snapshot", `${FILE_COUNT}`, "--compaction-check-interval", "100ms"];

/** What stands before the fields of row `row`. */
const SHAPES: Readonly<Record<string, (row: number) => string>> = {
  no_tags: () => "",
  one_tag: (row) => `,t=a${row % 3}`,
  many_tags: (row) => `,t=a${row % 3},u=b${row % 5},w=c`,
  tags_that_lack: (row) => (row % 2 === 0 ? "" : `,t=a${row % 3}`),
};

/** Asked of every table. `t` is a column of those alone that have tags. */
const QUESTIONS = [
  "SELECT * FROM TABLE ORDER BY time, n",
  "SELECT n, time FROM TABLE WHERE n >= 20 AND n < 40 ORDER BY n",
  "SELECT n FROM TABLE WHERE s = 's3' OR n = 59 ORDER BY n",
  "SELECT n FROM TABLE WHERE n IN (1, 2, 3, 5, 8, 13) ORDER BY n",
  "SELECT n FROM TABLE WHERE some IS NOT NULL ORDER BY n",
  "SELECT count(*) AS c, sum(n) AS s, min(time) AS low, max(time) AS high FROM TABLE",
  `SELECT n FROM TABLE WHERE time >= '2023-11-14T22:13:40Z' AND time < '2023-11-14T22:14:00Z' ORDER BY n`,
  "SELECT date_bin(INTERVAL '10 seconds', time) AS b, sum(n) AS s FROM TABLE GROUP BY b ORDER BY b",
];
const TAG_QUESTIONS = [
  "SELECT n FROM TABLE WHERE t = 'a1' ORDER BY n",
  "SELECT n FROM TABLE WHERE t = 'a1' OR n < 10 ORDER BY n",
  "SELECT n FROM TABLE WHERE t IS NULL ORDER BY n",
  "SELECT t, count(*) AS c FROM TABLE GROUP BY t ORDER BY t",
];

/** Writes `part` of the rows of every table: each file has rows of all times, the later ones first. */
async function writePart(node: TestNode, part: number): Promise<string | undefined> {
  const lines: string[] = [];
  for (const [table, tagsOf] of Object.entries(SHAPES))
    for (let row = ROW_COUNT - 1 - part; row >= 0; row -= FILE_COUNT) {
      const some = part === 0 ? ",some=true" : "";
      const time = START_NS + BigInt(row) * SECOND_NS;
      lines.push(`${table}${tagsOf(row)} n=${row}i,s="s${row % 7}"${some} ${time}`);
    }
  return node.write("d", lines.join("\n"));
}

async function answersOf(node: TestNode, token: string | undefined): Promise<readonly string[]> {
  const answers: string[] = [];
  for (const table of Object.keys(SHAPES))
    for (const question of [...QUESTIONS, ...(table === "no_tags" ? [] : TAG_QUESTIONS)]) {
      const { status, text } = await node.query("d", question.replace("TABLE", table), { token });
      assert.equal(status, 200, `${question}: ${text}`);
      answers.push(`${table}: ${question}: ${text}`);
    }
  return answers;
}

suite("tables with tags, without, and with some", () => {
  test("answer the same while they are buffered, in files and compacted, after a restart as well", async () => {
    await using sandbox = await Sandbox.open();
    const node = await sandbox.start({ mode: "ingest,query", more: OFTEN });
    let token: string | undefined;
    for (let part = 0; part < FILE_COUNT - 1; part += 1) token = await writePart(node, part);
    const buffered = await answersOf(node, token);
    const all = JSON.parse(buffered[0]?.split(": ").at(2) ?? "[]") as readonly unknown[];
    assert.equal(all.length, ROW_COUNT - ROW_COUNT / FILE_COUNT);
    assert.deepEqual(
      (await sandbox.objects()).filter((key) => key.endsWith(".parquet")),
      [],
    );
    token = await writePart(node, FILE_COUNT - 1);
    const whole = await answersOf(node, token);
    assert.notDeepEqual(whole, buffered);
    await eventually(
      async () => (await sandbox.objects()).some((key) => key.endsWith(".parquet")) || undefined,
      { what: "files" },
    );
    assert.deepEqual(await answersOf(node, token), whole);
    // The same rows once more: files that overlap.
    for (let part = 0; part < FILE_COUNT; part += 1) token = await writePart(node, part);
    assert.deepEqual(await answersOf(node, token), whole);
    const compactor = await sandbox.start({ nodeId: "host02", mode: "compact", more: OFTEN });
    await eventually(
      async () => {
        const rows = await node.rows("d", "SELECT table_name FROM system.compacted_data");
        return rows.length >= Object.keys(SHAPES).length || undefined;
      },
      { what: "compacted files of every table", withinMs: 30_000 },
    );
    assert.deepEqual(await answersOf(node, token), whole);
    await compactor.kill();
    await node.kill();
    const again = await sandbox.start({ mode: "ingest,query", more: OFTEN });
    assert.deepEqual(await answersOf(again, undefined), whole);
  });
});
