import assert from "node:assert/strict";
import { suite, test } from "node:test";
import * as fc from "fast-check";
import { DbError } from "#base/errors.ts";
import { decodeEnvelope } from "#objectlog/envelope.ts";
import { ObjectLog } from "#objectlog/object-log.ts";
import { fromEnvelope } from "#objectlog/record.ts";
import type { Writer } from "#objectlog/shared-log.ts";
import { memoryStore } from "#objectstore/memory.ts";
import type { ObjectStore } from "#ports/object-store.ts";
import { settle } from "#testing/hand-clock.ts";
import { logPorts, neverAborted, storeWith, writerOf } from "#testing/logs.ts";
import { fileOf } from "#testing/node-logs.ts";
import {
  aHistory,
  contentOf,
  keysIn,
  manifestRecord,
  namedParts,
  replay,
  STORED_NONCE,
  storedObjects,
  throughBytes,
  timedFile,
} from "#testing/samples/manifests.ts";
import { Manifest } from "./manifest.ts";
import { ManifestCheckpoints } from "./manifest-checkpoints.ts";
import { ManifestFiles } from "./manifest-files.ts";
import { manifestMachine } from "./manifest-state.ts";

const PREFIX = "cluster/manifest/";
const PARTS = `${PREFIX}part/`;
const CHECKPOINTS = `${PREFIX}checkpoint/`;
const PART_MAX = 2;
const NOTHING = { catalog: 0, manifest: 0 };

function checkpointsOn(store: ObjectStore, seed = 1): ManifestCheckpoints {
  const ports = logPorts(store, seed);
  return new ManifestCheckpoints(new ObjectLog(PREFIX, ports), ports, PART_MAX);
}

/** A process whose checkpoints are due at every second entry. */
function open(
  store: ObjectStore,
  writer: Writer = writerOf(1, 1),
  partFilesMax = PART_MAX,
): Manifest {
  return new Manifest("cluster", logPorts(store, writer.node * 10 + writer.epoch), {
    writer: () => writer,
    signal: neverAborted(),
    checkpointEntries: 2,
    partFilesMax,
  });
}

/** Publishes two entries in the term `office`, so that a checkpoint is due; the first adds a file, if one is named. */
async function addFile(manifest: Manifest, office: Writer, key?: string): Promise<void> {
  const added = key === undefined ? [] : [timedFile(key)];
  for (const outputs of [added, []])
    await manifest.publish(office, () => ({
      kind: "replace",
      body: { inputs: [], outputs },
      needs: NOTHING,
    }));
}

function filesOf(key: string): ManifestFiles {
  return ManifestFiles.of([{ file: timedFile(key), stampAbove: 0n }], PART_MAX);
}

function keysOf(manifest: Manifest): readonly string[] {
  return [...manifest.state.files].map(({ file }) => file.key);
}

suite("checkpoints of the manifest", () => {
  test("one anywhere stands for all entries up to it", async () => {
    await fc.assert(
      fc.asyncProperty(aHistory, async (wishes) => {
        const store = memoryStore();
        const writing = checkpointsOn(store);
        writing.begin();
        const start = { ...manifestMachine.empty, files: ManifestFiles.of([], PART_MAX) };
        for (const state of replay(wishes, start)) {
          const record = await writing.checkpoint(state, writerOf(1, 1));
          const reading = checkpointsOn(store, 2);
          const restored = await reading.restore(throughBytes(record, state.position));
          assert.deepEqual(contentOf(restored), contentOf(state));
          const counts = ({ files }: typeof state) => files.parts.map(({ summary }) => summary);
          assert.deepEqual(counts(restored), counts(state));
        }
      }),
      { numRuns: 40 },
    );
  });

  test("one writes only the parts that have changed since the one before", async () => {
    const store = memoryStore();
    const manifest = open(store);
    const office = await manifest.takeOver();
    for (let count = 1; count <= 20; count++) {
      await addFile(manifest, office, "x".repeat(count));
      await manifest.keep();
    }
    const before = new Set(await keysIn(store, PARTS));
    await addFile(manifest, office, "x".repeat(21));
    await manifest.keep();
    const made = (await keysIn(store, PARTS)).filter((key) => !before.has(key));
    assert.ok(made.length >= 1 && made.length <= 2, `${made.length}`);
    assert.ok(manifest.state.files.parts.length >= 10);
    const again = open(store, writerOf(2, 1));
    await again.refresh();
    assert.deepEqual(contentOf(again.state), contentOf(manifest.state));
  });

  test("parts that neither of the newest two names are deleted, and no others", async () => {
    const store = memoryStore();
    const manifest = open(store);
    const office = await manifest.takeOver();
    for (let count = 1; count <= 9; count++) {
      await addFile(manifest, office, "x".repeat(count));
      await manifest.keep();
      const named = await namedParts(store, PREFIX);
      assert.deepEqual(new Set(await keysIn(store, PARTS)), named);
    }
    assert.equal((await keysIn(store, CHECKPOINTS)).length, 2);
  });

  test("whoever takes over puts all parts anew, and deletes what others have left with its second checkpoint", async () => {
    const store = memoryStore();
    const [first, second] = [open(store), open(store, writerOf(2, 1))];
    const office = await first.takeOver();
    await second.refresh();
    for (let count = 1; count <= 10; count++) await addFile(first, office, "x".repeat(count));
    await first.keep();
    const left = `${PARTS}${"1".padStart(20, "0")}-${"a".repeat(16)}`;
    await store.put(left, Uint8Array.of(1));
    const before = await keysIn(store, PARTS);
    const next = await second.takeOver();
    for (const count of [11, 12]) {
      assert.ok((await keysIn(store, PARTS)).includes(before[0] ?? ""));
      await addFile(second, next, "x".repeat(count));
      await second.keep();
    }
    const kept = new Set(await keysIn(store, PARTS));
    assert.deepEqual(kept, await namedParts(store, PREFIX));
    assert.ok(before.every((key) => !kept.has(key)));
    assert.equal(keysOf(second).length, 12);
  });

  test("one who lost the office, and does not know, deletes no part that its follower names", async () => {
    const store = memoryStore();
    let held: Promise<void> | undefined;
    const slow = storeWith(store, {
      async putIfAbsent(key, body) {
        if (key.startsWith(CHECKPOINTS)) await held;
        return store.putIfAbsent(key, body);
      },
    });
    const [older, newer] = [open(slow, writerOf(1, 1), 4), open(store, writerOf(2, 1), 4)];
    const office = await older.takeOver();
    await addFile(older, office, "a");
    await older.keep();
    // Two more of its checkpoints are due, which name other parts, and the first of them is on its way.
    const { promise, resolve: go } = Promise.withResolvers<void>();
    held = promise;
    await addFile(older, office, "b");
    const keeping = older.keep();
    await addFile(older, office);
    // The one who follows comes back to the files of the checkpoint before.
    const next = await newer.takeOver();
    const body = { inputs: ["b"], outputs: [] };
    await newer.publish(next, () => ({ kind: "replace", body, needs: NOTHING }));
    await addFile(newer, next);
    await newer.keep();
    go();
    await keeping;
    await older.keep();
    const reader = open(store, writerOf(3, 1));
    await reader.refresh();
    assert.deepEqual(keysOf(reader), ["a"]);
  });

  test("one that is tried again meets no put of the first try", async () => {
    const store = memoryStore();
    const answered = Promise.withResolvers<void>();
    let putCount = Number.NEGATIVE_INFINITY;
    const slow = storeWith(store, {
      async putIfAbsent(key, body) {
        const number = key.startsWith(PARTS) ? ++putCount : 0;
        if (number === 1) throw new DbError("unavailable", "store_unreachable", "no answer");
        await store.putIfAbsent(key, body);
        // The second is done, and its answer is long on its way.
        if (number === 2) await answered.promise;
      },
    });
    const manifest = open(slow);
    const office = await manifest.takeOver();
    await addFile(manifest, office, "a");
    await manifest.keep();
    putCount = 0;
    for (let count = 2; count <= 8; count++) await addFile(manifest, office, "x".repeat(count));
    const first = manifest.keep().catch(() => undefined);
    const second = first.then(() => manifest.keep());
    await settle();
    answered.resolve();
    await second;
    await addFile(manifest, office, "x".repeat(9));
    await manifest.keep();
    const there = new Set(await keysIn(store, PARTS));
    for (const name of await namedParts(store, PREFIX))
      assert.ok(there.has(name), `${name} is gone`);
  });

  test("one that landed late, and names other parts than the next try, keeps them", async () => {
    const store = memoryStore();
    const log = new ObjectLog(PREFIX, logPorts(store));
    const [earlier, later] = [checkpointsOn(store, 1), checkpointsOn(store, 2)];
    const [writer, files] = [writerOf(1, 1), filesOf("a")];
    const state = { ...manifestMachine.empty, position: 1, files };
    await log.writeCheckpoint(1, await later.checkpoint(state, writer));
    await later.deleteOldParts();
    const next = { ...state, position: 2 };
    await log.writeCheckpoint(2, await earlier.checkpoint(next, writer));
    await log.writeCheckpoint(2, await later.checkpoint(next, writer));
    await later.deleteOldParts();
    assert.deepEqual(new Set(await keysIn(store, PARTS)), await namedParts(store, PREFIX));
  });

  test("a name that a failed pass may have deleted is not used again", async () => {
    const inner = memoryStore();
    let failing = false;
    const store = storeWith(inner, {
      async delete(key) {
        await inner.delete(key);
        if (failing && key.startsWith(PARTS))
          throw new DbError("unavailable", "store_unreachable", "no answer");
      },
    });
    const log = new ObjectLog(PREFIX, logPorts(store));
    const writing = checkpointsOn(store);
    const write = async (position: number, key: string) => {
      const state = { ...manifestMachine.empty, position, files: filesOf(key) };
      await log.writeCheckpoint(position, await writing.checkpoint(state, writerOf(1, 1)));
      await log.deleteOldCheckpoints();
      await writing.deleteOldParts().catch(() => undefined);
    };
    for (const [index, key] of ["a", "bb", "ccc"].entries()) await write(index + 1, key);
    failing = true;
    await write(4, "dddd");
    failing = false;
    await write(5, "bb");
    await write(6, "a");
    const there = new Set(await keysIn(store, PARTS));
    for (const name of await namedParts(store, PREFIX))
      assert.ok(there.has(name), `${name} is gone`);
  });

  test("a reader whose checkpoint is replaced while it reads goes on with the newest", async () => {
    const inner = memoryStore();
    const writer = open(inner);
    const office = await writer.takeOver();
    for (let count = 1; count <= 8; count++) await addFile(writer, office, "x".repeat(count));
    await writer.keep();
    let asked = 0;
    const racing = storeWith(inner, {
      async get(key) {
        if (key.startsWith(PARTS) && asked++ === 0)
          for (let count = 1; count <= 4; count++) {
            const inputs = [...writer.state.files].map(({ file }) => file.key);
            await writer.publish(office, () => ({
              kind: "replace",
              body: { inputs, outputs: [fileOf(`output ${count}`)] },
              needs: NOTHING,
            }));
            await writer.keep();
          }
        return inner.get(key);
      },
    });
    const reader = open(racing, writerOf(2, 1));
    await reader.refresh();
    assert.deepEqual(contentOf(reader.state), contentOf(writer.state));
    assert.ok(asked > 1);
  });

  test("a part that is gone from the newest checkpoint is damage, and named", async () => {
    const store = memoryStore();
    const manifest = open(store);
    const office = await manifest.takeOver();
    await addFile(manifest, office, "x");
    await manifest.keep();
    const [part = ""] = await keysIn(store, PARTS);
    await store.delete(part);
    await assert.rejects(open(store, writerOf(2, 1)).refresh(), {
      kind: "corrupt",
      code: "checkpoint_incomplete",
      detail: { key: part, position: 2, prefix: PREFIX },
    });
  });

  test("a part that was copied over another, or damaged, is refused", async () => {
    const store = memoryStore();
    const manifest = open(store);
    const office = await manifest.takeOver();
    for (let count = 1; count <= 4; count++) await addFile(manifest, office, "x".repeat(count));
    await manifest.keep();
    const [one = ""] = await keysIn(store, PARTS);
    const bytes = await store.get(one);
    assert.ok(bytes);
    const flipped = bytes.slice();
    flipped[bytes.length - 1] = (flipped[bytes.length - 1] ?? 0) ^ 1;
    await store.put(one, flipped);
    await assert.rejects(open(store, writerOf(2, 1)).refresh(), { code: "object_damaged" });
    const checkpoint = await store.get((await keysIn(store, CHECKPOINTS))[0] ?? "");
    assert.ok(checkpoint);
    await store.put(one, checkpoint);
    await assert.rejects(open(store, writerOf(2, 1)).refresh(), { code: "record_foreign" });
  });

  test("a checkpoint that could not be written is written by the next call", async () => {
    const inner = memoryStore();
    let failing = true;
    const failed = storeWith(inner, {
      async putIfAbsent(key, body) {
        if (failing && (key.startsWith(PARTS) || key.startsWith(CHECKPOINTS)))
          throw new DbError("unavailable", "store_unreachable", "silence");
        return inner.putIfAbsent(key, body);
      },
    });
    const manifest = open(failed);
    const office = await manifest.takeOver();
    await addFile(manifest, office, "x");
    await assert.rejects(manifest.keep(), { code: "store_unreachable" });
    failing = false;
    await manifest.keep();
    assert.equal((await keysIn(inner, CHECKPOINTS)).length, 1);
    await manifest.keep();
    assert.equal((await keysIn(inner, CHECKPOINTS)).length, 1);
  });

  test("one is due as well when entries are large", async () => {
    const store = memoryStore();
    const options = { writer: () => writerOf(1, 1), signal: neverAborted() };
    const manifest = new Manifest("cluster", logPorts(store), {
      ...options,
      checkpointSizeBytes: 10_000,
    });
    const office = await manifest.takeOver();
    await addFile(manifest, office, "small");
    await manifest.keep();
    assert.deepEqual(await keysIn(store, CHECKPOINTS), []);
    await addFile(manifest, office, "large".repeat(2_000));
    await manifest.keep();
    assert.equal((await keysIn(store, CHECKPOINTS)).length, 1);
  });

  test("who is not in office writes none", async () => {
    const store = memoryStore();
    const [first, other] = [open(store), open(store, writerOf(2, 1))];
    await first.takeOver();
    await other.raiseBarrier(7);
    await other.keep();
    assert.deepEqual(await keysIn(store, CHECKPOINTS), []);
  });

  test("one of version 1, with all files in it, is read for ever", async () => {
    const [bytes] = storedObjects("manifest-v1.hex").slice(-1);
    assert.ok(bytes);
    const checkpoint = fromEnvelope(decodeEnvelope("key", bytes), "key", 5);
    const { files, replaced, adopted } = contentOf(
      await checkpointsOn(memoryStore()).restore(checkpoint),
    );
    assert.deepEqual(files, [
      { file: fileOf("output"), stampAbove: 0n },
      { file: fileOf("second"), stampAbove: 7n },
    ]);
    assert.deepEqual(replaced, []);
    assert.deepEqual(adopted, new Map([[1, { position: 9, stamp: 2n ** 62n }]]));
  });

  test("bodies of any other JSON are damage, or a manifest", async () => {
    await fc.assert(
      fc.asyncProperty(fc.jsonValue(), async (body) => {
        const record = manifestRecord("manifest_checkpoint", body);
        const entry = { ...record, position: 1, nonce: STORED_NONCE };
        await checkpointsOn(memoryStore())
          .restore(entry)
          .catch((error: unknown) =>
            assert.ok(error instanceof DbError && error.kind === "corrupt", String(error)),
          );
      }),
    );
    const foreign = { ...manifestRecord("transaction", {}), position: 1, nonce: STORED_NONCE };
    await assert.rejects(checkpointsOn(memoryStore()).restore(foreign), {
      code: "record_foreign",
    });
  });
});
