/** Stops, kills, and starts again. */
import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { suite, test } from "node:test";
import { eventually, isRunning, Sandbox, type TestNode } from "./cluster.ts";
import { Acknowledged, Writers } from "./load.ts";

/** A stop with little to do takes a tenth of a second; a machine that is busy gets more. */
const STOP_MS_MAX = 5_000;

async function engineOf(node: TestNode): Promise<number> {
  return eventually(() => node.enginePid(), { what: "the engine's process" });
}

suite("a stop", () => {
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    test(`${signal} leaves every row in files, the node stopped, and nothing behind`, async () => {
      await using sandbox = await Sandbox.open();
      const node = await sandbox.start();
      await node.write("d", "m,t=a v=1i 1\nm,t=b v=2i 2");
      const engine = await engineOf(node);
      const startMs = performance.now();
      const ended = await node.stop(signal);
      const stopMs = performance.now() - startMs;
      assert.equal(ended.exitCode, 0, ended.error);
      assert.equal(ended.error, "");
      assert.ok(stopMs < STOP_MS_MAX, `a small stop is quick, this took ${stopMs} ms`);
      assert.ok(!isRunning(engine), "the engine's process ends with the node");
      assert.deepEqual(await readdir(sandbox.temporary), []);
      const objects = await sandbox.objects();
      assert.equal(objects.filter((key) => key.endsWith(".parquet")).length, 1);
      assert.deepEqual(await readdir(join(sandbox.store, ".tmp~")), []);

      const other = await sandbox.start({ nodeId: "host02" });
      const states = await other.rows("_internal", "SELECT node_id, state FROM system.nodes");
      assert.deepEqual(
        states.find(({ node_id: id }) => id === "host01"),
        { node_id: "host01", state: "stopped" },
      );
      assert.deepEqual(await other.rows("d", "SELECT t, v FROM m ORDER BY t"), [
        { t: "a", v: 1 },
        { t: "b", v: 2 },
      ]);
    });
  }

  test("an open connection that says nothing does not delay it", async () => {
    await using sandbox = await Sandbox.open();
    const node = await sandbox.start();
    const socket = await import("node:net").then(({ connect }) =>
      connect(Number(new URL(node.url).port), "127.0.0.1"),
    );
    socket.on("error", () => undefined);
    await new Promise<void>((resolve) => void socket.once("connect", resolve));
    await node.get("/ready");
    const startMs = performance.now();
    assert.equal((await node.stop()).exitCode, 0);
    assert.ok(performance.now() - startMs < STOP_MS_MAX);
    socket.destroy();
  });

  test("under writes it answers each of them, and keeps what it acknowledged", async () => {
    await using sandbox = await Sandbox.open();
    const node = await sandbox.start();
    const acknowledged = new Acknowledged();
    await using writers = new Writers(() => node, acknowledged, 4);
    await eventually(async () => acknowledged.count > 50 || undefined, { what: "writes" });
    assert.equal((await node.stop()).exitCode, 0);
    await writers.stop();
    const again = await sandbox.start();
    await acknowledged.check(again);
  });

  test("of a node that is still starting ends it", async () => {
    await using sandbox = await Sandbox.open();
    const node = sandbox.launch();
    await eventually(async () => (await sandbox.objects()).length > 0 || undefined, {
      what: "a first object",
    });
    const ended = await node.stop();
    assert.equal(ended.exitCode, 0, ended.error);
    assert.deepEqual(await readdir(sandbox.temporary), []);
  });
});

suite("a restart", () => {
  test("keeps databases, tables and rows, whether they are in files or not", async () => {
    await using sandbox = await Sandbox.open();
    const first = await sandbox.start();
    await first.write("d", 'm,t=a v=1i,s="x y" 1\nother f=1.5,b=true,u=7u 1');
    await first.stop();
    const second = await sandbox.start();
    await second.write("d", "m,t=b v=2i 2\nm,t=a v=3i 1");
    await second.kill();
    const third = await sandbox.start();
    assert.deepEqual(await third.rows("d", "SELECT s, t, v FROM m ORDER BY t"), [
      { s: "x y", t: "a", v: 3 },
      { t: "b", v: 2 },
    ]);
    assert.deepEqual(await third.rows("d", "SELECT * FROM other"), [
      { b: true, f: 1.5, time: "1970-01-01T00:00:00.000000001", u: 7 },
    ]);
  });

  test("after kill -9 under writes has every acknowledged row once, three times over", async () => {
    await using sandbox = await Sandbox.open();
    const acknowledged = new Acknowledged();
    const more = ["--wal-files-per-snapshot", "20"];
    let node = await sandbox.start({ more });
    await using writers = new Writers(() => node, acknowledged, 4);
    for (let round = 1; round <= 3; round++) {
      const goal = acknowledged.count + 60;
      await eventually(async () => acknowledged.count > goal || undefined, { what: "writes" });
      await node.kill();
      node = await sandbox.start({ more });
      await acknowledged.check(node);
    }
    await writers.stop();
    await acknowledged.check(node);
    assert.equal((await node.stop()).exitCode, 0);
  });

  test("of the engine, killed under writes and queries, loses nothing and the node goes on", async () => {
    await using sandbox = await Sandbox.open();
    const node = await sandbox.start();
    const acknowledged = new Acknowledged();
    await using writers = new Writers(() => node, acknowledged, 3);
    for (let round = 1; round <= 3; round++) {
      const engine = await engineOf(node);
      const goal = acknowledged.count + 40;
      await eventually(async () => acknowledged.count > goal || undefined, { what: "writes" });
      const asked = Promise.allSettled([1, 2, 3].map(() => acknowledged.check(node)));
      process.kill(engine, "SIGKILL");
      for (const result of await asked) {
        if (result.status === "rejected") assert.match(String(result.reason), /503/);
      }
      await eventually(async () => acknowledged.check(node).then(() => true, retryOn503), {
        what: "an answer of the new engine",
      });
    }
    await writers.stop();
    assert.equal(writers.refusals.filter((text) => !text.startsWith("503")).length, 0);
    await acknowledged.check(node);
    assert.equal((await node.stop()).exitCode, 0);
    assert.deepEqual(await readdir(sandbox.temporary), []);
  });
});

function retryOn503(error: unknown): undefined {
  if (!/query: 503/.test(String(error))) throw error;
}
