import { utf8 } from "#base/bytes.ts";
import { DbError, isKind } from "#base/errors.ts";
import type { Catalog } from "#catalog/catalog.ts";
import { dropTables } from "#catalog/tables.ts";
import { adoptedOf } from "#manifest/manifest-state.ts";
import { parseWriteToken, type WriteToken } from "#model/write-token.ts";
import { SWEEP_DEFAULTS } from "#node/config.ts";
import type { Node } from "#node/node.ts";
import { type AcknowledgedLine, doubledLines, missingWrites } from "./checks/acknowledged.ts";
import { Freshness } from "./checks/freshness.ts";
import { References } from "./checks/references.ts";
import { Breakage } from "./faults/breakage.ts";
import { Closings } from "./faults/closings.ts";
import { Deletions, type TimedLine } from "./faults/deletions.ts";
import { isHonestFailure, readAndCompare } from "./reader.ts";
import { SIM_COMPACTION, SimCluster, type SimHost, type SimRun } from "./sim-cluster.ts";
import { NO_STORE_FAULTS, SimStore, type StoreFaults } from "./sim-store.ts";
import { Truth } from "./truth.ts";
import { DATABASE, DROPPED_DATABASE, Workload } from "./workload.ts";
import { type FaultKind, World } from "./world.ts";

/** What came of one seed. */
export interface ScenarioResult {
  readonly violations: readonly string[];
  readonly counts: ReadonlyMap<FaultKind, number>;
  /** What the scenario got to: a seed that does nothing proves nothing. */
  readonly work: Readonly<Record<WorkKind, number>>;
  readonly digest: string;
}

export type WorkKind =
  | "acknowledged"
  | "unclear"
  | "reads"
  | "snapshots"
  | "adopted"
  | "entries_deleted"
  | "files_deleted"
  | "deletes"
  | "deletes_finished"
  | "take_overs"
  | "restarts";

/** A write that was acknowledged, and the process that did it: one that was replaced and does not know it yet has less than its successor. */
interface Acknowledged extends AcknowledgedLine, TimedLine {
  readonly node: Node;
}

const DURATION_MS = 40_000;
const CLIENT_TIMEOUT_MS = 12_000;
/** Longer than any pause, and than a follower takes then to notice that it is stalled, or a standby that nobody is in office. */
const CALM_MS = 34_000;
const SETTLE_MS_MAX = 120_000;

/** Two nodes that ingest and compact, and a query node, under writes, reads and every fault; then peace, and a last look. */
export async function runFoundation(seed: number): Promise<ScenarioResult> {
  const scenario = new Foundation(seed);
  return scenario.world.run(scenario.run());
}

class Foundation {
  readonly world: World;
  readonly #store: SimStore;
  readonly #cluster: SimCluster;
  readonly #truth: Truth;
  readonly #references: References;
  readonly #violations: string[] = [];
  readonly #acknowledged: Acknowledged[] = [];
  readonly #work: Record<WorkKind, number> = {
    acknowledged: 0,
    unclear: 0,
    reads: 0,
    snapshots: 0,
    adopted: 0,
    entries_deleted: 0,
    files_deleted: 0,
    deletes: 0,
    deletes_finished: 0,
    take_overs: 0,
    restarts: 0,
  };
  readonly #damaged: boolean;
  #calm = false;
  readonly #workload: Workload;
  readonly #deletions: Deletions;

  constructor(seed: number) {
    const world = new World(seed);
    this.world = world;
    this.#damaged = world.chance(0.2);
    this.#store = new SimStore(world, this.#faults());
    const config = {
      snapshotAgeMs: 1_000 + world.below(6_000),
      ...(world.chance(0.5) && { flushesPerSnapshot: 2 + world.below(6) }),
      checkpointEntries: 3 + world.below(8),
      flushIntervalMs: world.chance(0.5) ? 0 : world.below(200),
      // A window of one day or of a second: few files, or many.
      gen1DurationMs: world.chance(0.5) ? 86_400_000 : 1_000,
      compaction: {
        ...SIM_COMPACTION,
        cleanupWaitMs: 3_000 + world.below(5_000),
        eraseAfterMs: world.below(5_000),
      },
      sweep: { ...SWEEP_DEFAULTS, intervalMs: 300 + world.below(5_000), graceMs: 0 },
    };
    this.#cluster = new SimCluster(world, this.#store, [
      { nodeId: "host01", modes: ["ingest", "query", "compact"], config },
      { nodeId: "host02", modes: ["ingest", "query", "compact"], config },
      { nodeId: "host03", modes: ["query"], config },
    ]);
    this.#truth = new Truth(this.#store);
    this.#references = new References(this.#store);
    this.#workload = new Workload(world);
    this.#deletions = new Deletions(this.#cluster, this.#workload, (call) => this.#attempt(call));
  }

  async run(): Promise<ScenarioResult> {
    const { hosts } = this.#cluster;
    for (const host of hosts) host.start();
    const actors = [
      ...[0, 1].map((client) => this.#writeOn(client)),
      ...[0, 1].map(() => this.#readOn()),
      this.#dropOn(),
      this.#deletions.run(() => this.#calm),
      ...hosts.map((host) => this.#supervise(host)),
      new Breakage(this.#cluster).run(() => this.#calm),
      new Closings(this.#cluster, (call) => this.#attempt(call)).run(() => this.#calm),
    ];
    await this.world.sleep(DURATION_MS);
    this.#calm = true;
    this.#store.faults = NO_STORE_FAULTS;
    this.#cluster.network.misheardChance = 0;
    await Promise.all(actors);
    await this.#calmLook();
    await this.#lastLook();
    return {
      violations: [...this.#violations, ...this.#truth.violations, ...this.#references.violations],
      counts: this.world.counts,
      work: this.#work,
      digest: this.world.digest,
    };
  }

  #faults(): StoreFaults {
    const { world } = this;
    const severity = world.random.next() * 0.12;
    return {
      error: severity,
      lostAnswer: severity,
      latePut: severity / 2,
      slow: severity / 2,
      lateAnswer: severity / 2,
      staleList: severity,
      damagedRead: this.#damaged ? 0.002 : 0,
    };
  }

  /** A host whose process has ended is started again, as an init system does. */
  async #supervise(host: SimHost): Promise<void> {
    let seen: SimRun | undefined = host.run;
    while (!this.#calm) {
      await this.world.sleep(200 + this.world.below(2_000));
      this.#judgeEnd(host, seen);
      if (host.run === undefined && !host.held && !this.#calm) {
        this.#work.restarts += 1;
        host.start();
      }
      seen = host.run;
    }
  }

  /** A process may end because it was fenced, or because the store did not answer; anything else is a fault of ours. */
  #judgeEnd({ nodeId }: SimHost, run: SimRun | undefined): void {
    const reason = run?.ended;
    if (reason === undefined) return;
    const expected =
      reason.code === "node_fenced" ||
      reason.code === "node_id_in_use" ||
      reason.code === "node_removing" ||
      isHonestFailure(reason, this.#damaged);
    if (!expected) this.#violations.push(`${nodeId} ended with ${reason.code}: ${reason.message}`);
  }

  async #writeOn(client: number): Promise<void> {
    const { world } = this;
    const ingesters = this.#cluster.hosts.slice(0, 2);
    let token: string | undefined;
    while (!this.#calm) {
      await world.sleep(world.below(400));
      const host = ingesters[world.chance(0.8) ? client : 1 - client] as SimHost;
      const tokens = token !== undefined && world.chance(0.5) ? [token] : [];
      if (host.node !== undefined) token = (await this.#write(host, host.node, tokens)) ?? token;
    }
  }

  /** One write, answers its token when it was acknowledged. */
  async #write(host: SimHost, node: Node, tokens: readonly string[]): Promise<string | undefined> {
    const { world } = this;
    const database = world.chance(0.15) ? DROPPED_DATABASE : DATABASE;
    const lines = Array.from({ length: 1 + world.below(3) }, () =>
      database === DATABASE ? this.#workload.line() : this.#workload.droppedLine(),
    );
    const body = utf8(lines.map(({ text }) => text).join("\n"));
    const rest = { precision: "nanosecond", acceptPartial: true, sync: true, tokens } as const;
    const sentAt = this.#deletions.tick();
    const outcome = await this.#attempt(() =>
      node.write({ database, body, ...rest }, new AbortController().signal),
    );
    if (outcome?.token === undefined) {
      this.#work.unclear += 1;
      return undefined;
    }
    this.#work.acknowledged += 1;
    const token = parseWriteToken(outcome.token);
    for (const brought of tokens)
      if (token.stamp <= parseWriteToken(brought).stamp)
        this.#violations.push(`P5: a write is not ordered after the token it brought`);
    const answer = { token, sentAt, answeredAt: this.#deletions.tick() };
    if (outcome.rejectedCount === 0)
      for (const line of lines)
        this.#acknowledged.push({ ...line, ...answer, nodeId: host.nodeId, node });
    return outcome.token;
  }

  async #dropOn(): Promise<void> {
    const { world } = this;
    while (!this.#calm) {
      await world.sleep(3_000 + world.below(9_000));
      const { node } = this.#cluster.hosts[world.below(3)] as SimHost;
      if (node === undefined) continue;
      const times = { nowNs: 1n, hardDeleteAtNs: world.chance(0.5) ? 0n : undefined };
      const scope = world.chance(0.5) ? "tables" : "rows";
      const drop = world.chance(0.5)
        ? (catalog: Catalog) => catalog.dropDatabase(DROPPED_DATABASE, times)
        : (catalog: Catalog) =>
            catalog.change((state) => dropTables(state, DROPPED_DATABASE, scope, times));
      await this.#attempt(() =>
        node.changeSchema(DROPPED_DATABASE, drop).catch((error: unknown) => {
          if (!isKind(error, "not_found")) throw error;
        }),
      );
    }
  }

  async #readOn(): Promise<void> {
    const { world } = this;
    while (!this.#calm) {
      await world.sleep(world.below(700));
      const host = this.#cluster.hosts[world.below(3)] as SimHost;
      const { node } = host;
      if (node === undefined) continue;
      const recent = this.#acknowledged.at(-1 - world.below(5));
      const tokens = recent !== undefined && world.chance(0.4) ? [recent.token] : [];
      await this.#read(node, tokens, recent?.node === node ? recent.token : undefined);
    }
  }

  /** Reads a table and compares, answers whether it was read; `own` is a write that this node acknowledged before. */
  async #read(node: Node, tokens: readonly WriteToken[], own?: WriteToken): Promise<boolean> {
    const place = this.world.chance(0.15)
      ? { database: DROPPED_DATABASE, table: "m" }
      : { database: DATABASE, table: this.#workload.table() };
    const version = this.#deletions.inForceAt(node);
    const answer = await this.#attempt(() =>
      readAndCompare(node, this.#truth, { ...place, tokens }),
    );
    if (answer === undefined) return false;
    this.#work.reads += 1;
    this.#violations.push(...answer.problems);
    if (answer.view.catalog.position < version)
      this.#violations.push(`P7: a view is of before a delete that its node has answered`);
    for (const token of own === undefined ? tokens : [...tokens, own])
      if (answer.view.positionOf(token.node) < token.position)
        this.#violations.push(
          `P4: a view ends below entry ${token.position} of node ${token.node}`,
        );
    return true;
  }

  /** What a client gets: the answer, or undefined for an honest failure and for silence. */
  async #attempt<T>(call: () => Promise<T>): Promise<T | undefined> {
    const silence = this.world.sleep(CLIENT_TIMEOUT_MS).then(() => undefined);
    try {
      return await Promise.race([call(), silence]);
    } catch (error) {
      if (isHonestFailure(error, this.#damaged)) return undefined;
      const code = error instanceof DbError ? error.code : "not ours";
      this.#violations.push(`a request failed with ${code}: ${String(error)}`);
      return undefined;
    }
  }

  /** No more faults: those that run come to see what was acknowledged, without being started anew. */
  async #calmLook(): Promise<void> {
    await this.world.sleep(CALM_MS);
    const tokens = this.#lastTokens();
    for (const { node, nodeId } of this.#cluster.hosts)
      if (node !== undefined && !(await this.#read(node, tokens)))
        this.#violations.push(
          `P4: ${nodeId} does not get to the last writes although nothing fails`,
        );
    this.#checkOffice();
    const fresh = new Freshness(this.#cluster, (host, node) => this.#write(host, node, []));
    this.#violations.push(...(await fresh.check()));
  }

  /** No more faults: of those that may, one is in office, and nobody else believes to be. */
  #checkOffice(): void {
    const { office } = this.#references.manifest;
    const compactors = this.#cluster.hosts.flatMap(({ node }) => node?.compaction ?? []);
    const terms = compactors.flatMap((compact) => compact.office.term?.epoch ?? []);
    if (compactors.length > 0 && (terms.length !== 1 || terms[0] !== office.epoch))
      this.#violations.push(`terms ${terms.join()} are held, and the newest is ${office.epoch}`);
  }

  /** No more faults: every node comes up, and every one of them has every acknowledged write. */
  async #lastLook(): Promise<void> {
    const { hosts } = this.#cluster;
    for (const host of hosts) host.killAll();
    const late = this.world.sleep(SETTLE_MS_MAX).then(() => undefined);
    const runs = await Promise.race([Promise.all(hosts.map((host) => this.#up(host))), late]);
    if (runs === undefined) {
      this.#violations.push("a node does not start although nothing fails any more");
      return;
    }
    for (const { ended, options } of runs)
      if (ended !== undefined)
        this.#violations.push(`${options.nodeId} does not start: ${ended.code}: ${ended.message}`);
    this.#violations.push(
      ...missingWrites(this.#truth, this.#acknowledged),
      ...this.#deletions.problems(this.#truth, this.#acknowledged),
      ...doubledLines(
        this.#truth,
        hosts.map(({ nodeId }) => nodeId),
      ),
    );
    const tokens = this.#lastTokens();
    for (const { node } of hosts)
      if (node !== undefined) for (let read = 0; read < 2; read++) await this.#read(node, tokens);
    const node = hosts[0]?.node;
    // Else a violation says why it is not up.
    if (node !== undefined) this.#countWork(node);
  }

  /** Starts a process of `host`, again while its node-id is being removed. */
  async #up(host: SimHost): Promise<SimRun> {
    while (true) {
      const run = host.start();
      await run.started;
      if (run.ended?.code !== "node_removing") return run;
      await this.world.sleep(1_000);
    }
  }

  /** The last acknowledged write of each node: whoever has these has all. */
  #lastTokens(): readonly WriteToken[] {
    const last = new Map<number, WriteToken>();
    for (const { token } of this.#acknowledged)
      if (token.position > (last.get(token.node)?.position ?? 0)) last.set(token.node, token);
    return [...last.values()];
  }

  #countWork(node: Node): void {
    const { state } = node.manifest;
    for (const { number } of node.catalog.state.nodes.values())
      this.#work.adopted += adoptedOf(state, number).position;
    const keys = this.#store.history.map(({ key }) => key);
    const entries = new Set(keys.filter((key) => key.includes("/log/entry/")));
    this.#work.entries_deleted = [...entries].filter((key) => !this.#store.objects.has(key)).length;
    this.#work.deletes = this.#deletions.answeredCount;
    this.#work.deletes_finished = this.#truth.deletes.finishedCount;
    this.#work.files_deleted = this.#references.filesDeletedCount;
    this.#work.take_overs = this.#references.manifest.office.epoch;
    this.#work.snapshots = new Set(keys.filter((key) => key.includes("/data/"))).size;
  }
}
