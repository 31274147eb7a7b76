import { fromUtf8, utf8 } from "#base/bytes.ts";
import type { WriteOutcome } from "#ingest/write.ts";
import type { RejectedLine } from "#lineprotocol/parsed.ts";
import { readV1Line, withoutLead } from "#lineprotocol/v1-line.ts";
import { isOfTwoKinds, V1_EXPIRED, v1Misfit, v1PartialWrite } from "#lineprotocol/v1-misfit.ts";

const OUTERMOST = "922337203685477580";

/** The lines of a write that were not stored, in the words of InfluxDB 1. */
export class Refusals {
  readonly #unparsed: string[] = [];
  /** Of lines that do not fit their table. */
  #reason: string | undefined;
  #droppedCount = 0;
  readonly #unitNs: bigint;

  /** Of lines whose times are in units of `unitNs`. */
  constructor(unitNs: bigint) {
    this.#unitNs = unitNs;
  }

  /** `body` without the lines whose times InfluxDB 1 alone refuses. */
  takeOut(body: Uint8Array): Uint8Array {
    // Such a time is seldom looked for: in nanoseconds it has these digits, and in other units it cannot be one.
    if (
      this.#unitNs !== 1n ||
      !Buffer.from(body.buffer, body.byteOffset, body.length).includes(OUTERMOST)
    )
      return body;
    const kept: string[] = [];
    for (const text of fromUtf8(body).split("\n")) {
      const read = text.includes(OUTERMOST) ? readV1Line(text, 1n) : undefined;
      if (read?.kind !== "refused" || !read.reason.startsWith("time outside range"))
        kept.push(text);
      else this.#unparsed.push(unparsed({ text }, read.reason));
    }
    return utf8(kept.join("\n"));
  }

  /** How many it has taken. */
  get count(): number {
    return this.#unparsed.length + this.#droppedCount;
  }

  /**
   * Takes the refused lines of `outcome`, which is that of `body`, but for those that InfluxDB 1 takes: these are the answer, to be
   * written as they now are.
   */
  add({ rejected }: WriteOutcome, body: Uint8Array): readonly string[] {
    const again = rejected.some(({ message }) => isOfTwoKinds(message)) ? this.#renamed(body) : [];
    for (const line of rejected) {
      const read = readV1Line(line.text, this.#unitNs);
      if (read.kind === "taken" && read.renamed) continue;
      if (read.kind === "refused") this.#unparsed.push(unparsed(line, read.reason));
      else {
        const reason = v1Misfit(line.message, read.measurement);
        if (reason === undefined) again.push(read.text);
        else this.#drop(reason);
      }
    }
    return again;
  }

  /** Takes those of lines that both grammars have. */
  addStrict({ rejected }: WriteOutcome): void {
    for (const line of rejected) {
      const read = readV1Line(line.text, this.#unitNs);
      const reason = read.kind === "taken" ? v1Misfit(line.message, read.measurement) : undefined;
      if (reason === undefined) this.#unparsed.push(unparsed(line, line.message));
      else this.#drop(reason);
    }
  }

  /** What the client is told, where `outcome` is that of all its lines. Of many, the first are named. */
  message({ expiredCount = 0, rejectedCount, token }: WriteOutcome): string {
    const unnamedCount = Math.max(0, rejectedCount - this.count);
    const droppedCount = this.#droppedCount + unnamedCount + expiredCount;
    const reason = this.#reason ?? (expiredCount > 0 ? V1_EXPIRED : undefined);
    if (reason !== undefined) return v1PartialWrite(reason, droppedCount);
    const more = unnamedCount > 0 ? `\n(and ${unnamedCount} more lines)` : "";
    const all = this.#unparsed.join("\n") + more;
    return token === undefined ? all : `partial write: ${all} dropped=0`;
  }

  /** The lines in which a tag and a field have one name: all of them were refused. */
  #renamed(body: Uint8Array): string[] {
    return fromUtf8(body)
      .split("\n")
      .flatMap((text) => {
        const read = isLine(text) ? readV1Line(text, this.#unitNs) : undefined;
        return read?.kind === "taken" && read.renamed ? [read.text] : [];
      });
  }

  #drop(reason: string): void {
    this.#reason ??= reason;
    this.#droppedCount += 1;
  }
}

function isLine(text: string): boolean {
  const line = withoutLead(text);
  return line !== "" && !line.startsWith("#");
}

function unparsed({ text }: Pick<RejectedLine, "text">, reason: string): string {
  return `unable to parse '${withoutLead(text)}': ${reason}`;
}
