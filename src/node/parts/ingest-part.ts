import type { Signal } from "#base/async.ts";
import { describeError } from "#base/errors.ts";
import type { Buffer } from "#buffer/buffer.ts";
import type { Catalog } from "#catalog/catalog.ts";
import { Flusher } from "#ingest/flusher.ts";
import { Ingest } from "#ingest/ingest.ts";
import { dataPrefix, Snapshotter } from "#ingest/snapshotter.ts";
import { nodeLogPrefix } from "#lifecycle/followers.ts";
import { LogKeeper, type SnapshotCounts } from "#lifecycle/log-keeper.ts";
import { deleteOrphans } from "#lifecycle/orphans.ts";
import { Pusher } from "#lifecycle/pusher.ts";
import type { Manifest } from "#manifest/manifest.ts";
import type { NodeNumber } from "#model/ids.ts";
import type { Adopted } from "#nodelog/node-log-state.ts";
import { NodeLogWriter } from "#nodelog/node-log-writer.ts";
import { ObjectLog } from "#objectlog/object-log.ts";
import type { Engine } from "#ports/engine.ts";
import { bufferObserver, type LogSource } from "#view/log-source.ts";
import type { NodeConfig } from "../config.ts";
import { ownRowsSizeMax, WRITES_SIZE_MAX } from "../memory.ts";
import type { NodePorts } from "../ports.ts";
import type { Tasks } from "../tasks.ts";

export interface IngestPartOptions {
  readonly config: NodeConfig;
  readonly ports: NodePorts;
  readonly catalog: Catalog;
  readonly manifest: Manifest;
  readonly buffer: Buffer;
  readonly engine: Engine;
  readonly logsChanged: Signal;
  readonly adopted: () => Adopted;
  readonly tasks: Tasks;
  /** Told of each node that answers. */
  readonly onHeard: (node: NodeNumber) => void;
}

/** Bounds the replay of a log at a start. */
export const CHECKPOINT_ENTRIES = 1_000;
const NAME_SIZE_MAX = 64 * 1024;
const STRING_SIZE_MAX = 1024 * 1024;
const REJECTED_MAX = 100;
/** Some hundred kB: fewer rows are not worth a file of their own. */
export const FILE_ROW_COUNT_MIN = 50_000;
/** One file of a table with so many, and a second of the engine for who asks first. */
const SNAPSHOT_ROW_COUNT = 1_000_000;
const WRITE_WAIT_MS_MAX = 30_000;

/** What a node with mode `ingest` has: its own log, and the write path into it. */
export class IngestPart {
  readonly ingest: Ingest;
  readonly flusher: Flusher;
  readonly writer: NodeLogWriter;
  readonly pusher: Pusher;
  /** What this node's rows that are in no file take, about. */
  readonly ownRowsSizeBytes: () => number;
  readonly #keeper: LogKeeper;
  readonly #options: IngestPartOptions;

  private constructor(options: IngestPartOptions, writer: NodeLogWriter, pusher: Pusher) {
    const { adopted, buffer, catalog, config, engine, ports } = options;
    const { clock, log, stage, random, store, onFile } = ports;
    const { node } = catalog.writer;
    const own = buffer.of(node);
    // Of all that the engine holds, the share of this node's own rows: only those can a snapshot free.
    const bufferSizeBytes = () =>
      engine.bufferSizeBytes() * (own.rowCount / Math.max(1, buffer.rowCount));
    this.ownRowsSizeBytes = bufferSizeBytes;
    this.#options = options;
    this.writer = writer;
    this.pusher = pusher;
    this.flusher = new Flusher({
      catalog,
      writer,
      stage,
      clock,
      flushIntervalMs: config.flushIntervalMs,
      pendingSizeMax: WRITES_SIZE_MAX,
      pendingCountMax: config.pendingWritesMax,
      bufferSizeBytes,
      bufferSizeMax: ownRowsSizeMax(config),
    });
    this.ingest = new Ingest({
      catalog,
      flusher: this.flusher,
      stage,
      clock,
      schemaLimits: config,
      parseLimits: {
        nameSizeMax: NAME_SIZE_MAX,
        stringSizeMax: STRING_SIZE_MAX,
        rejectedMax: REJECTED_MAX,
      },
      writeWaitMsMax: WRITE_WAIT_MS_MAX,
    });
    const snapshotter = new Snapshotter({
      nodeId: config.nodeId,
      catalog,
      writer,
      buffer: own,
      engine,
      store,
      clock,
      random,
      windowNs: BigInt(config.gen1DurationMs) * 1_000_000n,
      fileRowCountMin: FILE_ROW_COUNT_MIN,
      ...(onFile && { onFile }),
    });
    this.#keeper = new LogKeeper({
      writer,
      takeSnapshot: (signal) => snapshotter.take(signal),
      unsavedSizeBytes: () => own.unsavedSizeBytes,
      unsavedRowCount: () => own.rowCount,
      bufferSizeBytes,
      adopted,
      clock,
      log,
      limits: {
        ...config,
        snapshotRowCount: SNAPSHOT_ROW_COUNT,
        checkpointEntries: config.checkpointEntries ?? CHECKPOINT_ENTRIES,
      },
    });
  }

  /** Wins the fence of this node's log, fills the buffer from it, and takes writes from then on. */
  static async start(options: IngestPartOptions): Promise<IngestPart> {
    const { buffer, catalog, config, logsChanged, onHeard, ports, tasks } = options;
    const { clock, log, transport } = ports;
    const pusher = new Pusher({ catalog, transport, clock, log, onTaken: onHeard });
    const writer = await NodeLogWriter.start({
      log: new ObjectLog(nodeLogPrefix(config.nodeId), ports),
      writer: catalog.writer,
      observer: {
        ...bufferObserver(buffer.of(catalog.writer.node), logsChanged),
        // What is applied stands in the log. Peers read it while it goes into the buffer here.
        onEntry: ({ position }) => pusher.settled(position),
      },
      signal: tasks.signal,
      needs: { catalog: catalog.state.position, manifest: 0 },
      readsMax: config.ownLogReadsMax,
      coveredEntriesToKeep: config.coveredEntriesToKeep ?? 0,
    });
    const part = new IngestPart(options, writer, pusher);
    tasks.add("flush", (signal) => part.flusher.run(signal));
    tasks.add("snapshot", (signal) => part.#keeper.run(signal));
    tasks.add("push", (signal) => pusher.run(signal));
    tasks.add("orphans", () => part.#deleteOrphans());
    return part;
  }

  get snapshotCounts(): SnapshotCounts {
    return this.#keeper.counts;
  }

  /** This node's own log, for views. */
  get source(): LogSource {
    const { buffer, catalog } = this.#options;
    const { node } = catalog.writer;
    return { node, state: this.writer.state, buffer: buffer.of(node) };
  }

  /** Files left behind cost space, nothing else: a failure is left to the next start. */
  async #deleteOrphans(): Promise<void> {
    const { config, manifest, ports } = this.#options;
    const { log, store } = ports;
    const prefix = dataPrefix(config.nodeId);
    await deleteOrphans({ prefix, manifest, writer: this.writer, store, log }).catch(
      (error: unknown) => log.warn("could not look for orphans", { reason: describeError(error) }),
    );
  }

  /** Makes everything that was taken durable, and leaves it in files. Rejects at once where the store takes nothing. */
  async finish(signal: AbortSignal): Promise<void> {
    if (this.flusher.trouble !== undefined) throw this.flusher.trouble;
    await this.flusher.drain();
    await this.#keeper.finish(signal);
  }
}
