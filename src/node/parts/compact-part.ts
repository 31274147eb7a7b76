import type { Catalog } from "#catalog/catalog.ts";
import type { DatabaseRecord } from "#catalog/catalog-state.ts";
import { Compactor } from "#compaction/compactor.ts";
import { Audit } from "#compaction/garbage/audit.ts";
import { Cleanup } from "#compaction/garbage/cleanup.ts";
import { DroppedTables } from "#compaction/garbage/dropped.ts";
import { FinishedDeletes } from "#compaction/garbage/finished-deletes.ts";
import { Sweep } from "#compaction/garbage/sweep.ts";
import { type Generation, generationsOf } from "#compaction/generations.ts";
import { Adoption } from "#compaction/office/adoption.ts";
import { CompactorOffice } from "#compaction/office/office.ts";
import { compactedDataTable, compactionEventsTable } from "#compaction/system-tables.ts";
import type { Manifest } from "#manifest/manifest.ts";
import type { Engine } from "#ports/engine.ts";
import type { SystemTables } from "#query/query.ts";
import type { LogSource } from "#view/log-source.ts";
import { type NodeConfig, SWEEP_DEFAULTS } from "../config.ts";
import type { NodePorts } from "../ports.ts";
import type { Tasks } from "../tasks.ts";

export interface CompactPartOptions {
  readonly config: NodeConfig;
  readonly ports: NodePorts;
  readonly catalog: Catalog;
  readonly manifest: Manifest;
  readonly engine: Engine;
  readonly tasks: Tasks;
  readonly logs: () => Iterable<LogSource>;
}

/** How often a duty looks whether it has something to do, which asks nothing of the store. */
const CHECK_MS = 500;

/** What a node with mode `compact` has: the office, and the work in it. */
export class CompactPart {
  readonly compactor: Compactor;
  readonly office: CompactorOffice;
  readonly #cleanup: Cleanup;
  readonly #sweep: Sweep;
  readonly #tasks: Tasks;

  constructor({ config, ports, tasks, ...parts }: CompactPartOptions) {
    const { clusterId, compaction, modes } = config;
    const { clock, log, onFile, random, store, transport } = ports;
    const settings = config.sweep ?? SWEEP_DEFAULTS;
    const audit = new Audit({ clusterId, store, clock, retentionMs: settings.auditRetentionMs });
    const shared = { ...parts, clusterId, store, clock, random, log, transport, audit };
    // Whoever answers queries reads the files soon.
    const seed = onFile && modes.includes("query") ? { onFile } : {};
    this.#tasks = tasks;
    this.compactor = new Compactor({ ...shared, ...seed, settings: compaction });
    this.#cleanup = new Cleanup({ ...shared, waitMs: compaction.cleanupWaitMs });
    this.#sweep = new Sweep({ ...shared, settings });
    this.office = new CompactorOffice({
      ...shared,
      checkIntervalMs: CHECK_MS,
      duties: {
        adopt: new Adoption(shared),
        compact: this.compactor,
        erase: new DroppedTables(shared),
        deletes: new FinishedDeletes(shared),
        cleanup: this.#cleanup,
        sweep: this.#sweep,
      },
    });
  }

  /** Files that this process has deleted in the compactor's office. */
  get deletedCounts(): { readonly cleanup: number; readonly sweep: number } {
    return { cleanup: this.#cleanup.deletedCount, sweep: this.#sweep.deletedCount };
  }

  start(): void {
    this.#tasks.add("compactor's office", (signal) => this.office.run(signal));
    this.#tasks.add("replaced files", (signal) => this.#cleanup.watch(signal));
  }
}

/** What any node tells of compaction; `part` is what it has of it itself. */
export function compactionTables(
  config: Pick<NodeConfig, "compaction">,
  part: CompactPart | undefined,
): SystemTables {
  const { gen2DurationMs, multipliers } = config.compaction;
  const generations: readonly Generation[] = generationsOf(gen2DurationMs, multipliers);
  return {
    names: ["compaction_events", "compacted_data"],
    find: (name, { catalog, manifest }, database) => {
      switch (name) {
        case "compaction_events":
          return compactionEventsTable(part?.compactor.history.events ?? []);
        case "compacted_data":
          return compactedDataTable(shownOf(catalog.databases, database), manifest, generations);
        default:
          return undefined;
      }
    },
  };
}

/** The database that is asked; all that are not dropped where it is the one of the cluster's own tables. */
function shownOf(
  databases: ReadonlyMap<unknown, DatabaseRecord>,
  asked: DatabaseRecord | undefined,
): readonly DatabaseRecord[] {
  if (asked !== undefined) return [asked];
  return [...databases.values()].filter(({ dropped }) => dropped === undefined);
}
