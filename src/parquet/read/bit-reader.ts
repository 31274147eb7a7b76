/** Whole numbers in as many bits as they need: the other way round than `../bits.ts`. */

const PIECE_BITS = 24;

/** Reads `count` numbers of `width` bits, up to 64, from byte `offset` on into `target`. Those above 2^53 are not exact. */
export function unpack(
  bytes: Uint8Array,
  { offset, count, width }: { offset: number; count: number; width: number },
  target: Uint32Array | Float64Array,
): void {
  const end = offset + (count * width) / 8;
  // The commonest widths are copied, which is fast from the first time on.
  if (width === 0) target.fill(0, 0, count);
  else if (width === 8) target.set(bytes.subarray(offset, end));
  else if (width === 16)
    target.set(new Uint16Array(Uint8Array.from(bytes.subarray(offset, end)).buffer));
  else if (width <= PIECE_BITS) unpackNarrow(bytes, offset, width, target.subarray(0, count));
  else if (width % 8 === 0) joinBytes(bytes, offset, width / 8, target.subarray(0, count));
  else unpackWide(bytes, offset, width, target.subarray(0, count));
}

function unpackNarrow(
  bytes: Uint8Array,
  start: number,
  width: number,
  target: Uint32Array | Float64Array,
): void {
  const mask = 2 ** width - 1;
  let offset = start;
  let held = 0;
  let heldBits = 0;
  for (let i = 0; i < target.length; i += 1) {
    while (heldBits < width) {
      held |= (bytes[offset++] as number) << heldBits;
      heldBits += 8;
    }
    target[i] = held & mask;
    held >>>= width;
    heldBits -= width;
  }
}

function joinBytes(
  bytes: Uint8Array,
  start: number,
  sizeBytes: number,
  target: Uint32Array | Float64Array,
): void {
  for (let i = 0, end = start; i < target.length; i += 1) {
    let value = 0;
    end += sizeBytes;
    for (let at = end - 1; at >= end - sizeBytes; at -= 1)
      value = 0x100 * value + (bytes[at] as number);
    target[i] = value;
  }
}

/** In pieces, for bits are shifted in 32 of them. */
function unpackWide(
  bytes: Uint8Array,
  start: number,
  width: number,
  target: Uint32Array | Float64Array,
): void {
  let offset = start;
  let held = 0;
  let heldBits = 0;
  for (let i = 0; i < target.length; i += 1) {
    let value = 0;
    for (let got = 0; got < width; got += PIECE_BITS) {
      const bits = Math.min(PIECE_BITS, width - got);
      while (heldBits < bits) {
        held |= (bytes[offset++] as number) << heldBits;
        heldBits += 8;
      }
      value += (held & (2 ** bits - 1)) * 2 ** got;
      held >>>= bits;
      heldBits -= bits;
    }
    target[i] = value;
  }
}

/** Reads single numbers one behind the other. */
export class NumberReader {
  readonly #bytes: Uint8Array;
  offset: number;

  constructor(bytes: Uint8Array, offset: number) {
    this.#bytes = bytes;
    this.offset = offset;
  }

  byte(): number {
    const byte = this.#bytes[this.offset];
    if (byte === undefined) throw new Error("a page is cut off");
    this.offset += 1;
    return byte;
  }

  varint(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 0x80) {
      const byte = this.byte();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
      if (scale > 2 ** 56) throw new Error("a number does not end");
    }
  }

  zigzagBigint(): bigint {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = this.byte();
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) break;
      if (shift > 63n) throw new Error("a number does not end");
    }
    return (value & 1n) === 0n ? value >> 1n : -(value >> 1n) - 1n;
  }

  /** `sizeBytes` bytes, little-endian. */
  fixed(sizeBytes: number): number {
    let value = 0;
    for (let i = 0, scale = 1; i < sizeBytes; i += 1, scale *= 0x100) value += this.byte() * scale;
    return value;
  }
}
