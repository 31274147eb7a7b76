import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { basename, join } from "node:path";
import { suite, test } from "node:test";
import { openScratch } from "./scratch.ts";

suite("the folder for temporary files", () => {
  test("of a process that was killed goes at the next start; those of others stay", async (context) => {
    const parent = await mkdtemp(join(tmpdir(), "tidelake-scratch-"));
    context.after(() => rm(parent, { recursive: true }));
    const dead = spawnSync(process.execPath, ["--version"]).pid;
    const prefix = `tidelake-node-${hostname()}-`;
    const kept = [
      `${prefix}${process.ppid}-living`,
      `tidelake-node-other-${hostname()}-${dead}-abc`,
      `${prefix}not-a-number`,
      "something",
    ];
    const left = [`${prefix}${dead}-gone`, `${prefix}${process.pid}-before`];
    for (const name of [...kept, ...left]) {
      await mkdir(join(parent, name));
      await writeFile(join(parent, name, "1.parquet"), "");
    }
    const made = await openScratch(parent);
    assert.deepEqual(await readdir(parent), [...kept, basename(made)].toSorted());
    const again = await openScratch(parent);
    assert.deepEqual(await readdir(parent), [...kept, basename(again)].toSorted());
  });

  test("that cannot be made is named with what to do", async () => {
    const parent = join(tmpdir(), "tidelake-none", "none");
    await assert.rejects(openScratch(parent), {
      kind: "invalid",
      code: "scratch_unusable",
      message: /tidelake-none\/none: free space there, or set TMPDIR/,
    });
  });
});
