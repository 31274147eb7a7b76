import { DbError } from "#base/errors.ts";

const HIGH = 2 ** 32;
const SIZE_FIRST = 256;

/** Little-endian numbers and bytes, one after another. */
export class ByteWriter {
  #bytes = Buffer.allocUnsafe(SIZE_FIRST);
  #size = 0;

  /** Bytes written so far. */
  get size(): number {
    return this.#size;
  }

  u8(value: number): void {
    this.#size = this.#room(1).writeUInt8(value, this.#size);
  }

  u32(value: number): void {
    this.#size = this.#room(4).writeUInt32LE(value, this.#size);
  }

  /** A whole number below 2^53. */
  u64(value: number): void {
    const bytes = this.#room(8);
    bytes.writeUInt32LE(value % HIGH, this.#size);
    this.#size = bytes.writeUInt32LE(Math.floor(value / HIGH), this.#size + 4);
  }

  bytes(value: Uint8Array): void {
    this.#room(value.length).set(value, this.#size);
    this.#size += value.length;
  }

  /** The size as u32, then the bytes. */
  sized(value: Uint8Array): void {
    this.u32(value.length);
    this.bytes(value);
  }

  /** All that was written; a view that is good until the next write. */
  done(): Uint8Array {
    return new Uint8Array(this.#bytes.buffer, this.#bytes.byteOffset, this.#size);
  }

  #room(size: number): Buffer {
    const needed = this.#size + size;
    if (needed <= this.#bytes.length) return this.#bytes;
    const grown = Buffer.allocUnsafe(Math.max(needed, this.#bytes.length * 2));
    grown.set(this.#bytes.subarray(0, this.#size));
    this.#bytes = grown;
    return grown;
  }
}

/** Reads what a `ByteWriter` wrote; throws `corrupt` / `raft_bytes_malformed` where it ends too early. */
export class ByteReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #offset = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get rest(): number {
    return this.#bytes.length - this.#offset;
  }

  u8(): number {
    return this.#view.getUint8(this.#take(1));
  }

  u32(): number {
    return this.#view.getUint32(this.#take(4), true);
  }

  u64(): number {
    const offset = this.#take(8);
    const value =
      this.#view.getUint32(offset + 4, true) * HIGH + this.#view.getUint32(offset, true);
    if (!Number.isSafeInteger(value)) throw malformed("a number is above 2^53");
    return value;
  }

  /** A view into the bytes that are read. */
  bytes(size: number): Uint8Array {
    const offset = this.#take(size);
    return this.#bytes.subarray(offset, offset + size);
  }

  sized(): Uint8Array {
    return this.bytes(this.u32());
  }

  #take(size: number): number {
    const offset = this.#offset;
    if (size > this.rest) throw malformed(`${size} bytes are read where ${this.rest} are left`);
    this.#offset += size;
    return offset;
  }
}

/** Bytes that are whole by their checksum, and still make no sense. */
export function malformed(why: string): DbError {
  return new DbError(
    "corrupt",
    "raft_bytes_malformed",
    `Bytes of the raft log or a raft message make no sense: ${why}.`,
  );
}
