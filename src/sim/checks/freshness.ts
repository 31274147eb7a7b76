import { DbError } from "#base/errors.ts";
import { parseWriteToken, type WriteToken } from "#model/write-token.ts";
import type { Node } from "#node/node.ts";
import { cutSomewhere } from "../faults/cuts.ts";
import type { SimCluster, SimHost } from "../sim-cluster.ts";

/** Answers the token of the write, when it was acknowledged. */
type Write = (host: SimHost, node: Node) => Promise<string | undefined>;

/** Until a node that says nothing any more is looked after in the store (3 s), and a look there. */
const FRESH_MS = 4_000;
/** Until somebody finds in the catalog a node that none of them hears. */
const UNHEARD_MS = 90_000;
const LONG_MS = 600_000;
const CUT_MS_MAX = 6_000;
const STOP_MS_MAX = 30_000;
const REST_MS = 10_000;
const LOOK_MS = 500;

/**
 * Where the store and the processes are well, every node shows what another has acknowledged in bounded time, without being told what to
 * wait for: whatever became of the network.
 */
export class Freshness {
  readonly #cluster: SimCluster;
  readonly #write: Write;

  constructor(cluster: SimCluster, write: Write) {
    this.#cluster = cluster;
    this.#write = write;
  }

  /** What is wrong, in one of three networks: whole, cut, or with a node that was started where nobody hears it. */
  async check(): Promise<readonly string[]> {
    const { hosts, network, world } = this.#cluster;
    const host = hosts[world.below(2)] as SimHost;
    for (const down of hosts) if (down.node === undefined) await down.start().started;
    await world.sleep(REST_MS);
    const unheard = world.chance(0.15) && (await this.#restartUnheard(host));
    if (!unheard && world.chance(0.7)) {
      cutSomewhere(this.#cluster, host, LONG_MS);
      await world.sleep(world.below(CUT_MS_MAX));
    }
    // Others who write look at the catalog for that.
    const problems = unheard
      ? await this.#unseen([host], UNHEARD_MS)
      : await this.#unseen(hosts, FRESH_MS);
    network.heal();
    return problems;
  }

  /** Stops a node in order and, when the others have come to rest, starts it where nobody hears it; answers whether it runs. */
  async #restartUnheard(host: SimHost): Promise<boolean> {
    const { hosts, network, world } = this.#cluster;
    const other = hosts.find(({ node, nodeId }) => node !== undefined && nodeId !== host.nodeId);
    if (host.node === undefined || other?.node === undefined) return false;
    try {
      await other.node.stopNode(host.nodeId);
    } catch (error) {
      if (error instanceof DbError) return false;
      throw error;
    }
    for (let waitedMs = 0; host.run !== undefined && waitedMs < STOP_MS_MAX; waitedMs += LOOK_MS)
      await world.sleep(LOOK_MS);
    if (host.run !== undefined) return false;
    await world.sleep(REST_MS);
    network.cut(host.nodeId, LONG_MS);
    await host.start().started;
    return host.node !== undefined;
  }

  /** Writes on each of `writers` that takes writes, and tells what others do not show in time. */
  async #unseen(writers: readonly SimHost[], withinMs: number): Promise<readonly string[]> {
    const { hosts, world } = this.#cluster;
    const written: WriteToken[] = [];
    for (const host of writers) {
      const { node } = host;
      if (node === undefined || !host.options.modes.includes("ingest")) continue;
      const token = await this.#write(host, node);
      if (token !== undefined) written.push(parseWriteToken(token));
    }
    await world.sleep(withinMs);
    const problems: string[] = [];
    for (const { node, nodeId } of hosts) {
      if (node === undefined) continue;
      const view = await node.views.acquire([], new AbortController().signal);
      for (const token of written)
        if (view.positionOf(token.node) < token.position)
          problems.push(
            `${nodeId} does not show entry ${token.position} of node ${token.node} after ${withinMs} ms`,
          );
      view[Symbol.dispose]();
    }
    return problems;
  }
}
