/** The parts of a node joined by hand, without its loops but the flusher's: for tests of the work on logs, buffer and views. */
import { Signal } from "#base/async.ts";
import { DbError } from "#base/errors.ts";
import { Buffer } from "#buffer/buffer.ts";
import { Catalog } from "#catalog/catalog.ts";
import { plainEngine } from "#engine/plain/plain.ts";
import { Flusher, type FlusherOptions } from "#ingest/flusher.ts";
import { Ingest, type IngestOptions } from "#ingest/ingest.ts";
import { Snapshotter, type SnapshotterOptions } from "#ingest/snapshotter.ts";
import type { SchemaLimits, WriteOutcome, WriteRequest } from "#ingest/write.ts";
import { nodeLogPrefix } from "#lifecycle/followers.ts";
import { LogFollower, type LogFollowerOptions } from "#lifecycle/log-follower.ts";
import { Manifest } from "#manifest/manifest.ts";
import { adoptedOf } from "#manifest/manifest-state.ts";
import { type CellValue, cellAt, type ResultBatch } from "#model/query/result.ts";
import type { Adopted } from "#nodelog/node-log-state.ts";
import { NodeLogWriter } from "#nodelog/node-log-writer.ts";
import { ObjectLog, type ObjectLogPorts } from "#objectlog/object-log.ts";
import { memoryStore } from "#objectstore/memory.ts";
import type { Engine } from "#ports/engine.ts";
import { silentLog } from "#ports/log.ts";
import type { ObjectStore } from "#ports/object-store.ts";
import { seededRandom } from "#ports/random.ts";
import { Queries, type QueriesOptions, type QueryRequest } from "#query/query.ts";
import { plainStage } from "#staging/plain-stage.ts";
import { bufferObserver, type LogSource } from "#view/log-source.ts";
import { Views, type ViewsOptions } from "#view/views.ts";
import { HandClock, settle } from "./hand-clock.ts";

export const SCHEMA_LIMITS: SchemaLimits = {
  databaseCountMax: 5,
  tableCountMax: 20,
  columnCountMax: 10,
  tagCountMax: 4,
};
const QUERY_OPTIONS = { concurrentMax: 2, timeoutMs: 60_000, lastSeenNs: () => undefined };
const PARSE_LIMITS = { nameSizeMax: 65_536, stringSizeMax: 2 ** 20, rejectedMax: 100 };

export interface SmallNodeOptions {
  readonly store: ObjectStore;
  readonly nodeId: string;
  readonly clock: HandClock;
  /** Of other nodes on the same store, so that nonces differ. */
  readonly seed: number;
  readonly engine: (inner: Engine) => Engine;
  readonly flusher: Partial<FlusherOptions>;
  readonly ingest: Partial<IngestOptions>;
  readonly snapshotter: Partial<SnapshotterOptions>;
  readonly views: Partial<ViewsOptions>;
  readonly queries: Partial<QueriesOptions>;
}

interface Foundation {
  readonly options: SmallNodeOptions;
  readonly ports: ObjectLogPorts;
  readonly end: AbortController;
  readonly catalog: Catalog;
  readonly manifest: Manifest;
  readonly engine: Engine;
  readonly buffer: Buffer;
  readonly writer: NodeLogWriter;
  readonly logsChanged: Signal;
}

export class SmallNode implements AsyncDisposable {
  readonly nodeId: string;
  readonly store: ObjectStore;
  readonly clock: HandClock;
  readonly ports: ObjectLogPorts;
  readonly catalog: Catalog;
  readonly manifest: Manifest;
  readonly engine: Engine;
  readonly buffer: Buffer;
  readonly writer: NodeLogWriter;
  readonly logsChanged: Signal;
  readonly flusher: Flusher;
  readonly ingest: Ingest;
  readonly snapshotter: Snapshotter;
  readonly views: Views;
  readonly queries: Queries;
  /** Logs of other nodes that views show as well. */
  readonly peers: LogSource[] = [];
  /** How the flusher's loop ended. */
  readonly flushing: Promise<unknown>;
  readonly damages: DbError[] = [];
  readonly #end: AbortController;

  private constructor({ options, ports, end, ...parts }: Foundation) {
    const { catalog, manifest, engine, buffer, writer, logsChanged } = parts;
    const { clock, store, nodeId } = options;
    this.nodeId = nodeId;
    this.store = store;
    this.clock = clock;
    this.ports = ports;
    this.catalog = catalog;
    this.manifest = manifest;
    this.engine = engine;
    this.buffer = buffer;
    this.writer = writer;
    this.logsChanged = logsChanged;
    this.#end = end;
    this.flusher = new Flusher({
      catalog,
      writer,
      stage: plainStage,
      clock,
      flushIntervalMs: 0,
      pendingSizeMax: 2 ** 20,
      bufferSizeBytes: () => engine.bufferSizeBytes(),
      bufferSizeMax: 2 ** 30,
      ...options.flusher,
    });
    this.ingest = new Ingest({
      catalog,
      flusher: this.flusher,
      stage: plainStage,
      clock,
      schemaLimits: SCHEMA_LIMITS,
      parseLimits: PARSE_LIMITS,
      writeWaitMsMax: 30_000,
      ...options.ingest,
    });
    this.snapshotter = new Snapshotter({
      nodeId,
      catalog,
      writer,
      buffer: buffer.of(catalog.writer.node),
      engine,
      store,
      clock,
      random: ports.random,
      windowNs: 600_000_000_000n,
      fileRowCountMin: 1,
      ...options.snapshotter,
    });
    this.views = new Views({
      catalog,
      manifest,
      logs: () => [this.source, ...this.peers],
      logsChanged,
      onWanted: () => undefined,
      clock,
      tokenWaitMsMax: 10_000,
      ...options.views,
    });
    this.queries = new Queries({
      catalog,
      views: this.views,
      engine,
      clock,
      ...QUERY_OPTIONS,
      onDamage: (error) => this.damages.push(error),
      ...options.queries,
    });
    this.flushing = this.flusher.run(end.signal).catch((error: unknown) => error);
  }

  static async open(some: Partial<SmallNodeOptions> = {}): Promise<SmallNode> {
    const options: SmallNodeOptions = {
      store: memoryStore(),
      nodeId: "host01",
      clock: new HandClock(),
      seed: 1,
      engine: (inner) => inner,
      flusher: {},
      ingest: {},
      snapshotter: {},
      views: {},
      queries: {},
      ...some,
    };
    return new SmallNode(await openFoundation(options));
  }

  get node() {
    return this.catalog.writer.node;
  }

  get source(): LogSource {
    return { node: this.node, state: this.writer.state, buffer: this.buffer.of(this.node) };
  }

  /** A follower of another node's log, which views show once it is loaded. */
  follow(other: SmallNode, some: Partial<LogFollowerOptions> = {}): LogFollower {
    const follower = new LogFollower({
      node: other.node,
      log: new ObjectLog(nodeLogPrefix(other.nodeId), this.ports),
      buffer: this.buffer.of(other.node),
      keepRows: true,
      isFull: () => false,
      changed: this.logsChanged,
      adopted: () => this.adopted(other.node),
      intervalMs: 250,
      clock: this.clock,
      logger: silentLog,
      ...some,
    });
    this.peers.push(follower);
    return follower;
  }

  adopted(node = this.node): Adopted {
    const { position } = adoptedOf(this.manifest.state, node);
    return { position, manifest: this.manifest.state.position };
  }

  /** Writes lines with timestamps in nanoseconds into database `db`. */
  write(
    text: string,
    some: Partial<WriteRequest> = {},
    signal: AbortSignal = this.#end.signal,
  ): Promise<WriteOutcome> {
    return this.ingest.write(
      {
        database: "db",
        body: new TextEncoder().encode(text),
        precision: "nanosecond",
        acceptPartial: true,
        sync: true,
        tokens: [],
        ...some,
      },
      signal,
    );
  }

  /** The rows that `text` answers, by name of field. */
  async rows(text: string, some: Partial<QueryRequest> = {}): Promise<readonly ResultRow[]> {
    const request = { database: "db", text, parameters: {}, tokens: [], ...some };
    const { fields, batches } = await this.queries.run(request, this.#end.signal);
    const rows: ResultRow[] = [];
    for await (const batch of batches)
      for (const cells of cellsOf(batch))
        rows.push(Object.fromEntries(cells.map((cell, i) => [fields[i]?.name ?? "", cell])));
    return rows;
  }

  /** Ends the flusher's loop, and what waits for it. */
  async stop(): Promise<void> {
    this.#end.abort(new DbError("unavailable", "node_stopping", "this node is stopping"));
    await this.flushing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await settle();
    await this.engine[Symbol.asyncDispose]();
  }
}

export type ResultRow = Readonly<Record<string, CellValue>>;

async function openFoundation(options: SmallNodeOptions): Promise<Foundation> {
  const { store, clock, nodeId, seed } = options;
  const end = new AbortController();
  const ports = { store, clock, random: seededRandom(seed), log: silentLog };
  const catalog = new Catalog("cluster01", ports, end.signal);
  await catalog.refresh();
  await catalog.createCluster({ uuid: "uuid", secret: "secret" });
  const modes = ["ingest", "query", "compact"];
  const registration = { nodeId, instanceId: nodeId, modes, address: nodeId, coreCount: 1 };
  await catalog.register({ ...registration, hasLog: true }, () => clock.nowNs());
  const manifest = new Manifest("cluster01", ports, {
    writer: () => catalog.writer,
    signal: end.signal,
  });
  await manifest.refresh();
  const engine = options.engine(plainEngine({ files: { load: ({ key }) => load(store, key) } }));
  const buffer = new Buffer(() => engine);
  const logsChanged = new Signal();
  const writer = await NodeLogWriter.start({
    log: new ObjectLog(nodeLogPrefix(nodeId), ports),
    writer: catalog.writer,
    observer: bufferObserver(buffer.of(catalog.writer.node), logsChanged),
    signal: end.signal,
    needs: { catalog: catalog.state.position, manifest: 0 },
  });
  return { options, ports, end, catalog, manifest, engine, buffer, writer, logsChanged };
}

async function load(store: ObjectStore, key: string): Promise<Uint8Array> {
  const bytes = await store.get(key);
  if (bytes !== undefined) return bytes;
  throw new DbError("not_found", "object_missing", `no object ${key}`);
}

/** The rows of a batch, cell by cell. */
export function* cellsOf({ rowCount, columns }: ResultBatch): Generator<readonly CellValue[]> {
  for (let row = 0; row < rowCount; row++) yield columns.map((column) => cellAt(column, row));
}
