import { DbError } from "#base/errors.ts";
import type { DatabaseId, NodeNumber, Position } from "#model/ids.ts";
import { NODE_NUMBER_MAX } from "#model/stamp.ts";
import { FORMAT_LEVEL } from "#objectlog/envelope.ts";
import { ObjectLog, type ObjectLogPorts } from "#objectlog/object-log.ts";
import { NEEDS_NOTHING, type Needs } from "#objectlog/record.ts";
import { SharedLog, type SharedLogOptions, type Writer } from "#objectlog/shared-log.ts";
import { catalogMachine } from "./catalog-machine.ts";
import {
  type CatalogState,
  type DatabaseRecord,
  findDatabase,
  findNode,
  findRemovedNode,
  type NodeRecord,
  type SchemaMode,
} from "./catalog-state.ts";
import type { CatalogChange } from "./changes.ts";
import { forgottenWith } from "./v1/forget.ts";

/** What a node says of itself when it starts. */
export interface Registration {
  readonly nodeId: string;
  readonly instanceId: string;
  readonly modes: readonly string[];
  readonly address: string;
  readonly coreCount: number;
  readonly hasLog: boolean;
  readonly cliParams?: string | undefined;
}

export interface CatalogLimits {
  readonly databaseCountMax: number;
}

/** When something is dropped, and when its files may go; undefined: never. */
export interface DropTimes {
  readonly nowNs: bigint;
  readonly hardDeleteAtNs: bigint | undefined;
}

const NOBODY: Writer = { node: 0 as NodeNumber, epoch: 0 };

/** The catalog as this process sees it, and the way to change it: linearizable over all nodes (promise 9). */
export class Catalog {
  readonly #shared: SharedLog<CatalogState>;
  #writer: Writer = NOBODY;

  constructor(
    clusterId: string,
    ports: ObjectLogPorts,
    signal: AbortSignal,
    options: SharedLogOptions = {},
  ) {
    const log = new ObjectLog(catalogPrefix(clusterId), ports);
    this.#shared = new SharedLog(log, catalogMachine, signal, options);
  }

  /** The newest version this process has read. */
  get state(): CatalogState {
    return this.#shared.state;
  }

  get changed() {
    return this.#shared.changed;
  }

  /** By the monotonic clock: everything that stood in the log then is in the state. */
  get wholeMs(): number {
    return this.#shared.wholeMs;
  }

  /** This node in this epoch; node 0 before `register`. */
  get writer(): Writer {
    return this.#writer;
  }

  refresh(): Promise<CatalogState> {
    return this.#shared.refresh();
  }

  /** Writes the checkpoint that falls to this process, if one does. */
  keep(): Promise<void> {
    return this.#shared.keep(this.#writer);
  }

  reach(version: Position): Promise<CatalogState> {
    return this.#shared.reach(version);
  }

  /**
   * Commits the changes that `decide` makes of the newest state, decided again after every lost race. No changes commit nothing.
   * Rejects with what `decide` throws, or `conflict` / `node_fenced`.
   */
  transact(
    decide: (state: CatalogState) => readonly CatalogChange[],
    needs: Needs = NEEDS_NOTHING,
  ): Promise<CatalogState> {
    return this.#shared.transact(
      () => this.#writer,
      (state) => {
        const changes = decide(state);
        if (changes.length === 0) return undefined;
        const payload = new Uint8Array(0);
        return { kind: "transaction", ...this.#writer, needs, body: { changes }, payload };
      },
    );
  }

  /** As `transact`, on a state read anew: a node that has not heard of what is asked for refuses nothing for that. */
  async change(decide: (state: CatalogState) => readonly CatalogChange[]): Promise<CatalogState> {
    await this.refresh();
    return this.transact(decide);
  }

  /** Creates the cluster in an empty store. `identity` are its secrets, made by the caller. */
  async createCluster(identity: { uuid: string; secret: string }): Promise<void> {
    await this.transact((state) =>
      state.cluster === undefined ? [{ kind: "create_cluster", ...identity }] : [],
    );
  }

  /**
   * Takes the next epoch of the node-id. From then on, this catalog writes in its name.
   * Rejects with `conflict` / `node_removing` while the node-id is being removed.
   */
  async register(registration: Registration, nowNs: () => bigint): Promise<NodeRecord> {
    const state = await this.transact((current) => [
      { kind: "register_node", node: registeredNode(current, registration, nowNs()) },
    ]);
    const node = findNode(state, registration.nodeId);
    if (node === undefined) throw new DbError("internal", "assertion_failed", "registered");
    this.#writer = { node: node.number, epoch: node.epoch };
    return node;
  }

  async setNodeState(state: NodeRecord["state"], nowNs: bigint): Promise<void> {
    const { node: number, epoch } = this.#writer;
    await this.transact((current) => {
      const node = current.nodes.get(number);
      if (node === undefined || node.epoch !== epoch || node.state === state) return [];
      if (node.state === "removing") return [];
      return [{ kind: "set_node_state", number, state, updatedAtNs: nowNs }];
    });
  }

  /** Rejects with `conflict` / `database_exists` or `exceeded` / `database_limit`. */
  async createDatabase(
    name: string,
    retentionNs: bigint | undefined,
    limits: CatalogLimits,
    schemaMode: SchemaMode = "implicit",
  ): Promise<void> {
    await this.change((state) => {
      if (findDatabase(state, name) !== undefined) {
        throw new DbError(
          "conflict",
          "database_exists",
          "attempted to create a resource that already exists",
          { detail: { database: name } },
        );
      }
      return [newDatabase(state, { name, retentionNs, schemaMode }, limits)];
    });
  }

  /**
   * Changes how long rows of the database are kept; undefined: for ever.
   * Rejects with `not_found` / `database_not_found`.
   */
  async setRetention(name: string, retentionNs: bigint | undefined): Promise<void> {
    await this.change((state) => {
      const database = requireDatabase(state, name);
      if (database.retentionNs === retentionNs) return [];
      return [{ kind: "set_retention", id: database.id, retentionNs }];
    });
  }

  /**
   * Drops the database: it is gone at once, its rows stay in the store until `hardDeleteAtNs` (undefined: for ever).
   * Rejects with `not_found` / `database_not_found`.
   */
  async dropDatabase(name: string, times: DropTimes): Promise<void> {
    await this.change((state) => {
      const { id } = requireDatabase(state, name);
      const { nowNs: atNs, hardDeleteAtNs } = times;
      const droppedName = nameOfDropped(name, id, atNs);
      const dropped = { kind: "drop_database", id, droppedName, atNs, hardDeleteAtNs } as const;
      return [dropped, ...forgottenWith(state, [name])];
    });
  }
}

/** The change that creates a database; throws `exceeded` / `database_limit`. */
export function newDatabase(
  state: CatalogState,
  {
    name,
    retentionNs,
    schemaMode = "implicit",
  }: { name: string; retentionNs: bigint | undefined; schemaMode?: SchemaMode },
  { databaseCountMax }: CatalogLimits,
): CatalogChange & { readonly id: DatabaseId } {
  if (state.databaseIds.size >= databaseCountMax) {
    throw new DbError(
      "exceeded",
      "database_limit",
      `Adding a new database would exceed limit of ${databaseCountMax} databases`,
      { detail: { databaseCountMax } },
    );
  }
  return {
    kind: "create_database",
    id: state.nextDatabaseId,
    name,
    retentionNs,
    ...(schemaMode === "explicit" && { schemaMode }),
  };
}

/** Throws `not_found` / `database_not_found`. */
export function requireDatabase(state: CatalogState, name: string): DatabaseRecord {
  const database = findDatabase(state, name);
  if (database === undefined) throw databaseNotFound(name);
  return database;
}

/** The name of a dropped database or table: its own one is free for others. */
export function nameOfDropped(name: string, id: number, atNs: bigint): string {
  return `${name}-${timeSuffix(atNs)}-${id}`;
}

export function databaseNotFound(name: string): DbError {
  return new DbError("not_found", "database_not_found", `database not found: ${name}`, {
    detail: { database: name },
  });
}

const NEVER_STARTED = { number: undefined, epoch: 0, hasLog: false } as const;

function registeredNode(
  state: CatalogState,
  registration: Registration,
  nowNs: bigint,
): NodeRecord {
  const known = findNode(state, registration.nodeId);
  if (known?.state === "removing") throw nodeRemoving(registration.nodeId);
  // A node-id that was removed goes on with its number and epochs, as another instance.
  const before = known ?? findRemovedNode(state, registration.nodeId) ?? NEVER_STARTED;
  const number = before.number ?? state.nextNodeNumber;
  if (number > NODE_NUMBER_MAX) {
    throw new DbError(
      "exceeded",
      "node_limit",
      `a cluster has at most ${NODE_NUMBER_MAX} node-ids in its life: use the id of a node that is gone`,
      { detail: { nodeNumberMax: NODE_NUMBER_MAX } },
    );
  }
  return {
    ...registration,
    number,
    instanceId: known?.instanceId ?? registration.instanceId,
    state: "running",
    epoch: before.epoch + 1,
    formatLevel: FORMAT_LEVEL,
    hasLog: registration.hasLog || before.hasLog,
    updatedAtNs: nowNs,
  };
}

function nodeRemoving(nodeId: string): DbError {
  return new DbError(
    "conflict",
    "node_removing",
    `node-id ${nodeId} is being removed: wait until it is gone from system.nodes, or choose another --node-id`,
    { detail: { nodeId } },
  );
}

/** `20261121T214256`, UTC. */
function timeSuffix(nowNs: bigint): string {
  const iso = new Date(Number(nowNs / 1_000_000n)).toISOString();
  return iso.slice(0, 19).replaceAll(/[-:]/g, "");
}

/** Where the catalog of a cluster stands in the store. */
export function catalogPrefix(clusterId: string): string {
  return `${clusterId}/catalog/`;
}
