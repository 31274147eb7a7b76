import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite, test } from "node:test";
import { utf8 } from "#base/bytes.ts";
import type { FileSystem } from "#ports/file-system.ts";
import { MemoryDisk } from "#testing/raft/disk.ts";
import { realFiles } from "./file-system.ts";

for (const [name, files] of [
  ["the machine's disk", realFiles],
  ["the disk in memory", new MemoryDisk()],
] as const)
  suite(name, () => {
    test("writes, reads, cuts, renames and removes files", async () => {
      const base = await mkdtemp(join(tmpdir(), "files-"));
      try {
        await useFiles(files, `${base}/one/two`);
      } finally {
        await rm(base, { recursive: true });
      }
    });
  });

async function useFiles(files: FileSystem, folder: string): Promise<void> {
  await files.makeFolder(folder);
  await files.makeFolder(folder);
  await assert.rejects(files.open(`${folder}/a`), { code: "ENOENT" });
  const file = await files.create(`${folder}/a`);
  await assert.rejects(files.create(`${folder}/a`), { code: "EEXIST" });
  await file.write(0, utf8("hello, world"));
  await file.write(7, utf8("there"));
  assert.deepEqual(Buffer.from(await file.read(5, 100)).toString(), ", there");
  await file.truncate(5);
  await file.sync();
  assert.equal(await file.size(), 5);
  await file.close();
  const other = await files.create(`${folder}/b`);
  await other.close();
  await files.rename(`${folder}/a`, `${folder}/b`);
  await files.syncFolder(folder);
  assert.deepEqual(await files.list(folder), ["b"]);
  const again = await files.open(`${folder}/b`);
  assert.equal(Buffer.from(await again.read(0, 100)).toString(), "hello");
  await again.close();
  await files.remove(`${folder}/b`);
  await assert.rejects(files.remove(`${folder}/b`), { code: "ENOENT" });
  assert.deepEqual(await files.list(folder), []);
}
