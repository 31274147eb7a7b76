/** A node of each kind of work hangs, is killed, or has a wrong clock, under load: nothing acknowledged is lost or doubled. */
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { suite, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { eventually, Sandbox, type TestNode } from "./cluster.ts";
import { Acknowledged, Writers } from "./load.ts";

/** `npm run test:long -- faults` lets them hang for a minute. */
const PAUSE_MS = 2_500;
const HOUR_MS = 3_600_000;
const OFTEN =
  "--wal-files-per-snapshot 20 --gen1-duration 1m --compaction-check-interval 500ms".split(" ");

/** A cluster of nodes with one kind of work each, and writers on those that take writes. */
class Roles implements AsyncDisposable {
  readonly acknowledged = new Acknowledged();
  readonly #sandbox: Sandbox;
  readonly #nodes = new Map<string, TestNode>();
  readonly #writers: Writers[] = [];

  private constructor(sandbox: Sandbox) {
    this.#sandbox = sandbox;
  }

  static async start(sandbox: Sandbox): Promise<Roles> {
    const roles = new Roles(sandbox);
    await roles.begin("host01", "ingest");
    await Promise.all([
      roles.begin("host02", "ingest"),
      roles.begin("host03", "compact"),
      roles.begin("host04", "query"),
      roles.begin("host05", "query"),
    ]);
    for (const [index, nodeId] of ["host01", "host02"].entries())
      roles.#writers.push(new Writers(() => roles.node(nodeId), roles.acknowledged, 2, index * 2));
    return roles;
  }

  async begin(nodeId: string, mode: string): Promise<void> {
    this.#nodes.set(nodeId, await this.#sandbox.start({ nodeId, mode, more: OFTEN }));
  }

  node(nodeId: string): TestNode {
    const node = this.#nodes.get(nodeId);
    assert.ok(node !== undefined);
    return node;
  }

  /** Every query node but `silent` shows all that is acknowledged. */
  async expectAll(silent?: string): Promise<void> {
    for (const nodeId of ["host04", "host05"])
      if (nodeId !== silent) await this.acknowledged.checkSoon(this.node(nodeId));
  }

  async untilMore(): Promise<void> {
    const goal = this.acknowledged.count + 40;
    await eventually(async () => this.acknowledged.count > goal || undefined, { what: "writes" });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const writers of this.#writers) await writers.stop();
  }
}

suite("under load", () => {
  test("a node of each kind of work hangs, goes on, and is killed: the others show all, and so does it", async () => {
    await using sandbox = await Sandbox.open();
    await using roles = await Roles.start(sandbox);
    await roles.untilMore();
    for (const [nodeId, mode] of [
      ["host01", "ingest"],
      ["host03", "compact"],
      ["host04", "query"],
    ] as const) {
      const { pid } = roles.node(nodeId);
      process.kill(pid, "SIGSTOP");
      try {
        await sleep(PAUSE_MS);
        await roles.expectAll(nodeId);
      } finally {
        process.kill(pid, "SIGCONT");
      }
      await roles.untilMore();
      await roles.expectAll();
      assert.ok(!roles.node(nodeId).hasEnded, "whoever only hung is no other node");
      await roles.node(nodeId).kill();
      await roles.expectAll(nodeId);
      await roles.begin(nodeId, mode);
    }
    await roles.untilMore();
    await roles.expectAll();
  });

  test("a node that takes writes hangs, and its twin on another machine takes over: the first one's writes are refused", async () => {
    await using sandbox = await Sandbox.open();
    const hung = await sandbox.start({ nodeId: "host01", more: OFTEN });
    const reader = await sandbox.start({ nodeId: "host02", mode: "query", more: OFTEN });
    const acknowledged = new Acknowledged();
    await using first = new Writers(() => hung, acknowledged, 3);
    await eventually(async () => acknowledged.count > 50 || undefined, { what: "writes" });
    process.kill(hung.pid, "SIGSTOP");
    const twin = await sandbox.start({ nodeId: "host01", more: OFTEN });
    await using second = new Writers(() => twin, acknowledged, 3, 3);
    const before = acknowledged.count;
    await eventually(async () => acknowledged.count > before + 50 || undefined, { what: "writes" });
    process.kill(hung.pid, "SIGCONT");
    const ended = await hung.ended;
    assert.equal(ended.exitCode, 3);
    assert.match(ended.error, /has taken over node-id host01/);
    const refused = first.refusals.length;
    await eventually(async () => first.refusals.length > refused || undefined, {
      what: "refusals",
    });
    await Promise.all([first.stop(), second.stop()]);
    for (const node of [twin, reader]) await acknowledged.checkSoon(node);
  });
});

/** The time that a node gives to a row without one is wrong by `offsetMs`. */
async function expectClock(node: TestNode, offsetMs: number): Promise<void> {
  const write = await node.post("/api/v3/write_lp?db=clocks", `m,o=${offsetMs} v=1i`);
  const text = `SELECT time FROM m WHERE o = '${offsetMs}'`;
  const [row] = await node.rows("clocks", text, { token: write.token });
  const wrongMs = Date.parse(`${String(row?.["time"])}Z`) - Date.now();
  assert.ok(Math.abs(wrongMs - offsetMs) < 60_000, `the clock is wrong by ${wrongMs} ms`);
}

/** Loaded before the program: its wall clock is wrong by so much. */
const WRONG_CLOCK = `
const offsetMs = Number(process.env["TEST_CLOCK_OFFSET_MS"]);
const RightDate = Date;
globalThis.Date = class extends RightDate {
  constructor(...parts) {
    if (parts.length === 0) super(RightDate.now() + offsetMs);
    else super(...parts);
  }
  static now() {
    return RightDate.now() + offsetMs;
  }
};
`;

suite("clocks that are an hour apart", () => {
  test("change no answer: the later write wins that knows the earlier, compaction and office go on", async () => {
    await using sandbox = await Sandbox.open();
    const path = join(sandbox.directory, "wrong-clock.mjs");
    await writeFile(path, WRONG_CLOCK);
    const start = (nodeId: string, mode: string, offsetMs: number) =>
      sandbox.start({
        nodeId,
        mode,
        more: OFTEN,
        env: { NODE_OPTIONS: `--import=${path}`, TEST_CLOCK_OFFSET_MS: `${offsetMs}` },
      });
    const fast = await start("host01", "ingest,query", HOUR_MS);
    const slow = await start("host02", "ingest,query", -HOUR_MS);
    const compactor = await start("host03", "compact", HOUR_MS);
    const standby = await start("host04", "compact", -HOUR_MS);
    const right = await sandbox.start({ nodeId: "host05", mode: "query", more: OFTEN });
    const acknowledged = new Acknowledged();
    await using fastWriters = new Writers(() => fast, acknowledged, 2);
    await using slowWriters = new Writers(() => slow, acknowledged, 2, 2);
    await eventually(async () => acknowledged.count > 200 || undefined, { what: "writes" });
    for (const [node, offsetMs] of [
      [fast, HOUR_MS],
      [slow, -HOUR_MS],
    ] as const)
      await expectClock(node, offsetMs);
    let token = await fast.write("d", "m,t=a v=1i,only=7i 1");
    const write = `/api/v3/write_lp?db=d&precision=nanosecond&min_token=${token}`;
    token = (await slow.post(write, "m,t=a v=2i 1")).token;
    await compactor.kill();
    await eventually(
      async () => {
        const { text } = await standby.get("/metrics");
        return /^influxdb3_compactor_is_primary 1$/m.test(text) ? true : undefined;
      },
      { what: "another compactor in office", withinMs: 30_000 },
    );
    await Promise.all([fastWriters.stop(), slowWriters.stop()]);
    for (const node of [fast, slow, right]) {
      await acknowledged.checkSoon(node);
      assert.deepEqual(await node.rows("d", "SELECT v, only FROM m", { token }), [
        { v: 2, only: 7 },
      ]);
    }
  });
});
