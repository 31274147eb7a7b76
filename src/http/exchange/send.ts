import type { ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";
import { untilAborted } from "#base/async.ts";
import { utf8 } from "#base/bytes.ts";
import type { DbError } from "#base/errors.ts";
import { Patience, type PatienceLimits } from "#base/patience.ts";
import type { Clock } from "#ports/clock.ts";
import { cutStream, hasTurn } from "../response.ts";
import type { Reply } from "./reply.ts";
import type { StallWatch, Watched } from "./stall-watch.ts";

export interface SendOptions {
  /** Headers beside those of the reply. */
  readonly headers: Readonly<Record<string, string>>;
  /** Aborted when the client is gone. */
  readonly signal: AbortSignal;
  readonly clock: Clock;
  readonly watch: StallWatch;
  /** How slowly the client may take the answer. */
  readonly limits: PatienceLimits;
  /** Called when the client does not take the rest, though all of it is handed to the connection. */
  readonly onStall: (reason: DbError) => void;
}

/** What is sent at once: a client is known to have taken all of it, or nothing. */
const PIECE_SIZE = 64 * 1024;

/**
 * Sends `reply` and resolves with the size of its body when all of it is handed to the connection.
 *
 * A body is sent as the client takes it. When the first chunk of one in chunks cannot be made, this rejects with that error before
 * anything is sent, so that another reply can be; later, the caller must `cut` the connection. It rejects with `unavailable` / `answer_stalled`
 * when the client takes it too slowly.
 */
export async function sendReply(
  response: ServerResponse,
  reply: Reply,
  options: SendOptions,
): Promise<number> {
  const { body } = reply;
  const sending = new Sending(response, options);
  if (body === undefined || typeof body === "string" || body instanceof Uint8Array) {
    const sizeBytes = sizeOf(body);
    // 204 has no body by definition, and says no size of one.
    response.writeHead(reply.status, {
      ...options.headers,
      ...(reply.status === 204 ? {} : { "content-length": String(sizeBytes) }),
      ...reply.headers,
    });
    if (body === undefined || sizeBytes <= PIECE_SIZE) sending.end(body);
    else {
      await sending.write(typeof body === "string" ? utf8(body) : body);
      sending.end();
    }
    return sizeBytes;
  }
  const chunks = body[Symbol.asyncIterator]();
  try {
    let step = await chunks.next();
    response.writeHead(reply.status, { ...options.headers, ...reply.headers });
    let sizeBytes = 0;
    for (; step.done !== true; step = await chunks.next()) {
      sizeBytes += step.value.length;
      await sending.write(step.value);
    }
    sending.end();
    return sizeBytes;
  } finally {
    await chunks.return?.();
  }
}

function sizeOf(body: string | Uint8Array | undefined): number {
  return body === undefined ? 0 : Buffer.byteLength(body);
}

/** A body on its way out. */
class Sending {
  readonly #response: ServerResponse;
  readonly #options: SendOptions;
  readonly #patience: Patience;

  constructor(response: ServerResponse, options: SendOptions) {
    this.#response = response;
    this.#options = options;
    this.#patience = new Patience(options.limits);
  }

  /** Resolves when the client has taken `bytes`, but for what buffers hold. */
  async write(bytes: Uint8Array): Promise<void> {
    const { signal } = this.#options;
    for (let start = 0; start < bytes.length; start += PIECE_SIZE) {
      const piece = bytes.subarray(start, start + PIECE_SIZE);
      if (!this.#response.write(piece)) await this.#untilTaken();
      signal.throwIfAborted();
      this.#patience.took(piece.length);
    }
  }

  /** The rest lies in the connection's buffer; a client that never takes it is cut off. */
  end(rest?: string | Uint8Array): void {
    this.#response.end(rest);
    if (this.#response.writableFinished) return;
    const patience = this.#patience;
    const end = this.#wait(patience.lastMs, () => this.#options.onStall(patience.end()));
    this.#response.once("close", () => void end());
  }

  async #untilTaken(): Promise<void> {
    const patience = this.#patience;
    const taken = Promise.withResolvers<void>();
    this.#response.once("drain", taken.resolve);
    const end = this.#wait(patience.leftMs, () => taken.reject(patience.end()));
    try {
      await untilAborted(taken.promise, this.#options.signal);
    } finally {
      this.#response.off("drain", taken.resolve);
      patience.waited(end());
    }
  }

  /**
   * Calls `onStall` when the client has been waited for so long; answers what ends the wait, and says how long it was. It begins with the
   * turn of the answer: a client cannot take it before those that it asked for earlier, whose own bounds are those of the time until then.
   */
  #wait(durationMs: number, onStall: () => void): () => number {
    const { clock, watch } = this.#options;
    const response = this.#response;
    let startMs = 0;
    let watched: Watched | undefined;
    const begin = () => {
      startMs = clock.monotonicMs();
      watched = watch.begin(durationMs, onStall);
    };
    if (hasTurn(response)) begin();
    else response.once("socket", begin);
    return () => {
      response.off("socket", begin);
      watched?.end();
      return watched === undefined ? 0 : clock.monotonicMs() - startMs;
    };
  }
}

/**
 * Ends the connection, or the stream of HTTP/2, so that nobody takes what was sent for a whole answer. With chunks, their missing end says so;
 * under HTTP/1.0, where the end of the connection ends the answer, only a reset does. Where it is not its turn yet, the connection ends
 * with the answer before it.
 */
export function cut(response: ServerResponse): void {
  if (cutStream(response)) return;
  const { socket } = response;
  // Node would go on to it nevertheless, and wait for its end.
  if (!hasTurn(response)) response.once("socket", (later: Socket) => later.destroy());
  if (socket === null || socket instanceof TLSSocket) response.destroy();
  else socket.resetAndDestroy();
}
