import type { Message, PeerId } from "../message.ts";

/** A read that waits until a quorum has confirmed that the leader still was one after the read came. */
export interface PendingRead {
  readonly request: Message;
  /** The commit index when the read came. */
  readonly index: number;
  readonly acks: Set<PeerId>;
}

/** Reads in the order in which they came. A confirmation of one confirms all before it. */
export class ReadQueue {
  /** A Map keeps the order of its keys. */
  readonly #pending = new Map<string, PendingRead>();

  get count(): number {
    return this.#pending.size;
  }

  /** The context of the newest read: a heartbeat with it confirms all; "" where nothing waits. */
  lastContext(): string {
    let last = "";
    for (const context of this.#pending.keys()) last = context;
    return last;
  }

  /** A context that waits already is not added again. */
  add(context: string, index: number, request: Message): void {
    if (!this.#pending.has(context)) {
      this.#pending.set(context, { request, index, acks: new Set() });
    }
  }

  /** `id` has confirmed `context`; answers all who have, undefined where nobody waits for it. */
  ack(id: PeerId, context: string): ReadonlySet<PeerId> | undefined {
    return this.#pending.get(context)?.acks.add(id);
  }

  /** Takes out the read of `context` and all that came before it. */
  takeThrough(context: string): readonly PendingRead[] {
    if (!this.#pending.has(context)) return [];
    const taken: PendingRead[] = [];
    for (const [key, read] of this.#pending) {
      this.#pending.delete(key);
      taken.push(read);
      if (key === context) break;
    }
    return taken;
  }
}
