import { DbError } from "#base/errors.ts";
import { OBJECT_KEY_PART_SIZE_MAX, OBJECT_KEY_SIZE_MAX } from "#ports/object-store.ts";

const NAME = /^[A-Za-z0-9_.=-]*$/;
/** Names that begin with a dot are what file systems and file managers leave in folders. */
const HIDDEN = /^\./;

/** Throws DbError `invalid` / `object_key_invalid` unless `key` is one that a store takes (ports/object-store.ts). */
export function checkKey(key: string): void {
  if (!isKey(key)) throw invalidKey(key);
}

/** Whether a store takes an object of the name `key`. */
export function isKey(key: string): boolean {
  return key.length <= OBJECT_KEY_SIZE_MAX && key.split("/").every(isKeyPart);
}

/** Throws DbError `invalid` / `object_key_invalid` unless some key can begin with `prefix`. */
export function checkPrefix(prefix: string): void {
  const parts = prefix.split("/");
  const last = parts.pop() ?? "";
  const possible = parts.every(isKeyPart) && NAME.test(last) && !HIDDEN.test(last);
  if (!possible || prefix.length > OBJECT_KEY_SIZE_MAX) throw invalidKey(prefix);
}

/** Whether `name` may stand between the slashes of a key. */
export function isKeyPart(name: string): boolean {
  const named = NAME.test(name) && name !== "" && !HIDDEN.test(name);
  return named && name.length <= OBJECT_KEY_PART_SIZE_MAX;
}

function invalidKey(key: string): DbError {
  // What is far too long would fill the log that prints it.
  const shown = key.slice(0, OBJECT_KEY_SIZE_MAX);
  return new DbError("invalid", "object_key_invalid", "The store takes no object of this key.", {
    detail: { key: shown, keySizeBytes: key.length },
  });
}
