/** Objects that were damaged or deleted behind the program's back: named, never answered wrongly. */
import assert from "node:assert/strict";
import { cp, readdir, rm, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { eventually, Sandbox, type TestNode } from "./cluster.ts";

const LOG = "host01/log/entry/";
const SELECT = "SELECT v FROM m ORDER BY v";

/** Stores that tests copy: of a node killed after three flushes, so that its log holds rows, and of one that was stopped. */
let killed: Sandbox;
let stopped: Sandbox;
before(async () => {
  killed = await Sandbox.open();
  const first = await killed.start();
  for (const value of [1, 2, 3]) await first.write("d", `m v=${value}i ${value}`);
  await first.kill();
  stopped = await Sandbox.open();
  const second = await stopped.start();
  await second.write("d", "m v=1i 1\nm v=2i 2");
  await second.stop();
});
after(async () => {
  await killed[Symbol.asyncDispose]();
  await stopped[Symbol.asyncDispose]();
});

async function copyOf(original: Sandbox): Promise<Sandbox> {
  const sandbox = await Sandbox.open();
  await cp(original.store, sandbox.store, { recursive: true });
  return sandbox;
}

/** The key of the first object whose key has `part` in it. */
async function keyWith(sandbox: Sandbox, part: string): Promise<string> {
  const key = (await sandbox.objects()).find((name) => name.includes(part));
  assert.ok(key !== undefined, `there is no object ${part}`);
  return key;
}

/** Damages of the object at a path. */
const DAMAGES: readonly [string, (path: string) => Promise<void>][] = [
  ["truncated", (path) => truncate(path, 40)],
  ["empty", (path) => truncate(path, 0)],
  ["overwritten", (path) => writeFile(path, Buffer.alloc(1_000, 7))],
];

/** Fails unless the start ends with one line that names the object `key`, and leaves nothing behind. */
async function refusesToStart(sandbox: Sandbox, key: string): Promise<void> {
  const had = await sandbox.objects();
  const ended = await sandbox.run(sandbox.serveWords());
  assert.equal(ended.exitCode, 1, ended.error);
  assert.match(ended.error, /^Serve command failed: .*\n$/);
  assert.ok(ended.error.includes(key), ended.error);
  assert.deepEqual(await readdir(sandbox.temporary), []);
  const kept = await sandbox.objects();
  assert.deepEqual(
    had.filter((name) => !kept.includes(name)),
    [],
    "nothing is deleted",
  );
}

function entry(prefix: string, position: number): string {
  return `${prefix}${String(position).padStart(20, "0")}`;
}

suite("a damaged entry", () => {
  for (const [how, damage] of DAMAGES) {
    test(`of the node's own log, ${how}, keeps the node from starting`, async () => {
      await using sandbox = await copyOf(killed);
      await damage(join(sandbox.store, entry(LOG, 3)));
      await refusesToStart(sandbox, entry(LOG, 3));
    });
  }

  test("of the catalog keeps the node from starting", async () => {
    await using sandbox = await copyOf(killed);
    const key = entry("cluster01/catalog/entry/", 2);
    await truncate(join(sandbox.store, key), 10);
    await refusesToStart(sandbox, key);
  });

  test("of the manifest keeps the node from starting", async () => {
    await using sandbox = await copyOf(stopped);
    const key = entry("cluster01/manifest/entry/", 1);
    await truncate(join(sandbox.store, key), 10);
    await refusesToStart(sandbox, key);
  });

  test("of the node's log that is a checkpoint keeps the node from starting", async () => {
    await using sandbox = await copyOf(stopped);
    const key = await keyWith(sandbox, "host01/log/checkpoint/");
    await truncate(join(sandbox.store, key), 100);
    await refusesToStart(sandbox, key);
  });

  test("of the node's log in the middle, deleted, is a hole and not the tail", async () => {
    await using sandbox = await copyOf(killed);
    await rm(join(sandbox.store, entry(LOG, 3)));
    await refusesToStart(sandbox, "entry 3 of host01/log/");
  });

  test("of the catalog in the middle, deleted, is a hole and not the tail", async () => {
    await using sandbox = await copyOf(killed);
    await rm(join(sandbox.store, entry("cluster01/catalog/entry/", 2)));
    await refusesToStart(sandbox, "entry 2 of cluster01/catalog/");
  });

  test("of another node's log makes this node not ready, and it says why", async () => {
    await using sandbox = await Sandbox.open();
    const writer = await sandbox.start({ nodeId: "host01", mode: "ingest" });
    const reader = await sandbox.start({ nodeId: "host02", mode: "query" });
    const token = await writer.write("d", "m v=1i 1");
    assert.deepEqual(await reader.rows("d", SELECT, { token }), [{ v: 1 }]);
    await writer.kill();
    // What comes next in the log is no entry.
    const key = entry(LOG, 3);
    await writeFile(join(sandbox.store, key), "");
    const ready = await becomesUnready(reader);
    assert.ok(ready.includes(key), ready);
    // What it read before is no wrong answer; that rows may follow it cannot know.
    const answer = await reader.query("d", SELECT);
    if (answer.status === 200) assert.deepEqual(JSON.parse(answer.text), [{ v: 1 }]);
    assert.equal((await reader.stop()).exitCode, 0);
  });

  test("that stands where the running node writes next stops it with a message", async () => {
    await using sandbox = await Sandbox.open();
    const node = await sandbox.start({ mode: "ingest,query" });
    await node.write("d", "m v=1i 1");
    const key = entry(LOG, 3);
    await writeFile(join(sandbox.store, key), "");
    const answer = await node.post("/api/v3/write_lp?db=d", "m v=2i 2");
    assert.ok(answer.status >= 500, `${answer.status} ${answer.text}`);
    const ended = await node.ended;
    assert.equal(ended.exitCode, 1);
    assert.match(ended.error, /^Serve command failed: .*\n$/);
    assert.ok(ended.error.includes(key), ended.error);
    assert.deepEqual(await readdir(sandbox.temporary), []);
  });
});

async function becomesUnready(node: TestNode): Promise<string> {
  return eventually(
    async () => {
      const { status, text } = await node.get("/ready");
      return status === 503 ? text : undefined;
    },
    { what: "/ready to answer 503" },
  );
}

suite("a damaged data file", () => {
  const damages: typeof DAMAGES = [...DAMAGES, ["deleted", (path) => rm(path)]];
  for (const [how, damage] of damages) {
    test(`that is ${how} is named by the query, and the node is not ready`, async () => {
      await using sandbox = await copyOf(stopped);
      const key = await keyWith(sandbox, ".parquet");
      await damage(join(sandbox.store, key));
      const node = await sandbox.start();
      await node.write("d", "other v=5i 5");
      const answer = await node.query("d", SELECT);
      assert.ok(answer.status >= 500, `${answer.status} ${answer.text}`);
      assert.ok(answer.text.includes(key), answer.text);
      const ready = await node.get("/ready");
      assert.equal(ready.status, 503);
      assert.ok(ready.text.includes(key), ready.text);
      // What does not need the file is answered as ever.
      assert.deepEqual(await node.rows("d", "SELECT v FROM other"), [{ v: 5 }]);
      assert.equal((await node.stop()).exitCode, 0);
    });
  }
});
