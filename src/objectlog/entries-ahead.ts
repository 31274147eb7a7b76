import type { Position } from "#model/ids.ts";
import type { ObjectLog, SizedEntry } from "./object-log.ts";
import type { LogEntry } from "./record.ts";

/** Whoever found so many entries is behind; who follows along asks for no more than there is. */
const BEHIND_COUNT = 4;
/** Unless its owner says otherwise. */
export const READS_AHEAD_MAX = 4;
/** Whoever has read so many in a row is far behind: half of what stands between two checkpoints. */
const MANY_COUNT = 500;
/** What is read ahead takes so much at most, if no entry is larger than those before. */
const AHEAD_SIZE_MAX = 8 * 2 ** 20;

/**
 * Reads a log onward for one who may be far behind: then several entries at once, for a store answers slowly, but many at a time. Reads
 * that nobody comes to any more end by themselves.
 */
export class EntriesAhead {
  readonly #log: ObjectLog;
  readonly #positionMax: Position;
  readonly #countMax: number;
  readonly #asked = new Map<Position, Promise<SizedEntry | undefined>>();
  #foundCount = 0;
  #largestSizeBytes = 1;

  /** Reads nothing above `positionMax`, and at most `countMax` entries at once. */
  constructor(log: ObjectLog, positionMax: Position, countMax: number) {
    this.#log = log;
    this.#positionMax = positionMax;
    this.#countMax = countMax;
  }

  /** After each so many entries: there may be a checkpoint that stands for what comes next. */
  get manyInARow(): boolean {
    return this.#foundCount % MANY_COUNT === 0;
  }

  /** As `ObjectLog.read`. Positions rise. */
  async read(position: Position): Promise<LogEntry | undefined> {
    const early = this.#asked.get(position);
    this.#asked.delete(position);
    // What was not there when it was asked for early may have come since.
    const found = (await early) ?? (await this.#log.readSized(position));
    if (found === undefined) return undefined;
    this.#foundCount += 1;
    this.#largestSizeBytes = Math.max(this.#largestSizeBytes, found.sizeBytes);
    if (this.#foundCount >= BEHIND_COUNT) this.#readAhead(position);
    return found.entry;
  }

  #readAhead(position: Position): void {
    const count = Math.min(this.#countMax, Math.floor(AHEAD_SIZE_MAX / this.#largestSizeBytes));
    const last = Math.min(position + count, this.#positionMax);
    for (let next = position + 1; next <= last; next++) {
      if (this.#asked.has(next)) continue;
      const asked = this.#log.readSized(next);
      // Whoever comes to it hears of it.
      asked.catch(() => undefined);
      this.#asked.set(next, asked);
    }
  }
}
