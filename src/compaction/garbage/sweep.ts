import type { Manifest } from "#manifest/manifest.ts";
import type { ManifestState } from "#manifest/manifest-state.ts";
import type { Epoch } from "#model/ids.ts";
import type { Writer } from "#objectlog/shared-log.ts";
import type { Clock } from "#ports/clock.ts";
import type { Log } from "#ports/log.ts";
import type { ObjectStore } from "#ports/object-store.ts";
import { keepOrphaned, keepUnnamed, type ReadLog } from "#view/named.ts";
import { compactedPrefix, termOfKey } from "../data-keys.ts";
import type { Duty } from "../office/duty.ts";
import { type Audit, type GarbageFile, PASS_FILES_MAX } from "./audit.ts";
import { deleteAll } from "./deleting.ts";

/** How orphans of compactors are looked for. */
export interface SweepSettings {
  /** Undefined: never. */
  readonly intervalMs: number | undefined;
  /** How long a file must be known as an orphan before it goes. Safety does not need it; it gives people time. */
  readonly graceMs: number;
  /** Only says what it would delete. */
  readonly dryRun: boolean;
}

export interface SweepOptions {
  readonly clusterId: string;
  readonly settings: SweepSettings;
  readonly manifest: Manifest;
  readonly logs: () => Iterable<ReadLog>;
  readonly store: ObjectStore;
  readonly clock: Clock;
  readonly log: Log;
  readonly audit: Audit;
}

/** From the beginning of a term: orphans come of terms that end. */
const FIRST_PASS_MS = 300_000;
const PAUSE_MS_MIN = 1_000;
const LIST_COUNT = 1_000;

/**
 * Deletes the files of compactors that no record names: they died, or lost their term, between a file and its entry.
 *
 * A file is an orphan when the manifest, as read after it was listed, holds a take-over above the term in its name and does not name
 * it: no entry of that term can come any more (rule 6). Files of the term in office are left to it.
 */
export class Sweep implements Duty {
  readonly #options: SweepOptions;
  /** The term whose passes are planned, and when the next one is due. */
  #planned: { readonly term: Epoch; readonly atMs: number } | undefined;
  /** Since when each orphan is known, by the wall clock: it is told from process to process by the audit. */
  #knownNs: Map<string, bigint> | undefined;
  #deletedCount = 0;

  constructor(options: SweepOptions) {
    this.#options = options;
  }

  /** Files that this process has deleted. */
  get deletedCount(): number {
    return this.#deletedCount;
  }

  async step(office: Writer, signal: AbortSignal): Promise<boolean> {
    const { clock, settings } = this.#options;
    const { intervalMs } = settings;
    if (intervalMs === undefined) return false;
    const nowMs = clock.monotonicMs();
    if (this.#planned?.term !== office.epoch) {
      const firstMs = Math.min(FIRST_PASS_MS, intervalMs);
      this.#planned = { term: office.epoch, atMs: nowMs + firstMs };
    }
    if (nowMs < this.#planned.atMs) return false;
    const found = await this.#pass(office, signal);
    const pauseMs = Math.min(intervalMs, this.#untilNextIsDue(found));
    this.#planned = { term: office.epoch, atMs: clock.monotonicMs() + pauseMs };
    return true;
  }

  async #pass(office: Writer, signal: AbortSignal): Promise<readonly GarbageFile[]> {
    const { node, epoch: term } = office;
    const { audit, clock, log, store } = this.#options;
    const startedAtNs = clock.nowNs();
    const { keys, listedCount } = await this.#findOrphans(office, signal);
    const before = this.#knownNs ?? (await this.#knownBefore());
    this.#knownNs = new Map(keys.map((key) => [key, before.get(key) ?? startedAtNs]));
    const files = keys.map((key) => this.#judge(key, startedAtNs));
    await audit.write({ kind: "sweep", node, term, startedAtNs, listedCount, files });
    const deletable = files.filter(({ outcome }) => outcome === "deleted");
    await deleteAll(
      store,
      deletable.map(({ key }) => key),
      signal,
    );
    this.#deletedCount += deletable.length;
    log.info("looked for files of compactors that no record names", {
      listed: listedCount,
      found: files.length,
      deleted: deletable.length,
    });
    return files;
  }

  /** How long it takes until the first of those that are queued may go. */
  #untilNextIsDue(files: readonly GarbageFile[]): number {
    const { clock, settings } = this.#options;
    const nowNs = clock.nowNs();
    const restsMs = files
      .filter(({ outcome }) => outcome === "queued")
      .map(({ sinceNs }) => settings.graceMs - Number((nowNs - sinceNs) / 1_000_000n));
    return Math.max(
      PAUSE_MS_MIN,
      restsMs.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY),
    );
  }

  async #findOrphans(
    office: Writer,
    signal: AbortSignal,
  ): Promise<{ readonly keys: readonly string[]; readonly listedCount: number }> {
    const { logs, manifest } = this.#options;
    const keys = new Set<string>();
    let listedCount = 0;
    for await (const listed of this.#list(signal)) {
      listedCount += listed.length;
      const { state } = manifest;
      const over = new Set(listed.filter((key) => isOver(key, state)));
      // What is named now is none; this only keeps the number of keys small.
      keepUnnamed(over, state, []);
      for (const key of over) if (keys.size < PASS_FILES_MAX) keys.add(key);
    }
    const newest = await manifest.refreshIn(office);
    keepOrphaned(keys, newest, logs());
    return { keys: [...keys], listedCount };
  }

  async *#list(signal: AbortSignal): AsyncGenerator<readonly string[]> {
    const { clusterId, store } = this.#options;
    for (let after = ""; ; ) {
      signal.throwIfAborted();
      const objects = await store.list(compactedPrefix(clusterId), { after, countMax: LIST_COUNT });
      yield objects.map(({ key }) => key);
      const last = objects.at(-1);
      if (last === undefined || objects.length < LIST_COUNT) return;
      after = last.key;
    }
  }

  #judge(key: string, nowNs: bigint): GarbageFile {
    const { dryRun, graceMs } = this.#options.settings;
    const sinceNs = this.#knownNs?.get(key) ?? nowNs;
    const reason = `no record names it, and term ${termOfKey(key)?.epoch} is over`;
    if (nowNs - sinceNs < BigInt(graceMs) * 1_000_000n)
      return { key, reason, outcome: "queued", sinceNs };
    return { key, reason, outcome: dryRun ? "would-be" : "deleted", sinceNs };
  }

  /** What the process before this one knew. A clock that goes wrong makes a file go early or late; that it is garbage is sure. */
  async #knownBefore(): Promise<ReadonlyMap<string, bigint>> {
    const newest = await this.#options.audit.newest("sweep");
    return new Map(newest?.files.map(({ key, sinceNs }) => [key, sinceNs]) ?? []);
  }
}

/** Whether no entry of the term in `key` can come any more. Objects that are none of ours have no term. */
function isOver(key: string, { office }: ManifestState): boolean {
  const term = termOfKey(key)?.epoch;
  return term !== undefined && term < office.epoch;
}
