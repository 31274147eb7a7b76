import type { Stats } from "node:fs";
import { type FileHandle, link, lstat, mkdir, open, readdir, unlink } from "node:fs/promises";
import { join } from "node:path";
import { hex } from "#base/bytes.ts";
import type { Log } from "#ports/log.ts";
import { type Random, randomBytes } from "#ports/random.ts";
import { errnoOf, isAbsent } from "./file-errors.ts";

/** Below the store's root. No key can name it, for keys have no tilde. */
const TEMPORARY_FOLDER = ".tmp~";
/** A temporary file that nobody wrote to for so long belongs to a process that died. */
const TEMPORARY_AGE_MS_MAX = 600_000;
const NAME_ATTEMPTS_MAX = 1_000;

/** The files on their way into the store under `root`, of this process and of others. */
export class TemporaryFiles {
  readonly #folder: string;
  /** Tells the files of this process from those of others. */
  readonly #prefix: string;
  readonly #log: Log;
  #count = 0;

  /**
   * Makes the folder when there is none and removes from it what processes that died left behind. Tries what a write
   * needs, a new file and a hard link, and rejects with the file system's error where they are refused.
   */
  static async open(
    root: string,
    options: { readonly random: Random; readonly log: Log },
  ): Promise<TemporaryFiles> {
    const folder = join(root, TEMPORARY_FOLDER);
    await mkdir(folder).catch((error: unknown) => {
      if (errnoOf(error) !== "EEXIST") throw error;
    });
    const temporaries = new TemporaryFiles(folder, options);
    await temporaries.#removeStale();
    return temporaries;
  }

  private constructor(folder: string, options: { readonly random: Random; readonly log: Log }) {
    this.#folder = folder;
    this.#prefix = hex(randomBytes(options.random, 8));
    this.#log = options.log;
  }

  /** The path of a new file that holds `body` and survives a power failure, though its name may not. */
  async write(body: Uint8Array): Promise<string> {
    const { path, handle } = await this.#create();
    try {
      await handle.writeFile(body);
      await handle.datasync();
    } catch (error) {
      await this.remove(path);
      throw error;
    } finally {
      await handle.close();
    }
    return path;
  }

  /** Never rejects: whether an object was written does not depend on it, and the next start tries again. */
  async remove(path: string): Promise<void> {
    try {
      await unlink(path);
    } catch (error) {
      if (isAbsent(error)) return;
      this.#log.warn("A temporary file could not be removed.", { path, errno: errnoOf(error) });
    }
  }

  async #create(): Promise<{ path: string; handle: FileHandle }> {
    for (let attempt = 1; ; attempt += 1) {
      this.#count += 1;
      const path = join(this.#folder, `${this.#prefix}-${this.#count}`);
      try {
        return { path, handle: await open(path, "wx") };
      } catch (error) {
        // Another process drew the same prefix.
        if (errnoOf(error) !== "EEXIST" || attempt === NAME_ATTEMPTS_MAX) throw error;
      }
    }
  }

  /**
   * A live writer that slept for longer than the age loses its file, too, and writes it again. A stale file may be the
   * second name of an object; by its age the system has long written the first one to disk.
   */
  async #removeStale(): Promise<void> {
    const probe = await this.write(new Uint8Array());
    const probeLink = `${probe}.link`;
    try {
      await link(probe, probeLink);
      // Several machines may share the folder, so ages are told by the clock that stamps the files.
      const { mtimeMs: nowMs } = await lstat(probe);
      let removedCount = 0;
      for (const name of await readdir(this.#folder)) {
        const path = join(this.#folder, name);
        const stats = await findStats(path);
        if (stats === undefined || nowMs - stats.mtimeMs <= TEMPORARY_AGE_MS_MAX) continue;
        await this.remove(path);
        removedCount += 1;
      }
      if (removedCount > 0) this.#log.info("Removed stale temporary files.", { removedCount });
    } finally {
      // The first name guards the second against a process that drew the same prefix, so it goes last.
      await this.remove(probeLink);
      await this.remove(probe);
    }
  }
}

/** What the file system knows of `path` itself; undefined when nothing is there. */
export async function findStats(path: string): Promise<Stats | undefined> {
  try {
    return await lstat(path);
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
}

/** Makes the names in a folder survive a power failure. */
export async function syncFolder(path: string): Promise<void> {
  const handle = await open(path, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
