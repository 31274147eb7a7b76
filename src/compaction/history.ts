/** What the compactor of this process has done: for metrics and system tables. */

export interface CompactionEvent {
  readonly atNs: bigint;
  /** Files merged, or rows past their retention removed. */
  readonly kind: "merge" | "erase" | "expire";
  readonly durationMs: number;
  /** `stale`: other entries came first, so it is planned anew. */
  readonly outcome: "success" | "stale" | "failed";
  /** The table, in words what was done, or the reason. */
  readonly detail: string;
}

export interface CompactionCounts {
  readonly published: number;
  readonly failed: number;
  readonly rowsIn: number;
  readonly rowsOut: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly ms: number;
}

/** What was read and written. */
export type CompactionWork = Pick<CompactionCounts, "rowsIn" | "rowsOut" | "bytesIn" | "bytesOut">;

const EVENT_COUNT_MAX = 1_000;
const NOTHING: CompactionCounts = {
  published: 0,
  failed: 0,
  rowsIn: 0,
  rowsOut: 0,
  bytesIn: 0,
  bytesOut: 0,
  ms: 0,
};

/** The sums of all, and the last EVENT_COUNT_MAX one by one. */
export class CompactionHistory {
  readonly #events: CompactionEvent[] = [];
  #counts = NOTHING;

  /** Oldest first. */
  get events(): readonly CompactionEvent[] {
    return this.#events;
  }

  get counts(): CompactionCounts {
    return this.#counts;
  }

  note(event: CompactionEvent, work: CompactionWork): void {
    this.#events.push(event);
    if (this.#events.length > EVENT_COUNT_MAX) this.#events.shift();
    const before = this.#counts;
    this.#counts = {
      published: before.published + Number(event.outcome === "success"),
      failed: before.failed + Number(event.outcome === "failed"),
      rowsIn: before.rowsIn + work.rowsIn,
      rowsOut: before.rowsOut + work.rowsOut,
      bytesIn: before.bytesIn + work.bytesIn,
      bytesOut: before.bytesOut + work.bytesOut,
      ms: before.ms + event.durationMs,
    };
  }
}
