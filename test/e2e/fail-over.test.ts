/** The compactor's office passes from process to process, and nothing is lost or doubled by that. */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { eventually, Sandbox, type TestNode } from "./cluster.ts";

const KILL_COUNT = Number(process.env["KILLS"] ?? 5);
/** What the one in office may be away before another is. */
const TAKE_OVER_MS_MAX = 15_000;
const HEARTBEAT = "cluster01/office/heartbeat";
/** Longer than the one in office waits for the question of a standby. */
const UNHEARD_MS = 7_000;
/** Files, adoptions and take-overs come fast. */
const MORE = ["--wal-files-per-snapshot", "5", "--catalog-sync-interval", "1s"];

/** A cluster of one node that takes writes and two that compact. */
class Cluster {
  readonly #sandbox: Sandbox;
  readonly writer: TestNode;
  readonly compactors = new Map<string, TestNode>();
  #rowCount = 0;

  private constructor(sandbox: Sandbox, writer: TestNode) {
    this.#sandbox = sandbox;
    this.writer = writer;
  }

  static async open(sandbox: Sandbox): Promise<Cluster> {
    const mode = "ingest,query";
    const cluster = new Cluster(sandbox, await sandbox.start({ mode, more: MORE }));
    for (const nodeId of ["host02", "host03"]) await cluster.startCompactor(nodeId);
    return cluster;
  }

  async startCompactor(nodeId: string): Promise<void> {
    const node = await this.#sandbox.start({ nodeId, mode: "compact", more: MORE });
    this.compactors.set(nodeId, node);
  }

  /** Writes until the signal, one row at a time; each stands for itself. */
  async write(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const number = ++this.#rowCount;
      await this.writer.write("d", `m,t=${number % 7} v=${number}i ${number}`);
      await sleep(20);
    }
  }

  /** The nodes that believe to be in office. */
  async holders(): Promise<readonly string[]> {
    const held = await Promise.all(
      [...this.compactors].map(async ([nodeId, node]) => {
        const { text } = await node.get("/metrics").catch(() => ({ text: "" }));
        return /^influxdb3_compactor_is_primary 1$/m.test(text) ? [nodeId] : [];
      }),
    );
    return held.flat();
  }

  /** Every row once, and every file that is named there. */
  async expectWhole(): Promise<void> {
    const rows = await this.writer.rows("d", "SELECT v FROM m");
    const values = rows.map(({ v }) => Number(v)).toSorted((left, right) => left - right);
    const wanted = Array.from({ length: this.#rowCount }, (_, index) => index + 1);
    assert.deepEqual(values, wanted);
    const words = `debug verify-references --cluster-id cluster01 --object-store file`.split(" ");
    const verified = await this.#sandbox.run([...words, "--data-dir", this.#sandbox.store]);
    assert.equal(verified.exitCode, 0, verified.out + verified.error);
  }
}

suite("the compactor's office", () => {
  test(`passes on within 15 s of a kill, ${KILL_COUNT} times under writes`, async (context) => {
    await using sandbox = await Sandbox.open();
    const cluster = await Cluster.open(sandbox);
    const end = new AbortController();
    const writing = cluster.write(end.signal);
    for (let kill = 1; kill <= KILL_COUNT; kill++) {
      const holder = await oneHolder(cluster);
      const startMs = performance.now();
      await cluster.compactors.get(holder)?.kill();
      cluster.compactors.delete(holder);
      await oneHolder(cluster);
      const tookMs = performance.now() - startMs;
      context.diagnostic(`kill ${kill}: another was in office after ${Math.round(tookMs)} ms`);
      assert.ok(tookMs <= TAKE_OVER_MS_MAX, `it took ${tookMs} ms`);
      await cluster.startCompactor(holder);
    }
    end.abort();
    await writing;
    await cluster.expectWhole();
  });

  test("passes on from one that hangs, which keeps its process and stands by when it is awake", async (context) => {
    await using sandbox = await Sandbox.open();
    const cluster = await Cluster.open(sandbox);
    const end = new AbortController();
    const writing = cluster.write(end.signal);
    const holder = await oneHolder(cluster);
    const hung = cluster.compactors.get(holder);
    assert.ok(hung);
    await sleep(UNHEARD_MS);
    const objects = await sandbox.objects();
    assert.ok(!objects.includes(HEARTBEAT), "nodes that hear each other write no sign of life");
    const startMs = performance.now();
    process.kill(hung.pid, "SIGSTOP");
    cluster.compactors.delete(holder);
    const successor = await oneHolder(cluster);
    const tookMs = performance.now() - startMs;
    context.diagnostic(`another was in office after ${Math.round(tookMs)} ms`);
    assert.ok(tookMs <= TAKE_OVER_MS_MAX, `it took ${tookMs} ms`);
    process.kill(hung.pid, "SIGCONT");
    cluster.compactors.set(holder, hung);
    await sleep(3_000);
    assert.deepEqual(await cluster.holders(), [successor]);
    // The first answer may be that of a connection that has ended meanwhile.
    const ready = () => hung.get("/ready").catch(() => undefined);
    assert.equal(((await ready()) ?? (await ready()))?.status, 200);
    end.abort();
    await writing;
    await cluster.expectWhole();
  });
});

function oneHolder(cluster: Cluster): Promise<string> {
  return eventually(
    async () => {
      const [holder, ...others] = await cluster.holders();
      return others.length === 0 ? holder : undefined;
    },
    { what: "one node in office", withinMs: 2 * TAKE_OVER_MS_MAX },
  );
}
