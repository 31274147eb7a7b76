import { setTimeout as sleep } from "node:timers/promises";
import { below, chance, pick } from "./chance.ts";
import { type Cluster, startCluster } from "./cluster.ts";
import { describeMs } from "./figures.ts";
import { print } from "./output.ts";
import { checkAcknowledged, checkAll } from "./sequence-checks.ts";
import { SequenceWriter } from "./sequence-writer.ts";
import { isAlive, RefusedError, type Server } from "./server.ts";

const DATABASE = "kills";
/** Many snapshots and adoptions, so that kills fall into them. */
const OPTIONS = "--snapshot-age 2s --wal-files-per-snapshot 60 --gen1-duration 1m".split(" ");
const QUERIER_COUNT = 3;
const ANSWER_MS_MAX = 30_000;
const ORPHAN_MS_MAX = 10_000;

type KillKind = "node" | "both nodes" | "node while it starts" | "engine";

/**
 * Kills processes of a two-node cluster at random moments while writers and queriers work; after each restart, and at the end,
 * everything that was acknowledged must be there, once.
 */
export async function runKills({ killCount }: { killCount: number }): Promise<string[]> {
  await using cluster = await startCluster(OPTIONS);
  const test = new KillTest(cluster);
  await test.run(killCount);
  test.printFigures();
  return test.failures;
}

class KillTest {
  readonly failures: string[] = [];
  readonly #cluster: Cluster;
  readonly #writers: readonly SequenceWriter[];
  readonly #stop = new AbortController();
  readonly #readyMs: number[] = [];
  readonly #kills = new Map<KillKind, number>();
  #answeredCount = 0;
  #unansweredCount = 0;

  constructor(cluster: Cluster) {
    const { first, nodes, second } = cluster;
    this.#cluster = cluster;
    const placed = [[first], [second], nodes, nodes];
    this.#writers = placed.map(
      (of, index) =>
        new SequenceWriter({
          name: `w${index}`,
          database: DATABASE,
          table: "rows",
          nodes: of,
          startNs: BigInt(Date.now()) * 1_000_000n,
          rowCountMax: 30,
          pauseMsMax: 60,
        }),
    );
  }

  async run(killCount: number): Promise<void> {
    for (const writer of this.#writers) await writer.step();
    const { signal } = this.#stop;
    const work = [
      ...this.#writers.map((writer) => writer.run(signal)),
      ...Array.from({ length: QUERIER_COUNT }, () => this.#queryOn(signal)),
    ];
    for (let count = 0; count < killCount && this.failures.length === 0; count++) {
      await sleep(below(3_000));
      await this.#killOne();
    }
    this.#stop.abort();
    await Promise.all(work);
    await this.#lookAtAll();
    for (const node of this.#cluster.nodes) {
      const code = await node.stop();
      if (code !== 0) this.#fail(`${node.options.nodeId} ended with ${code} when asked to stop`);
    }
    for (const node of this.#cluster.nodes) await this.#start(node);
    await this.#lookAtAll();
  }

  printFigures(): void {
    const sum = (of: (writer: SequenceWriter) => number) =>
      this.#writers.reduce((total, writer) => total + of(writer), 0);
    for (const [kind, count] of this.#kills) print(`killed ${kind}: ${count}`);
    print(`restarts: ${this.#readyMs.length}, ready in ${describeMs(this.#readyMs)}`);
    print(
      `rows: ${sum(({ sent }) => sent)} in ${sum(({ requestCount }) => requestCount)} requests, ${sum(({ retryCount }) => retryCount)} of them sent again`,
    );
    print(
      `queries while killing: ${this.#answeredCount} checked, ${this.#unansweredCount} refused`,
    );
  }

  async #killOne(): Promise<void> {
    const { nodes } = this.#cluster;
    const node = pick(nodes);
    const kind = pick<KillKind>([
      ...Array.from({ length: 6 }, () => "node" as const),
      "both nodes",
      "node while it starts",
      "engine",
      "engine",
    ]);
    this.#kills.set(kind, (this.#kills.get(kind) ?? 0) + 1);
    switch (kind) {
      case "engine":
        return this.#killEngine(node);
      case "both nodes":
        await Promise.all(nodes.map((each) => this.#kill(each)));
        await Promise.all(nodes.map((each) => this.#restart(each)));
        return;
      case "node while it starts":
        await this.#kill(node);
        node.start();
        await sleep(below(1_500));
        await this.#kill(node);
        return this.#restart(node);
      case "node":
        await this.#kill(node);
        return this.#restart(node);
    }
  }

  async #kill(node: Server): Promise<void> {
    if (!node.running) this.#fail(`${node.options.nodeId} ended by itself: ${lastLines(node)}`);
    const engine = node.enginePid();
    await node.kill();
    if (engine === undefined) return;
    const untilMs = performance.now() + ORPHAN_MS_MAX;
    while (isAlive(engine)) {
      if (performance.now() > untilMs) return this.#fail("an engine outlives its node");
      await sleep(50);
    }
  }

  async #restart(node: Server): Promise<void> {
    if (chance(0.5)) await sleep(below(1_000));
    await this.#start(node);
    await this.#lookAt(node);
  }

  async #start(node: Server): Promise<void> {
    node.start();
    this.#readyMs.push(await node.ready());
  }

  async #killEngine(node: Server): Promise<void> {
    const engine = node.enginePid();
    if (engine === undefined) return this.#fail(`${node.options.nodeId} has no engine`);
    process.kill(engine, "SIGKILL");
    await this.#lookAt(node);
  }

  /** Every acknowledged row must be seen on `node`, soon. */
  async #lookAt(node: Server): Promise<void> {
    for (const writer of this.#writers) {
      const startedMs = performance.now();
      while (!(await this.#ask(node, writer))) {
        if (performance.now() - startedMs > ANSWER_MS_MAX)
          return this.#fail(`${node.options.nodeId} has not answered for ${ANSWER_MS_MAX} ms`);
        await sleep(50);
      }
    }
  }

  async #lookAtAll(): Promise<void> {
    for (const node of this.#cluster.nodes)
      for (const writer of this.#writers) this.failures.push(...(await checkAll(node, writer)));
    for (const writer of this.#writers) this.failures.push(...writer.failures);
  }

  async #queryOn(stopped: AbortSignal): Promise<void> {
    while (!stopped.aborted) {
      const answered = await this.#ask(pick(this.#cluster.nodes), pick(this.#writers));
      if (answered) this.#answeredCount += 1;
      else this.#unansweredCount += 1;
      await sleep(below(answered ? 30 : 200));
    }
  }

  /** Whether an answer came, which is checked. */
  async #ask(node: Server, writer: SequenceWriter): Promise<boolean> {
    try {
      this.failures.push(...(await checkAcknowledged(node, writer)));
      return true;
    } catch (error) {
      if (error instanceof RefusedError && error.status !== 503)
        this.#fail(`${node.options.nodeId} refused a query: ${error.message}`);
      return false;
    }
  }

  #fail(what: string): void {
    this.failures.push(what);
  }
}

function lastLines(node: Server): string {
  return node.lastLines.slice(-5).join(" | ");
}
