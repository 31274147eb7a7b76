/** What is to be done next over all tables, remembered from step to step. */
import { type CatalogState, retentionOf } from "#catalog/catalog-state.ts";
import { changedTables } from "#manifest/changed-tables.ts";
import type { ManifestFile } from "#manifest/manifest-file.ts";
import type { ManifestFiles } from "#manifest/manifest-files.ts";
import type { ManifestState } from "#manifest/manifest-state.ts";
import type { DataFile } from "#model/data-file.ts";
import type { TableId } from "#model/ids.ts";
import type { RowDelete } from "#model/row-delete.ts";
import { type Generation, generationsOf } from "./generations.ts";
import { findTable, holdsUnder, type PlannedWith } from "./hold.ts";
import { fileRowLimits } from "./layout.ts";
import { type CompactionPlan, type PlanSettings, planCompaction, writtenNs } from "./plan.ts";

export interface CompactionSettings {
  readonly gen2DurationMs: number;
  readonly multipliers: readonly number[];
  readonly filesPerPlanMax: number;
  /** Bytes of the files of a plan. */
  readonly inputSizeMax: number;
  readonly rowLimit: number;
  /** Where there is nothing to do, it is looked again after this. */
  readonly checkIntervalMs: number;
  /** Files are written anew for a delete so long after it was asked for; two minutes unless given. */
  readonly eraseAfterMs?: number;
}

/** A plan, and what it was made with. */
export interface Task extends PlannedWith {
  readonly plan: CompactionPlan;
}

/**
 * Rows are hidden from queries when they are past their retention, and removed so much later: nodes' clocks may differ by that much
 * without changing an answer.
 */
const RETENTION_GRACE_NS = 2n * 3_600_000_000_000n;
/** A table whose compaction failed is left alone for so long. */
const REST_NS = 60_000_000_000n;
/** Files that cannot be merged are left out of plans for so long. */
const ASIDE_NS = 3_600_000_000_000n;

/** Files are written anew for a delete so much later: other deletes, and merges, may come until then. */
const ERASE_AFTER_MS = 120_000;

/** Rows are to be expected where some came within as many looks. */
const LATELY_LOOK_COUNT = 6n;

/** Until when there is nothing to do, as long as the deletes are these. */
interface Quiet {
  readonly untilNs: bigint;
  readonly deletes: readonly RowDelete[];
}

/** What a table is at a look. */
interface Seen {
  readonly files: readonly ManifestFile[];
  readonly deletes: readonly RowDelete[];
  readonly nowNs: bigint;
}

const NO_DELETES: readonly RowDelete[] = [];

export class Planner {
  readonly generations: readonly Generation[];
  readonly #settings: CompactionSettings;
  /** Tables for which there is nothing to do with the files that were seen last. */
  readonly #quiet = new Map<TableId, Quiet>();
  #seen: ManifestFiles | undefined;
  readonly #restingUntilNs = new Map<TableId, bigint>();
  /** Files that cannot be merged, whatever the others are. */
  readonly #asideUntilNs = new Map<string, bigint>();
  /** Rows of a file that the engine could make of a table whose rows are large. */
  readonly #rowLimits = new Map<TableId, number>();
  #queue: Task[] = [];
  #lastTable = 0;

  constructor(settings: CompactionSettings) {
    this.#settings = settings;
    this.generations = generationsOf(settings.gen2DurationMs, settings.multipliers);
  }

  /** What to do next, tables in turn; undefined: nothing for now. */
  next(catalog: CatalogState, manifest: ManifestState, nowNs: bigint): Task | undefined {
    const queued = this.#queue.shift();
    if (queued !== undefined && holdsUnder(queued, catalog)) return queued;
    this.forget();
    this.#look(manifest.files);
    const ids = manifest.files.tableIds();
    const turn = [...ids.filter((id) => id > this.#lastTable), ...ids];
    for (const id of turn.slice(0, ids.length)) {
      const tasks = this.#plan(id, { catalog, manifest, nowNs });
      const [first, ...rest] = tasks;
      if (first === undefined) continue;
      this.#lastTable = id;
      this.#queue = rest;
      return first;
    }
    return undefined;
  }

  /** What was planned with `task` is planned anew. */
  forget(): void {
    this.#queue = [];
  }

  /** Leaves a table alone for a while. */
  rest(id: TableId, nowNs: bigint): void {
    this.forget();
    this.#restingUntilNs.set(id, nowNs + REST_NS);
  }

  /** Leaves out some files for a while, so that they keep no others from being merged. */
  setAside(keys: readonly string[], nowNs: bigint): void {
    this.forget();
    for (const [key, untilNs] of this.#asideUntilNs)
      if (untilNs <= nowNs) this.#asideUntilNs.delete(key);
    for (const key of keys) this.#asideUntilNs.set(key, nowNs + ASIDE_NS);
  }

  /**
   * Learns from the files that came of `task`: where there are more than were asked for, its memory holds no more rows at once, and to
   * ask for larger files again would write the same ones for ever.
   */
  learn({ plan, table }: Task, made: readonly DataFile[]): void {
    if (plan.kind === "expire") return;
    const rowCount = plan.inputs.reduce((sum, { file }) => sum + file.rowCount, 0);
    if (made.length <= Math.ceil(rowCount / plan.rowCountMax)) return;
    const most = made.reduce((max, file) => Math.max(max, file.rowCount), 0);
    this.#rowLimits.set(table.id, Math.min(most, this.#rowLimits.get(table.id) ?? most));
  }

  /** What is remembered of tables goes where their files are others, or are gone. */
  #look(files: ManifestFiles): void {
    const changed = changedTables(this.#seen ?? files, files);
    this.#seen = files;
    for (const id of changed) {
      this.#quiet.delete(id);
      if (files.partsOf(id).length > 0) continue;
      this.#restingUntilNs.delete(id);
      this.#rowLimits.delete(id);
    }
  }

  #plan(
    id: TableId,
    { catalog, manifest, nowNs }: { catalog: CatalogState; manifest: ManifestState; nowNs: bigint },
  ): readonly Task[] {
    const deletes = catalog.deletes.get(id) ?? NO_DELETES;
    const quiet = this.#quiet.get(id);
    if (quiet?.deletes === deletes && quiet.untilNs > nowNs) return [];
    if ((this.#restingUntilNs.get(id) ?? 0n) > nowNs) return [];
    this.#restingUntilNs.delete(id);
    const found = findTable(catalog, id);
    // Rows of a dropped table are nobody's any more.
    if (found === undefined) return [];
    const files = manifest.files.ofTable(id);
    const { database, table } = found;
    const retentionNs = retentionOf(database, id);
    const keptFromNs = keptFrom(retentionNs, nowNs);
    const { filesPerPlanMax, inputSizeMax, rowLimit } = this.#settings;
    const limits = fileRowLimits(
      files.map(({ file }) => file),
      rowLimit,
    );
    const learned = this.#rowLimits.get(id) ?? Number.POSITIVE_INFINITY;
    const settings: PlanSettings = {
      generations: this.generations,
      filesPerPlanMax,
      inputSizeMax,
      rowLimit: Math.min(limits.rowLimit, learned),
      longRowLimit: Math.min(limits.longRowLimit, learned),
    };
    const sound = files.filter(({ file }) => (this.#asideUntilNs.get(file.key) ?? 0n) <= nowNs);
    const latelyNs = nowNs - this.#latelyLengthNs;
    const due = deletes.filter((one) => this.#dueNs(one) <= nowNs);
    const times = { nowNs, latelyNs, keptFromNs, deletes: due };
    const plans = planCompaction(sound, settings, times);
    if (plans.length === 0) this.#rest(id, { files, deletes, nowNs });
    const { nextDeleteId: deletesBelow } = catalog;
    const shared = { table, retentionNs, keptFromNs, deletes, deletesBelow };
    return plans.map((plan) => ({ plan, ...shared }));
  }

  /** There is nothing to do, until other files or deletes come, or the time does. */
  #rest(id: TableId, { deletes, files, nowNs }: Seen): void {
    const later = deletes.map((one) => this.#dueNs(one)).filter((dueNs) => dueNs > nowNs);
    const quietNs = this.#quietUntil(files, nowNs);
    const untilNs = later.reduce((first, dueNs) => (dueNs < first ? dueNs : first), quietNs);
    this.#quiet.set(id, { untilNs, deletes });
  }

  /** When files are to be written anew for a delete. */
  #dueNs({ atNs }: RowDelete): bigint {
    return atNs + BigInt(this.#settings.eraseAfterMs ?? ERASE_AFTER_MS) * 1_000_000n;
  }

  get #latelyLengthNs(): bigint {
    return LATELY_LOOK_COUNT * BigInt(this.#settings.checkIntervalMs) * 1_000_000n;
  }

  /** Until the next of the shortest windows ends, or what was written lately no longer was. */
  #quietUntil(files: readonly ManifestFile[], nowNs: bigint): bigint {
    const windowNs = BigInt(this.#settings.gen2DurationMs) * 1_000_000n;
    const windowEndNs = (nowNs / windowNs + 1n) * windowNs;
    const restedNs = writtenNs(files) + this.#latelyLengthNs + 1n;
    return restedNs > nowNs && restedNs < windowEndNs ? restedNs : windowEndNs;
  }
}

function keptFrom(retentionNs: bigint | undefined, nowNs: bigint): bigint | undefined {
  return retentionNs === undefined ? undefined : nowNs - retentionNs - RETENTION_GRACE_NS;
}
