import type { Signal } from "#base/async.ts";
import { describeError } from "#base/errors.ts";
import type { Buffer } from "#buffer/buffer.ts";
import type { Catalog } from "#catalog/catalog.ts";
import type { NodeRecord } from "#catalog/catalog-state.ts";
import type { Manifest } from "#manifest/manifest.ts";
import { adoptedOf } from "#manifest/manifest-state.ts";
import type { NodeNumber, Position } from "#model/ids.ts";
import { ObjectLog, type ObjectLogPorts } from "#objectlog/object-log.ts";
import { type KnownEnd, LogFollower } from "./log-follower.ts";
import type { Push } from "./pusher.ts";

export interface FollowersOptions {
  readonly catalog: Catalog;
  readonly manifest: Manifest;
  readonly buffer: Buffer;
  readonly ports: ObjectLogPorts;
  /** Notified when any followed log has moved. */
  readonly changed: Signal;
  /** The node whose log this process writes, and so does not follow. */
  readonly own: NodeNumber | undefined;
  readonly keepRows: boolean;
  /** Bytes that blocks of other nodes may take here; logs are not read on beyond that. */
  readonly peerRowsSizeMax: number;
  readonly intervalMs: number;
  /** What is known of the end of a node's log without asking the store; nothing unless given. */
  readonly endOf?: (node: NodeNumber) => KnownEnd;
  /** Entries of one log that are read at once while it is behind. */
  readonly readsMax?: number | undefined;
}

/** A follower at work. */
interface Running {
  readonly stop: AbortController;
  readonly ended: Promise<void>;
}

const LOAD_RETRY_MS = 1_000;

/** Follows the log of every node in the catalog that has one. */
export class Followers {
  readonly #options: FollowersOptions;
  /** Loaded ones, which views may show, and those that views must refuse. */
  readonly #followers = new Map<NodeNumber, LogFollower>();
  readonly #running = new Map<NodeNumber, Running>();
  /** Those of removed nodes, until they have let go of their rows. */
  readonly #leaving = new Map<NodeNumber, Promise<void>>();

  constructor(options: FollowersOptions) {
    this.#options = options;
  }

  /** What blocks of other nodes take. */
  get peerRowsSizeBytes(): number {
    const { buffer, own } = this.#options;
    return buffer.sizeBytes - (own === undefined ? 0 : buffer.of(own).sizeBytes);
  }

  /** Those that have been read to their tail once, or cannot be. */
  all(): Iterable<LogFollower> {
    return this.#followers.values();
  }

  /** Somebody waits for `position` of the log of `node`. */
  want(node: NodeNumber, position: Position): void {
    this.#followers.get(node)?.want(position);
  }

  /** Another node says how far its log goes. */
  hear({ node, position }: Push): void {
    this.#followers.get(node)?.hear(position);
  }

  /**
   * Loads the logs of all nodes that the catalog names now. Rejects when the store did not answer for one of them; the others
   * are there. A log that is damaged is there as well, with its trouble: reads refuse it, and the node does what else it can.
   */
  async load(): Promise<void> {
    const results = await Promise.allSettled(this.#missing().map((node) => this.#add(node)));
    for (const result of results) if (result.status === "rejected") throw result.reason;
  }

  /** Follows what is loaded, and nodes that come later, until `signal` is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    const { catalog, ports } = this.#options;
    while (!signal.aborted) {
      this.#leaveRemoved();
      for (const [node, follower] of this.#followers)
        if (!this.#running.has(node)) this.#running.set(node, start(follower, signal));
      try {
        if (this.#missing().length === 0) await catalog.changed.wait(signal);
        await this.load();
      } catch (error) {
        if (signal.aborted) break;
        ports.log.warn("cannot load the log of a new node", { reason: describeError(error) });
        await ports.clock.sleep(LOAD_RETRY_MS, signal).catch(() => undefined);
      }
    }
    await Promise.all([...this.#running.values()].map(({ ended }) => ended));
    await Promise.all(this.#leaving.values());
  }

  /** A node that was removed left its rows to the manifest: its log is not followed any more. */
  #leaveRemoved(): void {
    const { catalog } = this.#options;
    for (const node of this.#followers.keys()) {
      if (catalog.state.nodes.has(node)) continue;
      this.#followers.delete(node);
      const running = this.#running.get(node);
      this.#running.delete(node);
      running?.stop.abort();
      this.#leaving.set(node, this.#leave(node, running));
    }
  }

  async #leave(node: NodeNumber, running: Running | undefined): Promise<void> {
    const { buffer, ports } = this.#options;
    await running?.ended;
    await buffer
      .of(node)
      .forget()
      // An engine that fails to drop rows keeps some that nobody asks for, until it is started again.
      .catch((error: unknown) =>
        ports.log.warn("could not drop rows of a removed node", { reason: describeError(error) }),
      );
    this.#leaving.delete(node);
  }

  #missing(): readonly NodeRecord[] {
    const { catalog, own } = this.#options;
    return [...catalog.state.nodes.values()].filter(
      ({ number, hasLog }) => hasLog && number !== own && !this.#followers.has(number),
    );
  }

  async #add({ number: node, nodeId }: NodeRecord): Promise<void> {
    // A node that came back.
    await this.#leaving.get(node);
    const { buffer, changed, endOf, intervalMs, keepRows, manifest, ports, readsMax } =
      this.#options;
    const follower = new LogFollower({
      node,
      log: new ObjectLog(nodeLogPrefix(nodeId), ports),
      buffer: buffer.of(node),
      keepRows,
      isFull: () => this.peerRowsSizeBytes >= this.#options.peerRowsSizeMax,
      changed,
      adopted: () => ({
        position: adoptedOf(manifest.state, node).position,
        manifest: manifest.state.position,
      }),
      ...(endOf && { end: () => endOf(node) }),
      intervalMs,
      readsMax,
      clock: ports.clock,
      logger: ports.log,
    });
    try {
      await follower.load();
      this.#followers.set(node, follower);
    } catch (error) {
      if (follower.trouble === undefined) throw error;
      // A log that cannot be read is shown with its trouble: without it, answers would not be whole and not say so.
      this.#followers.set(node, follower);
      ports.log.error("the log of a node cannot be read", { nodeId, reason: describeError(error) });
    }
    changed.notify();
  }
}

/** Lets `follower` read on until it is stopped or `signal` is aborted. */
function start(follower: LogFollower, signal: AbortSignal): Running {
  const stop = new AbortController();
  return { stop, ended: follower.run(AbortSignal.any([signal, stop.signal])) };
}

/** Where the log of a node stands in the store. */
export function nodeLogPrefix(nodeId: string): string {
  return `${nodeId}/log/`;
}
