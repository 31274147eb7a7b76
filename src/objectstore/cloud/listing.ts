import { DbError } from "#base/errors.ts";
import type { ListOptions, ObjectMeta } from "#ports/object-store.ts";
import { isKey } from "../keys.ts";

/** What a page of a cloud's list holds at most. */
export const PAGE_COUNT_MAX = 1_000;

/**
 * Makes one list of the pages that a cloud answers. Names that are no keys are foreign and left out, as are keys up to `after`,
 * which not every server leaves out by itself.
 */
export class Listing {
  readonly #found: ObjectMeta[] = [];
  readonly #after: string;
  readonly #countMax: number;
  #last = "";

  constructor({ after = "", countMax = Number.POSITIVE_INFINITY }: ListOptions = {}) {
    this.#after = after;
    this.#countMax = countMax;
  }

  get found(): readonly ObjectMeta[] {
    return this.#found;
  }

  /** How many the next page may hold; 0 when all that was asked for is there. */
  get pageCountMax(): number {
    return Math.min(PAGE_COUNT_MAX, this.#countMax - this.#found.length);
  }

  /** Takes the next object of a page. Throws `unsupported` / `store_unsafe` where it does not stand behind the one before. */
  add(key: string, sizeBytes: number): void {
    if (!isKey(key)) return;
    if (key <= this.#last) {
      throw new DbError(
        "unsupported",
        "store_unsafe",
        "the object store lists objects out of order, or twice: what a node reads would have gaps; use a bucket that lists in order of names",
        { detail: { key, last: this.#last } },
      );
    }
    this.#last = key;
    if (key > this.#after && this.#found.length < this.#countMax)
      this.#found.push({ key, sizeBytes });
  }
}
