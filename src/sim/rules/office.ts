/** Rules 3, 6 and 7 in the compactor's office: what a term may publish, and which files may go. */
import type { Catalog } from "#catalog/catalog.ts";
import { Compactor } from "#compaction/compactor.ts";
import { Audit } from "#compaction/garbage/audit.ts";
import { Cleanup } from "#compaction/garbage/cleanup.ts";
import { Sweep } from "#compaction/garbage/sweep.ts";
import { plainEngine } from "#engine/plain/plain.ts";
import { Manifest, type OfficePlan } from "#manifest/manifest.ts";
import type { DatabaseId, TableId } from "#model/ids.ts";
import { NEEDS_NOTHING } from "#objectlog/record.ts";
import type { Writer } from "#objectlog/shared-log.ts";
import { neverAborted, writerOf } from "#testing/logs.ts";
import { fileOf } from "#testing/node-logs.ts";
import { openCatalog } from "./keeping.ts";
import { type Actor, numbered, type Stage } from "./stage.ts";

const FOREVER = neverAborted();
const FILES = "cluster/data/";
const SWEEP_MS = 1_000;
const WAIT_MS = 60_000;
const HOUR_NS = 3_600_000_000_000n;
const COMPACTION = {
  gen2DurationMs: 1_200_000,
  multipliers: [],
  filesPerPlanMax: 10,
  inputSizeMax: 1_000,
  rowLimit: 100,
  checkIntervalMs: 1_000,
};

/** A compact node: its manifest, and what it deletes. */
class Office {
  readonly actor: Actor;
  readonly manifest: Manifest;
  readonly catalog: Catalog;
  readonly sweep: Sweep;
  readonly cleanup: Cleanup;

  constructor(actor: Actor, node: number) {
    const { clock, log, store } = actor.ports;
    this.actor = actor;
    this.catalog = openCatalog(actor);
    this.manifest = new Manifest("cluster", actor.ports, {
      writer: () => writerOf(node, 1),
      signal: FOREVER,
      checkpointEntries: 2,
    });
    const audit = new Audit({ clusterId: "cluster", store, clock, retentionMs: 1e9 });
    const settings = { intervalMs: SWEEP_MS, graceMs: 0, dryRun: false };
    const { catalog, manifest } = this;
    const rest = {
      clusterId: "cluster",
      catalog,
      manifest,
      logs: () => [],
      store,
      clock,
      log,
      audit,
    };
    this.sweep = new Sweep({ ...rest, settings });
    this.cleanup = new Cleanup({ ...rest, waitMs: WAIT_MS });
  }

  /** Puts a compacted file of `term`; answers its key. */
  async putFile({ epoch, node }: Writer, name: string): Promise<string> {
    const key = `${FILES}1/${node}-${epoch}-${name.padEnd(16, "0")}.parquet`;
    await this.actor.ports.store.putIfAbsent(key, Uint8Array.of(1));
    return key;
  }

  publish(term: Writer, inputs: readonly string[], outputs: readonly string[]): Promise<unknown> {
    const body = { inputs: [...inputs], outputs: outputs.map((key) => fileOf(key)) };
    const plan: OfficePlan = { kind: "replace", body, needs: NEEDS_NOTHING };
    return this.manifest.publish(term, () => plan);
  }

  /** Looks for orphans now. */
  async sweepNow(term: Writer): Promise<void> {
    await this.sweep.step(term, FOREVER);
    await this.actor.process.clock.sleep(SWEEP_MS);
    await this.sweep.step(term, FOREVER);
  }
}

/** Notes as wrong when the manifest, read anew, names a file that is not there. */
async function expectWhole(stage: Stage): Promise<void> {
  const { files } = await new Office(stage.actor(), 9).manifest.refresh();
  for (const { file } of files)
    stage.expect(stage.store.objects.has(file.key), `a file that is named is gone: ${file.key}`);
}

/** Rule 3. A plan is on its way when another node takes over, and deletes what the ended term has left. */
export async function planAfterTakeOver(stage: Stage): Promise<void> {
  const [older, newer] = [new Office(stage.actor(), 1), new Office(stage.actor(), 2)];
  const first = await older.manifest.takeOver();
  const key = await older.putFile(first, "a");
  const put = older.actor.hold("putIfAbsent", numbered(2));
  const publishing = older.publish(first, [], [key]);
  publishing.catch(() => undefined);
  await put.reached;
  await newer.sweepNow(await newer.manifest.takeOver());
  stage.expect(!stage.store.objects.has(key), "an orphan of a term that is over stays");
  put.go();
  await stage.expectRejection(publishing, "node_fenced", "a plan of a term that is over");
  await expectWhole(stage);
}

/** Rule 3. Two stand by, and both find the one in office silent: the second does not end the term that the first has just begun. */
export async function oneTakesOver(stage: Stage): Promise<void> {
  const [gone, one, two] = [1, 2, 3].map((node) => new Office(stage.actor(), node)) as [
    Office,
    Office,
    Office,
  ];
  const holder = await gone.manifest.takeOver();
  await Promise.all([one.manifest.refresh(), two.manifest.refresh()]);
  const put = two.actor.hold("putIfAbsent", numbered(2));
  const second = two.manifest.takeOverFrom(holder);
  await put.reached;
  const first = await one.manifest.takeOverFrom(holder);
  put.go();
  stage.expect((await second) === undefined, "both are in office");
  const { office } = await one.manifest.refresh();
  stage.expect(office.epoch === first?.epoch, `term ${office.epoch} was begun at once`);
}

/** Rule 6. The one in office looks for orphans while it writes a file itself. */
export async function filesOfTermStay(stage: Stage): Promise<void> {
  const office = new Office(stage.actor(), 1);
  const term = await office.manifest.takeOver();
  const key = await office.putFile(term, "a");
  await office.sweepNow(term);
  await office.publish(term, [], [key]);
  await expectWhole(stage);
}

/**
 * Rule 6. The one in office has listed a file that it publishes then; before it judges what it has listed, another takes over, and it reads
 * of that: the term of the file is over, and the file is none the less named.
 */
export async function bothLookForOrphans(stage: Stage): Promise<void> {
  const [older, newer] = [new Office(stage.actor(), 1), new Office(stage.actor(), 2)];
  const first = await older.manifest.takeOver();
  const key = await older.putFile(first, "a");
  const list = older.actor.hold("list", FILES);
  const sweeping = older.sweepNow(first).catch(() => undefined);
  await list.reached;
  await older.publish(first, [], [key]);
  const second = await newer.manifest.takeOver();
  await older.manifest.refresh();
  list.go();
  await Promise.all([sweeping, newer.sweepNow(second)]);
  await expectWhole(stage);
}

/** Rule 6. Files are replaced while somebody reads them in a view that is a little older; later they go, and only they. */
export async function replacedFilesWait(stage: Stage): Promise<void> {
  const office = new Office(stage.actor(), 1);
  const { clock } = office.actor.process;
  const term = await office.manifest.takeOver();
  const [before, after] = [await office.putFile(term, "a"), await office.putFile(term, "b")];
  await office.publish(term, [], [before]);
  await office.publish(term, [before], [after]);
  await office.cleanup.step(term, FOREVER);
  stage.expect(stage.store.objects.has(before), "a file goes under those who read it");
  await clock.sleep(WAIT_MS + 1);
  await office.cleanup.step(term, FOREVER);
  stage.expect(!stage.store.objects.has(before), "a replaced file stays");
  await expectWhole(stage);
}

/** Whether a file of old rows is still there when its table, whose rows are kept for an hour, is compacted, and `meanwhile` comes before the entry. */
async function isKept(
  stage: Stage,
  meanwhile: (catalog: Catalog) => Promise<unknown>,
): Promise<boolean> {
  const [office, other] = [new Office(stage.actor(), 1), new Office(stage.actor(), 2)];
  await other.catalog.createDatabase("db", HOUR_NS, { databaseCountMax: 9 });
  const table = { databaseId: 1 as DatabaseId, id: 1 as TableId, name: "m", columns: [] };
  await other.catalog.transact(() => [{ kind: "create_table", ...table }]);
  await office.catalog.refresh();
  const term = await office.manifest.takeOver();
  const old = { ...fileOf(await office.putFile(term, "a")), time: { start: 1n, end: 2n } };
  const body = { inputs: [], outputs: [old] };
  await office.manifest.publish(term, () => ({ kind: "replace", body, needs: NEEDS_NOTHING }));
  const { catalog, manifest } = office;
  // All of the file is past its retention, so no engine is asked.
  const engine = plainEngine({
    files: { load: () => Promise.reject(new Error("nothing to load")) },
  });
  const settings = COMPACTION;
  const parts = {
    ...office.actor.ports,
    clusterId: "cluster",
    catalog,
    manifest,
    engine,
    settings,
  };
  const put = office.actor.hold("putIfAbsent", numbered(3));
  const compacting = new Compactor(parts).step(term, FOREVER);
  await put.reached;
  await meanwhile(other.catalog);
  await other.manifest.raiseBarrier(other.catalog.state.position);
  put.go();
  const published = await compacting;
  const { files } = await new Office(stage.actor(), 9).manifest.refresh();
  stage.expect(
    published === !(files.ofTable(table.id).length > 0),
    "it was published, or it was not",
  );
  return files.ofTable(table.id).length > 0;
}

/** Rule 7. A plan that leaves out old rows is on its way when their retention is made longer: they count again. */
export async function rowsComeBack(stage: Stage): Promise<void> {
  const kept = await isKept(stage, (catalog) => catalog.setRetention("db", undefined));
  stage.expect(kept, "rows that count again are gone");
}

/** Rule 7. A plan is on its way when the catalog grows, and the manifest names that: it is as right as before. */
export async function catalogGrows(stage: Stage): Promise<void> {
  const limits = { databaseCountMax: 9 };
  const kept = await isKept(stage, (catalog) => catalog.createDatabase("more", undefined, limits));
  stage.expect(!kept, "a plan was given up for a database that has nothing to do with it");
}

/**
 * Rule 6. Two checkpoints of a term are still to be put when another takes over; the new term goes on from the one before them, and comes
 * back to a part of the manifest that they do not name.
 */
export async function partsStay(stage: Stage): Promise<void> {
  const [older, newer] = [new Office(stage.actor(), 1), new Office(stage.actor(), 2)];
  const first = await older.manifest.takeOver();
  await older.publish(first, [], ["a"]);
  await older.manifest.keep();
  await older.publish(first, [], []);
  await older.publish(first, [], ["b"]);
  const put = older.actor.hold("putIfAbsent", numbered(4));
  const keeping = older.manifest.keep();
  await put.reached;
  for (let count = 0; count < 2; count++) await older.publish(first, [], []);
  const second = await newer.manifest.takeOver();
  await newer.publish(second, ["b"], []);
  await newer.manifest.keep();
  put.go();
  await keeping;
  await older.manifest.keep();
  const { files } = await new Office(stage.actor(), 9).manifest.refresh();
  stage.expect(files.count === 1, `the manifest has ${files.count} files`);
}
