/** Rules 4 to 8: what may be deleted, what its absence means, and what may be read and published. */
import { Catalog } from "#catalog/catalog.ts";
import { findDatabase } from "#catalog/catalog-state.ts";
import { Manifest, type OfficePlan } from "#manifest/manifest.ts";
import type { NodeNumber } from "#model/ids.ts";
import { ObjectLog } from "#objectlog/object-log.ts";
import { NEEDS_NOTHING } from "#objectlog/record.ts";
import { laterObject, neverAborted, writerOf } from "#testing/logs.ts";
import { contentOf, fileOf, flush, snapshot, startWriter } from "#testing/node-logs.ts";
import { Parts } from "./parts.ts";
import { type Actor, numbered, type Stage } from "./stage.ts";

const LIMITS = { databaseCountMax: 100 };
const LARGE = "large".repeat(1_000);
const ENTRIES = "node1/log/entry/";
const NO_BYTES = new Uint8Array(0);

export function openCatalog({ ports }: Actor): Catalog {
  return new Catalog("cluster", ports, neverAborted(), { checkpointEntries: 4 });
}

function create(catalog: Catalog, name: string): Promise<void> {
  return catalog.createDatabase(name, undefined, LIMITS);
}

/** Rule 4. Before the writer of #2 hears that it won, others write a checkpoint over it and lay stones. */
export async function stoneKeepsNonce(stage: Stage): Promise<void> {
  const slow = stage.actor();
  const [mine, other] = [openCatalog(slow), openCatalog(stage.actor())];
  await create(other, "one");
  slow.lose(numbered(2), "answer_lost");
  const answer = slow.hold("putIfAbsent", numbered(2), "after");
  const creating = create(mine, LARGE).then(
    () => "created",
    (error: unknown) => String(error),
  );
  await answer.reached;
  await create(other, "three");
  await create(other, "four");
  await other.keep();
  answer.go();
  stage.expect((await creating) === "created", `its own transaction is unknown: ${await creating}`);
}

/** Rule 4. A slow writer comes to #2 after others have written a checkpoint over it: the number must not be free. */
export async function sharedEntriesStay(stage: Stage): Promise<void> {
  const slow = stage.actor();
  const [mine, other] = [openCatalog(slow), openCatalog(stage.actor())];
  await create(other, "one");
  const put = slow.hold("putIfAbsent", numbered(2));
  const creating = create(mine, "mine");
  await put.reached;
  for (const name of [LARGE, "three", "four"]) await create(other, name);
  await other.keep();
  put.go();
  await creating;
  const state = await openCatalog(stage.actor()).refresh();
  stage.expect(findDatabase(state, "mine") !== undefined, "what was answered is not there");
  stage.expect(state.databases.size === 5, `there are ${state.databases.size} databases`);
}

/** Rule 4. Entries of a node log go only when a checkpoint carries what is in no file. */
export async function checkpointBeforeDeletion(stage: Stage): Promise<void> {
  const writer = await startWriter(stage.actor().ports, 1);
  await flush(writer, "two");
  await flush(writer, "three");
  await writer.checkpoint({ position: 3, manifest: 1 });
  stage.expect(stage.numbers(ENTRIES).join() === "1", "nothing is deleted");
  const content = contentOf(await stage.readAnew());
  stage.expect(content.join() === "two,three", `acknowledged rows are gone: ${content.join()}`);
}

/** Rule 4. A damaged checkpoint must not be the only copy of rows that the manifest does not have. */
export async function adoptedBeforeDeletion(stage: Stage): Promise<void> {
  const writer = await startWriter(stage.actor().ports, 1);
  for (const text of ["two", "three", "four"]) await flush(writer, text);
  await writer.checkpoint({ position: 2, manifest: 1 });
  const left = stage.numbers(ENTRIES).join();
  stage.expect(left === "1,3,4", `of entries 3 and 4, which nobody adopted, ${left} are left`);
}

/** Rule 4. Whoever has listed a checkpoint still finds it when the next one is there. */
export async function twoCheckpointsStay(stage: Stage): Promise<void> {
  const writer = await startWriter(stage.actor().ports, 1);
  for (const text of ["two", "three", "four"]) {
    await flush(writer, text);
    await writer.checkpoint({ position: 0, manifest: 0 });
    await writer.checkpoint({ position: writer.state.position, manifest: 1 });
  }
  stage.expect(
    stage.numbers("node1/log/checkpoint/").join() === "3,4",
    "the newest two are not there",
  );
  const content = contentOf(await stage.readAnew());
  stage.expect(content.join() === "two,three,four", `rows are gone: ${content.join()}`);
}

/** A starter of epoch 2 waits before its fence at #2 while the live epoch goes on and deletes what it had there. */
async function slowFence(stage: Stage, texts: readonly string[]) {
  const live = await startWriter(stage.actor().ports, 1);
  const slow = stage.actor();
  const put = slow.hold("putIfAbsent", numbered(2));
  const starting = startWriter(slow.ports, 2);
  await put.reached;
  for (const text of texts) await flush(live, text);
  await live.checkpoint({ position: live.state.position, manifest: 1 });
  return { live, slow, put, starting };
}

async function expectOneLiveEpoch(stage: Stage, texts: readonly string[]): Promise<void> {
  const { live, put, starting } = await slowFence(stage, texts);
  put.go();
  const starter = await starting;
  const acknowledged = await flush(live, "late").then(
    () => true,
    () => false,
  );
  stage.expect(!acknowledged, "two epochs are live at once");
  await flush(starter, "next");
  const content = contentOf(await stage.readAnew());
  stage.expect(content.join() === [...texts, "next"].join(), `the log holds ${content.join()}`);
}

/** Rule 5. The fence was won at a number deleted under a checkpoint far above it: it is void. */
export function voidFenceWon(stage: Stage): Promise<void> {
  return expectOneLiveEpoch(stage, ["two", "three"]);
}

/** Rule 5. The same with the checkpoint at the very number of the fence. */
export function voidFenceAtCheckpoint(stage: Stage): Promise<void> {
  return expectOneLiveEpoch(stage, ["two"]);
}

/** Rule 5. The starter died with its void fence; a reader that lags meets it. */
export async function voidFenceMet(stage: Stage): Promise<void> {
  const reader = stage.actor().reader();
  const { slow, put, live } = await slowFenceFor(stage, reader);
  const landed = slow.hold("putIfAbsent", numbered(2), "after");
  put.go();
  await landed.reached;
  slow.process.kill();
  await reader.advance({ certain: false });
  stage.expect(reader.state.epoch === 1, "a reader believes a void fence");
  const content = contentOf(reader.state).join();
  stage.expect(content === "two,three", `a reader passes rows by: ${content}`);
  await flush(live, "four");
}

async function slowFenceFor(stage: Stage, reader: ReturnType<Actor["reader"]>) {
  const parts = await slowFence(stage, []);
  await reader.advance({ certain: false });
  for (const text of ["two", "three"]) await flush(parts.live, text);
  await parts.live.checkpoint({ position: 3, manifest: 1 });
  return parts;
}

/** Rule 5. A reader that lags asks for #2, which is deleted: for a cut it must not take that for the tail. */
export async function holeIsNoTail(stage: Stage): Promise<void> {
  const live = await startWriter(stage.actor().ports, 1);
  const reader = stage.actor().reader();
  await reader.advance({ certain: true });
  await flush(live, "two");
  await snapshot(live, "file");
  await live.checkpoint({ position: 3, manifest: 1 });
  await reader.advance({ certain: true });
  stage.expect(reader.state.position === 3, `the tail is said to be ${reader.state.position}`);
  stage.expect(reader.state.lastStamp === 1n, "a cut would miss an acknowledged flush");
}

/** Rule 6. A file of the older epoch, whose record is on its way when the newer one looks for orphans. */
export async function orphansUnderFence(stage: Stage): Promise<void> {
  const older = await Parts.register(stage.actor());
  const writer = await older.winFence();
  await flush(writer, "two");
  const key = await older.putFile("a");
  const newer = await Parts.register(stage.actor());
  await newer.deleteOrphans(await newer.winFence());
  stage.expect(!stage.store.objects.has(key), "an orphan stays");
  const recorded = await snapshot(writer, key).then(
    () => true,
    () => false,
  );
  stage.expect(!recorded, "a record names a file that was deleted as an orphan");
}

/** Rule 6. A file of the live epoch, whose record is on its way. */
export async function liveFilesStay(stage: Stage): Promise<void> {
  const parts = await Parts.register(stage.actor());
  const writer = await parts.winFence();
  await flush(writer, "two");
  const key = await parts.putFile("a");
  await parts.deleteOrphans(writer);
  await snapshot(writer, key);
  stage.expect(stage.store.objects.has(key), "a file of the live epoch was deleted");
}

/** Rule 6. A file that the log names, and one that the manifest has taken over since this process read it. */
export async function namedFilesStay(stage: Stage): Promise<void> {
  const older = await Parts.register(stage.actor());
  const writer = await older.winFence();
  const newer = await Parts.register(stage.actor());
  const keys = [await older.putFile("a"), await older.putFile("b")];
  await flush(writer, "two");
  await snapshot(writer, keys[0] ?? "");
  const office = await older.manifest.takeOver();
  const [{ through, stamp, files } = { through: 0, stamp: 0n, files: [] }] = writer.state.snapshots;
  const body = { node: 1 as NodeNumber, through, stamp, files: [...files] };
  await older.manifest.publish(office, () => ({ kind: "adopt", body, needs: NEEDS_NOTHING }));
  await writer.checkpoint({ position: through, manifest: older.manifest.state.position });
  await flush(writer, "four");
  await snapshot(writer, keys[1] ?? "");
  await newer.deleteOrphans(await newer.winFence());
  for (const key of keys)
    stage.expect(stage.store.objects.has(key), `a file that is named was deleted: ${key}`);
}

/** Rule 7. Plans made with catalog version 1 meet a barrier that names version 2: one on its way, and one made after it. */
export async function barrierStopsPlans(stage: Stage): Promise<void> {
  const compactor = stage.actor();
  const manifest = openManifest(compactor, 1);
  const office = await manifest.takeOver();
  const put = compactor.hold("putIfAbsent", numbered(2));
  const publishing = manifest.publish(office, () => planOn(1));
  publishing.catch(() => undefined);
  await put.reached;
  await openManifest(stage.actor(), 2).raiseBarrier(2);
  put.go();
  await stage.expectRejection(publishing, "plan_stale", "a plan from before the barrier");
  const later = manifest.publish(office, () => planOn(1));
  await stage.expectRejection(later, "plan_stale", "a plan with an old catalog after the barrier");
  await manifest.publish(office, () => planOn(2));
}

/** A plan that was made with catalog version `catalog`. */
function planOn(catalog: number): OfficePlan {
  const body = { node: 1 as NodeNumber, through: 1, stamp: 1n, files: [fileOf("file")] };
  return { kind: "adopt", body, needs: { catalog, manifest: 0 } };
}

function openManifest({ ports }: Actor, node: number): Manifest {
  return new Manifest("cluster", ports, {
    writer: () => writerOf(node, 1),
    signal: neverAborted(),
  });
}

/** Rule 8. A record of a later version stands in the middle of a log: nothing above it is applied. */
export async function unknownKindStops(stage: Stage): Promise<void> {
  const writer = await startWriter(stage.actor().ports, 1);
  await flush(writer, "two");
  const record = { ...writerOf(1, 1), needs: NEEDS_NOTHING, body: {}, payload: NO_BYTES };
  stage.store.objects.set(
    `node1/log/entry${numbered(3)}`,
    laterObject({ kind: "flush", ...record }, 3),
  );
  const log = new ObjectLog("node1/log/", stage.actor().ports);
  const fence = { ...record, kind: "fence", epoch: 2 } as const;
  await log.append(4, fence, { signal: neverAborted() });
  const reader = stage.actor().reader();
  for (let attempt = 0; attempt < 2; attempt++)
    await stage.expectRejection(reader.advance({ certain: true }), "record_unknown", "a reader");
  stage.expect(reader.state.position === 2, `a reader is at ${reader.state.position}`);
  const starting = startWriter(stage.actor().ports, 3);
  await stage.expectRejection(starting, "record_unknown", "a starter");
}

/** Rule 8. A transaction makes a change of a later version: the catalog says so and stays where it is. */
export async function unknownChangeStops(stage: Stage): Promise<void> {
  const catalog = openCatalog(stage.actor());
  await create(catalog, "one");
  const log = new ObjectLog("cluster/catalog/", stage.actor().ports);
  const body = { changes: [{ kind: "create_something_new" }] };
  const record = { kind: "transaction", ...writerOf(2, 1), needs: NEEDS_NOTHING, body } as const;
  await log.append(2, { ...record, payload: NO_BYTES }, { signal: neverAborted() });
  await stage.expectRejection(catalog.refresh(), "record_unknown", "the catalog");
  await stage.expectRejection(create(catalog, "two"), "record_unknown", "a transaction");
  stage.expect(catalog.state.position === 1, "the catalog passes by what it does not know");
}
