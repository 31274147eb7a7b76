import { addAbortSignal } from "node:stream";

/** The `sizeBytes` bytes of an answer's body. Rejects where it breaks off or goes on, and when `signal` is aborted. */
export async function readBody(
  stream: NodeJS.ReadableStream,
  sizeBytes: number,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const body = new Uint8Array(sizeBytes);
  let offset = 0;
  // Nobody sets an encoding, so chunks are bytes.
  for await (const chunk of addAbortSignal(signal, stream) as AsyncIterable<Uint8Array>) {
    if (offset + chunk.length > sizeBytes) {
      throw new Error(`the answer goes on after its ${sizeBytes} bytes`);
    }
    body.set(chunk, offset);
    offset += chunk.length;
  }
  if (offset < sizeBytes) {
    throw new Error(`the answer broke off after ${offset} of ${sizeBytes} bytes`);
  }
  return body;
}
