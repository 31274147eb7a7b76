import { connect as connectPlain, type Socket } from "node:net";
import { connect as connectSecure, type SecureContextOptions } from "node:tls";
import { DbError } from "#base/errors.ts";
import type { Clock } from "#ports/clock.ts";
import { FrameReader } from "./frame.ts";

/** The node's key and certificate, and who signs those of its peers: both sides show theirs. */
export type TlsOptions = Required<Pick<SecureContextOptions, "key" | "cert" | "ca">>;

const KEEP_ALIVE_MS = 10_000;

/** A connection with a peer. Whoever has it destroys the socket. */
export interface Connection {
  readonly socket: Socket;
  readonly reader: FrameReader;
}

/** What is read from `socket` as frames; errors of the socket come with the next frame. */
export function connectionOf(socket: Socket): Connection {
  socket.setNoDelay(true);
  // An idle connection to a machine that is gone would stay for ever.
  socket.setKeepAlive(true, KEEP_ALIVE_MS);
  // The reader hears of errors; without a listener they would end the process.
  socket.on("error", () => undefined);
  return { socket, reader: new FrameReader(socket) };
}

/** Connects to `address` (`host:port`); rejects with `unavailable` / `raft_peer_unreachable` when that fails or takes too long. */
export async function connectTo(
  address: string,
  tls: TlsOptions | undefined,
  limits: Parameters<typeof inTime>[1],
): Promise<Connection> {
  const colon = address.lastIndexOf(":");
  const host = address.slice(0, colon).replaceAll(/[[\]]/g, "");
  const port = Number(address.slice(colon + 1));
  const socket =
    tls === undefined ? connectPlain(port, host) : connectSecure({ ...tls, host, port });
  const connected = Promise.withResolvers<void>();
  socket.once("error", (error) => connected.reject(unreachable(address, error)));
  socket.once("close", () => connected.reject(unreachable(address, "the connection was closed")));
  socket.once(tls === undefined ? "connect" : "secureConnect", () => connected.resolve());
  await inTime({ socket }, limits, () => connected.promise);
  return connectionOf(socket);
}

/** As `work` does with `socket`, which is destroyed when that takes longer than `limitMs`, or `signal` is aborted. */
export async function inTime<T>(
  { socket }: Pick<Connection, "socket">,
  limits: { readonly clock: Clock; readonly limitMs: number; readonly signal: AbortSignal },
  work: () => Promise<T>,
): Promise<T> {
  const { clock, limitMs, signal } = limits;
  const done = new AbortController();
  const late = clock.sleep(limitMs, AbortSignal.any([signal, done.signal])).then(
    () => void socket.destroy(new Error(`nothing came for ${limitMs} ms`)),
    () => void (done.signal.aborted || socket.destroy(signal.reason as Error)),
  );
  try {
    return await work();
  } finally {
    done.abort();
    await late;
  }
}

export function unreachable(who: string, cause: unknown): DbError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new DbError(
    "unavailable",
    "raft_peer_unreachable",
    `The raft peer ${who} does not answer: ${why}.`,
    { cause },
  );
}
