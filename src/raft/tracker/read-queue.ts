import type { Message, PeerId } from "../message.ts";

/** A read that waits until a quorum has confirmed that the leader still was one after the read came. */
export interface PendingRead {
  readonly request: Message;
  /** The commit index when the read came. */
  readonly index: number;
  readonly acks: Set<PeerId>;
}

/**
 * The reads of one term, in the order in which they came. Each has a number, which goes with a heartbeat and comes back: the answer
 * confirms that read and all before it.
 */
export class ReadQueue {
  /** A Map keeps the order of its keys. */
  readonly #pending = new Map<string, PendingRead>();
  #lastNumber = 0;

  get count(): number {
    return this.#pending.size;
  }

  /** The number of the newest read: a heartbeat with it confirms all; "" where nothing waits. */
  last(): string {
    return this.#pending.size === 0 ? "" : String(this.#lastNumber);
  }

  add(request: Message, index: number): void {
    this.#lastNumber += 1;
    this.#pending.set(String(this.#lastNumber), { request, index, acks: new Set() });
  }

  /** `id` has confirmed read `number`; answers all who have, undefined where nobody waits for it. */
  ack(id: PeerId, number: string): ReadonlySet<PeerId> | undefined {
    return this.#pending.get(number)?.acks.add(id);
  }

  /** Takes out the read `number` and all that came before it. */
  takeThrough(number: string): readonly PendingRead[] {
    if (!this.#pending.has(number)) return [];
    const taken: PendingRead[] = [];
    for (const [key, read] of this.#pending) {
      this.#pending.delete(key);
      taken.push(read);
      if (key === number) break;
    }
    return taken;
  }
}
