import { Signal, untilAborted } from "#base/async.ts";
import { fromUtf8, utf8 } from "#base/bytes.ts";
import { DbError, describeError } from "#base/errors.ts";
import { v } from "#base/schema.ts";
import type { Catalog } from "#catalog/catalog.ts";
import type { NodeRecord } from "#catalog/catalog-state.ts";
import type { NodeNumber, Position } from "#model/ids.ts";
import type { Clock } from "#ports/clock.ts";
import type { Log } from "#ports/log.ts";
import type { Transport } from "#ports/transport.ts";

/** Where a node is told that another's log has grown. */
export const PUSH_PATH = "/api/v3/tidelake/push";

/** Says that the entry at `position` stands in the log of `node`. Who hears it looks there; it is not believed (decision 0009). */
export interface Push {
  readonly node: NodeNumber;
  readonly position: Position;
}

export interface PusherOptions {
  readonly catalog: Catalog;
  readonly transport: Transport;
  readonly clock: Clock;
  readonly log: Log;
  /** Told of each peer that took a push. */
  readonly onTaken?: (peer: NodeNumber) => void;
}

export interface PushCounts {
  /** Pushes that a peer took. */
  readonly sent: number;
  /** Pushes that no peer took in time. */
  readonly failed: number;
  /** Entries that had no push of their own, because a later one was there before it could leave. */
  readonly merged: number;
}

const TIMEOUT_MS = 2_000;
/** A peer that did not take a push is left to its own looks for this long. */
const FAILURE_PAUSE_MS = 1_000;

/**
 * Tells the nodes that answer queries how far this node's log goes, as soon as an entry stands in it.
 *
 * To each peer one call is on its way at a time; what is settled meanwhile is one number, which the next call names. So a peer
 * that is slow, away or deaf costs neither time of a write nor memory. Nothing rests on a push: those who hear none look by themselves.
 */
export class Pusher {
  readonly #options: PusherOptions;
  readonly #grown = new Signal();
  readonly #telling = new Map<NodeNumber, Promise<void>>();
  readonly #counts = { sent: 0, failed: 0, merged: 0 };
  #position: Position = 0;

  constructor(options: PusherOptions) {
    this.#options = options;
  }

  get counts(): PushCounts {
    return this.#counts;
  }

  /** The entry at `position` stands in this node's log. Waits for nobody. */
  settled(position: Position): void {
    this.#position = position;
    this.#grown.notify();
  }

  /** Pushes to the peers of now, and to those that come later, until `signal` is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    const { catalog } = this.#options;
    while (!signal.aborted) {
      for (const { number, modes } of catalog.state.nodes.values())
        if (number !== catalog.writer.node && modes.includes("query") && !this.#telling.has(number))
          this.#telling.set(number, this.#tell(number, signal));
      await catalog.changed.wait(signal).catch(() => undefined);
    }
    await Promise.all(this.#telling.values());
  }

  async #tell(peer: NodeNumber, signal: AbortSignal): Promise<void> {
    // What stands there now it reads when it starts.
    let told = this.#position;
    while (!signal.aborted) {
      if (told === this.#position) await this.#grown.wait(signal).catch(() => undefined);
      const record = this.#running(peer);
      const position = this.#position;
      if (record !== undefined && position > told) {
        this.#counts.merged += position - told - 1;
        await this.#send(record, position, signal);
      }
      told = position;
    }
  }

  /** The peer in its newest start; undefined when it does not run. */
  #running(peer: NodeNumber): NodeRecord | undefined {
    const record = this.#options.catalog.state.nodes.get(peer);
    return record?.state === "running" ? record : undefined;
  }

  async #send(
    { number: node, epoch, address }: NodeRecord,
    position: Position,
    signal: AbortSignal,
  ): Promise<void> {
    const { catalog, clock, log, onTaken, transport } = this.#options;
    const body = encodePush({ node: catalog.writer.node, position });
    const to = { node, epoch };
    const request = { method: "POST", path: PUSH_PATH, to, body, timeoutMs: TIMEOUT_MS } as const;
    try {
      const { status } = await untilAborted(transport.send(address, request), signal);
      if (status !== 202) throw new Error(`status ${status}`);
      this.#counts.sent += 1;
      onTaken?.(node);
    } catch (error) {
      if (signal.aborted) return;
      this.#counts.failed += 1;
      log.debug("a peer did not take a push", { address, reason: describeError(error) });
      await clock.sleep(FAILURE_PAUSE_MS, signal).catch(() => undefined);
    }
  }
}

const pushSchema = v.object({
  node: v.pipe(v.number(), v.safeInteger(), v.minValue(1)),
  position: v.pipe(v.number(), v.safeInteger(), v.minValue(1)),
});

function encodePush(push: Push): Uint8Array {
  return utf8(JSON.stringify(push));
}

/** Reads the body of a push; throws `invalid` / `push_malformed` where it is something else. */
export function decodePush(body: Uint8Array): Push {
  try {
    const { node, position } = v.parse(pushSchema, JSON.parse(fromUtf8(body)));
    return { node: node as NodeNumber, position };
  } catch (cause) {
    throw new DbError("invalid", "push_malformed", "this is not a push", { cause });
  }
}
