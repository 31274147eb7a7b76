import { mkdir, readdir, rm, stat, unlink, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { Budget, Semaphore } from "#base/async.ts";
import { crc32 } from "#base/crc32.ts";
import { DbError } from "#base/errors.ts";
import type { DataFile } from "#model/data-file.ts";
import type { Log } from "#ports/log.ts";
import type { ObjectStore } from "#ports/object-store.ts";
import { errnoOf, openErrorOf } from "./file-errors.ts";

export interface FileCacheOptions {
  readonly store: ObjectStore;
  /** Belongs to this process alone; what an earlier one left in it is removed. */
  readonly directory: string;
  /** Bytes of files kept; pinned ones may exceed it. */
  readonly sizeMax: number;
  /** Whether the copy of a file is worth keeping when nobody reads it; all are unless given. */
  readonly keeps?: (file: CachedFile) => boolean;
  readonly log: Log;
}

/** A local copy that stays where it is until `release`, which may be called more than once. */
export interface PinnedFile {
  readonly path: string;
  release(): void;
}

/** What of a DataFile the cache uses. */
export type CachedFile = Pick<DataFile, "key" | "sizeBytes" | "checksum" | "time">;

interface Entry {
  readonly file: CachedFile;
  readonly path: string;
  /** Settles when the file is at `path`, checked, or when it cannot be had. */
  readonly ready: Promise<void>;
  pinCount: number;
}

const FETCH_COUNT_MAX = 4;
/** Bytes of files in memory on their way to the local disk; a larger file comes alone. */
const FETCH_SIZE_MAX = 192 * 2 ** 20;
const LOCAL_NAME = /^\d+\.parquet$/;

/**
 * Local copies of data files for an engine that reads by path: least recently used ones go first when they take more than
 * `sizeMax`, pinned ones never. A local name is used once in the life of a cache, so an engine that remembers a path
 * never finds another file there.
 */
export class FileCache implements AsyncDisposable {
  readonly #store: ObjectStore;
  readonly #directory: string;
  readonly #sizeMax: number;
  readonly #keeps: (file: CachedFile) => boolean;
  readonly #log: Log;
  /** By key, least recently used first. */
  readonly #entries = new Map<string, Entry>();
  readonly #fetching = new Semaphore(FETCH_COUNT_MAX);
  readonly #fetched = new Budget(FETCH_SIZE_MAX);
  readonly #removals = new Set<Promise<void>>();
  #sizeBytes = 0;
  #nameCount = 0;
  #closed = false;

  /** Rejects with DbError `invalid` / `data_dir_unusable` when the folder cannot be made or written. */
  static async open(options: FileCacheOptions): Promise<FileCache> {
    const directory = resolve(options.directory);
    try {
      await mkdir(directory, { recursive: true });
      await removeLocalFiles(directory);
      // Find out now that nothing can be written, not at the first query.
      const probe = join(directory, "0.parquet");
      await writeFile(probe, "");
      await unlink(probe);
    } catch (error) {
      throw openErrorOf(error, directory);
    }
    return new FileCache(directory, options);
  }

  private constructor(directory: string, options: FileCacheOptions) {
    const { store, sizeMax, keeps = () => true, log } = options;
    this.#directory = directory;
    this.#store = store;
    this.#sizeMax = sizeMax;
    this.#keeps = keeps;
    this.#log = log;
  }

  /** Bytes of the files kept and of those on their way. */
  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /**
   * A path whose bytes match size and checksum of `file`, fetched once even when several ask at the same time.
   * Rejects with DbError `not_found` / `file_vanished` when the store has no such object, `corrupt` / `file_damaged` when
   * its bytes do not match, `unavailable` / `file_cache_unwritable` when the local disk does not take it, or as the store does.
   */
  async pin(file: CachedFile): Promise<PinnedFile> {
    let entry = await this.#acquire(file, () => this.#fetch(file));
    if (!(await isInPlace(entry))) {
      this.#log.warn("A cached file was lost; it is fetched again.", { key: file.key });
      this.#release(entry);
      this.#forget(entry);
      entry = await this.#acquire(file, () => this.#fetch(file));
    }
    const pinned = entry;
    let released = false;
    return {
      path: pinned.path,
      release: () => {
        if (!released) this.#release(pinned);
        released = true;
      },
    };
  }

  /** Keeps `bytes` of a file that this node has just written, so that it need not be fetched, if it is to be kept. Rejects as `pin` does. */
  async seed(file: CachedFile, bytes: Uint8Array): Promise<void> {
    if (file.sizeBytes > this.#sizeMax || !this.#keeps(file)) return;
    this.#release(await this.#acquire(file, async () => bytes));
  }

  /** Waits for fetches under way and removes the local files. All pins must have been released. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    await Promise.allSettled([...this.#entries.values()].map(({ ready }) => ready));
    await Promise.allSettled(this.#removals);
    this.#entries.clear();
    this.#sizeBytes = 0;
    await removeLocalFiles(this.#directory);
  }

  /** The entry of `file`, ready and pinned once more. */
  async #acquire(file: CachedFile, load: () => Promise<Uint8Array>): Promise<Entry> {
    if (this.#closed) {
      throw new DbError("unavailable", "file_cache_closed", "The file cache is closed.");
    }
    const entry = this.#entries.get(file.key) ?? this.#begin(file, load);
    if (entry.file.sizeBytes !== file.sizeBytes || entry.file.checksum !== file.checksum) {
      throw damagedError(file, entry.file);
    }
    entry.pinCount += 1;
    // The most recently used one stands last.
    if (this.#entries.delete(file.key)) this.#entries.set(file.key, entry);
    try {
      await entry.ready;
    } catch (error) {
      entry.pinCount -= 1;
      this.#forget(entry);
      throw error;
    }
    return entry;
  }

  #begin(file: CachedFile, load: () => Promise<Uint8Array>): Entry {
    this.#nameCount += 1;
    const path = join(this.#directory, `${this.#nameCount}.parquet`);
    this.#sizeBytes += file.sizeBytes;
    this.#evict();
    const fetch = async () => {
      const bytes = await load();
      checkFile(file, bytes);
      await this.#write(path, bytes);
    };
    const ready = this.#fetching.run(() => this.#fetched.run(file.sizeBytes, fetch));
    const entry: Entry = { file, path, ready, pinCount: 0 };
    this.#entries.set(file.key, entry);
    return entry;
  }

  async #fetch(file: CachedFile): Promise<Uint8Array> {
    const bytes = await this.#store.get(file.key);
    if (bytes !== undefined) return bytes;
    throw new DbError(
      "not_found",
      "file_vanished",
      `The data file ${file.key} is not in the object store any more.`,
      { detail: { key: file.key } },
    );
  }

  async #write(path: string, bytes: Uint8Array): Promise<void> {
    // Evicted files take room until they are gone.
    await Promise.allSettled(this.#removals);
    try {
      await writeFile(path, bytes);
    } catch (error) {
      throw new DbError(
        "unavailable",
        "file_cache_unwritable",
        "The local file cache cannot be written.",
        { detail: { directory: this.#directory, errno: errnoOf(error) }, cause: error },
      );
    }
  }

  #release(entry: Entry): void {
    entry.pinCount -= 1;
    if (entry.pinCount === 0 && !this.#keeps(entry.file)) this.#forget(entry);
    this.#evict();
  }

  #evict(): void {
    for (const entry of this.#entries.values()) {
      if (this.#sizeBytes <= this.#sizeMax) return;
      if (entry.pinCount === 0) this.#forget(entry);
    }
  }

  /** Gives up an entry, if that has not been done, and removes its file. */
  #forget(entry: Entry): void {
    if (this.#entries.get(entry.file.key) !== entry) return;
    this.#entries.delete(entry.file.key);
    this.#sizeBytes -= entry.file.sizeBytes;
    const removal = rm(entry.path, { force: true })
      .catch((error: unknown) => {
        const fields = { path: entry.path, errno: errnoOf(error) };
        this.#log.warn("A cached file could not be removed.", fields);
      })
      .finally(() => this.#removals.delete(removal));
    this.#removals.add(removal);
  }
}

function checkFile(file: CachedFile, bytes: Uint8Array): void {
  const found = { sizeBytes: bytes.length, checksum: crc32(bytes) };
  if (found.sizeBytes !== file.sizeBytes || found.checksum !== file.checksum) {
    throw damagedError(file, found);
  }
}

function damagedError(
  file: CachedFile,
  found: { readonly sizeBytes: number; readonly checksum: number },
): DbError {
  return new DbError(
    "corrupt",
    "file_damaged",
    `The data file ${file.key} is damaged: size or checksum do not match.`,
    {
      detail: {
        key: file.key,
        sizeBytes: file.sizeBytes,
        sizeBytesFound: found.sizeBytes,
        checksum: file.checksum,
        checksumFound: found.checksum,
      },
    },
  );
}

/** Whether nobody removed or cut the local copy, as cleaners of temporary folders do. */
async function isInPlace(entry: Entry): Promise<boolean> {
  try {
    return (await stat(entry.path)).size === entry.file.sizeBytes;
  } catch {
    return false;
  }
}

/** Leaves alone what a cache does not make: `directory` may have been named by mistake. */
async function removeLocalFiles(directory: string): Promise<void> {
  for (const name of await readdir(directory)) {
    if (LOCAL_NAME.test(name)) await rm(join(directory, name), { force: true });
  }
}
