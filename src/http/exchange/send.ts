import { once } from "node:events";
import type { ServerResponse } from "node:http";
import { TLSSocket } from "node:tls";
import { cutStream } from "../response.ts";
import type { Reply } from "./reply.ts";
import type { StallWatch } from "./stall-watch.ts";

export interface SendOptions {
  /** Headers beside those of the reply. */
  readonly headers: Readonly<Record<string, string>>;
  /** Aborted when the client is gone. */
  readonly signal: AbortSignal;
  readonly watch: StallWatch;
  /** How long a client may take nothing of an answer that waits for it. */
  readonly stallMsMax: number;
}

/**
 * Sends `reply` and resolves with the size of its body when all of it is handed to the connection.
 *
 * A body in chunks is sent as the client takes it. When its first chunk cannot be made, this rejects with that error before
 * anything is sent, so that another reply can be; later, the caller must `cut` the connection.
 */
export async function sendReply(
  response: ServerResponse,
  reply: Reply,
  options: SendOptions,
): Promise<number> {
  const { body } = reply;
  if (body === undefined || typeof body === "string" || body instanceof Uint8Array) {
    response.writeHead(reply.status, {
      ...options.headers,
      ...sizeHeader(reply, body),
      ...reply.headers,
    });
    response.end(body);
    watchEnd(response, options);
    return sizeOf(body);
  }
  const chunks = body[Symbol.asyncIterator]();
  try {
    let step = await chunks.next();
    response.writeHead(reply.status, { ...options.headers, ...reply.headers });
    let sizeBytes = 0;
    for (; step.done !== true; step = await chunks.next()) {
      sizeBytes += step.value.length;
      if (!response.write(step.value)) await untilTaken(response, options);
      options.signal.throwIfAborted();
    }
    response.end();
    watchEnd(response, options);
    return sizeBytes;
  } finally {
    await chunks.return?.();
  }
}

/** 204 has no body by definition, and says no size of one. */
function sizeHeader(reply: Reply, body: string | Uint8Array | undefined): Record<string, string> {
  return reply.status === 204 ? {} : { "content-length": String(sizeOf(body)) };
}

function sizeOf(body: string | Uint8Array | undefined): number {
  return body === undefined ? 0 : Buffer.byteLength(body);
}

async function untilTaken(response: ServerResponse, options: SendOptions): Promise<void> {
  const watched = options.watch.begin(options.stallMsMax, () => cut(response));
  try {
    await once(response, "drain", { signal: options.signal });
  } finally {
    watched.end();
  }
}

/** The rest lies in the connection's buffer; a client that never takes it is cut off. */
function watchEnd(response: ServerResponse, options: SendOptions): void {
  if (response.writableFinished) return;
  const watched = options.watch.begin(options.stallMsMax, () => cut(response));
  response.once("close", () => watched.end());
}

/**
 * Ends the connection, or the stream of HTTP/2, so that nobody takes what was sent for a whole answer. With chunks, their missing end says so;
 * under HTTP/1.0, where the end of the connection ends the answer, only a reset does.
 */
export function cut(response: ServerResponse): void {
  if (cutStream(response)) return;
  const { socket } = response;
  if (socket === null || socket instanceof TLSSocket) response.destroy();
  else socket.resetAndDestroy();
}
