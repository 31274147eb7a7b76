import type { ReplacedFiles } from "#manifest/manifest-state.ts";
import type { Position } from "#model/ids.ts";
import type { Writer } from "#objectlog/shared-log.ts";
import type { Clock } from "#ports/clock.ts";
import type { Log } from "#ports/log.ts";
import type { ObjectStore } from "#ports/object-store.ts";
import { keepUnnamed, type ReadLog } from "#view/named.ts";
import type { Duty } from "../office/duty.ts";
import { type PlanLogs, publishPlan } from "../office/publish-plan.ts";
import { type Audit, PASS_FILES_MAX } from "./audit.ts";
import { deleteAll } from "./deleting.ts";

export interface CleanupOptions extends PlanLogs {
  readonly logs: () => Iterable<ReadLog>;
  readonly store: ObjectStore;
  readonly clock: Clock;
  readonly log: Log;
  readonly audit: Audit;
  /** How long queries that have begun may go on reading files that are replaced. */
  readonly waitMs: number;
}

/** Passes follow each other after this long at least, so that one entry tells of many replacements. */
const REST_MS_MAX = 60_000;

/**
 * Deletes the files that compaction has replaced, some time later.
 *
 * The manifest remembers them, so a restart forgets none; the time counts from when this process has read of the replacement, standing
 * by or in office, so no two clocks are compared. A replaced name never comes back: however late a deletion is, it does no harm (rule 6).
 */
export class Cleanup implements Duty {
  readonly #options: CleanupOptions;
  /** When this process read of each replacement. */
  #seenMs = new Map<Position, number>();
  #restUntilMs = 0;
  #deletedCount = 0;

  constructor(options: CleanupOptions) {
    this.#options = options;
  }

  /** Files that this process has deleted. */
  get deletedCount(): number {
    return this.#deletedCount;
  }

  /** Notes what is replaced as it is read, until `signal` is aborted: a standby that takes over knows how long it is ago. */
  async watch(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.#note();
      await this.#options.manifest.changed.wait(signal).catch(() => undefined);
    }
  }

  async step(office: Writer, signal: AbortSignal): Promise<boolean> {
    const { clock, log, logs, manifest, store, waitMs } = this.#options;
    this.#note();
    if (clock.monotonicMs() < this.#restUntilMs) return false;
    const due = this.#due(manifest.state.replaced);
    const last = due.at(-1);
    if (last === undefined) return false;
    const keys = new Set(due.flatMap((files) => files.keys));
    const dueCount = keys.size;
    keepUnnamed(keys, await manifest.refreshIn(office), logs());
    if (keys.size < dueCount)
      log.error("replaced files are named again, and stay", { count: dueCount - keys.size });
    await this.#writeAudit(office, due, keys);
    await deleteAll(store, [...keys], signal);
    await publishPlan(this.#options, office, ({ replaced }) => {
      const isKnown = replaced.some(({ position }) => position <= last.position);
      if (!isKnown) return undefined;
      return { kind: "replace", body: { inputs: [], outputs: [], collected: last.position } };
    });
    this.#deletedCount += keys.size;
    log.info("deleted files that compaction has replaced", { count: keys.size });
    this.#restUntilMs = clock.monotonicMs() + Math.min(waitMs, REST_MS_MAX);
    return true;
  }

  /** The oldest replacements, of which each is old enough: as many as one pass takes. */
  #due(replaced: readonly ReplacedFiles[]): readonly ReplacedFiles[] {
    const { clock, waitMs } = this.#options;
    const seenMsMax = clock.monotonicMs() - waitMs;
    const due: ReplacedFiles[] = [];
    let keyCount = 0;
    for (const files of replaced) {
      keyCount += files.keys.length;
      const seenMs = this.#seenMs.get(files.position) ?? Number.POSITIVE_INFINITY;
      if (seenMs > seenMsMax || (due.length > 0 && keyCount > PASS_FILES_MAX)) break;
      due.push(files);
    }
    return due;
  }

  #note(): void {
    const { clock, manifest } = this.#options;
    const nowMs = clock.monotonicMs();
    this.#seenMs = new Map(
      manifest.state.replaced.map(({ position }) => [
        position,
        this.#seenMs.get(position) ?? nowMs,
      ]),
    );
  }

  async #writeAudit(
    { node, epoch: term }: Writer,
    due: readonly ReplacedFiles[],
    deleted: ReadonlySet<string>,
  ): Promise<void> {
    const { audit, clock } = this.#options;
    const nowNs = clock.nowNs();
    const files = due.flatMap(({ keys, position }) => {
      const agoMs = clock.monotonicMs() - (this.#seenMs.get(position) ?? 0);
      const sinceNs = nowNs - BigInt(Math.round(agoMs)) * 1_000_000n;
      const reason = `replaced by manifest entry ${position}`;
      return keys
        .filter((key) => deleted.has(key))
        .map((key) => ({ key, reason, outcome: "deleted" as const, sinceNs }));
    });
    const listedCount = files.length;
    await audit.write({ kind: "cleanup", node, term, startedAtNs: nowNs, listedCount, files });
  }
}
