/** What the core reads of what its node has stored. */
import type { ConfigurationState, Entry, HardState, Snapshot } from "../message.ts";

/**
 * The stable part of the log, as the caller of the core keeps it: what was written of earlier Readys, and nothing else.
 * Reads are synchronous; what an implementation cannot answer from memory it reads while the node waits.
 */
export interface LogStorage {
  /**
   * What the last run left: the hard state, and the configuration after the entry at `RaftOptions.appliedIndex`, or at the newest snapshot
   * where that is 0. Later changes come again among the committed entries. Asked for once, at the start.
   */
  initialState(): { readonly hardState: HardState; readonly configuration: ConfigurationState };
  /** The index of the first entry that is there; one more than `lastIndex()` where there is none. */
  firstIndex(): number;
  /** The index of the last entry, or of the snapshot below it where there is none. */
  lastIndex(): number;
  /** The term of the entry at `index`, also at `firstIndex() - 1`; undefined outside. */
  term(index: number): number | undefined;
  /**
   * Entries from `start` up to before `end`: the first of them that stay within `sizeBytesMax` (`size.ts`), at least one;
   * undefined where `start` was compacted away. `end` is never above `lastIndex() + 1`.
   */
  entries(start: number, end: number, sizeBytesMax: number): readonly Entry[] | undefined;
  /**
   * A snapshot at or above `firstIndex() - 1`; undefined while it is being made: it is asked for again. Whoever is no member in it does not take
   * it, so one of before the last change of the configuration is of no use to a new member.
   */
  snapshot(): Snapshot | undefined;
}
