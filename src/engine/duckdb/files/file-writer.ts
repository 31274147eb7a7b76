/** Data files made in a thread of their own, which is started when it is first needed. */
import { concatBytes } from "#base/bytes.ts";
import { DbError } from "#base/errors.ts";
import type { WriteFilesRequest, WrittenFile } from "#ports/engine.ts";
import type { Log } from "#ports/log.ts";
import { ThreadLink } from "#threads/thread-link.ts";
import type { FileCalls } from "./messages.ts";

const THREAD = new URL("./file-thread.ts", import.meta.url);

export class FileWriter implements AsyncDisposable {
  readonly #log: Log;
  readonly #file: URL;
  #thread: ThreadLink<FileCalls> | undefined;

  /** `file` is what runs in the thread. */
  constructor(log: Log, file = THREAD) {
    this.#log = log;
    this.#file = file;
  }

  /** All files of `request`. Rejects as the engine port says, with `unavailable` / `file_writer_restarted` when the thread ended. */
  write(request: WriteFilesRequest): Promise<readonly WrittenFile[]> {
    const { blocks, ...rest } = request;
    let end = 0;
    const ends = blocks.map(({ bytes }) => (end += bytes.length));
    const bytes = concatBytes(blocks.map((block) => block.bytes)) as Uint8Array<ArrayBuffer>;
    const stamps = blocks.map(({ stamp }) => ({ stamp }));
    const call = { ...rest, blocks: stamps, ends, bytes };
    return this.#running().call("write", call, [bytes.buffer]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#thread?.[Symbol.asyncDispose]();
  }

  #running(): ThreadLink<FileCalls> {
    if (this.#thread?.lost === false) return this.#thread;
    this.#thread = new ThreadLink({
      file: this.#file,
      name: "writes data files",
      log: this.#log,
      lostError: (cause) =>
        new DbError(
          "unavailable",
          "file_writer_restarted",
          "the thread that writes data files ended and is started again: nothing is lost",
          { cause },
        ),
    });
    return this.#thread;
  }
}
