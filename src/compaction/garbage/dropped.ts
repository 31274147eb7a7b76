import type { CatalogState, DropRecord } from "#catalog/catalog-state.ts";
import { type ManifestState, REPLACED_KEYS_MAX } from "#manifest/manifest-state.ts";
import type { TableId } from "#model/ids.ts";
import type { Writer } from "#objectlog/shared-log.ts";
import type { Clock } from "#ports/clock.ts";
import type { Log } from "#ports/log.ts";
import type { Duty } from "../office/duty.ts";
import { type PlanContent, type PlanLogs, publishPlan } from "../office/publish-plan.ts";

export interface DroppedTablesOptions extends PlanLogs {
  readonly clock: Clock;
  readonly log: Log;
}

/** Files that one entry takes out of the manifest. */
const INPUTS_MAX = 10_000;
/** The manifest forgets the oldest of too many: while so many wait to be deleted, no more are added. Half is left to compaction. */
const WAITING_MAX = REPLACED_KEYS_MAX / 2;

/**
 * Takes the files of dropped databases and tables out of the manifest when their time has come; from there they go as replaced ones do.
 *
 * The entry needs the catalog that it was decided with: a change that gives a database back, and its barrier, make it be decided anew
 * (rule 7).
 */
export class DroppedTables implements Duty {
  readonly #options: DroppedTablesOptions;

  constructor(options: DroppedTablesOptions) {
    this.#options = options;
  }

  async step(office: Writer): Promise<boolean> {
    const { catalog, clock, log, manifest } = this.#options;
    const nowNs = clock.nowNs();
    if (planErase(manifest.state, catalog.state, nowNs) === undefined) return false;
    const published = await publishPlan(this.#options, office, (newest, known) =>
      planErase(newest, known, nowNs),
    );
    if (published) log.info("took files of dropped databases and tables out of the manifest");
    return published;
  }
}

function planErase(
  manifest: ManifestState,
  catalog: CatalogState,
  nowNs: bigint,
): PlanContent | undefined {
  const waitingCount = manifest.replaced.reduce((sum, { keys }) => sum + keys.length, 0);
  const countMax = Math.min(INPUTS_MAX, WAITING_MAX - waitingCount);
  const inputs: string[] = [];
  for (const tableId of erasableTables(catalog, nowNs))
    for (const { file } of manifest.files.ofTable(tableId))
      if (inputs.length < countMax) inputs.push(file.key);
  return inputs.length === 0 ? undefined : { kind: "replace", body: { inputs, outputs: [] } };
}

/** Tables that were dropped, or whose database was, and whose rows need not be kept any longer. */
function* erasableTables({ databases }: CatalogState, nowNs: bigint): Generator<TableId> {
  for (const { dropped, droppedTables, tables } of databases.values()) {
    const isGone = isDue(dropped, nowNs);
    if (isGone) yield* tables.keys();
    for (const [id, table] of droppedTables) if (isGone || isDue(table.dropped, nowNs)) yield id;
  }
}

function isDue(dropped: DropRecord | undefined, nowNs: bigint): boolean {
  return dropped?.hardDeleteAtNs !== undefined && dropped.hardDeleteAtNs <= nowNs;
}
