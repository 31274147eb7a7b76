import { addAbortSignal } from "node:stream";
import { DbError, messageOf } from "#base/errors.ts";
import type { TextInput } from "../client/input.ts";
import type { CommandInput } from "../command.ts";
import type { Batch, Place } from "./batches.ts";
import { type PostTarget, postLines } from "./post.ts";
import { Rejections } from "./rejections.ts";
import { countText, type Progress, resumeCommand, statusText, totalText } from "./report.ts";
import { Upload } from "./upload.ts";

export interface LargeWriteOptions {
  readonly target: PostTarget;
  /** Requests at a time. */
  readonly concurrency: number;
  readonly opened: TextInput;
  /** The line of the input that the batches begin with. */
  readonly firstLine: number;
}

const STATUS_EVERY_MS = 200;
/** The HTTP status of a body that is larger than the server takes. */
const TOO_LARGE = 413;

/** Writes an input in many requests, tells how it goes, and how far it got where it ends early. */
export class LargeWrite {
  readonly #input: CommandInput;
  readonly #options: LargeWriteOptions;
  readonly #rejections = new Rejections();
  readonly #startMs = performance.now();

  constructor(input: CommandInput, options: LargeWriteOptions) {
    this.#input = input;
    this.#options = options;
  }

  /**
   * Writes all of `batches`; resolves with the exit code.
   *
   * Rejects with `unavailable` / `write_incomplete`, which says where to go on, and with `invalid` / `lines_rejected` when
   * all was sent and some lines were not taken.
   */
  async run(batches: AsyncIterable<Batch>): Promise<number> {
    const { settings, terminal } = this.#input;
    const { target, concurrency, opened } = this.#options;
    using interrupt = terminal.catchInterrupt();
    // A read from a pipe may never end by itself.
    addAbortSignal(interrupt.signal, opened.stream);
    const upload = new Upload({
      concurrency,
      signal: interrupt.signal,
      send: async (batch, signal) => {
        // A node refuses a body without a row.
        if (batch.rowCount === 0) return;
        this.#rejections.add(batch, await postLines(target, batch.bytes, signal));
      },
    });
    const sentAll = await this.#runShown(upload, batches);
    if (!sentAll) {
      terminal.error(["Write interrupted", ...this.#howFar(upload)].join("\n"));
      return interrupt.exitCode;
    }
    const progress = this.#progress(upload);
    if (this.#rejections.count > 0) throw this.#linesRejected(progress);
    if (!settings.isOn("quiet")) terminal.out(`success: ${totalText(progress)}`);
    return 0;
  }

  async #runShown(upload: Upload, batches: AsyncIterable<Batch>): Promise<boolean> {
    const { settings, terminal } = this.#input;
    const show = settings.isOn("quiet") ? undefined : terminal.showStatus;
    const timer = setInterval(() => {
      const doneBytes = (upload.start?.byte ?? 0) + upload.byteCount;
      show?.(statusText(this.#progress(upload), doneBytes, this.#options.opened.sizeBytes));
    }, STATUS_EVERY_MS);
    try {
      return await upload.run(batches);
    } catch (error) {
      // Before the first batch there is nothing to tell.
      if (upload.start === undefined) throw error;
      const message = [messageOf(error), ...hintsOf(error), ...this.#howFar(upload)].join("\n");
      throw new DbError("unavailable", "write_incomplete", message, { cause: error });
    } finally {
      clearInterval(timer);
      show?.("");
    }
  }

  #progress(upload: Upload): Progress {
    return {
      rowCount: Math.max(upload.rowCount - this.#rejections.count, 0),
      byteCount: upload.byteCount,
      elapsedMs: performance.now() - this.#startMs,
    };
  }

  #howFar(upload: Upload): readonly string[] {
    const { settings, terminal } = this.#input;
    const { firstLine, opened } = this.#options;
    const stored: Place = upload.stored ?? { byte: 0, line: firstLine };
    const input = opened.source === "pipe" ? ", with the same input," : "";
    return [
      ...this.#rejections.texts(),
      stored.line === firstLine
        ? "  no line is known to be stored"
        : `  stored: lines ${firstLine} to ${stored.line - 1}, which end at byte ${stored.byte}; ${totalText(this.#progress(upload))}`,
      ...(upload.isExact
        ? []
        : ["  some of the next lines may be stored, too: those with a time can be written again"]),
      `  go on${input} with: ${resumeCommand(terminal.programName, settings, stored.line)}`,
    ];
  }

  #linesRejected({ rowCount }: Progress): DbError {
    const { count, isOpen } = this.#rejections;
    const rejected = `${countText(count)} ${isOpen ? "lines or more were" : count === 1 ? "line was" : "lines were"} not taken`;
    const stored = `${isOpen ? "at most " : ""}${countText(rowCount)} rows are stored`;
    const message = [`partial write: ${rejected}, ${stored}`, ...this.#rejections.texts()];
    return new DbError("invalid", "lines_rejected", message.join("\n"), {
      detail: { count, rowCount },
    });
  }
}

function hintsOf(error: unknown): readonly string[] {
  const isTooLarge = error instanceof DbError && error.detail["status"] === TOO_LARGE;
  return isTooLarge ? ["  a smaller --batch-size sends less at once"] : [];
}
