/** A continuous query of two real nodes, with windows of a second, also when the node that runs it is killed. */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { eventually, type Row, Sandbox, type TestNode } from "./cluster.ts";

const CREATE = `CREATE DATABASE d;
  CREATE CONTINUOUS QUERY q ON d BEGIN SELECT count(v) AS n, sum(v) AS s INTO d.autogen.t FROM d.autogen.m GROUP BY time(1s), host fill(none) END`;
const ROWS = "SELECT date_part('epoch', time) AS second, host, n, s FROM t ORDER BY time, host";
const SECOND_MS = 1_000;
/** Written seconds, each of which is over when it is read. */
const SECONDS_BEFORE_KILL = 3;
const SECONDS_AFTER_KILL = 3;

async function statements(node: TestNode, text: string): Promise<string> {
  const answer = await node.post(`/query?q=${encodeURIComponent(text)}`, "");
  assert.equal(answer.status, 200, answer.text);
  return answer.text;
}

/** Writes two rows of two hosts into the second that comes next; answers it. */
async function writeSecond(node: TestNode): Promise<number> {
  const second = Math.floor(Date.now() / SECOND_MS) + 1;
  const lines = ["a", "b"].flatMap((host) =>
    [1, 2].map((value) => `m,host=${host} v=${value}i ${second}00000000${value}`),
  );
  await node.write("d", lines.join("\n"));
  await sleep(SECOND_MS);
  return second;
}

/** Waits until `t` has all `seconds`, and asserts that it has them as they should be, and nothing else. */
async function expectSeconds(node: TestNode, seconds: readonly number[]): Promise<void> {
  const expected = seconds.flatMap((second) =>
    ["a", "b"].map((host) => ({ second, host, n: 2, s: 3 })),
  );
  const find = async () => {
    const { status, text } = await node.query("d", ROWS);
    if (status !== 200) assert.match(text, /table 'public.iox.t' not found/);
    const rows = status === 200 ? (JSON.parse(text) as readonly Row[]) : [];
    return rows.length < expected.length ? undefined : rows;
  };
  const rows = await eventually(find, { what: "the windows of all seconds" });
  assert.deepEqual(rows, expected);
}

async function runCount(node: TestNode): Promise<number> {
  const { text } = await node.get("/metrics");
  return Number(/^tidelake_continuous_query_runs_total (\d+)$/m.exec(text)?.[1]);
}

suite("continuous queries", () => {
  test("are run by one of two nodes, and by the other when that is killed", async () => {
    await using sandbox = await Sandbox.open();
    const mode = "ingest,query";
    const first = await sandbox.start({ nodeId: "host01", mode });
    const second = await sandbox.start({ nodeId: "host02", mode });
    assert.ok(!(await statements(first, CREATE)).includes("error"));
    await sleep(3 * SECOND_MS);
    const seconds: number[] = [];
    for (let count = 0; count < SECONDS_BEFORE_KILL; count += 1)
      seconds.push(await writeSecond(second));
    await expectSeconds(second, seconds);
    assert.ok((await runCount(first)) > 0);
    assert.equal(await runCount(second), 0);
    await first.kill();
    for (let count = 0; count < SECONDS_AFTER_KILL; count += 1)
      seconds.push(await writeSecond(second));
    // The claim that the dead node left, if any, is that of its earlier start.
    const again = await sandbox.start({ nodeId: "host01", mode });
    await expectSeconds(again, seconds);
    await expectSeconds(second, seconds);
  });
});
