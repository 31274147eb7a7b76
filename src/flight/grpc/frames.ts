/** Messages on a stream of HTTP/2: a flag, the size in 4 bytes, the message. */
import { concatBytes } from "#base/bytes.ts";
import { DbError } from "#base/errors.ts";

export const FRAME_HEAD_SIZE = 5;
const EMPTY: Uint8Array = new Uint8Array();

/** `message` as it is sent. */
export function frame(message: Uint8Array): Uint8Array {
  return concatBytes([frameHead(message.length), message]);
}

export function frameHead(sizeBytes: number): Uint8Array {
  const head = new Uint8Array(FRAME_HEAD_SIZE);
  new DataView(head.buffer).setUint32(1, sizeBytes);
  return head;
}

/** Finds the messages in what comes, piece by piece, of at most `sizeMax` bytes each. Holds at most twice what came of one, however small the pieces. */
export class FrameReader {
  readonly #sizeMax: number;
  /** What came of a head or a message: its first `#size` bytes. */
  #held = EMPTY;
  #size = 0;
  /** Of the message that comes, once its size is there. */
  #wantedSize: number | undefined;

  constructor(sizeMax: number) {
    this.#sizeMax = sizeMax;
  }

  /** Memory that what came of the last message takes. */
  get heldBytes(): number {
    return this.#held.length;
  }

  /** Whether the last message is not whole. */
  get unfinished(): boolean {
    return this.#size > 0 || this.#wantedSize !== undefined;
  }

  /** The messages that `chunk` makes whole. Throws `exceeded` / `grpc_message_size`, `unsupported` / `grpc_compression`. */
  push(chunk: Uint8Array): readonly Uint8Array[] {
    const messages: Uint8Array[] = [];
    let rest = chunk;
    for (;;) {
      const wantedSize = this.#wantedSize ?? FRAME_HEAD_SIZE;
      const piece = rest.subarray(0, wantedSize - this.#size);
      rest = rest.subarray(piece.length);
      this.#hold(piece, wantedSize);
      if (this.#size < wantedSize) return messages;
      const whole = this.#held.subarray(0, wantedSize);
      this.#held = EMPTY;
      this.#size = 0;
      if (this.#wantedSize === undefined) this.#wantedSize = this.#readHead(whole);
      else {
        messages.push(whole);
        this.#wantedSize = undefined;
      }
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
      `a message of ${sizeBytes} bytes is longer than ${this.#sizeMax}, the most that is taken (--max-http-request-size, or less)`,
      { detail: { sizeBytes, sizeMax: this.#sizeMax } },
    );
  }

  #hold(piece: Uint8Array, wantedSize: number): void {
    const size = this.#size + piece.length;
    if (size > this.#held.length) {
      const larger = new Uint8Array(Math.min(wantedSize, 2 * size));
      larger.set(this.#held.subarray(0, this.#size));
      this.#held = larger;
    }
    this.#held.set(piece, this.#size);
    this.#size = size;
  }
}
