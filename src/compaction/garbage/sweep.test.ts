import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { Manifest } from "#manifest/manifest.ts";
import type { NodeNumber } from "#model/ids.ts";
import { nodeLogMachine } from "#nodelog/node-log-state.ts";
import type { Writer } from "#objectlog/shared-log.ts";
import { memoryStore } from "#objectstore/memory.ts";
import { silentLog } from "#ports/log.ts";
import type { ObjectStore } from "#ports/object-store.ts";
import { HandClock } from "#testing/hand-clock.ts";
import { logPorts, neverAborted, storeWith, writerOf } from "#testing/logs.ts";
import { fileOf } from "#testing/node-logs.ts";
import type { ReadLog } from "#view/named.ts";
import { Audit, type GarbageFile } from "./audit.ts";
import { Sweep, type SweepSettings } from "./sweep.ts";

const FOREVER = neverAborted();
const HOUR_MS = 3_600_000;
const SETTINGS: SweepSettings = { intervalMs: 24 * HOUR_MS, graceMs: 6 * HOUR_MS, dryRun: false };
const NEEDS_NOTHING = { catalog: 0, manifest: 0 };

/** A compact node and its manifest. */
class Compactor {
  readonly clock: HandClock;
  readonly store: ObjectStore;
  readonly manifest: Manifest;
  readonly logs: ReadLog[] = [];
  readonly #settings: SweepSettings;
  sweep: Sweep;

  constructor(node: number, store: ObjectStore, settings = SETTINGS, clock = new HandClock()) {
    this.clock = clock;
    this.store = store;
    this.#settings = settings;
    this.manifest = new Manifest("cluster01", logPorts(store, node), {
      writer: () => writerOf(node, 1),
      signal: FOREVER,
    });
    this.sweep = this.#open();
  }

  /** As a start of its process does. */
  restart(): void {
    this.sweep = this.#open();
  }

  /** Puts a file of `term`; answers its key. */
  async put({ epoch, node }: Writer, name: string): Promise<string> {
    const key = `cluster01/data/1/1/w/${node}-${epoch}-${name.padEnd(16, "0")}.parquet`;
    await this.store.putIfAbsent(key, Uint8Array.of(1));
    return key;
  }

  /** Publishes files as if compaction had made them. */
  async publish(office: Writer, inputs: readonly string[], outputs: readonly string[]) {
    const body = { inputs: [...inputs], outputs: outputs.map((key) => fileOf(key)) };
    await this.manifest.publish(office, () => ({ kind: "replace", body, needs: NEEDS_NOTHING }));
  }

  /** Lets the time pass, and the sweep do what is due. */
  async pass(office: Writer, afterMs: number): Promise<void> {
    await this.sweep.step(office, FOREVER);
    await this.clock.advance(afterMs);
    await this.sweep.step(office, FOREVER);
  }

  async files(): Promise<readonly string[]> {
    return (await this.store.list("cluster01/data/")).map(({ key }) => key);
  }

  /** What the newest audit says. */
  async told(): Promise<readonly (readonly [string, GarbageFile["outcome"]])[]> {
    const pass = await this.#audit().newest("sweep");
    return pass?.files.map(({ key, outcome }) => [key, outcome] as const) ?? [];
  }

  #audit(): Audit {
    const { clock, store } = this;
    return new Audit({ clusterId: "cluster01", store, clock, retentionMs: 48 * HOUR_MS });
  }

  #open(): Sweep {
    const { clock, logs, manifest, store } = this;
    const rest = { manifest, logs: () => logs, store, clock, log: silentLog };
    return new Sweep({
      ...rest,
      clusterId: "cluster01",
      settings: this.#settings,
      audit: this.#audit(),
    });
  }
}

/** Term 1 has left a file that is published and one that is not; term 2 is in office. */
async function afterTakeOver(settings = SETTINGS) {
  const store = memoryStore();
  const [older, newer] = [new Compactor(1, store), new Compactor(2, store, settings)];
  const first = await older.manifest.takeOver();
  const [published, orphan] = [await older.put(first, "aa"), await older.put(first, "bb")];
  await older.publish(first, [], [published]);
  const second = await newer.manifest.takeOver();
  return { store, older, newer, first, second, published, orphan };
}

async function nothing(): Promise<void> {}

suite("the sweep", () => {
  test("deletes what an ended term left without a record, after the grace period", async () => {
    const { newer, second, published, orphan } = await afterTakeOver();
    const own = await newer.put(second, "cc");
    await newer.store.putIfAbsent("cluster01/data/notes.txt", Uint8Array.of(1));
    await newer.pass(second, 300_000);
    assert.deepEqual(await newer.told(), [[orphan, "queued"]]);
    await newer.pass(second, SETTINGS.graceMs);
    assert.deepEqual(await newer.told(), [[orphan, "deleted"]]);
    const left = [published, own, "cluster01/data/notes.txt"].toSorted();
    assert.deepEqual((await newer.files()).toSorted(), left);
    assert.equal(newer.sweep.deletedCount, 1);
  });

  test("looks again after it has listed: a file that was published meanwhile stays, although its term ended", async () => {
    const inner = memoryStore();
    let meanwhile: () => Promise<unknown> = nothing;
    const store = storeWith(inner, {
      list: async (prefix, options) => {
        if (prefix === "cluster01/data/") await meanwhile();
        return inner.list(prefix, options);
      },
    });
    const [one, two] = [
      new Compactor(1, store, { ...SETTINGS, graceMs: 0 }),
      new Compactor(2, store),
    ];
    const first = await one.manifest.takeOver();
    const key = await one.put(first, "aa");
    meanwhile = async () => {
      await one.publish(first, [], [key]);
      await two.manifest.takeOver();
      await one.manifest.refresh();
    };
    await one.sweep.step(first, FOREVER);
    await one.clock.advance(300_000);
    await assert.rejects(one.sweep.step(first, FOREVER), { code: "node_fenced" });
    meanwhile = nothing;
    assert.deepEqual(await one.files(), [key]);
  });

  test("leaves what is replaced to the clean-up, and what a log names to that", async () => {
    const { newer, second, published, orphan } = await afterTakeOver({ ...SETTINGS, graceMs: 0 });
    await newer.publish(second, [published], []);
    const through = 9;
    const snapshots = [{ through, stamp: 1n, files: [fileOf(orphan)] }];
    const state = { ...nodeLogMachine.empty, position: through, snapshotted: through, snapshots };
    newer.logs.push({ node: 1 as NodeNumber, state });
    await newer.pass(second, 300_000);
    assert.deepEqual(await newer.told(), []);
    assert.equal((await newer.files()).length, 2);
  });

  test("in a dry run says what it would delete", async () => {
    const { newer, second, orphan } = await afterTakeOver({
      ...SETTINGS,
      graceMs: 0,
      dryRun: true,
    });
    await newer.pass(second, 300_000);
    assert.deepEqual(await newer.told(), [[orphan, "would-be"]]);
    assert.equal((await newer.files()).length, 2);
  });

  test("goes on counting the grace period after a restart", async () => {
    const { newer, second, orphan } = await afterTakeOver();
    await newer.pass(second, 300_000);
    newer.restart();
    await newer.pass(second, SETTINGS.graceMs);
    assert.deepEqual(await newer.told(), [[orphan, "deleted"]]);
  });

  test("of a term that is over deletes nothing", async () => {
    const { older, newer, second } = await afterTakeOver({ ...SETTINGS, graceMs: 0 });
    await newer.sweep.step(second, FOREVER);
    await newer.clock.advance(300_000);
    await older.manifest.takeOver();
    await assert.rejects(newer.sweep.step(second, FOREVER), { code: "node_fenced" });
    assert.equal((await newer.files()).length, 2);
  });

  test("that is off does nothing", async () => {
    const { newer, second } = await afterTakeOver({ ...SETTINGS, intervalMs: undefined });
    await newer.pass(second, 30 * 24 * HOUR_MS);
    assert.deepEqual(await newer.told(), []);
  });

  test("forgets old passes", async () => {
    const { newer, second } = await afterTakeOver();
    for (let day = 0; day < 6; day++) await newer.pass(second, 24 * HOUR_MS);
    const passes = await newer.store.list("cluster01/garbage/");
    assert.ok(passes.length >= 2 && passes.length <= 4, `${passes.length}`);
  });
});
