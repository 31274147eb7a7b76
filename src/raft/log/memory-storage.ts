import { assert } from "#base/errors.ts";
import {
  type ConfigurationState,
  type Entry,
  type HardState,
  NOBODY,
  type Snapshot,
} from "../message.ts";
import { sliceWithin } from "./size.ts";
import type { LogStorage } from "./storage.ts";

const NO_MEMBERS: ConfigurationState = {
  voters: [],
  votersOutgoing: [],
  learners: [],
  learnersNext: [],
  autoLeave: false,
};

/** A log in memory: of tests, of simulations, and of entries that a durable log keeps at hand. */
export class MemoryStorage implements LogStorage {
  #hardState: HardState = { term: 0, vote: NOBODY, commit: 0 };
  #snapshot: Snapshot = { index: 0, term: 0, configuration: NO_MEMBERS, data: new Uint8Array() };
  /** The entry below the first: its term is still known. */
  #below = { index: 0, term: 0 };
  #entries: Entry[] = [];

  initialState(): { hardState: HardState; configuration: ConfigurationState } {
    return { hardState: this.#hardState, configuration: this.#snapshot.configuration };
  }

  firstIndex(): number {
    return this.#below.index + 1;
  }

  lastIndex(): number {
    return this.#below.index + this.#entries.length;
  }

  term(index: number): number | undefined {
    if (index === this.#below.index) return this.#below.term;
    return this.#entries[index - this.firstIndex()]?.term;
  }

  entries(start: number, end: number, sizeBytesMax: number): readonly Entry[] | undefined {
    const firstIndex = this.firstIndex();
    if (start < firstIndex) return undefined;
    assert(end <= this.lastIndex() + 1, `entries up to ${end} were asked of a shorter log`);
    return sliceWithin(this.#entries, start - firstIndex, end - firstIndex, sizeBytesMax);
  }

  snapshot(): Snapshot | undefined {
    return this.#snapshot.index === 0 ? undefined : this.#snapshot;
  }

  setHardState(hardState: HardState): void {
    this.#hardState = hardState;
  }

  /** Puts `entries` at their indexes, and drops what stood there and above. */
  append(entries: readonly Entry[]): void {
    const added = entries.filter(({ index }) => index > this.#below.index);
    const first = added[0];
    if (first === undefined) return;
    assert(first.index <= this.lastIndex() + 1, `entry ${first.index} would leave a gap`);
    this.#entries.length = first.index - this.firstIndex();
    for (const entry of added) this.#entries.push(entry);
  }

  /** Puts `snapshot` in place of all there is. An older one than is there changes nothing. */
  applySnapshot(snapshot: Snapshot): void {
    if (snapshot.index <= this.#snapshot.index) return;
    this.#snapshot = snapshot;
    this.#below = { index: snapshot.index, term: snapshot.term };
    this.#entries = [];
  }

  /** Keeps `snapshot` of what was applied, so that entries up to it may be compacted away. */
  setSnapshot(snapshot: Snapshot): void {
    this.#snapshot = snapshot;
  }

  /** Drops entries up to `index`, which is there. */
  compact(index: number): void {
    if (index <= this.#below.index) return;
    const term = this.term(index);
    assert(term !== undefined, `the log cannot be compacted to ${index}, above its end`);
    this.#entries = this.#entries.slice(index - this.#below.index);
    this.#below = { index, term };
  }
}
