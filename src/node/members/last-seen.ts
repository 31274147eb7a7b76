import { untilAborted } from "#base/async.ts";
import type { Catalog } from "#catalog/catalog.ts";
import type { NodeRecord } from "#catalog/catalog-state.ts";
import type { NodeNumber } from "#model/ids.ts";
import type { NodeConfig } from "../config.ts";
import type { NodePorts } from "../ports.ts";
import { answersAs } from "./registration.ts";

export interface LastSeenOptions {
  readonly config: NodeConfig;
  readonly ports: NodePorts;
  readonly catalog: Catalog;
}

/** A node that was not heard of for this long is asked. */
const ASK_INTERVAL_MS = 10_000;
const ASKED_AT_ONCE = 8;

/**
 * When this node last heard from each other one: a push, a greeting, an answer. People see by it who is silent; no decision rests on
 * it, for a node that is silent here may be heard elsewhere.
 */
export class LastSeen {
  readonly #options: LastSeenOptions;
  readonly #startMs: number;
  /** Of nodes of the catalog alone. */
  readonly #heard = new Map<NodeNumber, { readonly atNs: bigint; readonly atMs: number }>();

  constructor(options: LastSeenOptions) {
    this.#options = options;
    this.#startMs = options.ports.clock.monotonicMs();
  }

  /** Undefined when it was not heard of since this process started. This node itself is heard now. */
  of(node: NodeNumber): bigint | undefined {
    const { catalog, ports } = this.#options;
    return node === catalog.writer.node ? ports.clock.nowNs() : this.#heard.get(node)?.atNs;
  }

  /** Whether another node was silent for less than `durationMs`; before this process began, it spoke. */
  isHeard(node: NodeNumber, durationMs: number): boolean {
    const atMs = this.#heard.get(node)?.atMs ?? this.#startMs;
    return this.#options.ports.clock.monotonicMs() - atMs < durationMs;
  }

  /** Somebody spoke in the name of `node`. */
  heard(node: NodeNumber): void {
    const { catalog, ports } = this.#options;
    if (!catalog.state.nodes.has(node)) return;
    this.#heard.set(node, { atNs: ports.clock.nowNs(), atMs: ports.clock.monotonicMs() });
  }

  /** Asks those that say nothing by themselves, until `signal` is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock } = this.#options.ports;
    while (!signal.aborted) {
      await this.#askSilent(signal);
      await clock.sleep(ASK_INTERVAL_MS, signal).catch(() => undefined);
    }
  }

  async #askSilent(signal: AbortSignal): Promise<void> {
    const { catalog } = this.#options;
    for (const node of this.#heard.keys())
      if (!catalog.state.nodes.has(node)) this.#heard.delete(node);
    const silent = this.#silent().values();
    const ask = async () => {
      for (const node of silent) {
        const asked = untilAborted(answersAs(this.#options, node), signal);
        if (await asked.catch(() => false)) this.heard(node.number);
        if (signal.aborted) return;
      }
    };
    await Promise.all(Array.from({ length: ASKED_AT_ONCE }, ask));
  }

  /** Nodes that should run, and said nothing of late. */
  #silent(): readonly NodeRecord[] {
    const { catalog, ports } = this.#options;
    const nowMs = ports.clock.monotonicMs();
    return [...catalog.state.nodes.values()].filter(
      ({ number, state }) =>
        number !== catalog.writer.node &&
        (state === "running" || state === "stopping") &&
        nowMs - (this.#heard.get(number)?.atMs ?? Number.NEGATIVE_INFINITY) >= ASK_INTERVAL_MS,
    );
  }
}
