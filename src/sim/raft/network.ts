import type { Message, PeerId } from "#raft/message.ts";
import type { Chunks } from "#raftnode/snapshot/snapshot-folder.ts";
import { decodeMessage, encodeMessage } from "#raftnode/transport/message-codec.ts";
import type { RaftTransport, TransportEvents } from "#raftnode/transport/transport.ts";
import type { Process } from "../process.ts";
import type { World } from "../world.ts";
import type { CountFault } from "./faults.ts";

export interface NetworkOptions {
  readonly world: World;
  readonly count: CountFault;
}

interface Place {
  readonly process: Process;
  readonly events: TransportEvents;
}

const DELAY_MS = 3;
const LONG_DELAY_MS = 400;
/** Of a snapshot that its sender has given up. */
const LATE_MS = 1_500;

/** The network of one group: while it is not calm, messages are lost, doubled, late and out of order, and any direction can be cut. */
export class RaftNetwork {
  calm = false;
  readonly #options: NetworkOptions;
  readonly #places = new Map<PeerId, Place>();
  readonly #cut = new Set<string>();
  /** When the last message that is on its way from one to another arrives. */
  readonly #lastMs = new Map<string, number>();

  constructor(options: NetworkOptions) {
    this.#options = options;
  }

  /** Nothing goes from `from` to `to` until `heal`. */
  cut(from: PeerId, to: PeerId): void {
    this.#cut.add(wayOf(from, to));
  }

  /** Others may hear that the member `id` has died. */
  died(id: PeerId): void {
    for (const [other, { events, process }] of this.#places) {
      if (other === id || this.#isCut(id, other)) continue;
      this.#options.world.schedule(DELAY_MS, () => {
        if (process.alive && !process.paused) events.gone(id);
      });
    }
  }

  heal(): void {
    this.#cut.clear();
  }

  /** What the member `id`, which runs in `process`, has of the network. */
  transport(id: PeerId, process: Process): RaftTransport {
    return {
      start: async (events) => {
        this.#places.set(id, { process, events });
      },
      setPeer: () => undefined,
      send: (sent) => this.#send(id, process, sent),
      sendSnapshot: (sent, chunks) => this.#sendSnapshot(id, process, sent, chunks),
      [Symbol.asyncDispose]: async () => {
        if (this.#places.get(id)?.process === process) this.#places.delete(id);
      },
    };
  }

  #send(id: PeerId, process: Process, sent: Message): void {
    if (!process.alive) return;
    const { count, world } = this.#options;
    const bytes = encodeMessage(sent).slice();
    if (this.#isCut(id, sent.to)) {
      count("cut");
      if (world.chance(0.3)) {
        count("unreachable");
        this.#places.get(id)?.events.unreachable(sent.to);
      }
      return;
    }
    if (!this.calm && world.chance(0.03)) return count("lost");
    this.#deliver(id, sent.to, bytes);
    if (this.calm || !world.chance(0.02)) return;
    count("doubled");
    this.#deliver(id, sent.to, bytes);
  }

  #deliver(from: PeerId, to: PeerId, bytes: Uint8Array): void {
    const { count, world } = this.#options;
    let delayMs = world.random.next() * DELAY_MS;
    if (!this.calm && world.chance(0.03)) {
      count("delayed");
      delayMs = world.random.next() * LONG_DELAY_MS;
    }
    const way = wayOf(from, to);
    const lastMs = this.#lastMs.get(way) ?? 0;
    const arrivesMs = world.nowMs + delayMs;
    if (arrivesMs < lastMs) count("reordered");
    this.#lastMs.set(way, Math.max(lastMs, arrivesMs));
    world.schedule(delayMs, () => {
      const place = this.#places.get(to);
      if (place === undefined || !place.process.alive || place.process.paused) return;
      // Also what was on its way when the network was cut.
      if (this.#cut.has(way)) return count("cut");
      void place.events.message(decodeMessage(bytes));
    });
  }

  async #sendSnapshot(id: PeerId, process: Process, sent: Message, chunks: Chunks): Promise<void> {
    const { count, world } = this.#options;
    const parts: Uint8Array[] = [];
    for await (const chunk of chunks) parts.push(chunk.slice());
    await process.call(DELAY_MS, () => undefined);
    const place = this.#places.get(sent.to);
    if (place === undefined || !place.process.alive || this.#isCut(id, sent.to))
      throw new Error("nobody takes the snapshot");
    const broken = !this.calm && world.chance(0.2);
    const late = !this.calm && !broken && world.chance(0.2);
    if (broken) count("snapshot_broken");
    if (late) count("snapshot_late");
    async function* arriving(): AsyncGenerator<Uint8Array, void, undefined> {
      for (const part of parts) {
        const delayMs = late ? world.random.next() * LATE_MS : DELAY_MS;
        await place?.process.call(delayMs, () => undefined);
        if (broken) throw new Error("the connection broke");
        yield part;
      }
    }
    const copy = decodeMessage(encodeMessage(sent).slice());
    const stored = Promise.withResolvers<void>();
    place.events.snapshot(copy, arriving()).then(stored.resolve, stored.reject);
    // The receiver may die and never answer, or so late that nobody waits for it.
    world.schedule(late ? DELAY_MS : 20_000, () => stored.reject(new Error("no answer")));
    await stored.promise;
    await process.call(DELAY_MS, () => undefined);
  }

  #isCut(from: PeerId, to: PeerId): boolean {
    return this.#cut.has(wayOf(from, to));
  }
}

function wayOf(from: PeerId, to: PeerId): string {
  return `${from}>${to}`;
}
