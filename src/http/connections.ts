import type { Socket } from "node:net";

/**
 * The open connections of a server. Where there are more than may be, the one that has rested longest makes room: clients that open
 * connections and ask nothing keep nobody out. A connection rests from its start, or the end of an answer, to the next request's headers.
 */
export class Connections {
  readonly #countMax: number;
  /** How many requests of each run. */
  readonly #running = new Map<Socket, number>();
  /** In the order in which they came to rest. */
  readonly #resting = new Set<Socket>();

  constructor(countMax: number) {
    this.#countMax = countMax;
  }

  /** Takes a new connection. Where no other rests, it is the new one that goes. */
  open(socket: Socket): void {
    this.#running.set(socket, 0);
    this.#resting.add(socket);
    socket.once("close", () => this.#forget(socket));
    if (this.#running.size <= this.#countMax) return;
    const [longest = socket] = this.#resting;
    this.#forget(longest);
    longest.destroy();
  }

  /** A request of it begins. */
  begin(socket: Socket): void {
    this.#resting.delete(socket);
    this.#running.set(socket, (this.#running.get(socket) ?? 0) + 1);
  }

  /** A request of it is over. */
  end(socket: Socket): void {
    const runningCount = this.#running.get(socket);
    if (runningCount === undefined) return;
    this.#running.set(socket, runningCount - 1);
    if (runningCount === 1) this.#resting.add(socket);
  }

  #forget(socket: Socket): void {
    this.#running.delete(socket);
    this.#resting.delete(socket);
  }
}
