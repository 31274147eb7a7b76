import { signedTransport } from "#access/node-call.ts";
import { Signal } from "#base/async.ts";
import { DbError, describeError, isKind } from "#base/errors.ts";
import { Buffer } from "#buffer/buffer.ts";
import { Catalog } from "#catalog/catalog.ts";
import type { OfficeAnswer, OfficeAsk } from "#compaction/office-call.ts";
import type { WriteOutcome, WriteRequest } from "#ingest/write.ts";
import { Followers } from "#lifecycle/followers.ts";
import type { Push } from "#lifecycle/pusher.ts";
import { Manifest } from "#manifest/manifest.ts";
import { adoptedOf } from "#manifest/manifest-state.ts";
import { fencedError } from "#objectlog/log-tracker.ts";
import { probePutIfAbsent } from "#objectstore/probe.ts";
import type { Engine } from "#ports/engine.ts";
import { INTERNAL_DATABASE, Queries, type QueryAnswer, type QueryRequest } from "#query/query.ts";
import type { LogSource } from "#view/log-source.ts";
import { Views } from "#view/views.ts";
import { CompactPart } from "./compact-part.ts";
import type { NodeMode } from "./config.ts";
import { CHECKPOINT_ENTRIES, IngestPart } from "./ingest-part.ts";
import { type MemoryPart, memoryParts } from "./memory.ts";
import { greetPeers, type RegistrationOptions, registerNode } from "./registration.ts";
import { Tasks, withinTime } from "./tasks.ts";

export type NodeOptions = Omit<RegistrationOptions, "catalog">;

const TOKEN_WAIT_MS_MAX = 10_000;
const MANIFEST_SYNC_MS = 1_000;
const READY_WAIT_MS_MAX = 2_000;
const TASKS_END_MS_MAX = 5_000;

/** What a node is made of once it runs. */
interface NodeParts {
  readonly options: NodeOptions;
  readonly tasks: Tasks;
  readonly catalog: Catalog;
  readonly manifest: Manifest;
  readonly engine: Engine;
  readonly buffer: Buffer;
  readonly followers: Followers;
  readonly ingest: IngestPart | undefined;
  readonly logsChanged: Signal;
}

/**
 * A running node: the three logs, the buffer in the engine, and the work that the node's modes ask for.
 *
 * Built of ports alone, so that the simulated world runs it as it is.
 */
export class Node {
  readonly queries: Queries;
  readonly #parts: NodeParts;
  readonly #views: Views;
  #compact: CompactPart | undefined;
  #damage: DbError | undefined;

  private constructor(parts: NodeParts) {
    const { catalog, engine, followers, logsChanged, manifest, options } = parts;
    const { clock } = options.ports;
    this.#parts = parts;
    this.#views = new Views({
      catalog,
      manifest,
      logs: () => this.#logs(),
      logsChanged,
      onWanted: ({ node, position }) => followers.want(node, position),
      clock,
      tokenWaitMsMax: TOKEN_WAIT_MS_MAX,
    });
    this.queries = new Queries({
      catalog,
      views: this.#views,
      engine,
      clock,
      concurrentMax: options.config.concurrentQueriesMax,
      timeoutMs: options.config.queryTimeoutMs,
      filesMax: options.config.queryFilesMax,
      logEntriesMax: options.config.queryLogEntriesMax,
      onDamage: (error) => {
        this.#damage = error;
      },
    });
  }

  /**
   * Starts a node and resolves when it can serve. Rejects with `unsupported` / `store_unsafe`, what `registerNode` rejects with, or
   * the damage or trouble that keeps it from reading the store; then nothing is left running.
   */
  static async start(given: NodeOptions): Promise<Node> {
    const { config } = given;
    const tasks = new Tasks(given.ports.log);
    let engine: Engine | undefined;
    try {
      await refuseUnsafeStore(given);
      const checkpointEntries = config.checkpointEntries ?? CHECKPOINT_ENTRIES;
      const catalog = new Catalog(config.clusterId, given.ports, tasks.signal, {
        checkpointEntries,
      });
      const secret = () => catalog.state.cluster?.secret;
      const transport = signedTransport(given.ports.transport, secret);
      const ports = { ...given.ports, transport };
      const options = { ...given, ports };
      await registerNode({ ...options, catalog });
      const { signal } = tasks;
      const writer = () => catalog.writer;
      const manifest = new Manifest(config.clusterId, ports, {
        writer,
        signal,
        checkpointEntries,
      });
      await manifest.refresh();
      const buffer = new Buffer(() => engine as Engine);
      engine = await ports.openEngine(() => buffer.refill());
      const node = await Node.#assemble({ options, tasks, catalog, manifest, engine, buffer });
      node.#startTasks();
      return node;
    } catch (error) {
      await tasks.stop();
      await engine?.[Symbol.asyncDispose]();
      throw error;
    }
  }

  static async #assemble(
    parts: Omit<NodeParts, "followers" | "ingest" | "logsChanged">,
  ): Promise<Node> {
    const { buffer, catalog, manifest, options } = parts;
    const { config, ports } = options;
    const logsChanged = new Signal();
    const { node } = catalog.writer;
    const ingest = config.modes.includes("ingest")
      ? await IngestPart.start({
          ...parts,
          config,
          ports,
          logsChanged,
          adopted: () => ({
            position: adoptedOf(manifest.state, node).position,
            manifest: manifest.state.position,
          }),
        })
      : undefined;
    const followers = new Followers({
      catalog,
      manifest,
      buffer,
      ports,
      changed: logsChanged,
      own: ingest && node,
      keepRows: config.modes.includes("query"),
      peerRowsSizeMax: config.peerRowsSizeMax,
      intervalMs: config.replicationIntervalMs,
      readsMax: config.peerLogReadsMax,
    });
    if (readsPeers(config.modes)) await followers.load();
    return new Node({ ...parts, followers, ingest, logsChanged });
  }

  /** Resolves with what the node cannot go on after: the caller stops it. */
  get failure(): Promise<DbError> {
    return this.#parts.tasks.failure;
  }

  get catalog(): Catalog {
    return this.#parts.catalog;
  }

  get manifest(): Manifest {
    return this.#parts.manifest;
  }

  get views(): Views {
    return this.#views;
  }

  get buffer(): Buffer {
    return this.#parts.buffer;
  }

  get engine(): Engine {
    return this.#parts.engine;
  }

  get ingest(): IngestPart | undefined {
    return this.#parts.ingest;
  }

  get compact(): CompactPart | undefined {
    return this.#compact;
  }

  /** The shares of the memory that it keeps itself. */
  get memoryParts(): readonly MemoryPart[] {
    const { engine, followers, ingest, options } = this.#parts;
    return memoryParts(options.config, {
      ...(ingest && {
        writes: () => ingest.flusher.pendingSizeBytes,
        ownRows: ingest.ownRowsSizeBytes,
      }),
      peerRows: () => followers.peerRowsSizeBytes,
      engine: () => engine.bufferSizeBytes(),
    });
  }

  /** Rows of this node's log that are in no file yet. */
  get unsavedRowCount(): number {
    const { buffer, catalog, ingest } = this.#parts;
    return ingest === undefined ? 0 : buffer.of(catalog.writer.node).rowCount;
  }

  async write(request: WriteRequest, signal: AbortSignal): Promise<WriteOutcome> {
    const { ingest } = this.#parts;
    if (ingest === undefined) throw modeMissing("ingest");
    refuseInternal(request.database);
    return ingest.ingest.write(request, signal).catch(answerFenced);
  }

  async query(request: QueryRequest, signal: AbortSignal): Promise<QueryAnswer> {
    const { modes } = this.#parts.options.config;
    // What a node knows by itself it tells in any mode.
    if (!modes.includes("query") && request.database !== INTERNAL_DATABASE)
      throw modeMissing("query");
    return this.queries.run(request, signal);
  }

  async createDatabase(name: string, retentionNs: bigint | undefined): Promise<void> {
    refuseInternal(name);
    const { catalog, options } = this.#parts;
    await catalog.createDatabase(name, retentionNs, options.config).catch(answerFenced);
  }

  async setRetention(name: string, retentionNs: bigint | undefined): Promise<void> {
    refuseInternal(name);
    await this.#parts.catalog.setRetention(name, retentionNs).catch(answerFenced);
  }

  async dropDatabase(name: string, hardDeleteAtNs: bigint | undefined): Promise<void> {
    refuseInternal(name);
    const nowNs = this.#parts.options.ports.clock.nowNs();
    const { catalog } = this.#parts;
    await catalog.dropDatabase(name, { nowNs, hardDeleteAtNs }).catch(answerFenced);
  }

  /** Resolves when the node can serve; rejects with the reason otherwise. */
  async ready(): Promise<void> {
    const { catalog, ingest, options, tasks } = this.#parts;
    const troubles = [...this.#logs()].map(({ trouble }) => trouble);
    for (const trouble of [tasks.failed, ingest?.flusher.trouble, this.#damage, ...troubles])
      if (trouble !== undefined) throw trouble;
    const answered = new AbortController();
    const late = options.ports.clock.sleep(READY_WAIT_MS_MAX, answered.signal).then(() => {
      throw new DbError(
        "unavailable",
        "store_unreachable",
        `the object store has not answered for ${READY_WAIT_MS_MAX} ms`,
      );
    });
    try {
      await Promise.race([catalog.refresh(), late]);
    } finally {
      answered.abort();
    }
  }

  /** Tells the other nodes that the catalog has something new, and waits for nobody. */
  greetPeers(): void {
    const { catalog, options, tasks } = this.#parts;
    tasks.add("greet", () => greetPeers({ ...options, catalog }));
  }

  /** Another node said how far its log goes. */
  hearPush(push: Push): void {
    this.#parts.followers.hear(push);
  }

  /** A compact node that stands by asks which term this one is in. */
  answerOffice(ask: OfficeAsk): OfficeAnswer {
    const { node } = this.#parts.catalog.writer;
    return this.#compact?.office.answer(ask) ?? { node, term: 0 };
  }

  /** Another node said that the catalog has something new. */
  async refresh(): Promise<void> {
    await this.#parts.catalog.refresh();
  }

  /**
   * Stops cleanly: what was acknowledged is left in files, and the catalog says `stopped`. Where the store does not answer within
   * `waitMsMax` it stops all the same; nothing acknowledged is lost by that.
   */
  async stop(waitMsMax: number): Promise<void> {
    const { clock, log } = this.#parts.options.ports;
    const finished = this.#finish().catch((error: unknown) => {
      log.warn("could not leave everything in files", { reason: describeError(error) });
    });
    await withinTime(finished, waitMsMax, clock);
    // A call that the store never answers ends with the process.
    await withinTime(this.#parts.tasks.stop(), TASKS_END_MS_MAX, clock);
    await this.#parts.engine[Symbol.asyncDispose]();
  }

  async #finish(): Promise<void> {
    const { catalog, ingest, options, tasks } = this.#parts;
    if (tasks.failed !== undefined) return;
    try {
      await ingest?.finish(tasks.signal);
    } finally {
      await catalog.setNodeState("stopped", options.ports.clock.nowNs());
    }
  }

  *#logs(): Generator<LogSource> {
    const { followers, ingest } = this.#parts;
    if (ingest !== undefined) yield ingest.source;
    yield* followers.all();
  }

  #startTasks(): void {
    const { catalog, followers, manifest, options, tasks } = this.#parts;
    const { config, ports } = options;
    if (readsPeers(config.modes)) tasks.add("follow", (signal) => followers.run(signal));
    tasks.add("catalog sync", (signal) =>
      this.#repeat(config.catalogSyncIntervalMs, signal, () => this.#syncCatalog()),
    );
    tasks.add("manifest sync", (signal) =>
      this.#repeat(MANIFEST_SYNC_MS, signal, async () => {
        await manifest.refresh();
        await manifest.keep();
      }),
    );
    this.greetPeers();
    if (!config.modes.includes("compact")) return;
    const logs = () => this.#logs();
    this.#compact = new CompactPart({ config, ports, catalog, manifest, logs, tasks });
  }

  async #syncCatalog(): Promise<void> {
    const { catalog } = this.#parts;
    const { node, epoch } = catalog.writer;
    const found = (await catalog.refresh()).nodes.get(node)?.epoch ?? epoch;
    if (found > epoch) throw fencedError("catalog", node, { own: epoch, found });
    await catalog.keep();
  }

  /** Does `work` again and again; a store that does not answer is asked again. */
  async #repeat(intervalMs: number, signal: AbortSignal, work: () => Promise<void>): Promise<void> {
    const { clock, log } = this.#parts.options.ports;
    while (!signal.aborted) {
      await clock.sleep(intervalMs, signal);
      try {
        await work();
      } catch (error) {
        if (!isKind(error, "unavailable")) throw error;
        log.debug("the object store did not answer", { reason: describeError(error) });
      }
    }
  }
}

function readsPeers(modes: readonly NodeMode[]): boolean {
  return modes.includes("query") || modes.includes("compact");
}

async function refuseUnsafeStore({ config, ports }: NodeOptions): Promise<void> {
  if (await probePutIfAbsent(ports.store, `${config.clusterId}/probe/`, ports.random)) return;
  throw new DbError(
    "unsupported",
    "store_unsafe",
    "the object store lets an object be put twice although the second put asks that it is absent: nodes on it would overwrite each other",
  );
}

function refuseInternal(database: string): void {
  if (database !== INTERNAL_DATABASE) return;
  throw new DbError("invalid", "database_internal", "cannot modify internal db");
}

/** That this process was replaced is no conflict of the client's: another one takes the request. */
export function answerFenced(error: unknown): never {
  if (!(error instanceof DbError) || error.code !== "node_fenced") throw error;
  throw new DbError(
    "unavailable",
    "node_replaced",
    "this process has been replaced by another with its node-id: whether the request was carried out is not known, send it again",
    { cause: error },
  );
}

function modeMissing(mode: NodeMode): DbError {
  return new DbError(
    "unsupported",
    "mode_missing",
    `this node does not run in mode ${mode}: ask one that does (system.nodes lists them)`,
    { detail: { mode } },
  );
}
