/** Nodes that come and go: stopped, closed, removed and brought back by command, alive or dead. */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { eventually, type Row, Sandbox, type TestNode } from "./cluster.ts";
import { Acknowledged, Writers } from "./load.ts";

const STATES = "SELECT node_id, state, epoch, last_seen FROM system.nodes";

async function stateOf(asked: TestNode, nodeId: string): Promise<Row | undefined> {
  const rows = await asked.rows("_internal", STATES);
  return rows.find(({ node_id: id }) => id === nodeId);
}

/** `stop node` or `remove node`, asked of `through`. */
function command(sandbox: Sandbox, words: string, through: TestNode) {
  return sandbox.run([...words.split(" "), "--no-confirm", "--host", through.url]);
}

async function stopDead(sandbox: Sandbox, nodeId: string, through: TestNode): Promise<void> {
  const stopped = await command(sandbox, `stop node --node-id ${nodeId}`, through);
  assert.deepEqual(
    [stopped.exitCode, stopped.out, stopped.error],
    [0, `Node "${nodeId}" stopped\n`, ""],
  );
}

suite("stop node", () => {
  test("asked of another node ends a running one in order, with exit code 0", async () => {
    await using sandbox = await Sandbox.open();
    const writer = await sandbox.start({ nodeId: "host01", mode: "ingest" });
    const reader = await sandbox.start({ nodeId: "host02", mode: "query" });
    const token = await writer.write("d", "m v=1i 1");
    await stopDead(sandbox, "host01", reader);
    const ended = await writer.ended;
    assert.deepEqual([ended.exitCode, ended.error], [0, ""]);
    assert.equal((await stateOf(reader, "host01"))?.["epoch"], 1);
    const objects = await sandbox.objects();
    assert.equal(objects.filter((key) => /^host01\/.*\.parquet$/.test(key)).length, 1);
    assert.deepEqual(await reader.rows("d", "SELECT v FROM m", { token }), [{ v: 1 }]);
    const again = await command(sandbox, "stop node --node-id host01", reader);
    assert.deepEqual([again.exitCode, again.out], [0, 'Node "host01" is already stopped\n']);
  });

  test("asked of the node itself ends it, and no other", async () => {
    await using sandbox = await Sandbox.open();
    const one = await sandbox.start({ nodeId: "host01" });
    const two = await sandbox.start({ nodeId: "host02" });
    const stopped = await command(sandbox, "stop node --node-id host01", one);
    assert.equal(stopped.exitCode, 0, stopped.error);
    assert.equal((await one.ended).exitCode, 0);
    assert.equal((await stateOf(two, "host01"))?.["state"], "stopped");
    assert.equal((await stateOf(two, "host02"))?.["state"], "running");
  });

  test("of a killed node keeps its rows, and it comes back in the next epoch", async () => {
    await using sandbox = await Sandbox.open();
    const writer = await sandbox.start({ nodeId: "host01", mode: "ingest" });
    const reader = await sandbox.start({ nodeId: "host02", mode: "query,compact" });
    for (let value = 1; value <= 20; value++) await writer.write("d", `m v=${value}i ${value}`);
    await writer.kill();
    await stopDead(sandbox, "host01", reader);
    assert.equal((await stateOf(reader, "host01"))?.["epoch"], 2);
    const count = "SELECT count(v) AS c, sum(v) AS s FROM m";
    assert.deepEqual(await reader.rows("d", count), [{ c: 20, s: 210 }]);
    const again = await sandbox.start({ nodeId: "host01", mode: "ingest" });
    const token = await again.write("d", "m v=21i 21");
    assert.deepEqual(await reader.rows("d", count, { token }), [{ c: 21, s: 231 }]);
    assert.equal((await stateOf(reader, "host01"))?.["epoch"], 3);
  });

  test("of a node that hangs under load fences it: it ends with exit code 0 and says why, nothing is lost or doubled", async () => {
    await using sandbox = await Sandbox.open();
    const hung = await sandbox.start({ nodeId: "host01" });
    const other = await sandbox.start({ nodeId: "host02" });
    const acknowledged = new Acknowledged();
    await using writers = new Writers(() => hung, acknowledged, 4);
    await eventually(async () => acknowledged.count > 50 || undefined, { what: "writes" });
    process.kill(hung.pid, "SIGSTOP");
    try {
      await stopDead(sandbox, "host01", other);
    } finally {
      process.kill(hung.pid, "SIGCONT");
    }
    const ended = await hung.ended;
    assert.equal(ended.exitCode, 0, "nothing is to start it again by itself");
    assert.match(ended.error, /^node host01 was stopped while this process did not answer/);
    await writers.stop();
    await acknowledged.check(other);
    const again = await sandbox.start({ nodeId: "host01" });
    await acknowledged.check(again);
  });

  test("is not what ends a node whose name another process took while it hung: that has an exit code of its own", async () => {
    await using sandbox = await Sandbox.open();
    const hung = await sandbox.start({ nodeId: "host01" });
    await hung.write("d", "m v=1i 1");
    process.kill(hung.pid, "SIGSTOP");
    let twin: TestNode;
    try {
      twin = await sandbox.start({ nodeId: "host01" });
    } finally {
      process.kill(hung.pid, "SIGCONT");
    }
    const { exitCode, error } = await hung.ended;
    assert.equal(exitCode, 3, error);
    const where = twin.url.slice("http://".length);
    const words = `another process at ${where} (epoch 2, this one is 1) has taken over node-id host01`;
    assert.ok(error.includes(words), error);
    assert.deepEqual(await twin.rows("d", "SELECT v FROM m"), [{ v: 1 }]);
  });

  test("by two nodes at once ends as by one", async () => {
    await using sandbox = await Sandbox.open();
    const dead = await sandbox.start({ nodeId: "host01" });
    const [two, three] = await Promise.all(
      ["host02", "host03"].map((nodeId) => sandbox.start({ nodeId })),
    );
    assert.ok(two !== undefined && three !== undefined);
    await dead.write("d", "m v=1i 1\nm v=2i 2");
    await dead.kill();
    await Promise.all([two, three].map((node) => stopDead(sandbox, "host01", node)));
    for (const node of [two, three]) {
      assert.deepEqual(await node.rows("d", "SELECT v FROM m ORDER BY v"), [{ v: 1 }, { v: 2 }]);
      assert.equal((await node.get("/ready")).status, 200);
    }
  });

  test("says what it cannot do", async () => {
    await using sandbox = await Sandbox.open();
    const node = await sandbox.start({ nodeId: "host01" });
    const none = await command(sandbox, "stop node --node-id host09", node);
    assert.equal(none.exitCode, 1);
    assert.match(none.error, /^Stop command failed: .*404.*node not found: host09/);
    const asked = await sandbox.run(["stop", "node", "--node-id", "host01", "--host", node.url], {
      input: "no\n",
    });
    assert.match(asked.error, /Cannot proceed without confirmation/);
    const running = await command(sandbox, "remove node --node-id host01", node);
    assert.match(
      running.error,
      /^Remove command failed: .*409.*node 'host01' is not fully stopped \(current state: running\)/,
    );
    assert.equal((await sandbox.run(["stop", "node", "--host", node.url])).exitCode, 2);
  });
});

suite("remove node", () => {
  test("forgets a dead node, keeps its rows, and lets its name come back", async () => {
    await using sandbox = await Sandbox.open();
    const dead = await sandbox.start({ nodeId: "host01", mode: "ingest" });
    const other = await sandbox.start({ nodeId: "host02", mode: "all" });
    const token = await dead.write("d", "m v=1i 1");
    await dead.kill();
    await stopDead(sandbox, "host01", other);
    const removed = await command(sandbox, "remove node --node-id host01", other);
    assert.deepEqual(
      [removed.exitCode, removed.out],
      [0, 'Node "host01" is being removed\n'],
      removed.error,
    );
    await eventually(
      async () => ((await stateOf(other, "host01")) === undefined ? true : undefined),
      { what: "the end of the removal" },
    );
    assert.deepEqual(await other.rows("d", "SELECT v FROM m", { token }), [{ v: 1 }]);
    const again = await sandbox.start({ nodeId: "host01", mode: "ingest" });
    const later = await again.write("d", "m v=2i 2");
    const rows = await other.rows("d", "SELECT v FROM m ORDER BY v", { token: later });
    assert.deepEqual(rows, [{ v: 1 }, { v: 2 }]);
    const record = await stateOf(other, "host01");
    assert.ok(Number(record?.["epoch"]) >= 3, "epochs go on");
  });
});

suite("a cluster", () => {
  test("grows out of a single node without moving data", async () => {
    await using sandbox = await Sandbox.open();
    const single = await sandbox.start({ nodeId: "host01", mode: "all" });
    await single.write("d", "m v=1i 1");
    await single.stop();
    const compactor = await sandbox.start({ nodeId: "host01", mode: "compact" });
    const writer = await sandbox.start({ nodeId: "host02", mode: "ingest" });
    const reader = await sandbox.start({ nodeId: "host03", mode: "query" });
    const token = await writer.write("d", "m v=2i 2");
    const rows = await reader.rows("d", "SELECT v FROM m ORDER BY v", { token });
    assert.deepEqual(rows, [{ v: 1 }, { v: 2 }]);
    const before = await sandbox.objects();
    const file = before.find((key) => /^host01\/.*\.parquet$/.test(key));
    assert.ok(file !== undefined, "the file of the single node stays where it was");
    for (const node of [compactor, writer, reader]) {
      const nodes = await node.rows("_internal", "SELECT node_id, mode FROM system.nodes");
      assert.deepEqual(nodes, [
        { node_id: "host01", mode: "compact" },
        { node_id: "host02", mode: "ingest" },
        { node_id: "host03", mode: "query" },
      ]);
    }
  });

  test("refuses work outside a node's modes by 405, in every API", async () => {
    await using sandbox = await Sandbox.open();
    const writer = await sandbox.start({ nodeId: "host01", mode: "ingest" });
    const processor = await sandbox.start({ nodeId: "host02", mode: "process" });
    await writer.write("d", "m v=1i 1");
    for (const path of ["/api/v3/write_lp?db=d", "/write?db=d", "/api/v2/write?bucket=d"]) {
      const { status, text } = await processor.post(path, "m v=2i 2");
      assert.equal(status, 405, path);
      assert.match(text, /does not run in mode ingest: ask one that does/);
    }
    for (const node of [writer, processor]) {
      assert.equal((await node.query("d", "SELECT v FROM m")).status, 405);
      assert.equal((await node.get("/api/v3/query_sql?db=d&q=SELECT+1")).status, 405);
      assert.equal((await node.rows("_internal", STATES)).length, 2);
    }
    const engine = "/api/v3/engine/any/path";
    assert.equal((await writer.get(engine)).status, 405);
    const missing = await processor.get(engine);
    assert.equal(missing.status, 501);
    assert.match(missing.text, /not supported in this version: the processing engine/);
  });

  test("shows which of its nodes are silent, and what their users asked for", async () => {
    await using sandbox = await Sandbox.open();
    const more = ["--query-timeout", "7s"];
    const dead = await sandbox.start({ nodeId: "host01", more });
    const other = await sandbox.start({ nodeId: "host02" });
    const seen = async () => (await stateOf(other, "host01"))?.["last_seen"];
    const first = await eventually(seen, { what: "a first sign of the other node" });
    await dead.kill();
    await sleep(1_000);
    assert.ok(String(await seen()) >= String(first));
    const state = await stateOf(other, "host01");
    assert.equal(state?.["state"], "running", "no decision rests on silence");
    const json = await sandbox.run(["show", "nodes", "--format", "json", "--host", other.url]);
    const [node] = JSON.parse(json.out) as Row[];
    assert.equal(
      Object.keys(node ?? {}).join(" "),
      "node_id node_catalog_id instance_id mode core_count state updated_at cli_params last_seen epoch",
    );
    assert.equal(JSON.parse(String(node?.["cli_params"]))["query-timeout"], "7s");
    const pretty = await sandbox.run(["show", "nodes", "--host", other.url]);
    assert.doesNotMatch(pretty.out, /cli_params/);
    assert.match(pretty.out, /updated_at +\| last_seen/);
  });
});
