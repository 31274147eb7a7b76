import type { Catalog } from "#catalog/catalog.ts";
import type { DatabaseRecord } from "#catalog/catalog-state.ts";
import { Compactor } from "#compaction/compactor.ts";
import { type Generation, generationsOf } from "#compaction/generations.ts";
import { CompactorOffice } from "#compaction/office.ts";
import { compactedDataTable, compactionEventsTable } from "#compaction/system-tables.ts";
import type { Manifest } from "#manifest/manifest.ts";
import type { Engine } from "#ports/engine.ts";
import type { SystemTables } from "#query/query.ts";
import type { LogSource } from "#view/log-source.ts";
import type { NodeConfig } from "./config.ts";
import type { NodePorts } from "./ports.ts";
import type { Tasks } from "./tasks.ts";

export interface CompactPartOptions {
  readonly config: NodeConfig;
  readonly ports: NodePorts;
  readonly catalog: Catalog;
  readonly manifest: Manifest;
  readonly engine: Engine;
  readonly tasks: Tasks;
  readonly logs: () => Iterable<LogSource>;
}

const ADOPT_CHECK_MS = 500;

/** What a node with mode `compact` has: the office, and the work in it. */
export class CompactPart {
  readonly compactor: Compactor;
  readonly #options: CompactPartOptions;

  constructor(options: CompactPartOptions) {
    const { catalog, config, engine, manifest, ports } = options;
    const { clock, log, onFile, random, store } = ports;
    this.#options = options;
    this.compactor = new Compactor({
      clusterId: config.clusterId,
      catalog,
      manifest,
      engine,
      store,
      clock,
      random,
      log,
      settings: config.compaction,
      // Whoever answers queries reads them soon.
      ...(onFile && config.modes.includes("query") && { onFile }),
    });
  }

  start(): void {
    const { catalog, logs, manifest, ports, tasks } = this.#options;
    const { clock, log } = ports;
    const { compactor } = this;
    const checkIntervalMs = ADOPT_CHECK_MS;
    const options = { catalog, manifest, logs, clock, log, checkIntervalMs, compactor };
    const office = new CompactorOffice(options);
    tasks.add("compactor's office", (signal) => office.run(signal));
  }
}

/** What any node tells of compaction; `part` is what it has of it itself. */
export function compactionTables(
  config: Pick<NodeConfig, "compaction">,
  part: CompactPart | undefined,
): SystemTables {
  const { gen2DurationMs, multipliers } = config.compaction;
  const generations: readonly Generation[] = generationsOf(gen2DurationMs, multipliers);
  return (name, { catalog, manifest }, database) => {
    switch (name) {
      case "compaction_events":
        return compactionEventsTable(part?.compactor.history.events ?? []);
      case "compacted_data":
        return compactedDataTable(shownOf(catalog.databases, database), manifest, generations);
      default:
        return undefined;
    }
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
