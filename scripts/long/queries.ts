import { globSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { below, chance, pick } from "./chance.ts";
import { type Cluster, startCluster } from "./cluster.ts";
import { describeMs } from "./figures.ts";
import { print } from "./output.ts";
import { checkAll, differences, sumBelow } from "./sequence-checks.ts";
import { SequenceWriter } from "./sequence-writer.ts";
import type { Row, Server } from "./server.ts";

const DATABASE = "queries";
/** A snapshot every second or so on each node, so that queries meet every state between buffer and manifest. */
const OPTIONS = "--snapshot-age 1s --wal-files-per-snapshot 40 --gen1-duration 1m".split(" ");
const WRITER_COUNT = 10;
const QUERIER_COUNT = 8;
/** Each round has a table of its own, so that queries of all rows stay small. */
const QUERIES_PER_ROUND = 2_500;
const FAILURES_MAX = 10;

/**
 * Asks two nodes while ten writers write to them and rows move from buffers into files and into the manifest. Each writer's rows
 * are numbered without a gap, so every answer tells by itself whether a row is missing or doubled.
 */
export async function runQueries({ queryCount }: { queryCount: number }): Promise<string[]> {
  await using cluster = await startCluster(OPTIONS);
  const test = new QueryTest(cluster);
  for (let round = 0; round * QUERIES_PER_ROUND < queryCount; round++) {
    if (test.failures.length > 0) break;
    await test.runRound(round, Math.min(QUERIES_PER_ROUND, queryCount - round * QUERIES_PER_ROUND));
  }
  test.printFigures();
  return test.failures.slice(0, FAILURES_MAX);
}

/** A writer, and how much of it has been seen on each node: a later answer must not show less. */
interface Watched {
  readonly writer: SequenceWriter;
  readonly home: Server;
  readonly seen: Map<Server, number>;
}

/** What one question is about, as it was before it was sent. */
interface Asked {
  readonly node: Server;
  readonly table: string;
  readonly tokens: readonly string[];
}

interface Expected {
  readonly start: number;
  /** Rows below this must be there. */
  readonly endMin: number;
}

class QueryTest {
  readonly failures: string[] = [];
  readonly #cluster: Cluster;
  readonly #latenciesMs: number[] = [];
  #rowCount = 0;
  #requestCount = 0;

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
  }

  async runRound(round: number, queryCount: number): Promise<void> {
    const table = `round${round}`;
    const all = this.#makeWriters(table);
    for (const { writer } of all) await writer.step();
    const stop = new AbortController();
    const writing = all.map(({ writer }) => writer.run(stop.signal));
    let left = queryCount;
    const querier = async () => {
      while (left-- > 0 && this.failures.length < FAILURES_MAX) await this.#askOne(all, table);
    };
    await Promise.all(Array.from({ length: QUERIER_COUNT }, querier));
    stop.abort();
    await Promise.all(writing);
    for (const { writer } of all) {
      this.#rowCount += writer.sent;
      this.#requestCount += writer.requestCount;
      this.failures.push(...writer.failures);
      if (writer.retryCount > 0)
        this.failures.push(`${writer.retryCount} writes were refused although nothing failed`);
      for (const node of this.#cluster.nodes) this.failures.push(...(await checkAll(node, writer)));
    }
    const latest = describeMs(this.#latenciesMs.slice(-queryCount));
    print(`round ${round}: ${queryCount} queries, ${latest}`);
  }

  printFigures(): void {
    const { directory } = this.#cluster.first.options;
    print(`queries: ${this.#latenciesMs.length}, ${describeMs(this.#latenciesMs)}`);
    print(
      `rows: ${this.#rowCount} in ${this.#requestCount} requests of ${WRITER_COUNT} writers at a time`,
    );
    print(`data files: ${globSync("*/data/**/*.parquet", { cwd: directory }).length}`);
    for (const { nodeId } of this.#cluster.nodes.map(({ options }) => options)) {
      const entries = globSync(`${nodeId}/log/entry/*`, { cwd: directory });
      const last = Math.max(...entries.map((path) => Number(path.split("/").at(-1))));
      print(`log of ${nodeId}: ${last} entries, ${last - entries.length} of them deleted by now`);
    }
  }

  #makeWriters(table: string): readonly Watched[] {
    const startNs = BigInt(Date.now()) * 1_000_000n;
    return Array.from({ length: WRITER_COUNT }, (_, index) => {
      const home = index % 2 === 0 ? this.#cluster.first : this.#cluster.second;
      const common = { database: DATABASE, table, startNs, rowCountMax: 20, pauseMsMax: 100 };
      const writer = new SequenceWriter({ ...common, name: `w${index}`, nodes: [home] });
      return { writer, home, seen: new Map<Server, number>() };
    });
  }

  async #askOne(all: readonly Watched[], table: string): Promise<void> {
    const watched = pick(all);
    const atHome = chance(0.7);
    const node = atHome ? watched.home : pick(this.#cluster.nodes);
    const tokens = atHome || chance(0.5) ? [] : watched.writer.tokens;
    const startedMs = performance.now();
    const asked = { node, table, tokens };
    try {
      const dice = below(40);
      if (dice === 0) await this.#askEach(asked, all);
      else if (dice === 1) await this.#askRows(asked, watched);
      else await this.#askSums(asked, watched);
    } catch (error) {
      const said = node.lastLines.slice(-2).join(" | ");
      this.failures.push(`${node.options.nodeId}: ${String(error)}; its log: ${said}`);
    }
    this.#latenciesMs.push(performance.now() - startedMs);
    // Lets the writers have a word in a process that the queriers could fill.
    await sleep(0);
  }

  /** Count, least, most and sum of the later rows of one writer. */
  async #askSums(asked: Asked, watched: Watched): Promise<void> {
    const { writer } = watched;
    const expected = expect(asked, watched, chance(0.05) ? 0 : recent(writer));
    const [row] = await asked.node.query(
      DATABASE,
      `SELECT count(*) AS count, min(n) AS least, max(n) AS most, sum(n) AS sum FROM ${asked.table} WHERE ${condition(writer, expected.start)}`,
      asked.tokens,
    );
    this.#judge(asked, watched, { expected, row });
  }

  /** The same of all writers, in one view. */
  async #askEach(asked: Asked, all: readonly Watched[]): Promise<void> {
    const expected = all.map((watched) => expect({ ...asked, tokens: [] }, watched, 0));
    const rows = await asked.node.query(
      DATABASE,
      `SELECT writer, count(*) AS count, min(n) AS least, max(n) AS most, sum(n) AS sum FROM ${asked.table} GROUP BY writer`,
      asked.tokens,
    );
    if (rows.length > all.length) this.failures.push("a writer has two groups");
    for (const [index, watched] of all.entries()) {
      const row = rows.find(({ writer }) => writer === watched.writer.options.name);
      this.#judge(asked, watched, { expected: expected[index] as Expected, row });
    }
  }

  /** Every later row of one writer. */
  async #askRows(asked: Asked, watched: Watched): Promise<void> {
    const { writer } = watched;
    const expected = expect(asked, watched, recent(writer));
    const rows = await asked.node.query(
      DATABASE,
      `SELECT n FROM ${asked.table} WHERE ${condition(writer, expected.start)} ORDER BY time`,
      asked.tokens,
    );
    const numbers = rows.map(({ n }) => Number(n));
    const row = {
      count: numbers.length,
      least: numbers[0] ?? null,
      most: numbers.at(-1) ?? null,
      sum: numbers.reduce((sum, n) => sum + n, 0),
    };
    this.#judge(asked, watched, { expected, row });
  }

  #judge(
    { node }: Asked,
    { seen, writer }: Watched,
    { expected: { endMin, start }, row }: { expected: Expected; row: Row | undefined },
  ): void {
    const most = row?.["most"];
    const end = typeof most === "number" ? most + 1 : start;
    const what = `${node.options.nodeId}, ${writer.options.table}, ${writer.options.name}, rows ${start} to ${end}`;
    if (end < endMin) this.failures.push(`${what}: those below ${endMin} must be there`);
    if (end > writer.sent) this.failures.push(`${what}: only those below ${writer.sent} were sent`);
    const count = end - start;
    const sum = sumBelow(end) - sumBelow(start);
    const expected = count === 0 ? { count, sum } : { count, sum, least: start };
    this.failures.push(...differences(what, row, expected));
    // No rows say nothing of the earlier ones.
    if (count > 0) seen.set(node, Math.max(seen.get(node) ?? 0, end));
  }
}

/** What the answer to a question that is about to be sent must hold: what its node acknowledged or showed, or its tokens bring. */
function expect({ node, tokens }: Asked, { home, seen, writer }: Watched, start: number): Expected {
  const certain = node === home || tokens.length > 0;
  const endMin = Math.max(certain ? writer.acknowledged : 0, seen.get(node) ?? 0);
  return { start, endMin };
}

/** A row some seconds back. */
function recent({ acknowledged }: SequenceWriter): number {
  return Math.max(0, acknowledged - below(400));
}

function condition(writer: SequenceWriter, start: number): string {
  const time = new Date(Number(writer.timeNs(start) / 1_000_000n)).toISOString();
  return `writer = '${writer.options.name}' AND time >= '${time}'`;
}
