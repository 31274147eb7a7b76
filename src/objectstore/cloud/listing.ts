import { DbError } from "#base/errors.ts";
import type { ListOptions, ObjectMeta } from "#ports/object-store.ts";
import { isKey } from "../keys.ts";

/** What a page of a cloud's list holds at most. */
const PAGE_COUNT_MAX = 1_000;

/** Pages in a row without a key of ours: ten million foreign objects. */
const FOREIGN_PAGES_MAX = 10_000;

/**
 * Makes one list of the pages that a cloud answers. Names that are no keys are foreign and left out, as are keys up to `after`,
 * which not every server leaves out by itself.
 */
export class Listing {
  readonly #found: ObjectMeta[] = [];
  readonly #after: string;
  readonly #countMax: number;
  #last = "";
  #lastAtTurn = "";
  #token: string | undefined;
  #foreignPageCount = 0;

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

  /**
   * Turns to the page that `token` leads to; answers undefined where there is none, or all that was asked for is there. Some servers say apart
   * from the token whether there is more. Throws `unsupported` / `store_unsafe` where there is and no way leads to it, and where
   * the pages have no end: the same token comes again, or page after page without a key.
   */
  turn(token: string | undefined, hasMore = Boolean(token)): string | undefined {
    if (!hasMore || this.pageCountMax === 0) return undefined;
    if (!token) throw unsafeList("breaks off", { last: this.#last });
    this.#foreignPageCount = this.#last === this.#lastAtTurn ? this.#foreignPageCount + 1 : 0;
    if (token === this.#token || this.#foreignPageCount > FOREIGN_PAGES_MAX) {
      throw unsafeList("has no end: page after page leads nowhere", { last: this.#last });
    }
    this.#lastAtTurn = this.#last;
    this.#token = token;
    return token;
  }

  /** Takes the next object of a page. Throws `unsupported` / `store_unsafe` where it does not stand behind the one before. */
  add(key: string, sizeBytes: number): void {
    if (!isKey(key)) return;
    if (key <= this.#last) {
      throw unsafeList("is out of order, or has an object twice", { key, last: this.#last });
    }
    this.#last = key;
    if (key > this.#after && this.#found.length < this.#countMax)
      this.#found.push({ key, sizeBytes });
  }
}

/** That a store's list cannot be believed. */
function unsafeList(what: string, detail: Readonly<Record<string, string>> = {}): DbError {
  return new DbError(
    "unsupported",
    "store_unsafe",
    `a list of the object store ${what}; what a node reads would have gaps, so use a store that lists all objects in order of their names`,
    { detail },
  );
}
