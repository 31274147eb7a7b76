/** Frames on a connection between peers: size, CRC-32C, body (docs/formats/raft-messages.md). */
import { crc32c } from "#base/crc32c.ts";
import { DbError } from "#base/errors.ts";
import { ByteReader, ByteWriter } from "../bytes.ts";

const HEAD_SIZE = 8;
/** A message has at most what the core puts together, and one entry more. */
export const FRAME_SIZE_MAX = 64 * 2 ** 20;

export function encodeFrame(body: Uint8Array): Uint8Array {
  const writer = new ByteWriter();
  writer.u32(body.length);
  writer.u32(crc32c(body));
  writer.bytes(body);
  return writer.done();
}

/** The bodies of the frames that come on a connection. Holds one frame, and what came with its end. */
export class FrameReader {
  readonly #source: AsyncIterator<Uint8Array>;
  #parts: Uint8Array[] = [];
  #size = 0;

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  /**
   * The next body, which the caller owns; undefined when the other side has ended.
   *
   * Rejects with `corrupt` / `raft_frame_damaged` where the checksum is wrong, more than `sizeBytesMax` are announced, or the end comes
   * in the middle: the connection is of no use then.
   */
  async next(sizeBytesMax = FRAME_SIZE_MAX): Promise<Uint8Array | undefined> {
    if (!(await this.#fill(HEAD_SIZE))) {
      if (this.#size > 0) throw damagedFrame("it ends within a frame");
      return undefined;
    }
    const head = new ByteReader(this.#take(HEAD_SIZE));
    const [size, checksum] = [head.u32(), head.u32()];
    if (size > sizeBytesMax) throw damagedFrame(`a frame of ${size} bytes is announced`);
    if (!(await this.#fill(size))) throw damagedFrame("it ends within a frame");
    const body = this.#take(size);
    if (crc32c(body) !== checksum) throw damagedFrame("a frame is not what was sent");
    return body;
  }

  async #fill(size: number): Promise<boolean> {
    while (this.#size < size) {
      const next = await this.#source.next();
      if (next.done === true) return false;
      this.#parts.push(next.value);
      this.#size += next.value.length;
    }
    return true;
  }

  /** The first `size` of the bytes that are here. */
  #take(size: number): Uint8Array {
    const taken = new Uint8Array(size);
    let filled = 0;
    while (filled < size) {
      const part = this.#parts.shift() as Uint8Array;
      const wanted = part.subarray(0, size - filled);
      taken.set(wanted, filled);
      filled += wanted.length;
      if (wanted.length < part.length) this.#parts.unshift(part.subarray(wanted.length));
    }
    this.#size -= size;
    return taken;
  }
}

function damagedFrame(why: string): DbError {
  return new DbError(
    "corrupt",
    "raft_frame_damaged",
    `A connection from a raft peer is of no use: ${why}. It is closed; the peer connects again.`,
  );
}
