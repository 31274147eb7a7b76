import { createGunzip } from "node:zlib";
import type { Semaphore } from "#base/async.ts";
import { concatBytes } from "#base/bytes.ts";
import { DbError } from "#base/errors.ts";

export interface InflateOptions {
  /** Bytes of what comes out. */
  readonly sizeMax: number;
  /** Bodies that are inflated at a time: their memory is bounded by it, and it leaves threads to the disk. */
  readonly inflating: Semaphore;
  readonly signal: AbortSignal;
}

/** Inflated bytes come in pieces of this size, unless the data says how many there are. */
const CHUNK_SIZE_MIN = 64 * 1024;
/** A member of gzip ends with the size of what it holds, modulo 2³² (RFC 1952, section 2.3.1). */
const SIZE_SIZE = 4;

/**
 * What `data`, gzip of one or several members, holds, in memory of its own; off this thread. Undefined when it is more than
 * `sizeMax`: that much is inflated, and no more. Rejects with `invalid` / `body_gzip`, or with the reason of `signal`.
 */
export async function inflate(
  data: Uint8Array,
  options: InflateOptions,
): Promise<Uint8Array | undefined> {
  const release = await options.inflating.acquire(options.signal);
  try {
    const chunks = await inflatedChunks(data, options);
    return chunks && joined(chunks);
  } finally {
    release();
  }
}

function inflatedChunks(
  data: Uint8Array,
  { sizeMax, signal }: InflateOptions,
): Promise<readonly Uint8Array<ArrayBuffer>[] | undefined> {
  const settle = Promise.withResolvers<readonly Uint8Array<ArrayBuffer>[] | undefined>();
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let sizeBytes = 0;
  const gunzip = createGunzip({ chunkSize: chunkSize(data, sizeMax) });
  const onAbort = () => {
    gunzip.destroy();
    settle.reject(signal.reason);
  };
  signal.addEventListener("abort", onAbort, { once: true });
  gunzip.on("data", (chunk: Buffer<ArrayBuffer>) => {
    chunks.push(chunk);
    sizeBytes += chunk.length;
    if (sizeBytes <= sizeMax) return;
    gunzip.destroy();
    settle.resolve(undefined);
  });
  gunzip.once("error", (error) => settle.reject(badGzip(gzipProblem(error.message), error)));
  gunzip.once("end", () => {
    // Zlib passes over zeros after a member and all that follows them; lines must not vanish so.
    if (gunzip.bytesWritten === data.length) settle.resolve(chunks);
    else settle.reject(badGzip("bytes follow the compressed data"));
  });
  gunzip.end(data);
  return settle.promise.finally(() => signal.removeEventListener("abort", onAbort));
}

/** The size that the last member says, within bounds: where it is the only one, all comes in one piece of just that size. */
function chunkSize(data: Uint8Array, sizeMax: number): number {
  if (data.length < SIZE_SIZE) return CHUNK_SIZE_MIN;
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const said = view.getUint32(data.length - SIZE_SIZE, true);
  return Math.max(CHUNK_SIZE_MIN, Math.min(said, sizeMax + 1));
}

function joined(chunks: readonly Uint8Array<ArrayBuffer>[]): Uint8Array {
  const [only] = chunks;
  const whole = chunks.length === 1 && only?.buffer.byteLength === only?.byteLength;
  return whole && only !== undefined ? new Uint8Array(only.buffer) : concatBytes(chunks);
}

const CHECK_FAILED = "corrupt gzip stream does not have a matching checksum";
/** Zlib's words in those that clients of InfluxDB 3 know. */
const GZIP_PROBLEMS: ReadonlyMap<string, string> = new Map([
  ["unexpected end of file", "unexpected end of file"],
  ["incorrect header check", "invalid gzip header"],
  ["unknown compression method", "invalid gzip header"],
  ["unknown header flags set", "invalid gzip header"],
  ["header crc mismatch", "invalid gzip header"],
  ["incorrect data check", CHECK_FAILED],
  ["incorrect length check", CHECK_FAILED],
]);

function gzipProblem(message: string): string {
  return GZIP_PROBLEMS.get(message) ?? "corrupt deflate stream";
}

function badGzip(reason: string, cause?: Error): DbError {
  return new DbError("invalid", "body_gzip", `error decoding gzip stream: ${reason}`, {
    ...(cause && { cause }),
  });
}
