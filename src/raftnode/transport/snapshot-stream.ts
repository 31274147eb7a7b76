import { once } from "node:events";
import { fromUtf8, utf8 } from "#base/bytes.ts";
import { DbError, messageOf } from "#base/errors.ts";
import type { Clock } from "#ports/clock.ts";
import type { Message, PeerId } from "#raft/message.ts";
import { malformed } from "../bytes.ts";
import type { Chunks } from "../snapshot/snapshot-folder.ts";
import { type Connection, inTime } from "./connection.ts";
import { encodeFrame } from "./frame.ts";
import { decodeMessage, encodeMessage } from "./message-codec.ts";
import type { TransportEvents } from "./transport.ts";

/** Of the state in one frame. */
const CHUNK_SIZE_MAX = 256 * 1024;
/** Of the message before the state, and of the answer. */
const MESSAGE_SIZE_MAX = 2 ** 20;
/** For the next chunk to come, or to go. */
const CHUNK_MS_MAX = 10_000;
/** For a whole state, of which the peer is waited for: so long, and as much more as what has come takes at the slowest rate, and no longer. */
const STATE_MS = 60_000;
const STATE_BYTES_PER_MS_MIN = 32;
const STATE_MS_MAX = 3_600_000;
/** For the peer to store what it has. */
const STORED_MS_MAX = 60_000;
const DONE = "stored";

interface Limits {
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** Sends the message, then the state in frames, then an empty one; resolves when the peer says that all is stored. */
export async function sendSnapshotOn(
  connection: Connection,
  sent: Message,
  chunks: Chunks,
  { clock, signal }: Limits,
): Promise<void> {
  const { reader, socket } = connection;
  const closed = new AbortController();
  socket.once("close", () => closed.abort(new Error("the connection was closed")));
  const write = async (body: Uint8Array) => {
    closed.signal.throwIfAborted();
    if (socket.write(encodeFrame(body))) return;
    const limits = { clock, signal, limitMs: CHUNK_MS_MAX };
    await inTime(connection, limits, () => once(socket, "drain", { signal: closed.signal }));
  };
  await write(encodeMessage(sent));
  for await (const chunk of chunks)
    for (let start = 0; start < chunk.length; start += CHUNK_SIZE_MAX)
      await write(chunk.subarray(start, start + CHUNK_SIZE_MAX));
  await write(new Uint8Array());
  const limits = { clock, signal, limitMs: STORED_MS_MAX };
  const answer = await inTime(connection, limits, () => reader.next(MESSAGE_SIZE_MAX));
  const said = answer === undefined ? "it hung up" : fromUtf8(answer);
  if (said !== DONE)
    throw new DbError(
      "unavailable",
      "raft_snapshot_refused",
      `The snapshot was not taken: ${said}.`,
    );
}

/**
 * Hands on the snapshot that the peer `from` sends, and tells it how that went. One that comes too slowly is given up: meanwhile no other is
 * taken, also of a peer that leads since.
 */
export async function readSnapshot(
  connection: Connection,
  from: PeerId,
  events: TransportEvents,
  { clock, signal }: Limits,
): Promise<void> {
  const { reader, socket } = connection;
  const limits = { clock, signal, limitMs: CHUNK_MS_MAX };
  let sizeBytes = 0;
  let waitedMs = 0;
  const next = async (sizeBytesMax: number) => {
    const leftMs = stateMsMax(sizeBytes) - waitedMs;
    if (leftMs <= 0) throw tooSlow(sizeBytes, waitedMs);
    const begunMs = clock.monotonicMs();
    const limitMs = Math.min(CHUNK_MS_MAX, leftMs);
    const body = await inTime(connection, { clock, signal, limitMs }, () =>
      reader.next(sizeBytesMax),
    );
    if (body === undefined) throw malformed("a snapshot ends before its end");
    waitedMs += clock.monotonicMs() - begunMs;
    sizeBytes += body.length;
    return body;
  };
  async function* chunks(): AsyncGenerator<Uint8Array, void, undefined> {
    while (true) {
      const chunk = await next(CHUNK_SIZE_MAX);
      if (chunk.length === 0) return;
      yield chunk;
    }
  }
  const received = decodeMessage(await next(MESSAGE_SIZE_MAX));
  if (received.kind !== "snapshot" || received.from !== from)
    throw malformed(`peer ${from} sent another message than its snapshot`);
  let said = DONE;
  try {
    await events.snapshot(received, chunks());
  } catch (error) {
    said = messageOf(error);
  }
  // Flushed before the connection is destroyed.
  const flushed = Promise.withResolvers<void>();
  socket.end(encodeFrame(utf8(said)), () => flushed.resolve());
  socket.once("close", () => flushed.resolve());
  await inTime(connection, limits, () => flushed.promise);
}

/** How long a peer is waited for that has sent `sizeBytes`. */
function stateMsMax(sizeBytes: number): number {
  return Math.min(STATE_MS + sizeBytes / STATE_BYTES_PER_MS_MIN, STATE_MS_MAX);
}

function tooSlow(sizeBytes: number, waitedMs: number): DbError {
  return new DbError(
    "unavailable",
    "raft_snapshot_refused",
    `The snapshot comes too slowly: ${sizeBytes} bytes in ${Math.round(waitedMs)} ms.`,
    { detail: { sizeBytes, waitedMs } },
  );
}
