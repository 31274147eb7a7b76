/** Messages on a stream of HTTP/2: a flag, the size in 4 bytes, the message. */
import { concatBytes } from "#base/bytes.ts";
import { DbError } from "#base/errors.ts";

export const FRAME_HEAD_SIZE = 5;

/** `message` as it is sent. */
export function frame(message: Uint8Array): Uint8Array {
  return concatBytes([frameHead(message.length), message]);
}

export function frameHead(sizeBytes: number): Uint8Array {
  const head = new Uint8Array(FRAME_HEAD_SIZE);
  new DataView(head.buffer).setUint32(1, sizeBytes);
  return head;
}

/** Finds the messages in what comes, piece by piece, of at most `sizeMax` bytes each. */
export class FrameReader {
  readonly #sizeMax: number;
  #chunks: Uint8Array[] = [];
  #size = 0;
  /** Of the message that comes, once its size is there. */
  #wantedSize: number | undefined;

  constructor(sizeMax: number) {
    this.#sizeMax = sizeMax;
  }

  /** Whether the last message is not whole. */
  get unfinished(): boolean {
    return this.#size > 0 || this.#wantedSize !== undefined;
  }

  /** The messages that `chunk` makes whole. Throws `exceeded` / `grpc_message_size`, `unsupported` / `grpc_compression`. */
  push(chunk: Uint8Array): readonly Uint8Array[] {
    this.#chunks.push(chunk);
    this.#size += chunk.length;
    const messages: Uint8Array[] = [];
    for (;;) {
      if (this.#wantedSize === undefined) {
        if (this.#size < FRAME_HEAD_SIZE) return messages;
        this.#wantedSize = this.#readHead(this.#take(FRAME_HEAD_SIZE));
      }
      if (this.#size < this.#wantedSize) return messages;
      messages.push(this.#take(this.#wantedSize));
      this.#wantedSize = undefined;
    }
  }

  #readHead(head: Uint8Array): number {
    if (head[0] !== 0)
      throw new DbError(
        "unsupported",
        "grpc_compression",
        "messages that are compressed are not taken: send them as they are",
      );
    const sizeBytes = new DataView(head.buffer, head.byteOffset).getUint32(1);
    if (sizeBytes <= this.#sizeMax) return sizeBytes;
    throw new DbError(
      "exceeded",
      "grpc_message_size",
      `a message of ${sizeBytes} bytes is longer than ${this.#sizeMax}, the most that --max-http-request-size allows`,
      { detail: { sizeBytes, sizeMax: this.#sizeMax } },
    );
  }

  #take(sizeBytes: number): Uint8Array {
    const all =
      this.#chunks.length === 1 ? (this.#chunks[0] as Uint8Array) : concatBytes(this.#chunks);
    this.#chunks = [all.subarray(sizeBytes)];
    this.#size -= sizeBytes;
    return all.subarray(0, sizeBytes);
  }
}
