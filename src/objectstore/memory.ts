import { DbError } from "#base/errors.ts";
import type { ListOptions, ObjectMeta, ObjectStore } from "#ports/object-store.ts";
import { checkKey, checkPrefix } from "./keys.ts";

/** A store that lives and ends with the process: for tests, the simulated world and `--object-store memory`. */
export function memoryStore(): ObjectStore {
  return new MemoryStore();
}

class MemoryStore implements ObjectStore {
  readonly #bodies = new Map<string, Uint8Array>();
  /** The keys of `#bodies` in ascending order; they are ASCII, so order of strings is order of bytes. */
  readonly #keys: string[] = [];

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
    let index = this.#indexOf(after > prefix ? after : prefix);
    for (; found.length < countMax; index += 1) {
      const key = this.#keys[index];
      // Keys that begin with the prefix stand together, so the first other one ends them.
      if (!key?.startsWith(prefix)) break;
      if (key > after) found.push({ key, sizeBytes: this.#bodies.get(key)?.length ?? 0 });
    }
    return found;
  }

  async delete(key: string): Promise<void> {
    checkKey(key);
    if (this.#bodies.delete(key)) this.#keys.splice(this.#indexOf(key), 1);
  }

  #set(key: string, body: Uint8Array): void {
    if (!this.#bodies.has(key)) this.#keys.splice(this.#indexOf(key), 0, key);
    // A copy even of a Buffer, whose own slice() is a view.
    this.#bodies.set(key, Uint8Array.from(body));
  }

  /** Where the least key stands that is not below `key`. */
  #indexOf(key: string): number {
    let start = 0;
    let end = this.#keys.length;
    while (start < end) {
      const middle = (start + end) >>> 1;
      if ((this.#keys[middle] ?? "") < key) start = middle + 1;
      else end = middle;
    }
    return start;
  }
}
