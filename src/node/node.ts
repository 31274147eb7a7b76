import { memberOf, signedTransport } from "#access/node-call.ts";
import { Signal } from "#base/async.ts";
import { assert, type DbError, describeError } from "#base/errors.ts";
import { Buffer } from "#buffer/buffer.ts";
import { Catalog } from "#catalog/catalog.ts";
import type { OfficeAnswer, OfficeAsk } from "#compaction/office/office-call.ts";
import type { WriteOutcome, WriteRequest } from "#ingest/write.ts";
import { Contacts } from "#lifecycle/contact/contacts.ts";
import type { Standing, StandingAsk } from "#lifecycle/contact/standing.ts";
import { Followers } from "#lifecycle/followers.ts";
import type { Push } from "#lifecycle/pusher.ts";
import { Manifest } from "#manifest/manifest.ts";
import { adoptedOf } from "#manifest/manifest-state.ts";
import type { NodeNumber } from "#model/ids.ts";
import type { Engine } from "#ports/engine.ts";
import type { LogSource } from "#view/log-source.ts";
import { Views } from "#view/views.ts";
import { type NodeMode, readsPeers } from "./config.ts";
import { LastSeen } from "./members/last-seen.ts";
import { Members } from "./members/members.ts";
import { answerFenced, refuseInternal, requireMode } from "./members/refusals.ts";
import {
  greetPeers,
  type RegistrationOptions,
  refuseUnsafeStore,
  registerNode,
} from "./members/registration.ts";
import { Removals } from "./members/removal.ts";
import { type MemoryPart, memoryParts } from "./memory.ts";
import { CompactPart, compactionTables } from "./parts/compact-part.ts";
import { CHECKPOINT_ENTRIES, IngestPart } from "./parts/ingest-part.ts";
import { QueryPart } from "./parts/query-part.ts";
import { requireAnswer, Tasks, withinTime } from "./tasks.ts";

export type NodeOptions = Omit<RegistrationOptions, "catalog">;

const TOKEN_WAIT_MS_MAX = 10_000;
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
  /** What the other nodes say of their logs. */
  readonly contacts: Contacts;
  readonly ingest: IngestPart | undefined;
  readonly members: Members;
  readonly lastSeen: LastSeen;
  readonly logsChanged: Signal;
}

/**
 * A running node: the three logs, the buffer in the engine, and the work that the node's modes ask for.
 *
 * Built of ports alone, so that the simulated world runs it as it is.
 */
export class Node {
  readonly answers: QueryPart;
  readonly #parts: NodeParts;
  readonly #views: Views;
  /** What a node with mode `compact` has. */
  readonly compaction: CompactPart | undefined;
  readonly #stopAsked = Promise.withResolvers<undefined>();
  #damage: DbError | undefined;

  private constructor(parts: NodeParts) {
    const { catalog, followers, logsChanged, manifest, options } = parts;
    const { config, ports } = options;
    const { clock } = ports;
    this.#parts = parts;
    const logs = () => this.logs();
    this.compaction = config.modes.includes("compact")
      ? new CompactPart({ ...parts, config, ports, logs })
      : undefined;
    this.#views = new Views({
      catalog,
      manifest,
      logs,
      logsChanged,
      onWanted: ({ node, position }) => followers.want(node, position),
      clock,
      tokenWaitMsMax: TOKEN_WAIT_MS_MAX,
    });
    this.answers = new QueryPart({
      ...parts,
      config,
      ports,
      node: this,
      views: this.#views,
      systemTables: compactionTables(config, this.compaction),
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
    const { config, ports: plain } = given;
    const tasks = new Tasks(plain.log);
    let engine: Engine | undefined;
    try {
      await refuseUnsafeStore(given);
      const checkpointEntries = config.checkpointEntries ?? CHECKPOINT_ENTRIES;
      const catalog = new Catalog(config.clusterId, plain, tasks.signal, { checkpointEntries });
      const transport = signedTransport(plain.transport, () => memberOf(catalog));
      const ports = { ...plain, transport };
      const options = { ...given, ports };
      await registerNode({ ...options, catalog });
      const { signal } = tasks;
      const writer = () => catalog.writer;
      const manifest = new Manifest(config.clusterId, ports, {
        writer,
        signal,
        checkpointEntries,
        partFilesMax: config.manifestPartFilesMax,
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
    parts: Pick<NodeParts, "options" | "tasks" | "catalog" | "manifest" | "engine" | "buffer">,
  ): Promise<Node> {
    const { buffer, catalog, manifest, options } = parts;
    const { config, ports } = options;
    const logsChanged = new Signal();
    const lastSeen = new LastSeen({ config, ports, catalog });
    const { node } = catalog.writer;
    const ingest = config.modes.includes("ingest")
      ? await IngestPart.start({
          ...parts,
          config,
          ports,
          logsChanged,
          onHeard: (peer) => lastSeen.heard(peer),
          adopted: () => ({
            position: adoptedOf(manifest.state, node).position,
            manifest: manifest.state.position,
          }),
        })
      : undefined;
    const members = new Members({ ...parts, config, ports });
    const contacts = new Contacts({
      ...ports,
      catalog,
      manifest,
      catalogSyncIntervalMs: config.catalogSyncIntervalMs,
      ownTail: () => ingest?.writer.state.position ?? members.closedTail,
      onTail: (push) => followers.hear(push),
      onHeard: (peer) => lastSeen.heard(peer),
    });
    const followers = new Followers({
      catalog,
      manifest,
      buffer,
      ports,
      endOf: (peer) => contacts.endOf(peer),
      changed: logsChanged,
      own: ingest && node,
      keepRows: config.modes.includes("query"),
      peerRowsSizeMax: config.peerRowsSizeMax,
      intervalMs: config.replicationIntervalMs,
      readsMax: config.peerLogReadsMax,
    });
    if (readsPeers(config.modes)) await followers.load();
    return new Node({ ...parts, followers, contacts, ingest, lastSeen, logsChanged, members });
  }

  /** Resolves with what the node cannot go on after: the caller stops it. */
  get failure(): Promise<DbError> {
    return this.#parts.tasks.failure;
  }

  /** Resolves when somebody has asked the cluster to stop this node: the caller stops it. */
  get stopAsked(): Promise<undefined> {
    return this.#stopAsked.promise;
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
    this.requireMode("ingest");
    assert(ingest !== undefined, "mode ingest has its part");
    refuseInternal(request.database);
    return ingest.ingest.write(request, signal).catch(answerFenced);
  }

  /** Throws `unsupported` / `mode_missing` where this node does not do the work of `mode`. */
  requireMode(mode: NodeMode): void {
    requireMode(this.#parts.options.config.modes, mode);
  }

  /** Makes a `change` of what the catalog says of `database`, which is not the cluster's own. */
  async changeSchema(database: string, change: (catalog: Catalog) => Promise<unknown>) {
    refuseInternal(database);
    await change(this.#parts.catalog).catch(answerFenced);
  }

  /** As `changeSchema`, of how long rows are kept. */
  async changeRetention(database: string, change: (catalog: Catalog) => Promise<unknown>) {
    await this.changeSchema(database, change);
    const { catalog, manifest } = this.#parts;
    // Rows that the older retention would remove stay from here on (rule 7).
    await manifest.raiseBarrier(catalog.state.position).catch(answerFenced);
  }

  /** Asks a node to stop, as `Members.stop`. */
  async stopNode(nodeId: string): Promise<void> {
    await this.#parts.members.stop(nodeId).catch(answerFenced);
  }

  /** Asks for the removal of a node, as `Members.remove`. */
  async removeNode(nodeId: string): Promise<void> {
    await this.#parts.members.remove(nodeId).catch(answerFenced);
  }

  /** Resolves when the node can serve; rejects with the reason otherwise. */
  async ready(): Promise<void> {
    const { catalog, ingest, options, tasks } = this.#parts;
    const troubles = [...this.logs()].map(({ trouble }) => trouble);
    for (const trouble of [tasks.failed, ingest?.flusher.trouble, this.#damage, ...troubles])
      if (trouble !== undefined) throw trouble;
    await requireAnswer(catalog.refresh(), options.ports.clock);
  }

  /** Tells the other nodes that the catalog has something new, and waits for nobody. */
  greetPeers(): void {
    const { catalog, options, tasks } = this.#parts;
    tasks.add("greet", () => greetPeers({ ...options, catalog }));
  }

  /** Another node said how far its log goes. */
  hearPush(push: Push): void {
    const { followers, lastSeen } = this.#parts;
    lastSeen.heard(push.node);
    followers.hear(push);
  }

  /** Another node asks how far the logs go, as this one knows. */
  answerStanding(ask: StandingAsk): Standing {
    return this.#parts.contacts.answer(ask);
  }

  /** Other nodes that should run and are not heard: their logs, and those that they may write, are looked at in the store. */
  get silentPeerCount(): number {
    return this.#parts.contacts.silentCount;
  }

  /** A compact node that stands by asks which term this one is in. */
  answerOffice(ask: OfficeAsk): OfficeAnswer {
    const { node } = this.#parts.catalog.writer;
    return this.compaction?.office.answer(ask) ?? { node, term: 0 };
  }

  /** Another node said that the catalog has something new. */
  async refresh(): Promise<void> {
    await this.#parts.catalog.refresh();
  }

  /** `from` said so, and the catalog has been read since. */
  hearGreeting(from: NodeNumber): void {
    this.#parts.lastSeen.heard(from);
  }

  /**
   * Stops cleanly: what was acknowledged is left in files, and then the catalog says `stopped`. Where that cannot be done within
   * `waitMsMax` it stops all the same; nothing acknowledged is lost by that, and the catalog says what it said before.
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
    // While this node counts as one that runs: others take over what is not finished when it has stopped.
    await this.answers.continuous?.finish();
    await ingest?.finish(tasks.signal);
    await catalog.setNodeState("stopped", options.ports.clock.nowNs());
  }

  /** The node logs that this node reads, its own and others'. */
  *logs(): Generator<LogSource> {
    const { followers, ingest } = this.#parts;
    if (ingest !== undefined) yield ingest.source;
    yield* followers.all();
  }

  #startTasks(): void {
    const { catalog, contacts, engine, followers, lastSeen, manifest, members, options, tasks } =
      this.#parts;
    const { config, ports } = options;
    if (readsPeers(config.modes)) tasks.add("follow", (signal) => followers.run(signal));
    tasks.add("catalog sync", (signal) => contacts.followCatalog(signal));
    tasks.add("manifest sync", (signal) => contacts.followManifest(signal));
    tasks.add("contacts", (signal) => contacts.run(signal));
    this.greetPeers();
    tasks.add("last seen", (signal) => lastSeen.run(signal));
    const { continuous } = this.answers;
    if (continuous !== undefined)
      tasks.add("continuous queries", (signal) => continuous.run(signal));
    tasks.add("own record", async (signal) => {
      await members.untilAskedToStop(signal);
      if (!signal.aborted) this.#stopAsked.resolve(undefined);
    });
    if (this.#hasOldLog())
      tasks.add("old log", (signal) => members.closeOwnLog(config.nodeId, signal));
    if (this.compaction === undefined) return;
    this.compaction.start();
    const removals = new Removals({ config, ports, catalog, manifest, engine });
    tasks.add("removals", (signal) => removals.run(signal));
  }

  /** Whether an earlier start of this node wrote a log, and this one does not. */
  #hasOldLog(): boolean {
    const { catalog, ingest } = this.#parts;
    return ingest === undefined && catalog.state.nodes.get(catalog.writer.node)?.hasLog === true;
  }
}
