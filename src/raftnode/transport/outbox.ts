import { describeError } from "#base/errors.ts";
import type { Clock } from "#ports/clock.ts";
import type { Log } from "#ports/log.ts";
import type { Random } from "#ports/random.ts";
import type { Message, PeerId } from "#raft/message.ts";
import type { Connection } from "./connection.ts";
import { encodeFrame } from "./frame.ts";
import { encodeMessage } from "./message-codec.ts";

/** What waits for one peer: no message is added to so many, or so much. */
const QUEUE_COUNT_MAX = 4_096;
const QUEUE_BYTES_MAX = 32 * 2 ** 20;
/** What is handed to the system at once; the rest waits here, where it is counted. */
const SOCKET_BYTES_MAX = 2 ** 20;
const PAUSE_MS_FIRST = 50;
const PAUSE_MS_MAX = 2_000;
/** A peer that has not said for so long that it hears is connected to anew. */
const SILENCE_MS_MAX = 3_000;
/** What a peer sends to say that it hears is an empty frame. */
const PULSE_SIZE_MAX = 0;

export interface OutboxOptions {
  readonly peer: PeerId;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** A connection that was greeted. */
  readonly connect: (signal: AbortSignal) => Promise<Connection>;
  readonly unreachable: () => void;
}

/**
 * Messages on their way to one peer, over one connection, which is made again when it breaks. What does not fit, and what waits
 * while there is no connection, is dropped.
 */
export class Outbox {
  readonly #options: OutboxOptions;
  readonly #stopping = new AbortController();
  /** Ends the pause between two connections; undefined while there is none. */
  #pause: AbortController | undefined;
  #pauseMs = PAUSE_MS_FIRST;
  #queue: Uint8Array[] = [];
  #queueBytes = 0;
  #socket: Connection["socket"] | undefined;
  /** Whether a message may wait for the connection that is being made. */
  #connecting = true;
  /** When the peer was last heard, and whether something was sent since. */
  #heardMs = 0;
  #unheard = false;
  readonly #running: Promise<void>;

  constructor(options: OutboxOptions) {
    this.#options = options;
    this.#running = this.#run();
  }

  send(message: Message): void {
    if (!this.#connecting && this.#socket === undefined) return this.#options.unreachable();
    const full = this.#queue.length >= QUEUE_COUNT_MAX || this.#queueBytes >= QUEUE_BYTES_MAX;
    if (full) return this.#options.unreachable();
    const frame = encodeFrame(encodeMessage(message));
    this.#queue.push(frame);
    this.#queueBytes += frame.length;
    this.#pump();
  }

  /** The peer was heard: it is there again, it is likely, and is not waited for. */
  hurry(): void {
    this.#pauseMs = PAUSE_MS_FIRST;
    this.#pause?.abort();
  }

  async stop(): Promise<void> {
    this.#stopping.abort(new Error("the transport stops"));
    this.#socket?.destroy();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { log, peer } = this.#options;
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      this.#connecting = true;
      try {
        const connection = await this.#options.connect(signal);
        this.#pauseMs = PAUSE_MS_FIRST;
        log.info("Connected to a raft peer.", { peer });
        await this.#use(connection, signal);
      } catch (error) {
        if (signal.aborted) return;
        const pauseMs = this.#pauseMs;
        log.warn("No connection to a raft peer.", { peer, error: describeError(error), pauseMs });
      }
      this.#connecting = false;
      this.#drop();
      await this.#rest(signal);
    }
  }

  /** Twice as long as the last time, until the peer is heard. */
  async #rest(signal: AbortSignal): Promise<void> {
    const { clock, random } = this.#options;
    const pause = new AbortController();
    this.#pause = pause;
    const pauseMs = this.#pauseMs * (0.5 + random.next());
    this.#pauseMs = Math.min(this.#pauseMs * 2, PAUSE_MS_MAX);
    await clock.sleep(pauseMs, AbortSignal.any([signal, pause.signal])).catch(() => undefined);
    this.#pause = undefined;
  }

  /** Resolves or rejects when the connection has ended. */
  async #use({ reader, socket }: Connection, signal: AbortSignal): Promise<void> {
    socket.on("drain", () => this.#pump());
    this.#heard();
    this.#socket = socket;
    const ended = new AbortController();
    const watching = this.#watch(socket, AbortSignal.any([signal, ended.signal]));
    try {
      this.#pump();
      while ((await reader.next(PULSE_SIZE_MAX)) !== undefined) this.#heard();
    } finally {
      this.#socket = undefined;
      socket.destroy();
      ended.abort(new Error("the connection has ended"));
      await watching;
    }
  }

  #heard(): void {
    this.#heardMs = this.#options.clock.monotonicMs();
    this.#unheard = false;
  }

  /** A connection whose other end is gone, or cut off, may look alive for minutes. */
  async #watch(socket: Connection["socket"], signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    try {
      while (true) {
        await clock.sleep(SILENCE_MS_MAX / 3, signal);
        const silenceMs = clock.monotonicMs() - this.#heardMs;
        if (this.#unheard && silenceMs > SILENCE_MS_MAX)
          socket.destroy(new Error(`the peer is silent for ${Math.round(silenceMs)} ms`));
      }
    } catch {
      // The connection has ended.
    }
  }

  #pump(): void {
    const socket = this.#socket;
    if (socket === undefined || this.#queue.length === 0) return;
    if (socket.writableLength >= SOCKET_BYTES_MAX) return;
    let count = 0;
    socket.cork();
    while (count < this.#queue.length && socket.writableLength < SOCKET_BYTES_MAX) {
      const frame = this.#queue[count] as Uint8Array;
      socket.write(frame);
      this.#queueBytes -= frame.length;
      count += 1;
    }
    this.#queue.splice(0, count);
    process.nextTick(() => socket.uncork());
    if (!this.#unheard) this.#heardMs = this.#options.clock.monotonicMs();
    this.#unheard = true;
  }

  #drop(): void {
    // Also of what was sent before nobody knows whether it has arrived.
    this.#options.unreachable();
    this.#queue = [];
    this.#queueBytes = 0;
  }
}
