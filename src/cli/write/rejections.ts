import { type RejectedLine, rejectedText } from "../client/server-error.ts";
import type { Batch } from "./batches.ts";
import { countText } from "./report.ts";

/** Lines that are told of. */
const NAMED_MAX = 100;
/** Lines that a server names in one answer; more may have been wrong then. */
const ANSWER_COUNT_MAX = 100;

/** The lines of an input that were not taken, while the others of their batches are stored. */
export class Rejections {
  /** Those that the server named. */
  count = 0;
  /** Whether there may be more than `count`. */
  isOpen = false;
  #named: RejectedLine[] = [];

  /** Adds what was not taken of `batch`, whose lines `lines` count. */
  add(batch: Batch, lines: readonly RejectedLine[]): void {
    this.count += lines.length;
    if (lines.length >= ANSWER_COUNT_MAX) this.isOpen = true;
    const named = lines.map((line) => ({
      ...line,
      lineNumber:
        line.lineNumber === undefined ? undefined : batch.start.line + line.lineNumber - 1,
    }));
    // Batches end in any order.
    this.#named = [...this.#named, ...named]
      .toSorted((a, b) => (a.lineNumber ?? 0) - (b.lineNumber ?? 0))
      .slice(0, NAMED_MAX);
  }

  /** One line for each, the first ones of the input. */
  texts(): readonly string[] {
    const more = this.count - this.#named.length;
    return [
      ...this.#named.map(rejectedText),
      ...(more > 0 ? [`  and ${countText(more)}${this.isOpen ? " or more" : ""} others`] : []),
    ];
  }
}
