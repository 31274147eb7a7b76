import type { IncomingMessage } from "node:http";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import { concatBytes } from "#base/bytes.ts";
import { DbError } from "#base/errors.ts";
import type { StallWatch, Watched } from "./stall-watch.ts";

/** Bytes of request bodies that all requests together may hold; `held` belongs to the server. */
export interface BodyBudget {
  held: number;
  readonly heldMax: number;
}

export interface BodyOptions {
  /** Bytes of one body, as sent and inflated. */
  readonly sizeMax: number;
  readonly budget: BodyBudget;
  /** Receives each byte count taken from the budget; the owner gives them back when the request is over. */
  readonly onTaken: (sizeBytes: number) => void;
  /** Called when the body is wanted: the client may send it now. */
  readonly onStart: () => void;
  readonly watch: StallWatch;
  readonly stallMsMax: number;
}

const GUNZIP_CHUNK_SIZE = 64 * 1024;

/**
 * Reads the body of `request`, inflated by streaming zlib where `Content-Encoding` says gzip, of one or several members.
 * Never holds more than `sizeMax` and a chunk. Leaves the request open when it rejects, so that it can be answered:
 *
 * - `invalid` / `content_encoding`, `body_gzip`
 * - `exceeded` / `request_size`, `request_memory`
 * - `unavailable` / `request_stalled`
 *
 * When the client leaves it rejects with whatever the stream says; nobody is left to read an answer.
 */
export async function readBody(
  request: IncomingMessage,
  options: BodyOptions,
): Promise<Uint8Array> {
  const gzip = isGzip(request.headers["content-encoding"]);
  // Refuses at once what says that it is too large, before a byte of it is taken.
  if (Number(request.headers["content-length"] ?? 0) > options.sizeMax) throw tooLarge(options);
  options.onStart();
  const stalled = Promise.withResolvers<never>();
  const watched = options.watch.begin(options.stallMsMax, () => {
    stalled.reject(
      new DbError(
        "unavailable",
        "request_stalled",
        `nothing of the request's body came for ${options.stallMsMax} ms`,
        { detail: { stallMsMax: options.stallMsMax } },
      ),
    );
  });
  try {
    const chunks = sentChunks(request, options, watched);
    const read = gzip ? inflate(chunks, options) : collect(chunks, options);
    // A read that is given up ends when the connection does.
    return await Promise.race([read, stalled.promise]);
  } finally {
    watched.end();
  }
}

function isGzip(encoding: string | undefined): boolean {
  const name = (encoding ?? "identity").trim().toLowerCase();
  if (name === "identity" || name === "") return false;
  if (name === "gzip") return true;
  throw new DbError("invalid", "content_encoding", `unacceptable content-encoding: ${encoding}`);
}

async function* sentChunks(
  request: IncomingMessage,
  options: BodyOptions,
  watched: Watched,
): AsyncGenerator<Uint8Array> {
  let sizeBytes = 0;
  // The request outlives a reader that gives up: its answer goes over the same connection.
  const chunks: AsyncIterable<Buffer> = request.iterator({ destroyOnReturn: false });
  for await (const chunk of chunks) {
    watched.moved();
    sizeBytes += chunk.length;
    if (sizeBytes > options.sizeMax) throw tooLarge(options);
    yield chunk;
  }
}

async function inflate(
  chunks: AsyncGenerator<Uint8Array>,
  options: BodyOptions,
): Promise<Uint8Array> {
  const first = await chunks.next();
  if (first.done === true) return new Uint8Array();
  let sentBytes = 0;
  const gunzip = createGunzip({ chunkSize: GUNZIP_CHUNK_SIZE });
  async function* counted(): AsyncGenerator<Uint8Array> {
    for (let step = first; step.done !== true; step = await chunks.next()) {
      sentBytes += step.value.length;
      yield step.value;
    }
  }
  try {
    const body = await pipeline(counted, gunzip, (inflated: AsyncIterable<Uint8Array>) =>
      collect(inflated, options),
    );
    // Zlib passes over zeros after a member and all that follows them; lines must not vanish so.
    if (gunzip.bytesWritten === sentBytes) return body;
    throw new Error("bytes follow the compressed data");
  } catch (error) {
    if (error instanceof DbError) throw error;
    throw badGzip(error);
  } finally {
    // Lets go of the request, so that what is left of its body can be passed over.
    chunks.return(undefined).catch(() => undefined);
  }
}

function badGzip(cause: unknown): DbError {
  const message = cause instanceof Error ? cause.message : String(cause);
  // The pipeline is aborted where zlib ends before the body does.
  const reason = isAbort(cause) ? "bytes follow the compressed data" : message;
  return new DbError("invalid", "body_gzip", `the body is not whole gzip data: ${reason}`, {
    cause,
  });
}

function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === "AbortError";
}

async function collect(
  chunks: AsyncIterable<Uint8Array>,
  options: BodyOptions,
): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const chunk of chunks) {
    sizeBytes += chunk.length;
    if (sizeBytes > options.sizeMax) throw tooLarge(options);
    take(chunk.length, options);
    parts.push(chunk);
  }
  const [only] = parts;
  return only !== undefined && parts.length === 1 ? only : concatBytes(parts);
}

function take(sizeBytes: number, { budget, onTaken }: BodyOptions): void {
  if (budget.held + sizeBytes > budget.heldMax) {
    throw new DbError(
      "exceeded",
      "request_memory",
      `the bodies of all requests together may hold ${budget.heldMax} bytes; try again later`,
      { detail: { bodiesSizeMax: budget.heldMax } },
    );
  }
  budget.held += sizeBytes;
  onTaken(sizeBytes);
}

function tooLarge({ sizeMax }: BodyOptions): DbError {
  return new DbError(
    "exceeded",
    "request_size",
    `max request size (${sizeMax} bytes) exceeded; send less at once, or raise --max-http-request-size`,
    { detail: { requestSizeMax: sizeMax } },
  );
}
