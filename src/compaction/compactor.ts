import { crc32 } from "#base/crc32.ts";
import { DbError, describeError, isKind } from "#base/errors.ts";
import type { Catalog } from "#catalog/catalog.ts";
import { fileColumns } from "#catalog/file-columns.ts";
import type { Manifest } from "#manifest/manifest.ts";
import type { ManifestState } from "#manifest/manifest-state.ts";
import type { DataFile } from "#model/data-file.ts";
import type { NodeNumber, Position } from "#model/ids.ts";
import { ALL_TIME, type TimeRange } from "#model/time-range.ts";
import { putFile } from "#objectlog/put-file.ts";
import type { Writer } from "#objectlog/shared-log.ts";
import type { Clock } from "#ports/clock.ts";
import type { Engine, WrittenFile } from "#ports/engine.ts";
import type { Log } from "#ports/log.ts";
import type { ObjectStore } from "#ports/object-store.ts";
import type { Random } from "#ports/random.ts";
import { compactedKey } from "./data-keys.ts";
import { type CompactionEvent, CompactionHistory } from "./history.ts";
import { holdsUnder } from "./hold.ts";
import { COMPACTED_ZSTD_LEVEL, rowGroupSize } from "./layout.ts";
import { Leftovers } from "./leftovers.ts";
import { type PlanContent, publishPlan } from "./office/publish-plan.ts";
import { type CompactionSettings, Planner, type Task } from "./planner.ts";

export interface CompactorOptions {
  readonly clusterId: string;
  readonly catalog: Catalog;
  readonly manifest: Manifest;
  readonly engine: Engine;
  readonly store: ObjectStore;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly settings: CompactionSettings;
  /** Told of each file before others ask for it. */
  readonly onFile?: (file: DataFile, bytes: Uint8Array) => Promise<void>;
}

/** Files of nobody's log. */
const NO_NODE = 0 as NodeNumber;

/** Replaces files of the manifest by fewer, one plan at a time, in the name of a term in office. */
export class Compactor {
  readonly history = new CompactionHistory();
  readonly #options: CompactorOptions;
  readonly #planner: Planner;
  readonly #leftovers = new Leftovers();
  #idleUntilMs = 0;

  constructor(options: CompactorOptions) {
    this.#options = options;
    this.#planner = new Planner(options.settings);
  }

  /**
   * Carries out the next plan, if there is one; answers whether it was published. What fails for one table is told, and that table is left
   * alone for a while, or only the files that are the cause. Rejects with `conflict` / `node_fenced` when the term is over, with bugs of its
   * own, or with the reason of `signal`.
   */
  async step(office: Writer, signal: AbortSignal): Promise<boolean> {
    signal.throwIfAborted();
    const { catalog, clock, manifest, settings } = this.#options;
    const startMs = clock.monotonicMs();
    if (startMs < this.#idleUntilMs || !(await this.#knowsEnough())) return false;
    await this.#leftovers.clear(this.#options.store, manifest.state, signal);
    const task = this.#planner.next(catalog.state, manifest.state, clock.nowNs());
    if (task === undefined) {
      this.#idleUntilMs = startMs + settings.checkIntervalMs;
      return false;
    }
    const made: DataFile[] = [];
    try {
      const published = await this.#carryOut(task, { office, made, signal });
      if (published) this.#planner.learn(task, made);
      this.#note(task, { made, startMs, outcome: published ? "success" : "stale" });
      return published;
    } catch (error) {
      signal.throwIfAborted();
      if (isFatal(error)) throw error;
      const { log } = this.#options;
      const reason = describeError(error);
      log.warn("a compaction failed and will be tried again", { table: task.table.name, reason });
      const unfit = unfitFiles(task, error);
      if (unfit.length > 0) this.#planner.setAside(unfit, clock.nowNs());
      else this.#planner.rest(task.table.id, clock.nowNs());
      this.#note(task, { made, startMs, outcome: "failed", reason });
      return false;
    }
  }

  /** The manifest's files may have what only the catalog that it names knows. */
  async #knowsEnough(): Promise<boolean> {
    const { catalog, log, manifest } = this.#options;
    try {
      await catalog.reach(manifest.state.needs.catalog);
      return true;
    } catch (error) {
      if (!isKind(error, "unavailable")) throw error;
      log.debug("compaction waits for the catalog", { reason: describeError(error) });
      return false;
    }
  }

  /** Answers whether it was published; its files are deleted where no entry names them, nor can any more. */
  async #carryOut(
    task: Task,
    { made, office, signal }: { office: Writer; made: DataFile[]; signal: AbortSignal },
  ): Promise<boolean> {
    const keys: string[] = [];
    // The number of the entry that was tried last: it may be there although nobody heard.
    let tried: Position | undefined;
    let published = false;
    try {
      for await (const { bytes, ...written } of this.#run(task, signal)) {
        const file = this.#describe(task, written, { bytes, office });
        await this.#options.onFile?.(file, bytes).catch(() => undefined);
        // A put that fails may have arrived.
        keys.push(file.key);
        await putFile(this.#options, { key: file.key, bytes }, signal);
        made.push(file);
      }
      signal.throwIfAborted();
      published = await publishPlan(this.#options, office, (current, catalog) => {
        const content = holdsUnder(task, catalog) ? decide(task, made, current) : undefined;
        tried = content && current.position + 1;
        return content;
      });
    } catch (error) {
      // Of this term nothing comes any more: its files are left to the sweep of a later one.
      if (hasCode(error, "node_fenced")) throw error;
      if (!hasCode(error, "plan_stale")) {
        await this.#leave(keys, tried);
        throw error;
      }
    }
    if (published) return true;
    this.#planner.forget();
    await this.#leave(keys);
    return false;
  }

  /** Deletes files that no entry names, once that is known: when the manifest has number `settledAt`. Who stops does so as well. */
  async #leave(keys: readonly string[], settledAt?: Position): Promise<void> {
    const { manifest, store } = this.#options;
    this.#leftovers.add(keys, settledAt);
    await this.#leftovers.clear(store, manifest.state);
  }

  async *#run(
    { deletes, keptFromNs, plan, table }: Task,
    signal: AbortSignal,
  ): AsyncGenerator<WrittenFile> {
    if (plan.kind === "expire") return;
    const columns = fileColumns(table);
    const time: TimeRange =
      keptFromNs === undefined ? ALL_TIME : { ...ALL_TIME, start: keptFromNs };
    yield* this.#options.engine.compact(
      {
        tableId: table.id,
        columns,
        files: plan.inputs,
        time,
        deletes,
        rowCountMax: plan.rowCountMax,
        rowGroupSize: rowGroupSize(columns.length),
        zstdLevel: COMPACTED_ZSTD_LEVEL,
      },
      signal,
    );
  }

  #describe(
    { deletesBelow, table }: Task,
    written: Omit<WrittenFile, "bytes">,
    { bytes, office }: { bytes: Uint8Array; office: Writer },
  ): DataFile {
    const { clusterId, random } = this.#options;
    const { databaseId, id: tableId } = table;
    const parts = { clusterId, databaseId, tableId, startNs: written.time.start };
    return {
      ...written,
      key: compactedKey(parts, office, random),
      databaseId,
      tableId,
      sizeBytes: bytes.length,
      checksum: crc32(bytes),
      node: NO_NODE,
      deletesBelow,
    };
  }

  #note(
    { plan, table }: Task,
    done: {
      readonly made: readonly DataFile[];
      readonly startMs: number;
      readonly outcome: CompactionEvent["outcome"];
      readonly reason?: string;
    },
  ): void {
    const { clock } = this.#options;
    const inputs = plan.inputs.map(({ file }) => file);
    const { made, outcome, reason, startMs } = done;
    const work = `table ${table.name}: ${inputs.length} files, ${made.length} of them made`;
    this.history.note(
      {
        atNs: clock.nowNs(),
        kind: plan.kind,
        durationMs: clock.monotonicMs() - startMs,
        outcome,
        detail: reason === undefined ? work : `table ${table.name}: ${reason}`,
      },
      {
        rowsIn: sumOf(inputs, "rowCount"),
        rowsOut: sumOf(made, "rowCount"),
        bytesIn: sumOf(inputs, "sizeBytes"),
        bytesOut: sumOf(made, "sizeBytes"),
      },
    );
  }
}

/** The entry that replaces the inputs; undefined where the manifest does not hold all of them any more as they were planned on. */
function decide(
  { plan }: Task,
  outputs: readonly DataFile[],
  { files }: ManifestState,
): PlanContent | undefined {
  const held = files.find(new Set(plan.inputs.map((input) => input.file.key)));
  for (const { file, stampAbove } of plan.inputs)
    if (held.get(file.key)?.stampAbove !== stampAbove) return undefined;
  const inputs = plan.inputs.map(({ file }) => file.key);
  return { kind: "replace", body: { inputs, outputs: [...outputs] } };
}

function sumOf(files: readonly DataFile[], name: "rowCount" | "sizeBytes"): number {
  return files.reduce((sum, file) => sum + file[name], 0);
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof DbError && error.code === code;
}

/** Inputs that will fail again: the one that is damaged or gone, or all, where together they are too much. Empty for what may pass. */
function unfitFiles({ plan }: Task, error: unknown): readonly string[] {
  const keys = plan.inputs.map(({ file }) => file.key);
  if (hasCode(error, "compaction_memory") || hasCode(error, "compaction_failed")) return keys;
  if (!isKind(error, "corrupt") && !isKind(error, "not_found")) return [];
  return keys.filter((key) => key === error.detail["key"]);
}

/** A bug in merging keeps one table from being compacted, and no node from its work. */
function isFatal(error: unknown): boolean {
  if (hasCode(error, "compaction_failed")) return false;
  return !(error instanceof DbError) || error.kind === "internal" || error.code === "node_fenced";
}
