/** A store on a disk that is full, or that nobody may write: refused by name, and nothing acknowledged is lost. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdir, open, rm } from "node:fs/promises";
import { join } from "node:path";
import { suite, type TestContext, test } from "node:test";
import { eventually, Sandbox, type TestNode } from "./cluster.ts";
import { Acknowledged, Writers } from "./load.ts";

/** A small disk of its own, in memory. */
class Disk implements AsyncDisposable {
  readonly directory: string;

  private constructor(directory: string) {
    this.directory = directory;
  }

  /** Undefined where this process may not mount. */
  static async mount(directory: string): Promise<Disk | undefined> {
    await mkdir(directory);
    const words = ["-t", "tmpfs", "-o", "size=8m", "tidelake-test", directory];
    return (await succeeds("mount", words)) ? new Disk(directory) : undefined;
  }

  /** Takes all the space there is. */
  async fill(): Promise<void> {
    const file = await open(this.#filler, "w");
    const chunk = new Uint8Array(4_096);
    try {
      while (true) await file.write(chunk);
    } catch (error) {
      assert.match(String(error), /ENOSPC/);
    } finally {
      await file.close();
    }
  }

  async free(): Promise<void> {
    await rm(this.#filler);
  }

  async remount(how: "ro" | "rw"): Promise<void> {
    const words = ["-o", `remount,${how}`, this.directory];
    // It is refused while a file is open for writing.
    await eventually(async () => (await succeeds("mount", words)) || undefined, {
      what: `a remount as ${how}`,
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    assert.ok(await succeeds("umount", [this.directory]));
  }

  get #filler(): string {
    return join(this.directory, "filler");
  }
}

async function succeeds(program: string, words: readonly string[]): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  execFile(program, words, (error) => resolve(error === null));
  return promise;
}

/** Runs `work` on a store that is a disk of its own; skips the test where none can be mounted. */
async function onDisk(
  context: TestContext,
  work: (disk: Disk, sandbox: Sandbox) => Promise<void>,
): Promise<void> {
  await using sandbox = await Sandbox.open();
  const disk = await Disk.mount(sandbox.store);
  if (disk === undefined) return context.skip("this process may not mount a disk");
  try {
    await work(disk, sandbox);
  } finally {
    // Before the disk goes, whatever the test left running must.
    await sandbox.killAll();
    await disk[Symbol.asyncDispose]();
  }
}

async function refusesWrites(node: TestNode, text: RegExp): Promise<void> {
  const answer = await node.post("/api/v3/write_lp?db=load", "m,w=99 v=1i,doubled=2i 1");
  assert.equal(answer.status, 503, answer.text);
  assert.match(answer.text, text);
  const ready = await node.get("/ready");
  assert.equal(ready.status, 503, ready.text);
  assert.match(ready.text, text);
}

async function takesWritesAgain(node: TestNode): Promise<void> {
  await eventually(
    async () => {
      const { status } = await node.post("/api/v3/write_lp?db=load", "m,w=98 v=1i,doubled=2i 1");
      return status === 204 ? true : undefined;
    },
    { what: "a write to be taken again" },
  );
  assert.equal((await node.get("/ready")).status, 200);
}

/** Much less than the minute for which a stop waits for a store that may answer again. */
const STOP_MS_MAX = 15_000;
const FULL = /disk is full/;
const READ_ONLY = /folder forbids/;

suite("a disk", () => {
  const faults: readonly [
    string,
    RegExp,
    (disk: Disk) => Promise<void>,
    (disk: Disk) => Promise<void>,
  ][] = [
    ["full", FULL, (disk) => disk.fill(), (disk) => disk.free()],
    ["read-only", READ_ONLY, (disk) => disk.remount("ro"), (disk) => disk.remount("rw")],
  ];
  for (const [what, text, begin, end] of faults) {
    test(`that is ${what} is named, and all goes on when it is not any more`, async (context) => {
      await onDisk(context, async (disk, sandbox) => {
        const node = await sandbox.start();
        const acknowledged = new Acknowledged();
        await using writers = new Writers(() => node, acknowledged, 2);
        await eventually(async () => acknowledged.count > 20 || undefined, { what: "writes" });
        await begin(disk);
        await eventually(async () => writers.refusals.length > 2 || undefined, {
          what: "refusals",
        });
        await writers.stop();
        for (const refusal of writers.refusals) assert.match(refusal, /^503/);
        await refusesWrites(node, text);
        await acknowledged.check(node);
        const host = ["--host", node.url];
        const created = await sandbox.run(["create", "database", "more", ...host]);
        assert.equal(created.exitCode, 1);
        assert.match(created.error, text);
        await end(disk);
        await takesWritesAgain(node);
        await acknowledged.check(node);
        assert.equal((await node.stop()).exitCode, 0);
        const again = await sandbox.start();
        await acknowledged.check(again);
        assert.equal((await again.stop()).exitCode, 0);
      });
    });

    test(`that is ${what} keeps no node from stopping`, async (context) => {
      await onDisk(context, async (disk, sandbox) => {
        const node = await sandbox.start();
        await node.write("load", "m,w=1 v=1i,doubled=2i 1");
        await begin(disk);
        // This write goes on being tried while the node stops.
        await refusesWrites(node, text);
        const startMs = performance.now();
        const ended = await node.stop();
        assert.ok(performance.now() - startMs < STOP_MS_MAX, "a stop does not wait for a disk");
        assert.match(ended.out + ended.error, text);
        await end(disk);
        const again = await sandbox.start();
        assert.deepEqual(await again.rows("load", "SELECT v FROM m WHERE w = '1'"), [{ v: 1 }]);
      });
    });

    test(`that is ${what} is named at a start`, async (context) => {
      await onDisk(context, async (disk, sandbox) => {
        await begin(disk);
        const ended = await sandbox.run(sandbox.serveWords());
        assert.equal(ended.exitCode, 1);
        assert.match(ended.error, /^Serve command failed: .*(disk is full|read-only).*\n$/);
        await end(disk);
      });
    });
  }
});
