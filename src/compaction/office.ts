import { isKind } from "#base/errors.ts";
import type { Catalog } from "#catalog/catalog.ts";
import type { Manifest, OfficePlan } from "#manifest/manifest.ts";
import { adoptedOf, type ManifestState } from "#manifest/manifest-state.ts";
import type { Writer } from "#objectlog/shared-log.ts";
import type { Clock } from "#ports/clock.ts";
import type { Log } from "#ports/log.ts";
import type { LogSource } from "#view/log-source.ts";

export interface OfficeOptions {
  readonly catalog: Catalog;
  readonly manifest: Manifest;
  /** The node logs that this process reads. */
  readonly logs: () => Iterable<LogSource>;
  readonly clock: Clock;
  readonly log: Log;
  readonly checkIntervalMs: number;
}

/**
 * The compactor in office: takes over the files of snapshots into the manifest. Compaction itself will stand beside this.
 *
 * Several nodes may believe that they are in office; entries are put if absent on the state they were decided on, so they cannot harm.
 */
export class CompactorOffice {
  readonly #options: OfficeOptions;

  constructor(options: OfficeOptions) {
    this.#options = options;
  }

  /** Takes the office and works in it until `signal` is aborted or somebody else takes over. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, checkIntervalMs, log, manifest } = this.#options;
    let office: Writer | undefined;
    while (!signal.aborted) {
      try {
        office ??= await manifest.takeOver();
        await this.adoptSnapshots(office);
      } catch (error) {
        if (signal.aborted) return;
        if (isKind(error, "conflict") && error.code === "node_fenced") {
          log.warn("another node has taken over compaction", error.detail);
          return;
        }
        // A plan that knew too little of the catalog is made anew in the next round.
        if (isKind(error, "conflict") && error.code === "plan_stale") continue;
        log.warn("compaction failed and will be tried again", { reason: String(error) });
      }
      await clock.sleep(checkIntervalMs, signal).catch(() => undefined);
    }
  }

  /** Publishes one entry for each node log that has snapshots above `adopted`. */
  async adoptSnapshots(office: Writer): Promise<void> {
    const { catalog, logs, manifest } = this.#options;
    await manifest.refresh();
    for (const source of logs()) {
      const { snapshots, needs } = source.state;
      if (snapshots.length === 0) continue;
      await manifest.reach(needs.manifest);
      await catalog.reach(Math.max(needs.catalog, manifest.state.needs.catalog));
      const version = catalog.state.position;
      await manifest.publish(office, (current) => planAdopt(source, current, version));
    }
  }
}

function planAdopt(
  { node, state }: LogSource,
  manifest: ManifestState,
  catalogVersion: number,
): OfficePlan | undefined {
  const adopted = adoptedOf(manifest, node).position;
  const snapshots = state.snapshots.filter(({ through }) => through > adopted);
  const last = snapshots.at(-1);
  if (last === undefined) return undefined;
  const files = snapshots.flatMap((snapshot) => snapshot.files);
  const body = { node, through: last.through, stamp: last.stamp, files };
  return { kind: "adopt", body, needs: { catalog: catalogVersion, manifest: 0 } };
}
