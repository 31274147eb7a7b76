import type { ManifestState } from "#manifest/manifest-state.ts";
import type { Position } from "#model/ids.ts";
import type { ObjectStore } from "#ports/object-store.ts";
import { keepUnnamed } from "./garbage/named.ts";

interface Leftover {
  readonly key: string;
  /** From here on the manifest says whether it names the file: an entry that may name it has this number or none. */
  readonly settledAt: Position;
}

/** Beyond these the oldest are left to the sweep of a later term. */
const LEFTOVERS_MAX = 10_000;

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

  /** Deletes those of which `manifest` says that it does not name them. Never rejects: what fails is tried again the next time. */
  async clear(store: ObjectStore, manifest: ManifestState): Promise<void> {
    const isSettled = ({ settledAt }: Leftover) => settledAt <= manifest.position;
    const keys = new Set(this.#waiting.filter(isSettled).map(({ key }) => key));
    if (keys.size === 0) return;
    this.#waiting = this.#waiting.filter((one) => !isSettled(one));
    keepUnnamed(keys, manifest, []);
    // What was named and is replaced by now has its time.
    for (const { keys: replaced } of manifest.replaced)
      for (const key of replaced) keys.delete(key);
    try {
      for (const key of keys) {
        await store.delete(key);
        keys.delete(key);
      }
    } catch {
      this.add([...keys]);
    }
  }
}
