import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { concatBytes, utf8 } from "#base/bytes.ts";
import { DbError } from "#base/errors.ts";
import { seededRandom } from "#ports/random.ts";
import { peerId } from "#raft/message.ts";
import { diskError, MemoryDisk } from "#testing/raft/disk.ts";
import { SnapshotFolder } from "./snapshot-folder.ts";

const FOLDER = "node/snapshots";
const mark = {
  index: 12,
  term: 3,
  configuration: {
    voters: [1, 2].map(peerId),
    votersOutgoing: [],
    learners: [peerId(3)],
    learnersNext: [],
    autoLeave: true,
  },
};

async function contents(folder: SnapshotFolder): Promise<Uint8Array> {
  return concatBytes(await Array.fromAsync(folder.read(mark)));
}

suite("snapshots in a folder", () => {
  test("are read as they were written, in chunks that fit in memory", async () => {
    const folder = await SnapshotFolder.open(new MemoryDisk(), FOLDER);
    const state = Uint8Array.from({ length: 600_001 }, (_, index) => index % 251);
    await folder.write(mark, [state.subarray(0, 3), new Uint8Array(), state.subarray(3)]);
    const chunks = await Array.fromAsync(folder.read(mark));
    assert.deepEqual(concatBytes(chunks), state);
    assert.ok(chunks.every(({ length }) => length <= 256 * 1024));
  });

  test("survive a failure of power once written, and leave nothing when their writing failed", async () => {
    for (let calls = 1; calls < 12; calls++) {
      const disk = new MemoryDisk();
      let folder = await SnapshotFolder.open(disk, FOLDER);
      let left = calls;
      disk.fault = (_, path) => {
        left -= 1;
        if (left === 0) disk.failPower(seededRandom(calls));
        if (left <= 0) throw diskError("EIO", path);
      };
      const done = await folder.write(mark, [utf8("state")]).then(
        () => true,
        () => false,
      );
      disk.fault = undefined;
      disk.failPower(seededRandom(calls));
      folder = await SnapshotFolder.open(disk, FOLDER);
      const names = await disk.list(FOLDER);
      assert.ok(
        names.every((name) => name.endsWith(".snapshot")),
        String(names),
      );
      if (done || names.length > 0)
        assert.deepEqual(Buffer.from(await contents(folder)).toString(), "state");
    }
  });

  test("that were changed or cut anywhere are refused with file and place", async () => {
    const disk = new MemoryDisk();
    const folder = await SnapshotFolder.open(disk, FOLDER);
    await folder.write(mark, [utf8("the first chunk"), utf8("the second")]);
    const [name] = await disk.list(FOLDER);
    const path = `${FOLDER}/${name}`;
    const whole = disk.bytes(path).slice();
    for (let offset = 0; offset < whole.length; offset++) {
      const changed = whole.slice();
      changed[offset] = (changed[offset] as number) ^ (1 << (offset % 8));
      for (const bytes of [changed, whole.slice(0, offset)]) {
        disk.put(path, bytes);
        const error = await contents(folder).catch((caught: unknown) => caught);
        assert.ok(error instanceof DbError, `byte ${offset}`);
        if (error.code === "raft_log_unknown") continue;
        assert.equal(error.code, "raft_snapshot_damaged", `byte ${offset}`);
        assert.equal(error.detail["path"], path);
      }
    }
    disk.put(path, concatBytes([whole, utf8("x")]));
    await assert.rejects(contents(folder), { code: "raft_snapshot_damaged" });
  });

  test("go when a newer one is there, and are read to their end all the same", async () => {
    const disk = new MemoryDisk();
    const folder = await SnapshotFolder.open(disk, FOLDER);
    await folder.write(mark, [utf8("one"), utf8("two")]);
    const reading = folder.read(mark);
    await reading.next();
    const newer = { ...mark, index: 20 };
    await folder.write(newer, [utf8("newer")]);
    await folder.keepOnly([newer]);
    assert.equal((await disk.list(FOLDER)).length, 1);
    assert.equal(Buffer.from((await reading.next()).value ?? []).toString(), "two");
    await assert.rejects(contents(folder), { code: "raft_snapshot_damaged" });
  });
});
