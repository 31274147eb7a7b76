import assert from "node:assert/strict";
import { mkdtemp, rm, truncate } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite, test } from "node:test";
import { Audit, type GarbagePass } from "#compaction/garbage/audit.ts";
import { FileStore } from "#objectstore/file.ts";
import { silentLog } from "#ports/log.ts";
import type { ObjectStore } from "#ports/object-store.ts";
import { seededRandom } from "#ports/random.ts";
import { instantClock, neverAborted } from "#testing/logs.ts";
import { SmallNode } from "#testing/small-node.ts";
import { run } from "../testing/run.ts";

/** A folder that is an object store. */
class Folder implements AsyncDisposable {
  readonly path: string;
  readonly store: ObjectStore & AsyncDisposable;

  private constructor(path: string, store: ObjectStore & AsyncDisposable) {
    this.path = path;
    this.store = store;
  }

  static async open(): Promise<Folder> {
    const path = await mkdtemp(join(tmpdir(), "tidelake-debug-"));
    return new Folder(
      path,
      await FileStore.open(path, { random: seededRandom(1), log: silentLog }),
    );
  }

  /** Runs `debug <words>` on it. */
  run(...words: readonly string[]) {
    const place = ["--object-store", "file", "--data-dir", this.path, "--cluster-id", "cluster01"];
    return run(["debug", ...words, ...place]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.store[Symbol.asyncDispose]();
    await rm(this.path, { recursive: true, force: true });
  }
}

suite("debug verify-references", () => {
  test("ends with 0 where all files are there, with 2 where one is not or is cut, with 1 where there is no cluster", async () => {
    await using folder = await Folder.open();
    const none = await folder.run("verify-references");
    assert.equal(none.exitCode, 1);
    assert.match(none.error, /^Debug command failed: there is no cluster cluster01 here/);
    await using node = await SmallNode.open({ store: folder.store });
    for (const time of [1, 2]) {
      await node.write(`m f=1 ${time}`);
      await node.snapshotter.take(neverAborted());
    }
    const whole = await folder.run("verify-references");
    assert.deepEqual([whole.exitCode, whole.error], [0, ""]);
    assert.equal(whole.out, "OK: every data-file reference exists (2 files)\n");
    const [gone = "", cut = ""] = (await folder.store.list("host01/data/")).map(({ key }) => key);
    await folder.store.delete(gone);
    await truncate(join(folder.path, cut), 10);
    const bad = await folder.run("verify-references", "--json");
    assert.equal(bad.exitCode, 2);
    assert.deepEqual(JSON.parse(bad.out), { files: 2, missing: [gone], wrong_size: [cut] });
    const told = await folder.run("verify-references");
    assert.match(told.out, new RegExp(`^missing {5}${gone}$`, "m"));
    assert.match(told.error, /^error: 2 of 2 files are missing or damaged/);
  });

  test("needs to be told which cluster", async () => {
    const { error, exitCode } = await run(["debug", "verify-references"]);
    assert.equal(exitCode, 2);
    assert.match(error, /--cluster-id/);
  });
});

suite("debug sweep", () => {
  const PASS: GarbagePass = {
    kind: "sweep",
    node: 2,
    term: 7,
    startedAtNs: 1_750_000_000_123_000_000n,
    listedCount: 30,
    files: [
      { key: "a", reason: "nobody names it", outcome: "queued", sinceNs: 5n },
      { key: "b", reason: "nobody names it", outcome: "would-be", sinceNs: 5n },
    ],
  };
  const NAME = "00000001750000000123-7-sweep";

  test("list and report tell of passes", async () => {
    await using folder = await Folder.open();
    const { store } = folder;
    const nothing = await folder.run("sweep", "report");
    assert.equal(nothing.exitCode, 1);
    assert.match(nothing.error, /no sweep has been made yet/);
    assert.equal((await folder.run("sweep", "list")).out, "");
    const clock = instantClock();
    await new Audit({ clusterId: "cluster01", store, clock, retentionMs: 1e9 }).write(PASS);
    const list = await folder.run("sweep", "list");
    assert.equal(list.out, `2025-06-15T15:06:40.123Z  sweep    term 7  ${NAME}\n`);
    const report = await folder.run("sweep", "report", "--pass", NAME);
    const lines = report.out.trimEnd().split("\n");
    assert.deepEqual(lines.slice(1), [
      "30 files looked at, 2 shown",
      "queued    a  nobody names it",
      "would-be  b  nobody names it",
    ]);
    const some = await folder.run("sweep", "report", "--candidates", "queued", "--json");
    const { files } = JSON.parse(some.out) as { files: { key: string }[] };
    assert.deepEqual(
      files.map(({ key }) => key),
      ["a"],
    );
    assert.equal((await folder.run("sweep", "report", "--pass", "x")).exitCode, 1);
    assert.equal((await folder.run("sweep", "report", "--candidates", "x")).exitCode, 2);
  });
});
