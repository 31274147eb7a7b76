/** The files of a plan on the local disk, held there while a query runs. */
import { Semaphore } from "#base/async.ts";
import { DbError, isKind } from "#base/errors.ts";
import type { DataFile } from "#model/data-file.ts";
import type { Plan } from "#model/query/plan.ts";
import { scansOf } from "#model/query/walk.ts";

/** Where the engine gets data files: a bounded cache of checked copies. */
export interface PinnedFiles {
  /** Rejects with `not_found` when the object is gone, `corrupt` when it is not what its envelope says. */
  pin(file: DataFile): Promise<Pin>;
}

export interface Pin {
  readonly path: string;
  /** Lets the cache forget the file. */
  release(): void;
}

const PIN_COUNT_MAX = 8;

/** Files held; disposing releases them. */
export class Pins implements Disposable {
  readonly paths = new Map<string, string>();
  readonly #pins: Pin[] = [];

  /**
   * All of `wanted`, or none: rejects with `not_found` / `file_vanished`, as `files` does, or with the reason of `signal`
   * at once, while what is on its way is released when it comes.
   */
  static async take(
    files: PinnedFiles,
    wanted: readonly DataFile[],
    signal: AbortSignal,
  ): Promise<Pins> {
    const pins = new Pins();
    const lanes = new Semaphore(PIN_COUNT_MAX);
    const settled = Promise.allSettled(
      wanted.map((file) => lanes.run(() => pins.#take(files, file, signal))),
    );
    const aborted = Promise.withResolvers<never>();
    const onAbort = () => aborted.reject(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      const results = await Promise.race([settled, aborted.promise]);
      const failed = results.find(({ status }) => status === "rejected");
      if (failed !== undefined) throw (failed as PromiseRejectedResult).reason;
      return pins;
    } catch (error) {
      void settled.then(() => pins[Symbol.dispose]());
      throw error;
    } finally {
      signal.removeEventListener("abort", onAbort);
    }
  }

  [Symbol.dispose](): void {
    for (const pin of this.#pins.splice(0)) pin.release();
  }

  async #take(files: PinnedFiles, file: DataFile, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    try {
      const pin = await files.pin(file);
      this.#pins.push(pin);
      this.paths.set(file.key, pin.path);
    } catch (cause) {
      if (!isKind(cause, "not_found")) throw cause;
      const detail = { key: file.key };
      const message = `the data file ${file.key} is gone`;
      throw new DbError("not_found", "file_vanished", message, { detail, cause });
    }
  }
}

/** Each file of `plan` once. */
export function filesOf(plan: Plan): DataFile[] {
  const byKey = new Map<string, DataFile>();
  for (const { groups } of scansOf(plan)) {
    for (const source of groups.flatMap(({ sources }) => sources)) {
      if (source.kind === "file") byKey.set(source.file.key, source.file);
    }
  }
  return [...byKey.values()];
}
