import { setTimeout as sleep } from "node:timers/promises";
import { below, chance, pick } from "./chance.ts";
import { RefusedError, type Server } from "./server.ts";

export interface SequenceWriterOptions {
  readonly name: string;
  readonly database: string;
  readonly table: string;
  /** Where it writes: with several nodes it changes between them. */
  readonly nodes: readonly Server[];
  /** Time of row 0, nanoseconds since the Unix epoch. */
  readonly startNs: bigint;
  readonly rowCountMax: number;
  readonly pauseMsMax: number;
}

/** Fixed keys that are written again and again; each has two fields, written in turns. */
export const KEY_COUNT = 5;
const ROW_STEP_NS = 1_000_000n;
const RETRY_MS = 50;
/** Statuses that mean: not now, or not known; send it again. */
const PASSING = [429, 503];

/**
 * Writes a series of rows without a gap (row n has field n = n), and rows of a few fixed keys whose values rise.
 *
 * A request that was not acknowledged is sent again as it was until it is: so every row below `acknowledged` must be found, once,
 * and every row that is found must be below `sent`.
 */
export class SequenceWriter {
  readonly options: SequenceWriterOptions;
  readonly failures: string[] = [];
  #acknowledged = 0;
  #sent = 0;
  #round = 0;
  #retryCount = 0;
  #requestCount = 0;
  readonly #tokens = new Map<Server, string>();

  constructor(options: SequenceWriterOptions) {
    this.options = options;
  }

  /** Rows 0 to here, without it, are durable. */
  get acknowledged(): number {
    return this.#acknowledged;
  }

  /** No row at or above this was ever sent. */
  get sent(): number {
    return this.#sent;
  }

  get requestCount(): number {
    return this.#requestCount;
  }

  get retryCount(): number {
    return this.#retryCount;
  }

  /** A read that brings these sees everything that is acknowledged now. */
  get tokens(): readonly string[] {
    return [...this.#tokens.values()];
  }

  /** The rounds of fixed keys that are acknowledged, and that were sent. */
  get rounds(): { readonly acknowledged: number; readonly sent: number } {
    return {
      acknowledged: this.#round,
      sent: this.#sent > this.#acknowledged ? this.#round + 1 : this.#round,
    };
  }

  /** Time of row `index`. */
  timeNs(index: number): bigint {
    return this.options.startNs + BigInt(index) * ROW_STEP_NS;
  }

  /** Writes until `stopped`, and until the last request is acknowledged. */
  async run(stopped: AbortSignal): Promise<void> {
    while (!stopped.aborted) {
      await this.step();
      await sleep(below(this.options.pauseMsMax));
    }
  }

  /** Writes one request. */
  async step(): Promise<void> {
    const end = this.#acknowledged + 1 + below(this.options.rowCountMax);
    const body = this.#makeBody(end);
    this.#sent = end;
    this.#requestCount += 1;
    while (!(await this.#try(body))) {
      this.#retryCount += 1;
      await sleep(RETRY_MS);
    }
    this.#acknowledged = end;
    this.#round += 1;
  }

  #makeBody(end: number): string {
    const { name, startNs, table } = this.options;
    // Rows that are there already, once more: they must not be counted twice, wherever the first ones are by now.
    const first = chance(0.2) ? Math.max(0, this.#acknowledged - below(200)) : this.#acknowledged;
    const lines: string[] = [];
    for (let index = first; index < end; index++)
      lines.push(`${table},writer=${name} n=${index}i ${this.timeNs(index)}`);
    const { key, field } = keyOfRound(this.#round);
    lines.push(`${table}_fixed,writer=${name},key=k${key} ${field}=${this.#round}i ${startNs}`);
    return lines.join("\n");
  }

  /** Whether the body was acknowledged. */
  async #try(body: string): Promise<boolean> {
    const { database, nodes } = this.options;
    const node = pick(nodes);
    try {
      // The token orders this write after those that went through other nodes.
      this.#tokens.set(node, await node.write(database, body, nodes.length > 1 ? this.tokens : []));
      return true;
    } catch (error) {
      if (error instanceof RefusedError && !PASSING.includes(error.status))
        this.failures.push(`${node.options.nodeId} refused a write: ${error.message}`);
      return false;
    }
  }
}

/** What a round writes: each key has its turn with one field, then with the other. */
export function keyOfRound(round: number): {
  readonly key: number;
  readonly field: "even" | "odd";
} {
  return { key: Math.floor(round / 2) % KEY_COUNT, field: round % 2 === 0 ? "even" : "odd" };
}

/** The last of the first `roundCount` rounds that wrote `field` of `key`; undefined when none did. */
export function lastRound(
  roundCount: number,
  key: number,
  field: "even" | "odd",
): number | undefined {
  for (let round = roundCount - 1; round >= 0 && round >= roundCount - 2 * KEY_COUNT; round--) {
    const wrote = keyOfRound(round);
    if (wrote.key === key && wrote.field === field) return round;
  }
  return undefined;
}
