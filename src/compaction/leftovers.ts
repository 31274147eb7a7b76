import { DbError } from "#base/errors.ts";
import type { ManifestState } from "#manifest/manifest-state.ts";
import type { Position } from "#model/ids.ts";
import type { ObjectStore } from "#ports/object-store.ts";
import { keepOrphaned } from "#view/named.ts";
import { deleteAll } from "./garbage/deleting.ts";

interface Leftover {
  readonly key: string;
  /** From here on the manifest says whether it names the file: an entry that may name it has this number or none. */
  readonly settledAt: Position;
}

/** Beyond these the oldest are left to the sweep of a later term. */
const LEFTOVERS_MAX = 10_000;
/** Deleted before the work goes on. */
const CLEARED_MAX = 1_000;

/** Files that the term in office has put itself and that no entry names, until they are deleted (rule 6). */
export class Leftovers {
  #waiting: Leftover[] = [];

  /**
   * Notes files that no entry names, or, where it is not known whether one does, only that of manifest number `settledAt`. None that is
   * tried later may name them.
   */
  add(keys: readonly string[], settledAt: Position = 0): void {
    const added = keys.map((key) => ({ key, settledAt }));
    this.#waiting = [...this.#waiting, ...added].slice(-LEFTOVERS_MAX);
  }

  /**
   * Deletes the newest of which `manifest` says that it does not name them. The others, what the store refuses, and what is left when
   * `signal` is aborted have their turn the next time; what a process that ends leaves is found by the sweep. Rejects with bugs alone.
   */
  async clear(store: ObjectStore, manifest: ManifestState, signal?: AbortSignal): Promise<void> {
    const settled = this.#waiting.filter(({ settledAt }) => settledAt <= manifest.position);
    const taken = new Set(settled.slice(-CLEARED_MAX));
    if (taken.size === 0) return;
    this.#waiting = this.#waiting.filter((one) => !taken.has(one));
    const keys = new Set([...taken].map(({ key }) => key));
    // What was named and is replaced by now has its time.
    keepOrphaned(keys, manifest, []);
    try {
      await deleteAll(store, [...keys], signal);
    } catch (error) {
      this.add([...keys]);
      if (signal?.aborted !== true && isBug(error)) throw error;
    }
  }
}

function isBug(error: unknown): boolean {
  return !(error instanceof DbError) || error.kind === "internal";
}
