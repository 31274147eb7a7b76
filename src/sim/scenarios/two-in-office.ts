import { utf8 } from "#base/bytes.ts";
import { parseWriteToken, type WriteToken } from "#model/write-token.ts";
import { SWEEP_DEFAULTS } from "#node/config.ts";
import type { Node } from "#node/node.ts";
import { type AcknowledgedLine, doubledLines, missingWrites } from "../checks/acknowledged.ts";
import { References } from "../checks/references.ts";
import { isHonestFailure, readAndCompare } from "../reader.ts";
import { SIM_COMPACTION, SimCluster, type SimHost } from "../sim-cluster.ts";
import { NO_STORE_FAULTS, SimStore } from "../sim-store.ts";
import { Truth } from "../truth.ts";
import { DATABASE, Workload } from "../workload.ts";
import { World } from "../world.ts";

export interface TwoInOfficeOptions {
  readonly seed: number;
  readonly durationMs: number;
  /** Whether a standby goes on hearing that the office is vacant, or only until both have been in it. */
  readonly keepsPassing: boolean;
}

/** What came of it. */
export interface TwoInOfficeResult {
  readonly violations: readonly string[];
  /** The terms that processes believed to be in at the end. */
  readonly terms: readonly number[];
  readonly takeOverCount: number;
  readonly acknowledgedCount: number;
  readonly readCount: number;
  readonly filesDeletedCount: number;
}

const WRITE_MS_MAX = 8_000;
const READ_MS_MAX = 20_000;
const SETTLE_MS = 30_000;
const STORE_FAULTS = {
  ...NO_STORE_FAULTS,
  error: 0.01,
  lostAnswer: 0.01,
  latePut: 0.01,
  slow: 0.02,
  lateAnswer: 0.02,
};

/** Two nodes that ingest and compact, and a query node, while both of the former are in office, or believe so. */
export async function runTwoInOffice(options: TwoInOfficeOptions): Promise<TwoInOfficeResult> {
  const scenario = new TwoInOffice(options);
  return scenario.world.run(scenario.run());
}

class TwoInOffice {
  readonly world: World;
  readonly #options: TwoInOfficeOptions;
  readonly #store: SimStore;
  readonly #cluster: SimCluster;
  readonly #truth: Truth;
  readonly #references: References;
  readonly #workload: Workload;
  readonly #violations: string[] = [];
  readonly #acknowledged: (AcknowledgedLine & { readonly token: WriteToken })[] = [];
  #readCount = 0;
  #over = false;

  constructor(options: TwoInOfficeOptions) {
    this.#options = options;
    this.world = new World(options.seed);
    this.#store = new SimStore(this.world, STORE_FAULTS);
    const config = {
      flushesPerSnapshot: 2,
      replicationIntervalMs: 2_000,
      tableCountMax: 10_000,
      compaction: { ...SIM_COMPACTION, checkIntervalMs: 2_000, cleanupWaitMs: 15_000 },
      sweep: { ...SWEEP_DEFAULTS, intervalMs: 5_000, graceMs: 0 },
    };
    this.#cluster = new SimCluster(this.world, this.#store, [
      { nodeId: "host01", modes: ["ingest", "query", "compact"], config },
      { nodeId: "host02", modes: ["ingest", "query", "compact"], config },
      { nodeId: "host03", modes: ["query"], config },
    ]);
    this.#truth = new Truth(this.#store);
    this.#references = new References(this.#store);
    this.#workload = new Workload(this.world);
  }

  async run(): Promise<TwoInOfficeResult> {
    const { hosts, network } = this.#cluster;
    for (const host of hosts) await host.start().started;
    network.misheardChance = 1;
    const actors = [this.#passOn(), this.#writeOn(), this.#readOn()];
    await this.world.sleep(this.#options.durationMs);
    this.#over = true;
    await Promise.all(actors);
    this.#store.faults = NO_STORE_FAULTS;
    await this.world.sleep(SETTLE_MS);
    const tokens = this.#acknowledged.slice(-20).map(({ token }) => token);
    for (const { node, nodeId, run } of hosts) {
      if (node === undefined) this.#violations.push(`${nodeId} ended: ${run?.ended?.message}`);
      else await this.#read(node, tokens);
    }
    const nodeIds = hosts.map(({ nodeId }) => nodeId);
    this.#violations.push(
      ...missingWrites(this.#truth, this.#acknowledged),
      ...doubledLines(this.#truth, nodeIds),
    );
    return {
      violations: [...this.#violations, ...this.#truth.violations, ...this.#references.violations],
      terms: this.#terms(),
      takeOverCount: this.#references.manifest.office.epoch,
      acknowledgedCount: this.#acknowledged.length,
      readCount: this.#readCount,
      filesDeletedCount: this.#references.filesDeletedCount,
    };
  }

  #terms(): readonly number[] {
    return this.#cluster.hosts.flatMap(({ node }) => node?.compaction?.office.term?.epoch ?? []);
  }

  /** Ends the passing of the office when both are in it, unless it is to go on. */
  async #passOn(): Promise<void> {
    while (!this.#over && !this.#options.keepsPassing) {
      await this.world.sleep(1_000);
      if (this.#terms().length === 2) this.#cluster.network.misheardChance = 0;
    }
  }

  async #writeOn(): Promise<void> {
    while (!this.#over) {
      await this.world.sleep(this.world.below(WRITE_MS_MAX));
      const host = this.#cluster.hosts[this.world.below(2)] as SimHost;
      if (host.node !== undefined) await this.#write(host.nodeId, host.node);
    }
  }

  async #write(nodeId: string, node: Node): Promise<void> {
    const { text } = this.#workload.line();
    const rest = { precision: "nanosecond", acceptPartial: true, sync: true, tokens: [] } as const;
    const written = await this.#attempt(() =>
      node.write({ database: DATABASE, body: utf8(text), ...rest }, new AbortController().signal),
    );
    if (written?.token === undefined || written.rejectedCount > 0) return;
    this.#acknowledged.push({ text, nodeId, token: parseWriteToken(written.token) });
  }

  async #readOn(): Promise<void> {
    while (!this.#over) {
      await this.world.sleep(this.world.below(READ_MS_MAX));
      const { node } = this.#cluster.hosts[this.world.below(3)] as SimHost;
      if (node !== undefined) await this.#read(node, []);
    }
  }

  async #read(node: Node, tokens: readonly WriteToken[]): Promise<void> {
    const place = { database: DATABASE, table: this.#workload.table(), tokens };
    const answer = await this.#attempt(() => readAndCompare(node, this.#truth, place));
    if (answer === undefined) return;
    this.#readCount += 1;
    this.#violations.push(...answer.problems);
  }

  /** Undefined for an honest failure. */
  async #attempt<T>(call: () => Promise<T>): Promise<T | undefined> {
    try {
      return await call();
    } catch (error) {
      if (!isHonestFailure(error, false))
        this.#violations.push(`a request failed: ${String(error)}`);
      return undefined;
    }
  }
}
