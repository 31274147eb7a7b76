import { adoptedOf, type ManifestState } from "#manifest/manifest-state.ts";
import type { NodeNumber } from "#model/ids.ts";
import type { NodeLogState } from "#nodelog/node-log-state.ts";
import type { Writer } from "#objectlog/shared-log.ts";
import type { LogSource } from "#view/log-source.ts";
import type { Duty } from "./duty.ts";
import { type PlanContent, type PlanLogs, publishPlan } from "./publish-plan.ts";

export interface AdoptionOptions extends PlanLogs {
  /** The node logs that this process reads. */
  readonly logs: () => Iterable<LogSource>;
}

/** Takes over the files of snapshots into the manifest: one entry for each node log that has some above `adopted`. */
export class Adoption implements Duty {
  readonly #options: AdoptionOptions;

  constructor(options: AdoptionOptions) {
    this.#options = options;
  }

  /** Where no log has anything new, it asks nothing of the store. */
  async step(office: Writer): Promise<boolean> {
    const { catalog, logs, manifest } = this.#options;
    let published = false;
    for (const source of logs()) {
      // One state from here on: a later one may need more of the catalog than is read below.
      const { node, state } = source;
      if (planAdopt(node, state, manifest.state) === undefined) continue;
      await manifest.reach(state.needs.manifest);
      await catalog.reach(state.needs.catalog);
      if (await publishPlan(this.#options, office, (newest) => planAdopt(node, state, newest)))
        published = true;
    }
    return published;
  }
}

function planAdopt(
  node: NodeNumber,
  state: NodeLogState,
  manifest: ManifestState,
): PlanContent | undefined {
  const adopted = adoptedOf(manifest, node).position;
  const snapshots = state.snapshots.filter(({ through }) => through > adopted);
  const last = snapshots.at(-1);
  if (last === undefined) return undefined;
  const files = snapshots.flatMap((snapshot) => snapshot.files);
  const { through, stamp } = last;
  return { kind: "adopt", body: { node, through, stamp, files } };
}
