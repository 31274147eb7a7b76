/** Rules 2 and 3: what one number is, and who may write it. */
import { Catalog } from "#catalog/catalog.ts";
import { findDatabase } from "#catalog/catalog-state.ts";
import { ObjectLog } from "#objectlog/object-log.ts";
import { NEEDS_NOTHING } from "#objectlog/record.ts";
import { neverAborted, writerOf } from "#testing/logs.ts";
import { contentOf, flush, startWriter } from "#testing/node-logs.ts";
import { registration } from "./parts.ts";
import { numbered, type Stage } from "./stage.ts";

const LIMITS = { databaseCountMax: 100 };
const ENTRIES = "node1/log/entry/";

/** Rule 2. The put was done and its answer lost: the writer finds its own nonce. */
export async function answerLost(stage: Stage): Promise<void> {
  const actor = stage.actor();
  const writer = await startWriter(actor.ports, 1);
  actor.lose(numbered(2), "answer_lost");
  stage.expect((await flush(writer, "two")) === 2, "the flush is not found at its number");
  await flush(writer, "three");
  await expectContent(stage, ["two", "three"]);
}

/** Rule 2. The put was not done: nothing is acknowledged, and no later number used, before it is. */
export async function putNotDone(stage: Stage): Promise<void> {
  const actor = stage.actor();
  const writer = await startWriter(actor.ports, 1);
  actor.lose(numbered(2), "not_done");
  await Promise.all([flush(writer, "two", 1n), flush(writer, "three", 2n)]);
  await expectContent(stage, ["two", "three"]);
}

/** Rule 2. The put lands after the writer has looked for it: rows stand once, in one body. */
export async function putLandsLate(stage: Stage): Promise<void> {
  const actor = stage.actor();
  const writer = await startWriter(actor.ports, 1);
  actor.lose(numbered(2), "lands_late");
  // A caller that hears of a failure sends its rows again.
  await flush(writer, "two").catch(() => flush(writer, "two"));
  await expectContent(stage, ["two"]);
}

/** Rule 3. The older of two epochs finds the fence of the newer one at its next number. */
export async function higherEpochFound(stage: Stage): Promise<void> {
  const older = await startWriter(stage.actor().ports, 1);
  await flush(older, "two");
  const newer = await startWriter(stage.actor().ports, 2);
  await stage.expectRejection(flush(older, "late"), "node_fenced", "the older epoch writes on");
  const before = stage.keys("node1/");
  await stage.expectRejection(
    older.checkpoint({ position: 2, manifest: 1 }),
    "node_fenced",
    "the older epoch cleans up",
  );
  stage.expect(before.join() === stage.keys("node1/").join(), "a fenced writer changes objects");
  await flush(newer, "four");
  await expectContent(stage, ["two", "four"]);
}

/** Rule 3. Epoch 2 is slow; epoch 3 has fenced, and written a checkpoint over its fence, before epoch 2 looks. */
export async function higherEpochInCheckpoint(stage: Stage): Promise<void> {
  await startWriter(stage.actor().ports, 1);
  const slow = stage.actor();
  const look = slow.hold("list", "checkpoint/");
  const starting = startWriter(slow.ports, 2);
  starting.catch(() => undefined);
  await look.reached;
  const third = await startWriter(stage.actor().ports, 3);
  await third.checkpoint({ position: 0, manifest: 0 });
  look.go();
  await stage.expectRejection(starting, "node_fenced", "epoch 2 starts under epoch 3");
  stage.expect(stage.numbers(ENTRIES).join() === "1,2", "epoch 2 has put an entry");
}

/** Rule 3. An entry of a lower epoch cannot stand at a live writer's number: it is damage and says so. */
export async function lowerEpochIsDamage(stage: Stage): Promise<void> {
  const writer = await startWriter(stage.actor().ports, 5);
  const fence = { kind: "fence", ...writerOf(1, 4), needs: NEEDS_NOTHING, body: {} } as const;
  const log = new ObjectLog("node1/log/", stage.actor().ports);
  await log.append(2, { ...fence, payload: new Uint8Array(0) }, { signal: neverAborted() });
  await stage.expectRejection(flush(writer, "two"), "log_entry_foreign", "an older epoch's entry");
}

/** Rule 3. Epoch 2 has written, snapshotted and cleaned up before epoch 1 wakes: the fence must still be there. */
export async function fenceOutlivesCleanUp(stage: Stage): Promise<void> {
  const older = await startWriter(stage.actor().ports, 1);
  await flush(older, "two");
  const newer = await startWriter(stage.actor().ports, 2);
  await flush(newer, "four");
  await newer.checkpoint({ position: 4, manifest: 1 });
  await stage.expectRejection(flush(older, "late"), "node_fenced", "an older epoch acknowledges");
  await expectContent(stage, ["two", "four"]);
}

/** Rule 3. A writer with nothing to write learns of its end all the same. */
export async function idleWriterLooks(stage: Stage): Promise<void> {
  const older = await startWriter(stage.actor().ports, 1);
  await older.lookAhead();
  await startWriter(stage.actor().ports, 2);
  await stage.expectRejection(older.lookAhead(), "node_fenced", "an idle writer goes on");
}

/** Rule 3. In the shared logs, too: once its node was started anew, a process changes nothing, whether it lost a number or read of it. */
export async function sharedLogFencesEpochs(stage: Stage): Promise<void> {
  for (const reads of [false, true]) {
    const open = () => new Catalog(`cluster${Number(reads)}`, stage.actor().ports, neverAborted());
    const [older, newer] = [open(), open()];
    await older.register(registration, () => 1n);
    await newer.register(registration, () => 2n);
    if (reads) await older.refresh();
    await stage.expectRejection(
      older.createDatabase("late", undefined, LIMITS),
      "node_fenced",
      "a replaced process changes the catalog",
    );
    const seen = await open().refresh();
    stage.expect(
      findDatabase(seen, "late") === undefined,
      "the change of a replaced process is there",
    );
  }
}

/** The whole log, as a new reader has it, holds exactly `texts`. */
async function expectContent(stage: Stage, texts: readonly string[]): Promise<void> {
  const content = contentOf(await stage.readAnew());
  stage.expect(content.join() === texts.join(), `the log holds ${content.join()}`);
}
