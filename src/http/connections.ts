import type { Socket } from "node:net";
import type { Clock } from "#ports/clock.ts";
import type { Log } from "#ports/log.ts";

/** What is shed is told this often at most, in milliseconds. */
const TELL_MS_MIN = 60_000;

export interface ConnectionsOptions {
  readonly countMax: number;
  readonly clock: Clock;
  readonly log: Log;
  /** The connection whose body comes slowest, where one comes too slowly. */
  readonly slowest: () => Socket | undefined;
}

/**
 * The open connections of a server. Where there are more than may be, the one that has rested longest makes room: clients that open
 * connections and ask nothing keep nobody out. Where none rests, the one whose body comes too slowly goes. A connection rests from its start, or the end of an answer, to the next request's headers.
 */
export class Connections {
  readonly #options: ConnectionsOptions;
  /** How many requests of each run. */
  readonly #running = new Map<Socket, number>();
  /** In the order in which they came to rest. */
  readonly #resting = new Set<Socket>();
  #shedCount = 0;
  #toldMs = Number.NEGATIVE_INFINITY;

  constructor(options: ConnectionsOptions) {
    this.#options = options;
  }

  /** Takes a new connection. Where no other rests or sends too slowly, it is the new one that goes. */
  open(socket: Socket): void {
    this.#running.set(socket, 0);
    socket.once("close", () => this.#forget(socket));
    if (this.#running.size > this.#options.countMax) this.#shed(socket);
    if (this.#running.has(socket)) this.#resting.add(socket);
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

  /** Makes room for `newest`, or closes it. */
  #shed(newest: Socket): void {
    const [longest] = this.#resting;
    const socket = longest ?? this.#options.slowest() ?? newest;
    this.#forget(socket);
    socket.destroy();
    this.#shedCount += 1;
    const { clock, log, countMax } = this.#options;
    const nowMs = clock.monotonicMs();
    if (nowMs - this.#toldMs < TELL_MS_MIN) return;
    log.warn("Connections were closed, for there are as many as may be.", {
      connectionCountMax: countMax,
      closedCount: this.#shedCount,
    });
    this.#shedCount = 0;
    this.#toldMs = nowMs;
  }

  #forget(socket: Socket): void {
    this.#running.delete(socket);
    this.#resting.delete(socket);
  }
}
