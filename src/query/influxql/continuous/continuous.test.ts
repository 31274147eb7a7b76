import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { DbError } from "#base/errors.ts";
import { Catalog } from "#catalog/catalog.ts";
import { memoryStore } from "#objectstore/memory.ts";
import { silentLog } from "#ports/log.ts";
import type { ObjectStore } from "#ports/object-store.ts";
import { seededRandom } from "#ports/random.ts";
import { HandClock } from "#testing/hand-clock.ts";
import { listed } from "#testing/influxql-answers.ts";
import type { StatementResult } from "../answer.ts";
import type { InfluxQlRequest } from "../request.ts";
import { ContinuousQueries } from "./continuous.ts";

const SECOND = 1_000_000_000n;
const DATABASE = "db";
const NAME = "q";
/** A dead node seems to live for so long. */
const SILENT_MS = 15_000;
const CRASHED = new Promise<never>(() => undefined);

/** What runs have written: how often each window was. */
class Output {
  readonly counts = new Map<bigint, number>();
  statementCount = 0;
  beforeWrite: () => void = () => undefined;
  runMs = 0;
  /** Of one statement. */
  windowsMax = 1_000;

  write(text: string): void {
    this.beforeWrite();
    this.statementCount += 1;
    const [start = 0n, end = 0n] = [/time >= (\d+)/, /time < (\d+)/].map((bound) =>
      BigInt(bound.exec(text)?.[1] ?? 0),
    );
    assert.ok(end > start);
    if (end - start > BigInt(this.windowsMax) * 10n * SECOND)
      throw new DbError("exceeded", "query_timeout", "too long");
    for (let window = start; window < end; window += 10n * SECOND)
      this.counts.set(window, (this.counts.get(window) ?? 0) + 1);
  }

  /** Asserts that each window between two times is there; answers how often the one that is there most often is. */
  check(startNs: bigint, endNs: bigint): number {
    for (let window = startNs; window < endNs; window += 10n * SECOND)
      assert.ok(this.counts.has(window), `window ${window} was run`);
    return Math.max(...this.counts.values());
  }
}

interface World {
  readonly clock: HandClock;
  readonly store: ObjectStore;
  readonly output: Output;
}

/** One process: dead behind the step that is its last, a step being what lies before or behind a call to the outside. */
class Process {
  readonly #world: World;
  readonly #stop = new AbortController();
  readonly catalog: Catalog;
  readonly queries: ContinuousQueries;
  /** Undefined while it lives. */
  diedMs: number | undefined;
  stepsLeft = Number.POSITIVE_INFINITY;
  /** To each statement. */
  answer: readonly StatementResult[] = [];
  #running = Promise.resolve();

  constructor(world: World, seed: number, peer: () => Process) {
    const { clock, store } = world;
    this.#world = world;
    const ports = { clock, store: this.#mortal(store), random: seededRandom(seed), log: silentLog };
    this.catalog = new Catalog("cluster01", ports, this.#stop.signal);
    this.queries = new ContinuousQueries({
      ...ports,
      catalog: this.catalog,
      isAlive: () => clock.monotonicMs() < (peer().diedMs ?? clock.monotonicMs()) + SILENT_MS,
      influxQl: (request, signal) => this.#influxQl(request, signal),
    });
  }

  async register(nodeId: string): Promise<void> {
    const own = { nodeId, instanceId: nodeId, modes: ["ingest", "query"] };
    await this.catalog.register({ ...own, address: "", coreCount: 1, hasLog: true }, () => 0n);
  }

  start(): void {
    this.#running = this.queries.run(this.#stop.signal);
  }

  async stop(): Promise<void> {
    this.#stop.abort(new Error("the test is over"));
    if (this.diedMs === undefined) await this.#running;
  }

  async #step<T>(work: () => Promise<T>): Promise<T> {
    if (this.#dies()) return CRASHED;
    const done = await work();
    return this.#dies() ? CRASHED : done;
  }

  #dies(): boolean {
    if (this.stepsLeft <= 0) this.diedMs ??= this.#world.clock.monotonicMs();
    this.stepsLeft -= 1;
    return this.diedMs !== undefined;
  }

  #mortal(store: ObjectStore): ObjectStore {
    return {
      putIfAbsent: (...given) => this.#step(() => store.putIfAbsent(...given)),
      put: (...given) => this.#step(() => store.put(...given)),
      get: (...given) => this.#step(() => store.get(...given)),
      list: (...given) => this.#step(() => store.list(...given)),
      delete: (...given) => this.#step(() => store.delete(...given)),
    };
  }

  async #influxQl(
    { text }: InfluxQlRequest,
    signal: AbortSignal,
  ): Promise<AsyncIterable<StatementResult>> {
    const { clock, output } = this.#world;
    if (output.runMs > 0) await clock.sleep(output.runMs, signal);
    await this.#step(async () => output.write(text));
    return listed(this.answer);
  }
}

interface Cluster extends World, AsyncDisposable {
  readonly first: Process;
  readonly second: Process;
  readonly startNs: bigint;
}

interface ClusterOptions {
  readonly resample?: string;
  readonly queryCount?: number;
  /** What it selects. */
  readonly fields?: string;
  /** Of the first run. */
  readonly beforeWrite?: (first: Process) => void;
}

/** Two nodes that run one continuous query. */
async function openCluster({
  beforeWrite,
  fields = "mean(f)",
  queryCount = 1,
  resample = "",
}: ClusterOptions = {}): Promise<Cluster> {
  const clock = new HandClock();
  const world = { clock, store: memoryStore(), output: new Output() };
  const first: Process = new Process(world, 1, () => second);
  const second: Process = new Process(world, 2, () => first);
  if (beforeWrite) world.output.beforeWrite = () => beforeWrite(first);
  const select = `SELECT ${fields} INTO t FROM m GROUP BY time(10s)`;
  const text = `CREATE CONTINUOUS QUERY ${NAME} ON ${DATABASE} ${resample} BEGIN ${select} END`;
  const queries = Array.from({ length: queryCount }, (_, index) => {
    return { database: DATABASE, name: index === 0 ? NAME : `${NAME}${index}`, text };
  });
  await first.catalog.createCluster({ uuid: "u", secret: "s" });
  await first.register("host01");
  await second.register("host02");
  await first.catalog.transact(() =>
    queries.map((query) => ({ kind: "create_continuous_query", query })),
  );
  await second.catalog.refresh();
  const startNs = clock.nowNs();
  await clock.advance(2_000);
  first.start();
  second.start();
  // Each has looked: the first run is that of the window which begins at the start.
  await clock.advance(1_000);
  const end = async () => {
    await Promise.all([first.stop(), second.stop()]);
  };
  return { ...world, first, second, startNs, [Symbol.asyncDispose]: end };
}

/** The first run fails, and its process does nothing any more. */
function dieOnce(first: Process): void {
  if (first.diedMs !== undefined || first.stepsLeft === 0) return;
  first.stepsLeft = 0;
  throw new DbError("unavailable", "store_unreachable", "not now");
}

/** Lets time pass while each node reads the catalog every second, as nodes do. */
async function pass({ clock, first, second }: Cluster, seconds: number): Promise<void> {
  for (let passed = 0; passed < seconds; passed += 1) {
    for (const { catalog, diedMs } of [first, second])
      if (diedMs === undefined) void catalog.refresh().catch(() => undefined);
    await clock.advance(1_000);
  }
}

suite("continuous queries of a cluster", () => {
  test("each run is done once, by one node", async () => {
    await using cluster = await openCluster();
    const { first, output, second, startNs } = cluster;
    await pass(cluster, 122);
    assert.equal(output.check(startNs, startNs + 120n * SECOND), 1);
    assert.equal(first.queries.counts.finished + second.queries.counts.finished, 12);
    const { position } = first.catalog.state;
    await pass(cluster, 4);
    assert.equal(first.catalog.state.position, position);
  });

  test("when a node dies between any two steps another one goes on, and no window is left out", async () => {
    let stepCount = 0;
    for (let died = true; died; stepCount += 1) {
      await using cluster = await openCluster();
      const { first, output, startNs } = cluster;
      first.stepsLeft = stepCount;
      await pass(cluster, 75);
      died = first.diedMs !== undefined && first.diedMs < 30_000;
      // What was claimed or done by the dead one may be done again.
      assert.ok(output.check(startNs, startNs + 70n * SECOND) <= 2);
    }
    assert.ok(stepCount > 30);
  });

  test("a run that takes longer than its interval is left to its node, and makes up what comes meanwhile", async () => {
    await using cluster = await openCluster();
    const { output, second, startNs } = cluster;
    output.runMs = 25_000;
    await pass(cluster, 100);
    assert.equal(output.check(startNs, startNs + 50n * SECOND), 1);
    assert.equal(second.queries.counts.finished, 0);
  });

  test("who takes over a first run reads what that would have read", async () => {
    await using cluster = await openCluster({ resample: "RESAMPLE FOR 60s", beforeWrite: dieOnce });
    const { first, output, startNs } = cluster;
    await pass(cluster, 40);
    assert.ok(first.diedMs !== undefined);
    output.check(startNs - 50n * SECOND, startNs + 20n * SECOND);
  });

  test("a node that comes back takes its own claims over, and what nobody ran is made up", async () => {
    await using cluster = await openCluster();
    const { clock, first, output, second, startNs, store } = cluster;
    second.stepsLeft = 0;
    output.beforeWrite = () => {
      first.stepsLeft = 0;
    };
    await pass(cluster, 40);
    assert.ok(first.diedMs !== undefined && second.diedMs !== undefined);
    output.beforeWrite = () => undefined;
    await using again = await reopen({ clock, store, output });
    await clock.advance(5_000);
    assert.equal(again.queries.counts.finished, 1);
    output.check(startNs, startNs + 40n * SECOND);
  });

  test("a run that fails is done again, with what is due by then", async () => {
    await using cluster = await openCluster();
    const { first, output, startNs } = cluster;
    let failures = 3;
    output.beforeWrite = () => {
      if ((failures -= 1) >= 0) throw new DbError("unavailable", "store_unreachable", "not now");
    };
    await pass(cluster, 65);
    assert.equal(first.queries.counts.failed, 3);
    assert.equal(output.check(startNs, startNs + 50n * SECOND), 1);
    // A store that was away for a while makes no parts.
    assert.equal(output.statementCount, first.queries.counts.finished);
  });

  test("claims and ends of many runs are few entries of the catalog", async () => {
    await using cluster = await openCluster({ queryCount: 50 });
    const { first, output, startNs } = cluster;
    const { position } = first.catalog.state;
    await pass(cluster, 61);
    assert.equal(output.check(startNs, startNs + 50n * SECOND), 50);
    // For each of six windows the claims, and the ends a second later.
    assert.ok(first.catalog.state.position - position <= 12);
  });

  test("a run whose rows are too old to be kept is finished", async () => {
    await using cluster = await openCluster();
    const { first, output, startNs } = cluster;
    first.answer = [
      { kind: "error", id: 0, error: new DbError("invalid", "influxql_into_expired", "old") },
    ];
    await pass(cluster, 32);
    assert.equal(output.check(startNs, startNs + 30n * SECOND), 1);
    assert.deepEqual(first.queries.counts, { finished: 3, failed: 0 });
  });

  test("a run that takes longer than a query may is done in parts", async () => {
    await using cluster = await openCluster();
    const { first, output, startNs } = cluster;
    // Nothing runs for a while, so there is much to make up; of this, more than four windows are too many.
    let isDown = true;
    output.beforeWrite = () => {
      if (isDown) throw new DbError("unavailable", "store_unreachable", "not now");
    };
    output.windowsMax = 4;
    await pass(cluster, 200);
    isDown = false;
    await pass(cluster, 130);
    output.check(startNs, startNs + 300n * SECOND);
    assert.ok(first.queries.counts.finished > 0);
  });

  test("the parts that a run needs are known to those that come", async () => {
    await using cluster = await openCluster({ resample: "RESAMPLE FOR 80s" });
    const { first, output } = cluster;
    output.windowsMax = 4;
    await pass(cluster, 30);
    const { failed, finished } = first.queries.counts;
    assert.ok(failed > 0 && finished > 0);
    await pass(cluster, 100);
    assert.equal(first.queries.counts.failed, failed);
    assert.ok(first.queries.counts.finished > finished + 5);
  });

  test("a run whose windows need each other is never done in parts", async () => {
    await using cluster = await openCluster({
      resample: "RESAMPLE FOR 80s",
      fields: "cumulative_sum(mean(f))",
    });
    const { first, output } = cluster;
    output.windowsMax = 4;
    const { size } = output.counts;
    await pass(cluster, 130);
    assert.ok(first.queries.counts.failed > 3);
    assert.equal(output.counts.size, size);
  });

  test("who stops says which runs are finished", async () => {
    await using cluster = await openCluster();
    const { clock, first, output, second, startNs } = cluster;
    // Written just now, and not recorded yet.
    while (output.counts.size === 0) await clock.advance(100);
    assert.ok(runOf(first)?.claim);
    const sleeperCount = clock.sleeperCount;
    await first.queries.finish();
    assert.ok(clock.sleeperCount < sleeperCount);
    await second.catalog.refresh();
    assert.equal(runOf(second)?.claim, undefined);
    assert.equal(runOf(second)?.doneNs, startNs + 10n * SECOND);
    await clock.advance(1_000);
    assert.equal(runOf(first)?.claim, undefined);
    await pass(cluster, 60);
    assert.equal(output.check(startNs, startNs + 50n * SECOND), 1);
    assert.equal(first.queries.counts.finished, 1);
  });

  test("a query that was dropped is run no more", async () => {
    await using cluster = await openCluster();
    const { first, output } = cluster;
    const drop = { kind: "drop_continuous_query", database: DATABASE, name: NAME } as const;
    await first.catalog.transact(() => [drop]);
    await pass(cluster, 30);
    assert.equal(output.counts.size, 0);
  });
});

/** The newest run, as `process` knows it. */
function runOf({ catalog }: Process) {
  return [...catalog.state.continuousQueries.values()].map(({ run }) => run)[0];
}

/** The first node, started again. */
async function reopen(world: World) {
  const process: Process = new Process(world, 3, () => process);
  await process.register("host01");
  process.start();
  return { queries: process.queries, [Symbol.asyncDispose]: () => process.stop() };
}
