import { DbError, type ErrorDetail } from "#base/errors.ts";

/** The error for bytes that are not what an encoder here has written. */
export function damaged(reason: string, detail: ErrorDetail = {}): DbError {
  return new DbError("corrupt", "block_damaged", `damaged block: ${reason}`, { detail });
}

/** Grows as it is written to. Numbers are little-endian. */
export class ByteWriter {
  #bytes: Uint8Array<ArrayBuffer>;
  #view: DataView;
  #sizeBytes = 0;

  constructor(capacityBytes: number) {
    this.#bytes = new Uint8Array(capacityBytes);
    this.#view = new DataView(this.#bytes.buffer);
  }

  u8(value: number): void {
    const offset = this.#grow(1);
    this.#view.setUint8(offset, value);
  }

  u32(value: number): void {
    const offset = this.#grow(4);
    this.#view.setUint32(offset, value, true);
  }

  i64(value: bigint): void {
    const offset = this.#grow(8);
    this.#view.setBigInt64(offset, value, true);
  }

  bytes(value: Uint8Array): void {
    const offset = this.#grow(value.length);
    this.#bytes.set(value, offset);
  }

  /** The next `sizeBytes` bytes, all 0, to be filled before anything else is written. */
  reserve(sizeBytes: number): Uint8Array {
    const offset = this.#grow(sizeBytes);
    return this.#bytes.subarray(offset, offset + sizeBytes);
  }

  /** All that was written, in an array of that size. The writer is not used afterwards. */
  finish(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(0, this.#sizeBytes);
  }

  #grow(sizeBytes: number): number {
    const offset = this.#sizeBytes;
    const needed = offset + sizeBytes;
    if (needed > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(needed, 2 * this.#bytes.length));
      grown.set(this.#bytes);
      this.#bytes = grown;
      this.#view = new DataView(grown.buffer);
    }
    this.#sizeBytes = needed;
    return offset;
  }
}

/** Reads what a ByteWriter wrote; every read throws `corrupt` / `block_damaged` where the bytes end before it. */
export class ByteReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #offset: number;

  constructor(bytes: Uint8Array, offset: number) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#offset = offset;
  }

  /** How many bytes are still to be read. */
  get restBytes(): number {
    return this.#bytes.length - this.#offset;
  }

  u8(): number {
    return this.#view.getUint8(this.#advance(1));
  }

  u32(): number {
    return this.#view.getUint32(this.#advance(4), true);
  }

  i64(): bigint {
    return this.#view.getBigInt64(this.#advance(8), true);
  }

  /** The next `sizeBytes` bytes, as a view. */
  bytes(sizeBytes: number): Uint8Array {
    const offset = this.#advance(sizeBytes);
    return this.#bytes.subarray(offset, offset + sizeBytes);
  }

  #advance(sizeBytes: number): number {
    const offset = this.#offset;
    if (sizeBytes > this.restBytes) {
      throw damaged("it ends too early", { offset, sizeBytes, restBytes: this.restBytes });
    }
    this.#offset = offset + sizeBytes;
    return offset;
  }
}
