import { type DbError, isKind } from "#base/errors.ts";

/** An object as listed. */
export interface ObjectMeta {
  readonly key: string;
  readonly sizeBytes: number;
}

/**
 * The bucket every node shares; the only durable state there is.
 *
 * Keys are `/`-separated names of the characters A–Z a–z 0–9 `-` `_` `.` `=`, no part empty or beginning with a dot,
 * at most OBJECT_KEY_SIZE_MAX bytes, a part at most OBJECT_KEY_PART_SIZE_MAX; others are refused with `invalid` /
 * `object_key_invalid`. No key is also the folder of another (`a` beside `a/b`): a store may refuse the later one the
 * same way. Adapters: objectstore/. One contract suite, objectstore/contract.ts, holds all of them to these words.
 *
 * A `body` is not changed by anybody until the promise settles; after that it is the caller's again.
 *
 * Reads see every write that was answered before they began. Every method rejects with DbError
 * `unavailable` / `store_unreachable` when no answer came: a write may then have happened, or happen later.
 * A store that refuses rejects with `unavailable` / `store_full`, `store_read_only`, `store_denied`, `store_missing` or
 * `store_refused`: nothing was changed.
 */
export interface ObjectStore {
  /**
   * Creates `key` with `body`, all or nothing, durable when it resolves.
   * Rejects with `conflict` / `object_exists` when the key is there already, whatever it holds.
   */
  putIfAbsent(key: string, body: Uint8Array): Promise<void>;
  /** Creates or replaces `key`, all or nothing, durable when it resolves. */
  put(key: string, body: Uint8Array): Promise<void>;
  /** The whole object, or undefined when there is none. The caller owns the bytes. */
  get(key: string): Promise<Uint8Array | undefined>;
  /** Objects whose key begins with `prefix`, in ascending byte order of keys; `after` leaves out all up to it. */
  list(prefix: string, options?: ListOptions): Promise<readonly ObjectMeta[]>;
  /** Removes `key`; resolves as well when there is none. A power failure may bring the object back. */
  delete(key: string): Promise<void>;
}

const CLOSED_CODES: ReadonlySet<string> = new Set([
  "store_full",
  "store_read_only",
  "store_denied",
  "store_missing",
  "store_refused",
]);

/** Whether the store refused, because it is full, may not be used, or is not there: nothing was changed, and it stays so for a while. */
export function isStoreClosed(error: unknown): error is DbError {
  return isKind(error, "unavailable") && CLOSED_CODES.has(error.code);
}

export interface ListOptions {
  /** Only keys above this one. */
  readonly after?: string;
  /** Answers at most this many. */
  readonly countMax?: number;
}

export const OBJECT_KEY_SIZE_MAX = 1024;
export const OBJECT_KEY_PART_SIZE_MAX = 255;
