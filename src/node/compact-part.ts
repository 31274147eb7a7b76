import type { Catalog } from "#catalog/catalog.ts";
import { Adoption } from "#compaction/adoption.ts";
import { Audit } from "#compaction/garbage/audit.ts";
import { Cleanup } from "#compaction/garbage/cleanup.ts";
import { DroppedTables } from "#compaction/garbage/dropped.ts";
import { Sweep } from "#compaction/garbage/sweep.ts";
import { CompactorOffice } from "#compaction/office.ts";
import type { Manifest } from "#manifest/manifest.ts";
import type { LogSource } from "#view/log-source.ts";
import { type NodeConfig, SWEEP_DEFAULTS } from "./config.ts";
import type { NodePorts } from "./ports.ts";
import type { Tasks } from "./tasks.ts";

export interface CompactPartOptions {
  readonly config: NodeConfig;
  readonly ports: NodePorts;
  readonly catalog: Catalog;
  readonly manifest: Manifest;
  /** The node logs that this process reads. */
  readonly logs: () => Iterable<LogSource>;
  readonly tasks: Tasks;
}

/** How often a duty looks whether it has something to do, which asks nothing of the store. */
const CHECK_MS = 500;

/** What a node with mode `compact` has: the compactor's office, and what is done there. */
export class CompactPart {
  readonly office: CompactorOffice;
  readonly #cleanup: Cleanup;
  readonly #sweep: Sweep;

  constructor({ catalog, config, logs, manifest, ports, tasks }: CompactPartOptions) {
    const { clock, log, store, transport } = ports;
    const { clusterId } = config;
    const settings = config.sweep ?? SWEEP_DEFAULTS;
    const audit = new Audit({ clusterId, store, clock, retentionMs: settings.auditRetentionMs });
    const shared = { clusterId, catalog, manifest, logs, store, clock, log, audit };
    this.#cleanup = new Cleanup({ ...shared, waitMs: config.compaction.cleanupWaitMs });
    this.#sweep = new Sweep({ ...shared, settings });
    this.office = new CompactorOffice({
      ...shared,
      transport,
      checkIntervalMs: CHECK_MS,
      duties: {
        adopt: new Adoption(shared),
        erase: new DroppedTables(shared),
        cleanup: this.#cleanup,
        sweep: this.#sweep,
      },
    });
    tasks.add("compactor's office", (signal) => this.office.run(signal));
    tasks.add("replaced files", (signal) => this.#cleanup.watch(signal));
  }

  /** Files that this process has deleted in the compactor's office. */
  get deletedCounts(): { readonly cleanup: number; readonly sweep: number } {
    return { cleanup: this.#cleanup.deletedCount, sweep: this.#sweep.deletedCount };
  }
}
