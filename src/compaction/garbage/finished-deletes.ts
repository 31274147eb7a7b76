import type { Catalog } from "#catalog/catalog.ts";
import type { DeleteChange, DeleteState } from "#catalog/deletes.ts";
import type { Manifest } from "#manifest/manifest.ts";
import { adoptedOf, type ManifestState } from "#manifest/manifest-state.ts";
import type { RowDeleteId, TableId } from "#model/ids.ts";
import { mayCoverFile, type RowDelete } from "#model/row-delete.ts";
import type { Log } from "#ports/log.ts";
import type { Duty } from "../office/duty.ts";

export interface FinishedDeletesOptions {
  readonly catalog: Catalog;
  readonly manifest: Manifest;
  readonly log: Log;
}

/** Each may ask of all files of a table. */
const LOOKED_AT_MAX = 100;

/**
 * Takes deletes of rows out of the catalog that cover nothing any more: all that they may cover is in files, and those were written
 * without it. What is so in one state of the manifest is so in all later ones, so the change names that state, and no view has an earlier
 * one with it (docs/decisions/0022-row-deletes.md).
 */
export class FinishedDeletes implements Duty {
  readonly #options: FinishedDeletesOptions;
  /** What was looked through, and how far. */
  #deletes: DeleteState["deletes"] | undefined;
  #manifest: ManifestState | undefined;
  #lookedCount = 0;

  constructor(options: FinishedDeletesOptions) {
    this.#options = options;
  }

  async step(): Promise<boolean> {
    const { catalog, log, manifest } = this.#options;
    const { deletes } = catalog.state;
    const { state } = manifest;
    if (this.#deletes !== deletes || this.#manifest !== state) this.#lookedCount = 0;
    this.#deletes = deletes;
    this.#manifest = state;
    const all = [...deletes.values()].flat();
    const some = all.slice(this.#lookedCount, this.#lookedCount + LOOKED_AT_MAX);
    if (some.length === 0) return false;
    this.#lookedCount += some.length;
    const finished = new Set(some.filter((one) => isFinished(one, state)).map(({ id }) => id));
    if (finished.size === 0) return true;
    const needs = { catalog: 0, manifest: state.position };
    await catalog.transact((current) => forget(current, finished), needs);
    log.debug("deletes of rows are carried out", { deleteCount: finished.size });
    return true;
  }
}

function isFinished(one: RowDelete, manifest: ManifestState): boolean {
  return (
    one.cuts.every(({ node, stamp }) => adoptedOf(manifest, node).stamp >= stamp) &&
    !manifest.files
      .overlapping(one.tableId, one.time)
      .some(({ file, stampAbove }) => mayCoverFile(one, file, stampAbove))
  );
}

/** Somebody else may have forgotten some of them already. */
function forget({ deletes }: DeleteState, finished: ReadonlySet<RowDeleteId>): DeleteChange[] {
  return [...deletes].flatMap(([tableId, list]: [TableId, readonly RowDelete[]]) => {
    const ids = list.map(({ id }) => id).filter((id) => finished.has(id));
    return ids.length === 0 ? [] : [{ kind: "forget_deletes" as const, tableId, ids }];
  });
}
