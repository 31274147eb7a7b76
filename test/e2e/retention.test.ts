/** Retention policies of InfluxDB 1 on two real nodes: what is past them is refused, hidden at once on both, and leaves the store in the end. */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { eventually, Sandbox, type TestNode } from "./cluster.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const BEYOND = "points beyond retention policy";

async function ask(node: TestNode, text: string): Promise<string> {
  const answer = await node.post(`/query?db=d&q=${encodeURIComponent(text)}`, "");
  assert.equal(answer.status, 200, answer.text);
  return answer.text;
}

/** Runs statements that answer nothing. */
async function change(node: TestNode, text: string): Promise<void> {
  const answer = await ask(node, text);
  assert.ok(!answer.includes("error"), answer);
}

async function countOf(node: TestNode): Promise<number> {
  const text = await ask(node, "SELECT count(v) FROM m");
  return Number(/\[\["[^"]*",(\d+)\]\]/.exec(text)?.[1] ?? 0);
}

/** Waits until both nodes show so many rows. */
async function expectCount(nodes: readonly TestNode[], count: number): Promise<void> {
  for (const node of nodes)
    await eventually(async () => ((await countOf(node)) === count ? true : undefined), {
      what: `${count} rows`,
    });
}

/** Writes a row of so long ago into the default policy. */
function writeOld(node: TestNode, agoMs: number) {
  return node.post("/write?db=d&precision=ms", `m v=1 ${Date.now() - agoMs}`);
}

suite("retention policies", () => {
  test("refuse, hide and remove rows that are past them", async () => {
    await using sandbox = await Sandbox.open();
    const soon = ["--snapshot-age", "200ms", "--compaction-check-interval", "100ms"];
    const more = [...soon, "--compaction-cleanup-wait", "1s"];
    const first = await sandbox.start({ nodeId: "host01", more });
    const second = await sandbox.start({ nodeId: "host02", mode: "ingest,query", more });
    const nodes = [first, second];
    await change(first, "CREATE DATABASE d WITH DURATION 1w");
    const files = async () => (await sandbox.objects()).filter((key) => key.endsWith(".parquet"));
    const expectFiles = (count: number) =>
      eventually(async () => ((await files()).length === count ? true : undefined), {
        what: `${count} files`,
      });
    // Each into a file of its own.
    for (const [index, agoMs] of [10 * HOUR_MS, 90 * MINUTE_MS, 0].entries()) {
      assert.equal((await writeOld(second, agoMs)).status, 204);
      await expectFiles(index + 1);
    }
    const late = await writeOld(second, 8 * 24 * HOUR_MS);
    assert.deepEqual(
      [late.status, late.text],
      [400, `{"error":"partial write: ${BEYOND} dropped=1"}`],
    );
    await expectCount(nodes, 3);

    const shorter = "ALTER RETENTION POLICY autogen ON d DURATION 1h";
    assert.match(await ask(first, shorter), /must be greater than the shard duration/);
    await change(first, `${shorter} SHARD DURATION 1h`);
    assert.equal(await countOf(first), 1);
    await expectCount(nodes, 1);
    assert.match((await writeOld(second, 2 * HOUR_MS)).text, new RegExp(BEYOND));
    await expectFiles(2);

    // What is past its retention by less than two hours was hidden, and not removed.
    await change(second, "ALTER RETENTION POLICY autogen ON d DURATION INF");
    await expectCount(nodes, 2);
    assert.equal((await writeOld(second, 2 * HOUR_MS)).status, 204);
    await expectCount(nodes, 3);
  });
});
