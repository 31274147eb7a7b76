/** A store that was copied while no node ran is put back later, in place of what came after: the cluster is what it was then. */
import assert from "node:assert/strict";
import { cp, rm } from "node:fs/promises";
import { join } from "node:path";
import { suite, test } from "node:test";
import { eventually, Sandbox, type TestNode } from "./cluster.ts";

const MORE =
  "--wal-files-per-snapshot 2 --compaction-check-interval 100ms --compaction-cleanup-wait 1s".split(
    " ",
  );
const ALL = "SELECT v FROM m ORDER BY v";

async function writeAll(node: TestNode, first: number, count: number): Promise<void> {
  for (let value = first; value < first + count; value += 1)
    await node.write("d", `m,t=a${value % 3} v=${value}i ${value}`);
}

function rowsFrom(...ranges: readonly (readonly [number, number])[]) {
  return ranges.flatMap(([first, count]) =>
    Array.from({ length: count }, (_, index) => ({ v: first + index })),
  );
}

/** Resolves when compaction has deleted files that it replaced. */
async function untilCleaned(node: TestNode): Promise<void> {
  await eventually(
    async () => {
      const { text } = await node.get("/metrics");
      return /^tidelake_replaced_files_deleted_total [1-9]/m.test(text) || undefined;
    },
    { what: "replaced files that are gone", withinMs: 30_000 },
  );
}

suite("a copy of a store", () => {
  test("that is put back brings back neither later rows nor ids, and compaction deletes nothing of it", async () => {
    await using sandbox = await Sandbox.open();
    const copy = join(sandbox.directory, "copy");
    const first = await sandbox.start({ more: MORE });
    await writeAll(first, 0, 20);
    await first.kill();
    await cp(sandbox.store, copy, { recursive: true });

    // What the copy knows nothing of: rows, a table, a database, compaction and garbage.
    const second = await sandbox.start({ more: MORE });
    await writeAll(second, 100, 20);
    await second.write("d", "later v=1i 1");
    await second.write("other", "m v=1i 1");
    await untilCleaned(second);
    await second.kill();

    await rm(sandbox.store, { recursive: true });
    await cp(copy, sandbox.store, { recursive: true });
    const third = await sandbox.start({ more: MORE });
    assert.deepEqual(await third.rows("d", ALL), rowsFrom([0, 20]));
    assert.equal((await third.query("d", "SELECT * FROM later")).status, 400);
    assert.equal((await third.query("other", "SELECT * FROM m")).status, 404);

    await third.write("d", 'later s="another type" 5');
    await writeAll(third, 200, 20);
    await third.kill();
    const fourth = await sandbox.start({ more: MORE });
    await writeAll(fourth, 300, 20);
    await untilCleaned(fourth);
    assert.deepEqual(await fourth.rows("d", ALL), rowsFrom([0, 20], [200, 20], [300, 20]));
    assert.deepEqual(await fourth.rows("d", "SELECT s FROM later"), [{ s: "another type" }]);
    const words = "debug verify-references --cluster-id cluster01 --object-store file".split(" ");
    const verified = await sandbox.run([...words, "--data-dir", sandbox.store]);
    assert.equal(verified.exitCode, 0, verified.out + verified.error);
  });
});
