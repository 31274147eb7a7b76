/** Real nodes on one store: a compactor makes few files of many, whatever happens to it, and answers stay. */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { eventually, Sandbox, type TestNode } from "./cluster.ts";

const ROUND_COUNT = 6;
const HOST_COUNT = 40;
const STEP_COUNT = 50;
const STEP_NS = 10_000_000_000n;
/** Long ago, so that every window has ended. */
const START_NS = 1_700_000_000_000_000_000n;
const ALL = "SELECT * FROM m ORDER BY host, time";
const OFTEN = ["--compaction-check-interval", "100ms"];
const WITHIN_MS = 60_000;

/** Rows over all of the time, of which some replace earlier ones, some have other fields, and some come late. */
function linesOf(node: number, round: number): string {
  const lines: string[] = [];
  for (let host = 0; host < HOST_COUNT; host += 1)
    for (let step = node; step < STEP_COUNT; step += 2) {
      const time = START_NS + BigInt(step * ROUND_COUNT + (round % 3)) * STEP_NS;
      const field = (host + round) % 4 === 0 ? `only${round}="x"` : `v=${round * 1_000 + step}`;
      lines.push(`m,host=h${host},zone=z${host % 3} ${field},n=${host}i ${time}`);
    }
  return lines.join("\n");
}

async function startIngest(sandbox: Sandbox): Promise<readonly TestNode[]> {
  const more = ["--snapshot-age", "200ms", "--replication-interval", "100ms"];
  return Promise.all(
    ["host01", "host02"].map((nodeId) =>
      sandbox.start({ nodeId, mode: "ingest,query", more: [...more, ...OFTEN] }),
    ),
  );
}

/** Writes all rounds on both nodes, in files of a snapshot each. */
async function writeAll(nodes: readonly TestNode[]): Promise<string | undefined> {
  let token: string | undefined;
  for (let round = 0; round < ROUND_COUNT; round += 1)
    for (const [index, node] of nodes.entries()) {
      token = await node.write("d", linesOf(index, round));
      // Each later write is ordered after the ones before, on whatever node.
      await nodes[1 - index]?.rows("d", "SELECT n FROM m LIMIT 1", { token });
      await sleep(300);
    }
  return token;
}

async function answersOf(nodes: readonly TestNode[], token: string | undefined) {
  return Promise.all(nodes.map(async (node) => (await node.query("d", ALL, { token })).text));
}

interface Compacted {
  readonly fileCount: number;
  readonly rowCount: number;
}

/** Resolves when the table `m` is in compacted files, and they do not change any more. */
async function compacted(node: TestNode): Promise<Compacted> {
  const text = "SELECT parquet_file_count, parquet_row_count FROM system.compacted_data";
  let before = "";
  return eventually(
    async () => {
      const rows = await node.rows("d", text);
      const [row] = rows;
      const same = row !== undefined && rows.length === 1 && JSON.stringify(rows) === before;
      before = JSON.stringify(rows);
      if (same)
        return {
          fileCount: Number(row["parquet_file_count"]),
          rowCount: Number(row["parquet_row_count"]),
        };
      await sleep(1_500);
      return undefined;
    },
    { what: "compacted files", withinMs: WITHIN_MS },
  );
}

async function snapshotsTaken(sandbox: Sandbox): Promise<number> {
  return (await sandbox.objects()).filter((key) => /^host0\d\/data\//.test(key)).length;
}

suite("compaction", () => {
  test("makes few files of many, and every node answers the same before, during and after", async () => {
    await using sandbox = await Sandbox.open();
    const nodes = await startIngest(sandbox);
    const token = await writeAll(nodes);
    const [before, other] = await answersOf(nodes, token);
    assert.equal(other, before);
    assert.ok((before ?? "").length > 100_000);
    const fileCount = await snapshotsTaken(sandbox);
    assert.ok(fileCount >= 2 * ROUND_COUNT);
    const compactor = await sandbox.start({ nodeId: "host03", mode: "compact", more: OFTEN });
    const over = new AbortController();
    const asking = (async () => {
      for (; !over.signal.aborted; await sleep(20))
        for (const answer of await answersOf(nodes, token)) assert.ok(answer === before);
    })();
    try {
      const { fileCount: made, rowCount } = await compacted(nodes[0] as TestNode);
      assert.equal(made, 1);
      assert.ok(rowCount <= HOST_COUNT * STEP_COUNT * ROUND_COUNT);
    } finally {
      over.abort();
    }
    await asking;
    const late = await nodes[0]?.write("d", linesOf(0, 1));
    const [after, same] = await answersOf(nodes, late);
    assert.equal(after, same);
    assert.notEqual(after, before);
    const events = await compactor.rows(
      "_internal",
      "SELECT event_type, event_status, event_detail FROM system.compaction_events",
    );
    assert.ok(events.some(({ event_status: status }) => status === "success"));
    const { text } = await compactor.get("/metrics");
    assert.match(text, /^tidelake_compactions_total [1-9]/m);
  });

  test("a compactor that is killed again and again loses nothing and doubles nothing", async () => {
    await using sandbox = await Sandbox.open();
    const nodes = await startIngest(sandbox);
    const token = await writeAll(nodes);
    const [before] = await answersOf(nodes, token);
    for (const afterMs of [0, 150, 300, 450, 600, 900]) {
      const compactor = await sandbox.start({ nodeId: "host03", mode: "compact", more: OFTEN });
      await sleep(afterMs);
      await compactor.kill();
      for (const answer of await answersOf(nodes, token)) assert.ok(answer === before);
    }
    await sandbox.start({ nodeId: "host03", mode: "compact", more: OFTEN });
    assert.equal((await compacted(nodes[1] as TestNode)).fileCount, 1);
    for (const answer of await answersOf(nodes, token)) assert.ok(answer === before);
  });
});
