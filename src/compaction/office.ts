import { describeError, isKind } from "#base/errors.ts";
import type { Catalog } from "#catalog/catalog.ts";
import type { Manifest, OfficePlan } from "#manifest/manifest.ts";
import { adoptedOf, type ManifestState } from "#manifest/manifest-state.ts";
import type { Writer } from "#objectlog/shared-log.ts";
import type { Clock } from "#ports/clock.ts";
import type { Log } from "#ports/log.ts";
import type { LogSource } from "#view/log-source.ts";
import type { Compactor } from "./compactor.ts";

export interface OfficeOptions {
  readonly catalog: Catalog;
  readonly manifest: Manifest;
  /** The node logs that this process reads. */
  readonly logs: () => Iterable<LogSource>;
  readonly clock: Clock;
  readonly log: Log;
  readonly checkIntervalMs: number;
  /** Compacts the files of the manifest, beside the taking over of new ones. */
  readonly compactor?: Compactor;
}

/**
 * The compactor in office: takes over the files of snapshots into the manifest, and compacts them.
 *
 * Several nodes may believe that they are in office; entries are put if absent on the state they were decided on, so they cannot harm.
 */
export class CompactorOffice {
  readonly #options: OfficeOptions;

  constructor(options: OfficeOptions) {
    this.#options = options;
  }

  /** Takes the office and works in it until `signal` is aborted; while somebody else is in it, waits until that node has stopped. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, checkIntervalMs, log } = this.#options;
    let office: Writer | undefined;
    let waits = false;
    while (!signal.aborted) {
      try {
        waits &&= !this.#isVacant();
        if (!waits) office = await this.#work(office, signal);
      } catch (error) {
        if (signal.aborted) return;
        if (isKind(error, "internal")) throw error;
        office = undefined;
        waits = isKind(error, "conflict") && error.code === "node_fenced";
        log.warn(
          waits
            ? "another node has taken over compaction"
            : "compaction failed and will be tried again",
          { reason: describeError(error) },
        );
      }
      await clock.sleep(checkIntervalMs, signal).catch(() => undefined);
    }
  }

  /** Takes the office where this process does not hold it, and does what is due; answers the term. */
  async #work(held: Writer | undefined, signal: AbortSignal): Promise<Writer> {
    const { compactor, manifest } = this.#options;
    const office = held ?? (await manifest.takeOver());
    for (let more = true; more; ) {
      await this.#adopt(office);
      // One plan at a time, so that new snapshots need not wait for all.
      more = (await compactor?.step(office, signal)) ?? false;
    }
    return office;
  }

  async #adopt(office: Writer): Promise<void> {
    try {
      await this.adoptSnapshots(office);
    } catch (error) {
      // A plan that knew too little of the catalog is made anew in the next round.
      if (!(isKind(error, "conflict") && error.code === "plan_stale")) throw error;
    }
  }

  /** Whether the node that took the office last does not run, or no longer compacts. A courtesy: two at once would do no harm. */
  #isVacant(): boolean {
    const { catalog, manifest } = this.#options;
    const holder = catalog.state.nodes.get(manifest.state.office.node);
    return holder?.state !== "running" || !holder.modes.includes("compact");
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
