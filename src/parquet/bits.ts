/** Whole numbers in as many bits as they need, the lowest bit first: what Parquet's encodings are made of. */

/** The most bits of a number that is put at once. */
const PIECE_BITS = 24;
const PIECE = 2 ** PIECE_BITS;

/** Grows as it is written to. */
export class BitWriter {
  #bytes = new Uint8Array(4096);
  #sizeBytes = 0;

  /** A byte. */
  byte(value: number): void {
    this.#room(1);
    this.#bytes[this.#sizeBytes++] = value;
  }

  /** Seven bits a byte; `value` is a whole number from 0 to 2^53. */
  varint(value: number): void {
    let rest = value;
    while (rest >= 0x80) {
      this.byte((rest % 0x80) | 0x80);
      rest = Math.floor(rest / 0x80);
    }
    this.byte(rest);
  }

  /** `value` in `sizeBytes` bytes, little-endian. */
  fixed(value: number, sizeBytes: number): void {
    let rest = value;
    for (let i = 0; i < sizeBytes; i += 1) {
      this.byte(rest % 0x100);
      rest = Math.floor(rest / 0x100);
    }
  }

  /** The numbers from `start` to `end` (not included) in `width` bits each, then zeros up to a whole byte and `count` numbers. */
  packed(values: Uint32Array | Float64Array, range: PackedRange, width: number): void {
    const { count, end, start } = range;
    this.#room(Math.ceil((count * width) / 8) + 8);
    const before = this.#sizeBytes;
    this.#pack(values, start, end, width);
    const after = before + Math.ceil((count * width) / 8);
    this.#bytes.fill(0, this.#sizeBytes, after);
    this.#sizeBytes = after;
  }

  bytes(value: Uint8Array): void {
    this.#room(value.length);
    this.#bytes.set(value, this.#sizeBytes);
    this.#sizeBytes += value.length;
  }

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /** What was written, as a view that the next write may change. */
  written(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(0, this.#sizeBytes);
  }

  /** Begins anew, with the memory it has. */
  clear(): void {
    this.#sizeBytes = 0;
  }

  /** A wide number goes in pieces, for bits are shifted in 32 of them. */
  #pack(values: Uint32Array | Float64Array, start: number, end: number, width: number): void {
    const bytes = this.#bytes;
    let offset = this.#sizeBytes;
    let held = 0;
    let heldBits = 0;
    for (let i = start; i < end; i += 1) {
      let rest = values[i] as number;
      for (let bits = width; bits > 0; bits -= PIECE_BITS) {
        const last = bits <= PIECE_BITS;
        held |= (last ? rest : rest % PIECE) << heldBits;
        heldBits += last ? bits : PIECE_BITS;
        if (!last) rest = Math.floor(rest / PIECE);
        while (heldBits >= 8) {
          bytes[offset++] = held;
          held >>>= 8;
          heldBits -= 8;
        }
      }
    }
    if (heldBits > 0) bytes[offset++] = held;
    this.#sizeBytes = offset;
  }

  #room(sizeBytes: number): void {
    const needed = this.#sizeBytes + sizeBytes;
    if (needed <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, 2 * this.#bytes.length));
    grown.set(this.written());
    this.#bytes = grown;
  }
}

export interface PackedRange {
  readonly start: number;
  readonly end: number;
  /** How many numbers there are in the end, zeros behind the last one. */
  readonly count: number;
}

/** Bits that the numbers from 0 to `most` take. */
export function bitWidth(most: number): number {
  let width = 0;
  for (let rest = most; rest >= 1; rest /= 2) width += 1;
  return width;
}
