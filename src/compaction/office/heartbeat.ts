import { fromUtf8, utf8 } from "#base/bytes.ts";
import { describeError } from "#base/errors.ts";
import type { Catalog } from "#catalog/catalog.ts";
import type { NodeRecord } from "#catalog/catalog-state.ts";
import type { NodeNumber } from "#model/ids.ts";
import type { Writer } from "#objectlog/shared-log.ts";
import type { Clock } from "#ports/clock.ts";
import type { Log } from "#ports/log.ts";
import type { ObjectStore } from "#ports/object-store.ts";

/** How often the one in office writes a sign of life while a standby cannot be heard: 720 times an hour. */
export const BEAT_MS = 5_000;
/** A standby that has not asked for this long cannot reach this node: it asks every two seconds. */
const UNHEARD_MS = 4_000;
const CHECK_MS = 1_000;

export interface HeartbeatOptions {
  readonly clusterId: string;
  readonly catalog: Catalog;
  readonly store: ObjectStore;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * The sign of life of the one in office for standbys that cannot reach it over the network: an object that it rewrites. While all of
 * them are heard, nothing is written. Safety does not rest on it; a beat that comes late costs a take-over.
 */
export class Heartbeat {
  readonly #options: HeartbeatOptions;
  readonly #key: string;
  /** When each node was last heard. */
  readonly #heardMs = new Map<NodeNumber, number>();

  constructor(options: HeartbeatOptions) {
    this.#options = options;
    this.#key = `${options.clusterId}/office/heartbeat`;
  }

  /** `node` stands by, and reaches this process. */
  hear(node: NodeNumber): void {
    const { catalog, clock } = this.#options;
    if (catalog.state.nodes.has(node)) this.#heardMs.set(node, clock.monotonicMs());
  }

  /** The newest sign of life in the store; undefined when there is none. Equal texts are one sign. */
  async read(): Promise<string | undefined> {
    const bytes = await this.#options.store.get(this.#key);
    return bytes && fromUtf8(bytes);
  }

  /** Beats while somebody cannot be heard, in the name of the term `office`, until `signal` is aborted. */
  async run(office: Writer, signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    const startedMs = clock.monotonicMs();
    let beatMs = Number.NEGATIVE_INFINITY;
    for (let count = 1; !signal.aborted; ) {
      const nowMs = clock.monotonicMs();
      if (nowMs - beatMs >= BEAT_MS && this.#isAnyUnheard(nowMs, startedMs)) {
        beatMs = nowMs;
        await this.#beat(office, count++);
      }
      await clock.sleep(CHECK_MS, signal).catch(() => undefined);
    }
  }

  async #beat({ node, epoch: term }: Writer, count: number): Promise<void> {
    const { log, store } = this.#options;
    try {
      await store.put(this.#key, utf8(JSON.stringify({ node, term, count })));
    } catch (error) {
      log.debug("could not write a sign of life", { reason: describeError(error) });
    }
  }

  #isAnyUnheard(nowMs: number, startedMs: number): boolean {
    const { catalog } = this.#options;
    return [...catalog.state.nodes.values()].some((node) => {
      if (node.number === catalog.writer.node || !isCompactor(node)) return false;
      return nowMs - (this.#heardMs.get(node.number) ?? startedMs) > UNHEARD_MS;
    });
  }
}

/** Whether `node` runs, as far as the catalog says, and may be in office. */
export function isCompactor({ modes, state }: NodeRecord): boolean {
  return state === "running" && modes.includes("compact");
}
