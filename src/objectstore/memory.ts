import { SortedKeys } from "#base/collection/sorted-keys.ts";
import { DbError } from "#base/errors.ts";
import type { ListOptions, ObjectMeta, ObjectStore } from "#ports/object-store.ts";
import { checkKey, checkPrefix } from "./keys.ts";

/** A store that lives and ends with the process: for tests, the simulated world and `--object-store memory`. */
export function memoryStore(): ObjectStore {
  return new MemoryStore();
}

class MemoryStore implements ObjectStore {
  readonly #bodies = new Map<string, Uint8Array>();
  /** The keys of `#bodies`; they are ASCII, so order of strings is order of bytes. */
  readonly #keys = new SortedKeys();

  async putIfAbsent(key: string, body: Uint8Array): Promise<void> {
    checkKey(key);
    if (this.#bodies.has(key)) {
      throw new DbError("conflict", "object_exists", "The object exists already.", {
        detail: { key },
      });
    }
    this.#set(key, body);
  }

  async put(key: string, body: Uint8Array): Promise<void> {
    checkKey(key);
    this.#set(key, body);
  }

  async get(key: string): Promise<Uint8Array | undefined> {
    checkKey(key);
    return this.#bodies.get(key)?.slice();
  }

  async list(prefix: string, options: ListOptions = {}): Promise<readonly ObjectMeta[]> {
    checkPrefix(prefix);
    const { after = "", countMax = Number.POSITIVE_INFINITY } = options;
    const found: ObjectMeta[] = [];
    for (const key of this.#keys.from(after > prefix ? after : prefix)) {
      // Keys that begin with the prefix stand together, so the first other one ends them.
      if (found.length >= countMax || !key.startsWith(prefix)) break;
      if (key > after) found.push({ key, sizeBytes: this.#bodies.get(key)?.length ?? 0 });
    }
    return found;
  }

  async delete(key: string): Promise<void> {
    checkKey(key);
    if (this.#bodies.delete(key)) this.#keys.delete(key);
  }

  #set(key: string, body: Uint8Array): void {
    if (!this.#bodies.has(key)) this.#keys.add(key);
    // A copy even of a Buffer, whose own slice() is a view.
    this.#bodies.set(key, Uint8Array.from(body));
  }
}
