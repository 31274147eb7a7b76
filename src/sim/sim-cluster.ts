import { hex } from "#base/bytes.ts";
import { assert, DbError } from "#base/errors.ts";
import type { RowDeleter } from "#model/row-delete.ts";
import type { CompactionConfig, NodeConfig, NodeMode } from "#node/config.ts";
import { Node } from "#node/node.ts";
import { rowDeleter } from "#node/parts/row-deleter.ts";
import { measuredStore, type StoreOperation } from "#objectstore/measured.ts";
import { retryingStore } from "#objectstore/retrying.ts";
import { silentLog } from "#ports/log.ts";
import { randomBytes, seededRandom } from "#ports/random.ts";
import { plainStage } from "#staging/plain-stage.ts";
import { Process } from "./process.ts";
import { SimEngine } from "./sim-engine.ts";
import { SimNetwork } from "./sim-network.ts";
import type { SimStore } from "./sim-store.ts";
import type { World } from "./world.ts";

/** What a scenario asks of a node beside its name. */
export interface SimNodeOptions {
  readonly nodeId: string;
  readonly modes: readonly NodeMode[];
  readonly config: Partial<NodeConfig>;
}

const CLOCK_SKEW_MS_MAX = 5_000;
const STOP_MS_MAX = 20_000;

/** The nodes of one cluster in a world. */
export class SimCluster {
  readonly world: World;
  readonly store: SimStore;
  readonly hosts: readonly SimHost[];
  readonly network: SimNetwork;
  #processCount = 0;

  constructor(world: World, store: SimStore, nodes: readonly SimNodeOptions[]) {
    this.world = world;
    this.store = store;
    this.hosts = nodes.map((options) => new SimHost(this, options));
    this.network = new SimNetwork(
      world,
      (address) => this.hosts.find(({ nodeId }) => nodeId === address)?.run,
    );
  }

  nextProcessId(): string {
    this.#processCount += 1;
    return `process-${this.#processCount}`;
  }
}

/** One run of a node's process. */
export interface SimRun {
  readonly options: SimNodeOptions;
  readonly process: Process;
  readonly processId: string;
  engine: SimEngine | undefined;
  /** Undefined while it starts. */
  node: Node | undefined;
  /** With `node`: what deletes rows there. */
  deleter: RowDeleter | undefined;
  /** Settles when the start has succeeded or failed; never when it was killed in the middle. */
  started: Promise<void>;
  /** Why it ended by itself. */
  ended: DbError | undefined;
}

/** Where a node-id runs: one process, or several that think they are this node. */
export class SimHost {
  readonly nodeId: string;
  readonly options: SimNodeOptions;
  readonly #cluster: SimCluster;
  /** The newest process, while it lives. */
  run: SimRun | undefined;
  /** Whether nobody starts it again for now. */
  held = false;
  /** What its processes have asked of the store. */
  readonly requests = new Map<StoreOperation, number>();
  /** Every process of this node-id that lives: the older ones do not know yet that they are replaced. */
  #living: SimRun[] = [];

  constructor(cluster: SimCluster, options: SimNodeOptions) {
    this.nodeId = options.nodeId;
    this.options = options;
    this.#cluster = cluster;
  }

  /** The node that clients reach: of the newest process that serves. */
  get node(): Node | undefined {
    return this.#serving?.node;
  }

  /** What deletes rows at `node`. */
  get deleter(): RowDeleter | undefined {
    return this.#serving?.deleter;
  }

  get #serving(): SimRun | undefined {
    return this.#living.findLast(({ node }) => node !== undefined);
  }

  /** Starts a process; the one before it, if any, goes on living beside it until it is fenced or killed. */
  start(): SimRun {
    const { world, store } = this.#cluster;
    const skewMs = world.below(2 * CLOCK_SKEW_MS_MAX) - CLOCK_SKEW_MS_MAX;
    const process = new Process(world, skewMs);
    const random = seededRandom(world.below(2 ** 32));
    const counted = measuredStore(store.of(process), process.clock, (operation) =>
      this.requests.set(operation, (this.requests.get(operation) ?? 0) + 1),
    );
    const own = retryingStore(counted, process.clock, random, { attemptCountMax: 3 });
    const run: SimRun = {
      options: this.options,
      process,
      processId: this.#cluster.nextProcessId(),
      engine: undefined,
      node: undefined,
      deleter: undefined,
      started: Promise.resolve(),
      ended: undefined,
    };
    const started = Node.start({
      config: simConfig(this.options),
      address: this.nodeId,
      processId: run.processId,
      ports: {
        store: own,
        clock: process.clock,
        random,
        log: silentLog,
        transport: this.#cluster.network.of(process, this.nodeId),
        stage: plainStage,
        openEngine: async (refill) => {
          run.engine = new SimEngine(process, own, refill);
          return run.engine;
        },
        makeUuid: () => hex(randomBytes(random, 16)),
        coreCount: 2,
        version: "simulated",
      },
    });
    run.started = started.then(
      (node) => {
        run.node = node;
        const { clock } = process;
        run.deleter = rowDeleter(node, { store: own, clock, random, log: silentLog });
        void node.failure.then((failure) => this.#end(run, failure));
        void node.stopAsked.then(() => this.#stop(run, node));
        return undefined;
      },
      (error: unknown) => {
        assert(
          error instanceof DbError,
          `a start fails with an error of ours, not ${String(error)}`,
        );
        this.#end(run, error);
      },
    );
    this.run = run;
    this.#living.push(run);
    return run;
  }

  /** Kills the newest process. */
  kill(): void {
    if (this.run !== undefined) this.#forget(this.run);
  }

  killAll(): void {
    for (const run of this.#living) this.#forget(run);
  }

  /** Drains, as the program does: clients do not reach it any more. */
  async #stop(run: SimRun, node: Node): Promise<void> {
    this.#cluster.world.note(`${this.nodeId} stops`);
    run.node = undefined;
    await node.stop(STOP_MS_MAX);
    this.#forget(run);
  }

  #forget(run: SimRun): void {
    run.process.kill();
    this.#living = this.#living.filter((living) => living !== run);
    if (this.run === run) this.run = undefined;
  }

  #end(run: SimRun, reason: DbError): void {
    run.ended = reason;
    this.#cluster.world.note(`${this.nodeId} ended: ${reason.code}`);
    this.#forget(run);
  }
}

/** Windows of seconds, plans of a few files, files of a few rows: much happens in a short time. */
export const SIM_COMPACTION: CompactionConfig = {
  gen2DurationMs: 2_000,
  multipliers: [3, 4],
  filesPerPlanMax: 6,
  inputSizeMax: 2 ** 20,
  rowLimit: 12,
  cleanupWaitMs: 5_000,
  checkIntervalMs: 1_000,
};

function simConfig({ nodeId, modes, config }: SimNodeOptions): NodeConfig {
  return {
    nodeId,
    clusterId: "cluster01",
    modes,
    store: { kind: "memory" },
    httpBind: nodeId,
    withoutAuth: true,
    openActions: [],
    givenToken: undefined,
    recoveryBind: undefined,
    recoveryListenerFilePath: undefined,
    flushIntervalMs: 0,
    flushesPerSnapshot: undefined,
    snapshotSizeBytes: 2 ** 20,
    snapshotAgeMs: 5_000,
    bufferSizeMax: 2 ** 30,
    peerRowsSizeMax: 2 ** 30,
    gen1DurationMs: 600_000,
    checkpointEntries: 8,
    manifestPartFilesMax: 4,
    replicationIntervalMs: 250,
    catalogSyncIntervalMs: 5_000,
    httpRequestSizeMax: 2 ** 20,
    engineMemorySizeMax: 2 ** 30,
    fileCacheSizeMax: 2 ** 30,
    concurrentQueriesMax: 8,
    queryTimeoutMs: 60_000,
    databaseCountMax: 100,
    tableCountMax: 100,
    columnCountMax: 100,
    tagCountMax: 50,
    compaction: SIM_COMPACTION,
    listenerFilePath: undefined,
    logLevel: "error",
    logDestination: "stdout",
    ...config,
  };
}
