import { createServer as createPlain, type Server, type Socket } from "node:net";
import { createServer as createSecure } from "node:tls";
import { DbError, describeError } from "#base/errors.ts";
import type { Clock } from "#ports/clock.ts";
import type { Log } from "#ports/log.ts";
import type { Random } from "#ports/random.ts";
import type { Message, PeerId } from "#raft/message.ts";
import { malformed } from "../bytes.ts";
import type { Chunks } from "../snapshot/snapshot-folder.ts";
import {
  type Connection,
  connectionOf,
  connectTo,
  inTime,
  type TlsOptions,
  unreachable,
} from "./connection.ts";
import { encodeFrame, FRAME_SIZE_MAX } from "./frame.ts";
import { greet, type Identity, type Purpose, receiveGreeting } from "./handshake.ts";
import { decodeMessage } from "./message-codec.ts";
import { Outbox } from "./outbox.ts";
import { readSnapshot, sendSnapshotOn } from "./snapshot-stream.ts";
import type { RaftTransport, TransportEvents } from "./transport.ts";

const GREETING_MS_MAX = 5_000;
/** So long after the first unanswered bytes a peer is told that they are heard. */
const PULSE_MS = 100;
const PULSE = encodeFrame(new Uint8Array());
const CONNECTIONS_MAX = 256;

export interface TcpTransportOptions extends Identity {
  readonly host: string;
  /** 0 for any that is free. */
  readonly port: number;
  /** Where a secret is not enough: it keeps strangers out, but not from listening or changing what passes. */
  readonly tls: TlsOptions | undefined;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

/**
 * Messages and snapshots over TCP, all on one port. Each peer connects to each other one and sends on that connection; a
 * snapshot has one of its own, so that messages go on beside it. See docs/formats/raft-messages.md.
 */
export class TcpTransport implements RaftTransport {
  readonly #options: TcpTransportOptions;
  readonly #addresses = new Map<PeerId, string>();
  readonly #outboxes = new Map<PeerId, Outbox>();
  readonly #server: Server;
  readonly #accepted = new Map<Socket, Promise<void>>();
  /** On which each peer sends messages. */
  readonly #incoming = new Map<PeerId, Socket>();
  readonly #stopping = new AbortController();
  /** Work that nobody else waits for. */
  readonly #ending = new Set<Promise<unknown>>();
  #events: TransportEvents | undefined;

  constructor(options: TcpTransportOptions) {
    this.#options = options;
    const { tls } = options;
    this.#server =
      tls === undefined
        ? createPlain((socket) => this.#accept(socket))
        : createSecure({ ...tls, requestCert: true, rejectUnauthorized: true }, (socket) =>
            this.#accept(socket),
          );
    this.#server.maxConnections = CONNECTIONS_MAX;
  }

  /** Where it listens; 0 before it does. */
  get port(): number {
    const address = this.#server.address();
    return address === null || typeof address === "string" ? 0 : address.port;
  }

  start(events: TransportEvents): Promise<void> {
    this.#events = events;
    const { host, port } = this.#options;
    return new Promise((resolve, reject) => {
      const refuse = (error: Error) => reject(unusable(`${host}:${port}`, error));
      this.#server.once("error", refuse);
      this.#server.listen(port, host, () => {
        this.#server.off("error", refuse);
        this.#server.on("error", (error) => {
          this.#options.log.warn("Raft peers cannot connect.", { error: describeError(error) });
        });
        resolve();
      });
    });
  }

  setPeer(peer: PeerId, address: string | undefined): void {
    if (this.#addresses.get(peer) === address) return;
    const outbox = this.#outboxes.get(peer);
    this.#outboxes.delete(peer);
    if (outbox !== undefined) this.#own(outbox.stop());
    if (address === undefined) this.#addresses.delete(peer);
    else this.#addresses.set(peer, address);
  }

  send(sent: Message): void {
    const outbox = this.#outboxes.get(sent.to) ?? this.#newOutbox(sent.to);
    if (outbox === undefined) this.#events?.unreachable(sent.to);
    else outbox.send(sent);
  }

  async sendSnapshot(sent: Message, chunks: Chunks): Promise<void> {
    try {
      const connection = await this.#connect(sent.to, "snapshot", this.#stopping.signal);
      try {
        await sendSnapshotOn(connection, sent, chunks, {
          clock: this.#options.clock,
          signal: this.#stopping.signal,
        });
      } finally {
        connection.socket.destroy();
      }
    } catch (error) {
      throw unreachable(String(sent.to), error);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping.abort(new Error("the transport stops"));
    for (const outbox of this.#outboxes.values()) this.#own(outbox.stop());
    for (const socket of this.#accepted.keys()) socket.destroy();
    await Promise.all([...this.#accepted.values(), ...this.#ending]);
    if (!this.#server.listening) return;
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
  }

  #newOutbox(peer: PeerId): Outbox | undefined {
    if (!this.#addresses.has(peer) || this.#stopping.signal.aborted) return undefined;
    const { clock, log, random } = this.#options;
    const outbox = new Outbox({
      peer,
      clock,
      log,
      random,
      connect: (signal) => this.#connect(peer, "messages", signal),
      unreachable: () => this.#events?.unreachable(peer),
    });
    this.#outboxes.set(peer, outbox);
    return outbox;
  }

  async #connect(peer: PeerId, purpose: Purpose, signal: AbortSignal): Promise<Connection> {
    const address = this.#addresses.get(peer);
    if (address === undefined) throw unreachable(String(peer), "its address is not known");
    const { clock, tls } = this.#options;
    const limits = { clock, limitMs: GREETING_MS_MAX, signal };
    const connection = await connectTo(address, tls, limits);
    const { reader, socket } = connection;
    try {
      const write = (bytes: Uint8Array) => void socket.write(bytes);
      await inTime(connection, limits, () =>
        greet({ reader, write }, this.#options, peer, purpose),
      );
      signal.throwIfAborted();
    } catch (error) {
      socket.destroy();
      throw error;
    }
    return connection;
  }

  #accept(socket: Socket): void {
    const connection = connectionOf(socket);
    const serving = this.#serve(connection)
      .catch((error: unknown) => {
        if (this.#stopping.signal.aborted) return;
        this.#options.log.warn("A connection of a raft peer ended.", {
          error: describeError(error),
        });
      })
      .finally(() => {
        socket.destroy();
        this.#accepted.delete(socket);
      });
    this.#accepted.set(socket, serving);
  }

  async #serve(connection: Connection): Promise<void> {
    const { clock } = this.#options;
    const { reader, socket } = connection;
    const write = (bytes: Uint8Array) => void socket.write(bytes);
    const limits = { clock, limitMs: GREETING_MS_MAX, signal: this.#stopping.signal };
    const greeting = await inTime(connection, limits, () =>
      receiveGreeting({ reader, write }, this.#options),
    );
    const events = this.#events;
    if (events === undefined) return;
    this.#outboxes.get(greeting.from)?.hurry();
    if (greeting.purpose === "snapshot")
      await readSnapshot(connection, greeting.from, events, limits);
    else {
      // A peer that connects anew has given up the connection before.
      this.#incoming.get(greeting.from)?.destroy();
      this.#incoming.set(greeting.from, socket);
      try {
        await this.#readMessages(connection, greeting.from, events);
      } finally {
        if (this.#incoming.get(greeting.from) === socket) {
          this.#incoming.delete(greeting.from);
          events.gone(greeting.from);
        }
      }
    }
  }

  async #readMessages(
    { reader, socket }: Connection,
    from: PeerId,
    events: TransportEvents,
  ): Promise<void> {
    let pulseDue = false;
    while (true) {
      const body = await reader.next(FRAME_SIZE_MAX);
      if (body === undefined) return;
      const received = decodeMessage(body);
      checkSender(received, from);
      if (!pulseDue) {
        pulseDue = true;
        this.#own(this.#pulseSoon(socket).then(() => void (pulseDue = false)));
      }
      const busy = events.message(received);
      if (busy !== undefined) await busy;
    }
  }

  async #pulseSoon(socket: Socket): Promise<void> {
    try {
      await this.#options.clock.sleep(PULSE_MS, this.#stopping.signal);
    } catch {
      return;
    }
    if (socket.writable) socket.write(PULSE);
  }

  #own(work: Promise<unknown>): void {
    const owned = work.finally(() => this.#ending.delete(owned));
    this.#ending.add(owned);
  }
}

/** What peers ask of a leader is sent on in the name of who asked; all else is of who is connected. */
function checkSender({ from, kind }: Message, peer: PeerId): void {
  const forwarded = kind === "propose" || kind === "read_index" || kind === "transfer_leader";
  if (from !== peer && !forwarded) throw malformed(`peer ${peer} sent a message of peer ${from}`);
}

function unusable(address: string, cause: Error): DbError {
  return new DbError(
    "unavailable",
    "raft_address_unusable",
    `Raft peers cannot be listened for at ${address}: ${cause.message}. Stop what listens there, or choose another address.`,
    { detail: { address }, cause },
  );
}
