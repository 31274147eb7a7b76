import type { Position } from "#model/ids.ts";
import type { ObjectLog } from "./object-log.ts";
import type { LogEntry } from "./record.ts";

/** Whoever found so many entries is behind; who follows along asks for no more than there is. */
const BEHIND_COUNT = 4;
/** Unless its owner says otherwise. */
export const READS_AHEAD_MAX = 8;
/** What is read ahead takes about this much, if entries are of a size. */
const AHEAD_SIZE_MAX = 8 * 2 ** 20;

/** Reads a log onward for one who may be far behind: then several entries at once, for a store answers slowly, but many at a time. */
export class EntriesAhead {
  readonly #log: ObjectLog;
  readonly #positionMax: Position;
  readonly #countMax: number;
  readonly #asked = new Map<Position, Promise<LogEntry | undefined>>();
  #foundCount = 0;

  /** Reads nothing above `positionMax`, and at most `countMax` entries at once. */
  constructor(log: ObjectLog, positionMax: Position, countMax: number) {
    this.#log = log;
    this.#positionMax = positionMax;
    this.#countMax = countMax;
  }

  /** As `ObjectLog.read`. Positions rise. */
  async read(position: Position): Promise<LogEntry | undefined> {
    const early = this.#asked.get(position);
    this.#asked.delete(position);
    // What was not there when it was asked for early may have come since.
    const entry = (await early) ?? (await this.#log.read(position));
    if (entry === undefined) return undefined;
    this.#foundCount += 1;
    if (this.#foundCount >= BEHIND_COUNT) this.#readAhead(entry);
    return entry;
  }

  #readAhead({ payload, position }: LogEntry): void {
    const count = Math.min(this.#countMax, Math.floor(AHEAD_SIZE_MAX / (payload.length + 1)));
    const last = Math.min(position + count, this.#positionMax);
    for (let next = position + 1; next <= last; next++) {
      if (this.#asked.has(next)) continue;
      const asked = this.#log.read(next);
      // Whoever comes to it hears of it.
      asked.catch(() => undefined);
      this.#asked.set(next, asked);
    }
  }
}
