import { DbError } from "#base/errors.ts";
import { findNode } from "#catalog/catalog-state.ts";
import type { SimCluster, SimHost } from "../sim-cluster.ts";

/** Does what `call` does; undefined for an honest failure and for silence. */
type Attempt = (call: () => Promise<void>) => Promise<void>;

const ASK_MS_MAX = 8_000;
const DEAD_MS_MAX = 16_000;
const PAUSE_MS_MIN = 4_000;
const PAUSE_MS_MAX = 12_000;
const GONE_MS_MAX = 20_000;
const LOOK_MS = 500;
const REFUSALS: ReadonlySet<string> = new Set([
  "node_already_stopped",
  "node_not_stopped",
  "node_compacts",
  "node_not_found",
]);

/** What people do with nodes that are dead, or seem to be: stop them through others, and remove them. All of them come back. */
export class Closings {
  readonly #cluster: SimCluster;
  readonly #attempt: Attempt;

  constructor(cluster: SimCluster, attempt: Attempt) {
    this.#cluster = cluster;
    this.#attempt = attempt;
  }

  /** Goes on until it is calm; resolves when nobody is held any more. */
  async run(calm: () => boolean): Promise<void> {
    const { hosts, world } = this.#cluster;
    while (!calm()) {
      await world.sleep(world.below(ASK_MS_MAX));
      const host = hosts[world.below(hosts.length)] as SimHost;
      if (host.run === undefined || calm()) continue;
      const dice = world.below(10);
      if (dice < 2) await this.#stopLive(host);
      else if (dice < 4) await this.#closePaused(host);
      else if (dice < 8) await this.#closeDead(host, dice < 6 ? 1 : 2);
      else await this.#remove(host, calm);
    }
  }

  /** A node that is well is asked to stop, drains and ends. */
  async #stopLive(host: SimHost): Promise<void> {
    this.#cluster.world.count("stop_asked");
    await this.#stopThroughOther(host);
  }

  /** A node that hangs is closed by another, and wakes up. */
  async #closePaused(host: SimHost): Promise<void> {
    const { world } = this.#cluster;
    const pauseMs = PAUSE_MS_MIN + world.below(PAUSE_MS_MAX - PAUSE_MS_MIN);
    host.run?.process.pause(pauseMs);
    await this.#stopThroughOther(host);
    if (await this.#hasStopped(host, pauseMs)) world.count("closed_paused");
  }

  /** A node that died is closed by one other, or by two at once, and is started again some time later, be it in the middle. */
  async #closeDead(host: SimHost, closerCount: number): Promise<void> {
    const { world } = this.#cluster;
    host.held = true;
    host.killAll();
    await Promise.all(Array.from({ length: closerCount }, () => this.#stopThroughOther(host)));
    if (await this.#hasStopped(host, world.below(DEAD_MS_MAX)))
      world.count(closerCount === 1 ? "closed_dead" : "closed_twice");
    host.held = false;
  }

  /** A node that died is stopped and removed, and registers again. */
  async #remove(host: SimHost, calm: () => boolean): Promise<void> {
    const { world } = this.#cluster;
    host.held = true;
    host.killAll();
    await this.#stopThroughOther(host);
    for (let waitedMs = 0; waitedMs < GONE_MS_MAX && !calm(); waitedMs += LOOK_MS) {
      await world.sleep(LOOK_MS);
      const other = this.#otherThan(host);
      const state = other && findNode(other.catalog.state, host.nodeId)?.state;
      if (other === undefined || state === "stopping" || state === "removing") continue;
      if (state !== "stopped") break;
      await this.#ask(() => other.removeNode(host.nodeId));
    }
    const other = this.#otherThan(host);
    if (other !== undefined && findNode(other.catalog.state, host.nodeId) === undefined)
      world.count("removed");
    host.held = false;
  }

  /** Whether another node sees within `waitMsMax` that the node has stopped. */
  async #hasStopped(host: SimHost, waitMsMax: number): Promise<boolean> {
    for (let waitedMs = 0; waitedMs < waitMsMax; waitedMs += LOOK_MS) {
      await this.#cluster.world.sleep(LOOK_MS);
      const other = this.#otherThan(host);
      if (other !== undefined && findNode(other.catalog.state, host.nodeId)?.state === "stopped")
        return true;
    }
    return false;
  }

  async #stopThroughOther(host: SimHost): Promise<void> {
    const other = this.#otherThan(host);
    if (other !== undefined) await this.#ask(() => other.stopNode(host.nodeId));
  }

  /** What the state of the node forbids is an answer as well. */
  async #ask(call: () => Promise<void>): Promise<void> {
    await this.#attempt(async () => {
      try {
        await call();
      } catch (error) {
        if (!(error instanceof DbError) || !REFUSALS.has(error.code)) throw error;
      }
    });
  }

  #otherThan(host: SimHost) {
    const { hosts, world } = this.#cluster;
    const others = hosts.flatMap((other) => (other === host ? [] : (other.node ?? [])));
    return others[world.below(Math.max(1, others.length))];
  }
}
