/** Nodes with little memory: they refuse, say why, and recover by themselves. */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { eventually, Sandbox } from "./cluster.ts";

const ROW_COUNT = 1_000;

function lines(batch: number): string {
  const rows = Array.from({ length: ROW_COUNT }, (_, row) => {
    const index = batch * ROW_COUNT + row;
    return `m,host=h${row % 10} v=${index}i ${index + 1}`;
  });
  return rows.join("\n");
}

suite("nodes with little memory", () => {
  test("writes beyond the buffer wait for a snapshot, or are refused; nothing acknowledged is lost", async () => {
    await using sandbox = await Sandbox.open();
    const node = await sandbox.start({ more: ["--force-snapshot-mem-size", "60kb"] });
    const path = "/api/v3/write_lp?db=d&precision=nanosecond";
    const taken: number[] = [];
    for (let batch = 0; batch < 40; batch += 1) {
      const { status, text } = await node.post(path, lines(batch));
      if (status === 204) taken.push(batch);
      else {
        assert.equal(status, 429, text);
        assert.match(text, /not in files yet/);
      }
    }
    // Some twenty times what makes one due came; while one is made, more comes.
    const { text: figures } = await node.get("/metrics");
    const snapshotCount = Number(/^tidelake_snapshots_total (\d+)$/m.exec(figures)?.[1]);
    assert.ok(snapshotCount >= 2, `${snapshotCount} snapshots`);
    await eventually(
      async () => ((await node.post(path, lines(40))).status === 204 ? true : undefined),
      { what: "room for more" },
    );
    taken.push(40);
    const [row] = await node.rows("d", "SELECT count(v) AS n, sum(v) AS sum FROM m");
    const sum = taken
      .map((batch) => ROW_COUNT * (batch * ROW_COUNT) + (ROW_COUNT * (ROW_COUNT - 1)) / 2)
      .reduce((left, right) => left + right, 0);
    assert.deepEqual(row, { n: taken.length * ROW_COUNT, sum });
  });

  test("a node that has no room for another's rows says so, and answers whole when those are in files", async () => {
    await using sandbox = await Sandbox.open();
    const writer = await sandbox.start({ nodeId: "host01", mode: "ingest,compact" });
    const more = ["--replica-max-buffer-size", "1kb"];
    const reader = await sandbox.start({ nodeId: "host02", mode: "query", more });
    for (let batch = 0; batch < 5; batch += 1) await writer.write("d", lines(batch));
    const text = "SELECT count(v) AS n FROM m";
    await eventually(
      async () => {
        const { status, text: answer } = await reader.query("d", text);
        return status === 503 && /take all the memory/.test(answer) ? true : undefined;
      },
      { what: "the refusal" },
    );
    assert.equal((await reader.get("/ready")).status, 503);
    await writer.stop();
    const rows = await eventually(
      async () => {
        const { status } = await reader.query("d", text);
        return status === 200 ? reader.rows("d", text) : undefined;
      },
      { what: "an answer" },
    );
    assert.deepEqual(rows, [{ n: 5 * ROW_COUNT }]);
    assert.equal((await reader.get("/ready")).status, 200);
  });
});
