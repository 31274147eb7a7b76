import type { Signal } from "#base/async.ts";
import type { Buffer } from "#buffer/buffer.ts";
import type { Catalog } from "#catalog/catalog.ts";
import type { NodeRecord } from "#catalog/catalog-state.ts";
import type { Manifest } from "#manifest/manifest.ts";
import { adoptedOf } from "#manifest/manifest-state.ts";
import type { NodeNumber, Position } from "#model/ids.ts";
import { ObjectLog, type ObjectLogPorts } from "#objectlog/object-log.ts";
import { LogFollower } from "./log-follower.ts";

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
  readonly intervalMs: number;
}

const NEW_NODE_CHECK_MS = 1_000;

/** Follows the log of every node in the catalog that has one. */
export class Followers {
  readonly #options: FollowersOptions;
  /** Loaded ones, which views may show. */
  readonly #followers = new Map<NodeNumber, LogFollower>();
  readonly #running = new Map<NodeNumber, Promise<void>>();

  constructor(options: FollowersOptions) {
    this.#options = options;
  }

  /** Those that have been read to their tail once. */
  all(): Iterable<LogFollower> {
    return this.#followers.values();
  }

  /** Somebody waits for `position` of the log of `node`. */
  want(node: NodeNumber, position: Position): void {
    this.#followers.get(node)?.want(position);
  }

  /** Loads the logs of all nodes that the catalog names now. */
  async load(): Promise<void> {
    await Promise.all(this.#missing().map((node) => this.#add(node)));
  }

  /** Follows what is loaded, and nodes that come later, until `signal` is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    const { catalog, ports } = this.#options;
    while (!signal.aborted) {
      for (const [node, follower] of this.#followers)
        if (!this.#running.has(node)) this.#running.set(node, follower.run(signal));
      const pause = ports.clock.sleep(NEW_NODE_CHECK_MS, signal);
      await Promise.race([catalog.changed.wait(), pause]).catch(() => undefined);
      await this.load().catch((error: unknown) => {
        ports.log.warn("cannot load the log of a new node", { reason: String(error) });
      });
      pause.catch(() => undefined);
    }
    await Promise.all(this.#running.values());
  }

  #missing(): readonly NodeRecord[] {
    const { catalog, own } = this.#options;
    return [...catalog.state.nodes.values()].filter(
      ({ number, hasLog }) => hasLog && number !== own && !this.#followers.has(number),
    );
  }

  async #add({ number: node, nodeId }: NodeRecord): Promise<void> {
    const { buffer, changed, intervalMs, keepRows, manifest, ports } = this.#options;
    const follower = new LogFollower({
      node,
      log: new ObjectLog(nodeLogPrefix(nodeId), ports),
      buffer: buffer.of(node),
      keepRows,
      changed,
      adopted: () => ({
        position: adoptedOf(manifest.state, node).position,
        manifest: manifest.state.position,
      }),
      intervalMs,
      clock: ports.clock,
      logger: ports.log,
    });
    await follower.load();
    this.#followers.set(node, follower);
    changed.notify();
  }
}

/** Where the log of a node stands in the store. */
export function nodeLogPrefix(nodeId: string): string {
  return `${nodeId}/log/`;
}
