import type { Catalog } from "#catalog/catalog.ts";
import type { DeleteChange, DeleteState } from "#catalog/deletes.ts";
import type { Manifest } from "#manifest/manifest.ts";
import { adoptedOf, type ManifestState } from "#manifest/manifest-state.ts";
import type { RowDeleteId, TableId } from "#model/ids.ts";
import { mayCoverFile, type RowDelete } from "#model/row-delete.ts";
import type { Clock } from "#ports/clock.ts";
import type { Log } from "#ports/log.ts";
import type { Duty } from "../office/duty.ts";

export interface FinishedDeletesOptions {
  readonly catalog: Catalog;
  readonly manifest: Manifest;
  readonly clock: Clock;
  readonly log: Log;
}

/** In one step: each may ask of all files of a table. */
const LOOKED_AT_MAX = 20;
/** The logs may move much faster than files are written anew: all deletes are not looked through more often. */
const LOOK_MS = 2_000;

/**
 * Takes deletes of rows out of the catalog that cover nothing any more: all that they may cover is in files, and those were written
 * without it. What is so in one state of the manifest is so in all later ones, so the change names that state, and no view has an earlier
 * one with it (docs/decisions/0022-row-deletes.md).
 */
export class FinishedDeletes implements Duty {
  readonly #options: FinishedDeletesOptions;
  /** Those that are still to be looked at, and what was there when they were chosen. */
  #queue: readonly RowDelete[] = [];
  #deletes: DeleteState["deletes"] | undefined;
  #manifest: ManifestState | undefined;
  #beganMs = Number.NEGATIVE_INFINITY;

  constructor(options: FinishedDeletesOptions) {
    this.#options = options;
  }

  async step(): Promise<boolean> {
    const { catalog, log, manifest } = this.#options;
    const { state } = manifest;
    if (this.#queue.length === 0) this.#fill(catalog.state, state);
    const some = this.#queue.slice(0, LOOKED_AT_MAX);
    this.#queue = this.#queue.slice(LOOKED_AT_MAX);
    if (some.length === 0) return false;
    const finished = new Set(some.filter((one) => isFinished(one, state)).map(({ id }) => id));
    if (finished.size === 0) return true;
    const needs = { catalog: 0, manifest: state.position };
    await catalog.transact((current) => forget(current, finished), needs);
    log.debug("deletes of rows are carried out", { deleteCount: finished.size });
    return true;
  }

  /** All deletes, where something has changed since they were chosen last, some time ago. */
  #fill({ deletes }: DeleteState, manifest: ManifestState): void {
    const nowMs = this.#options.clock.monotonicMs();
    const isKnown = this.#deletes === deletes && this.#manifest === manifest;
    if (isKnown || deletes.size === 0 || nowMs - this.#beganMs < LOOK_MS) return;
    this.#beganMs = nowMs;
    this.#deletes = deletes;
    this.#manifest = manifest;
    this.#queue = [...deletes.values()].flat();
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
