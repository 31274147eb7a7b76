import { type FileHandle, link, mkdir, open, rename, unlink } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { Semaphore } from "#base/async.ts";
import { DbError } from "#base/errors.ts";
import type { Log } from "#ports/log.ts";
import type { ListOptions, ObjectMeta, ObjectStore } from "#ports/object-store.ts";
import type { Random } from "#ports/random.ts";
import { errnoOf, isAbsent, openErrorOf, storeErrorOf, unreachableError } from "./file-errors.ts";
import { listKeys } from "./file-list.ts";
import { findStats, syncFolder, TemporaryFiles } from "./file-temporary.ts";
import { checkKey, checkPrefix } from "./keys.ts";

export interface FileStoreOptions {
  readonly random: Random;
  readonly log: Log;
}

/** Operations under way at once; each holds at most one file open. */
const OPERATION_COUNT_MAX = 64;
const FOLDER_COUNT_MAX = 100_000;
const STAT_COUNT_MAX = 64;
const READ_SIZE_MAX = 2 ** 30;

/**
 * Objects as files under one folder, which any number of processes may share (docs/formats/file-store.md).
 *
 * An object appears under its name complete and synced, by link(2) or rename(2). Until its folder is synced as well, the
 * file has a second name: a reader that meets one syncs the folder before it answers, so nothing that was read can be
 * lost by a power failure.
 */
export class FileStore implements ObjectStore, AsyncDisposable {
  readonly #root: string;
  readonly #temporaries: TemporaryFiles;
  readonly #gate = new Semaphore(OPERATION_COUNT_MAX);
  readonly #running = new Set<Promise<unknown>>();
  /** Folders known to survive a power failure, as the directory part of keys. */
  readonly #durableFolders = new Set<string>();
  #closed = false;

  /**
   * Opens the store in `directory`, making the folder when there is none, and removes what processes that died left in it.
   * Rejects with DbError `invalid` / `data_dir_unusable` when the folder cannot be made or written, or has no hard links.
   */
  static async open(directory: string, options: FileStoreOptions): Promise<FileStore> {
    const root = resolve(directory);
    try {
      await makeRoot(root);
      return new FileStore(root, await TemporaryFiles.open(root, options));
    } catch (error) {
      throw openErrorOf(error, root);
    }
  }

  private constructor(root: string, temporaries: TemporaryFiles) {
    this.#root = root;
    this.#temporaries = temporaries;
  }

  async putIfAbsent(key: string, body: Uint8Array): Promise<void> {
    checkKey(key);
    await this.#run(key, () => this.#create(key, body, linkNew));
  }

  async put(key: string, body: Uint8Array): Promise<void> {
    checkKey(key);
    await this.#run(key, () => this.#create(key, body, linkOver));
  }

  async get(key: string): Promise<Uint8Array | undefined> {
    checkKey(key);
    return this.#run(key, () => this.#read(key));
  }

  async list(prefix: string, options: ListOptions = {}): Promise<readonly ObjectMeta[]> {
    checkPrefix(prefix);
    return this.#run(prefix, () => this.#list(prefix, options));
  }

  async delete(key: string): Promise<void> {
    checkKey(key);
    await this.#run(key, async () => {
      try {
        await unlink(this.#pathOf(key));
      } catch (error) {
        // A folder is no object.
        if (!isAbsent(error) && errnoOf(error) !== "EISDIR") throw error;
      }
    });
  }

  /** Waits for operations under way; later ones are refused. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    await Promise.allSettled(this.#running);
  }

  async #run<T>(key: string, work: () => Promise<T>): Promise<T> {
    if (this.#closed) throw unreachableError(new Error("the store is closed"), key);
    const running = this.#gate.run(work);
    this.#running.add(running);
    try {
      return await running;
    } catch (error) {
      throw storeErrorOf(error, key);
    } finally {
      this.#running.delete(running);
    }
  }

  #pathOf(key: string): string {
    return join(this.#root, key);
  }

  async #create(key: string, body: Uint8Array, place: Place): Promise<void> {
    try {
      await this.#createOnce(key, body, place);
    } catch (error) {
      if (errnoOf(error) !== "ENOENT") throw error;
      // Somebody removed the folder, or took this process for dead and removed the temporary file.
      this.#durableFolders.clear();
      await this.#createOnce(key, body, place);
    }
  }

  async #createOnce(key: string, body: Uint8Array, place: Place): Promise<void> {
    const path = this.#pathOf(key);
    const temporary = await this.#temporaries.write(body);
    try {
      await this.#makeFolder(dirname(key));
      await place(temporary, path, key);
      await syncFolder(dirname(path)).catch((error: unknown) => {
        // The object is there, so this must not look like a write that never happened.
        throw unreachableError(error, key);
      });
    } finally {
      await this.#temporaries.remove(temporary);
    }
  }

  /** Makes `folder` (`.` for the root) and all above it, so that they survive a power failure. */
  async #makeFolder(folder: string): Promise<void> {
    if (folder === "." || this.#durableFolders.has(folder)) return;
    await this.#makeFolder(dirname(folder));
    const path = this.#pathOf(folder);
    await mkdir(path).catch(ignoreExisting);
    // Also where it was there: who made it may not have come to this line yet.
    await syncFolder(dirname(path));
    if (this.#durableFolders.size >= FOLDER_COUNT_MAX) this.#durableFolders.clear();
    this.#durableFolders.add(folder);
  }

  async #read(key: string): Promise<Uint8Array | undefined> {
    const path = this.#pathOf(key);
    let handle: FileHandle;
    try {
      handle = await open(path, "r");
    } catch (error) {
      if (isAbsent(error)) return undefined;
      throw error;
    }
    try {
      const stats = await handle.stat();
      if (!stats.isFile()) return undefined;
      if (stats.nlink > 1) await syncFolder(dirname(path));
      return await readAll(handle, stats.size);
    } finally {
      await handle.close();
    }
  }

  async #list(prefix: string, options: ListOptions): Promise<readonly ObjectMeta[]> {
    const { after = "", countMax = Number.POSITIVE_INFINITY } = options;
    const found: ObjectMeta[] = [];
    const unsyncedFolders = new Set<string>();
    let cursor = after;
    while (found.length < countMax) {
      const wanted = countMax - found.length;
      const keys = await listKeys(this.#root, { prefix, after: cursor, countMax: wanted });
      await this.#appendMetas(keys, found, unsyncedFolders);
      cursor = keys.at(-1) ?? cursor;
      // Objects deleted meanwhile leave room for others, and fewer than asked for would say that there are no more.
      if (keys.length < wanted) break;
    }
    for (const folder of unsyncedFolders) await syncFolder(folder);
    return found;
  }

  async #appendMetas(keys: string[], found: ObjectMeta[], unsynced: Set<string>): Promise<void> {
    for (let start = 0; start < keys.length; start += STAT_COUNT_MAX) {
      const some = keys.slice(start, start + STAT_COUNT_MAX);
      const stats = await Promise.all(some.map((key) => findStats(this.#pathOf(key))));
      for (const [index, key] of some.entries()) {
        const stat = stats[index];
        if (stat === undefined) continue;
        if (stat.nlink > 1) unsynced.add(dirname(this.#pathOf(key)));
        found.push({ key, sizeBytes: stat.size });
      }
    }
  }
}

/** Gives a temporary file its name as an object, and leaves it its temporary name. */
type Place = (temporary: string, path: string, key: string) => Promise<void>;

async function linkNew(temporary: string, path: string, key: string): Promise<void> {
  try {
    await link(temporary, path);
  } catch (error) {
    if (errnoOf(error) !== "EEXIST") throw error;
    const stats = await findStats(path);
    const options = { detail: { key }, cause: error };
    if (stats?.isDirectory()) {
      const message = "Other objects lie beneath this key.";
      throw new DbError("invalid", "object_key_invalid", message, options);
    }
    throw new DbError("conflict", "object_exists", "The object exists already.", options);
  }
}

async function linkOver(temporary: string, path: string): Promise<void> {
  const second = `${temporary}.put`;
  await link(temporary, second);
  try {
    await rename(second, path);
  } catch (error) {
    await unlink(second).catch(() => undefined);
    throw error;
  }
}

/** Makes the folder `path` and those above it. The recursive mkdir of Node is not used: it tries for ever below /proc. */
async function makeRoot(path: string): Promise<void> {
  try {
    await mkdir(path);
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === "EEXIST") return;
    if (errno !== "ENOENT" || dirname(path) === path) throw error;
    await makeRoot(dirname(path));
    await mkdir(path).catch(ignoreExisting);
  }
  await syncFolder(dirname(path));
}

function ignoreExisting(error: unknown): void {
  if (errnoOf(error) !== "EEXIST") throw error;
}

async function readAll(handle: FileHandle, sizeBytes: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(sizeBytes);
  let offset = 0;
  while (offset < sizeBytes) {
    const length = Math.min(sizeBytes - offset, READ_SIZE_MAX);
    const { bytesRead } = await handle.read(bytes, offset, length, offset);
    // Truncated by somebody while it was read: the checksum above this layer names it.
    if (bytesRead === 0) return bytes.subarray(0, offset);
    offset += bytesRead;
  }
  return bytes;
}
