/** Two nodes on one store: what one does, the other knows. */
import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import { suite, test } from "node:test";
import { eventually, isRunning, Sandbox, type TestNode } from "./cluster.ts";

async function pair(sandbox: Sandbox, modes = ["all", "all"]): Promise<[TestNode, TestNode]> {
  // At the same time: whoever is first makes the cluster.
  const [one, two] = modes.map((mode, index) =>
    sandbox.start({ nodeId: `host0${index + 1}`, mode }),
  );
  assert.ok(one !== undefined && two !== undefined);
  return Promise.all([one, two]);
}

suite("two nodes", () => {
  test("a read that brings the token of a write sees it on either node", async () => {
    await using sandbox = await Sandbox.open();
    const [one, two] = await pair(sandbox);
    for (let value = 1; value <= 20; value++) {
      const [writer, reader] = value % 2 === 0 ? [one, two] : [two, one];
      const token = await writer.write("d", `m,t=a v=${value}i ${value}`);
      const text = `SELECT v FROM m WHERE v = ${value}`;
      assert.deepEqual(await reader.rows("d", text, { token }), [{ v: value }]);
    }
  });

  test("a write without a token is seen by the other node soon after", async () => {
    await using sandbox = await Sandbox.open();
    const [one, two] = await pair(sandbox);
    await one.write("d", "m v=0i 0");
    await eventually(
      async () => ((await two.query("d", "SELECT v FROM m")).status === 200 ? true : undefined),
      {
        what: "the table on the other node",
      },
    );
    await one.write("d", "m v=1i 1");
    const startMs = performance.now();
    await eventually(
      async () =>
        (await two.rows("d", "SELECT v FROM m WHERE v = 1")).length > 0 ? true : undefined,
      { what: "the row on the other node" },
    );
    assert.ok(performance.now() - startMs < 3_000);
  });

  test("a write is pushed to the other node, however seldom that looks by itself", async () => {
    await using sandbox = await Sandbox.open();
    const more = ["--replication-interval", "60s"];
    const one = await sandbox.start({ nodeId: "host01", more });
    const two = await sandbox.start({ nodeId: "host02", more });
    await two.write("d", "m v=0i 1");
    // It knows the other node since that has greeted it.
    await eventually(
      async () => ((await one.rows("d", "SELECT v FROM m")).length > 0 ? true : undefined),
      { what: "the first row on the other node" },
    );
    for (let value = 1; value <= 10; value++) {
      const [writer, reader] = value % 2 === 0 ? [one, two] : [two, one];
      await writer.write("d", `m v=${value}i ${value + 1}`);
      await eventually(
        async () => {
          const rows = await reader.rows("d", `SELECT v FROM m WHERE v = ${value}`);
          return rows.length > 0 ? true : undefined;
        },
        { what: `row ${value} on the other node`, withinMs: 10_000 },
      );
    }
  });

  test("the last write of one point wins, whichever nodes the writes went through", async () => {
    await using sandbox = await Sandbox.open();
    const [one, two] = await pair(sandbox);
    const first = await one.write("d", "m,t=a v=1i,other=7i 1");
    const path = `/api/v3/write_lp?db=d&precision=nanosecond&min_token=${first}`;
    const { token } = await two.post(path, "m,t=a v=2i 1");
    for (const node of [one, two])
      assert.deepEqual(await node.rows("d", "SELECT v, other FROM m", { token }), [
        { v: 2, other: 7 },
      ]);
  });

  test("of two types for one new column, one wins and the other is refused by name", async () => {
    await using sandbox = await Sandbox.open();
    const [one, two] = await pair(sandbox);
    const path = "/api/v3/write_lp?db=d&precision=nanosecond";
    const answers = await Promise.all([one.post(path, "m v=1i 1"), two.post(path, 'm v="x" 2')]);
    assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([204, 400]));
    const refused = answers.find(({ status }) => status === 400);
    assert.match(refused?.text ?? "", /invalid column type for column 'v'/);
    for (const node of [one, two]) {
      const token = answers.find(({ status }) => status === 204)?.token;
      assert.equal((await node.rows("d", "SELECT v FROM m", { token })).length, 1);
    }
  });

  test("a database deleted on one is gone on the other, and comes back empty", async () => {
    await using sandbox = await Sandbox.open();
    const [one, two] = await pair(sandbox);
    const token = await one.write("d", "m v=1i 1");
    assert.equal((await two.rows("d", "SELECT v FROM m", { token })).length, 1);
    const host = ["--host", one.url];
    assert.equal((await sandbox.run(["delete", "database", "d", "--yes", ...host])).exitCode, 0);
    await eventually(
      async () => ((await two.query("d", "SELECT v FROM m")).status === 404 ? true : undefined),
      { what: "the deletion on the other node" },
    );
    const later = await two.write("d", "m v=2.5 2");
    for (const node of [one, two])
      assert.deepEqual(await node.rows("d", "SELECT v FROM m", { token: later }), [{ v: 2.5 }]);
  });

  test("what a killed node acknowledged is answered by the other, and by itself when it is back", async () => {
    await using sandbox = await Sandbox.open();
    const [one, two] = await pair(sandbox);
    const engine = await eventually(() => one.enginePid(), { what: "the engine's process" });
    const token = await one.write("d", "m,t=a v=1i 1\nm,t=b v=2i 2");
    await one.kill();
    const rows = [{ v: 1 }, { v: 2 }];
    assert.deepEqual(await two.rows("d", "SELECT v FROM m ORDER BY v", { token }), rows);
    await eventually(async () => (isRunning(engine) ? undefined : true), {
      what: "the end of the engine's process",
    });
    const again = await sandbox.start({ nodeId: "host01" });
    assert.deepEqual(await again.rows("d", "SELECT v FROM m ORDER BY v"), rows);
    await again.stop();
    await two.stop();
    assert.deepEqual(await readdir(sandbox.temporary), [], "what the killed one left is gone");
  });

  test("a node that does not write or query says so", async () => {
    await using sandbox = await Sandbox.open();
    const [writer, reader] = await pair(sandbox, ["ingest", "query"]);
    const token = await writer.write("d", "m v=1i 1");
    assert.deepEqual(await reader.rows("d", "SELECT v FROM m", { token }), [{ v: 1 }]);
    const write = await reader.post("/api/v3/write_lp?db=d", "m v=2i 2");
    assert.equal(write.status, 405);
    assert.match(write.text, /does not run in mode ingest/);
    const query = await writer.query("d", "SELECT v FROM m");
    assert.equal(query.status, 405);
    assert.match(query.text, /does not run in mode query/);
  });
});
