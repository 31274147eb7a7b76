/** MessagePack (https://github.com/msgpack/msgpack/blob/master/spec.md), as the library of InfluxDB 1 writes it: whole numbers signed. */

import { SECOND_NS } from "#model/time-units.ts";

const ENCODER = new TextEncoder();
const SIZE_AT_FIRST = 1024;
/** What that library calls an instant: 8 bytes of seconds and 4 of nanoseconds. */
const TIME_TYPE = 5;
const TIME_SIZE = 12;

/** Bytes of values, one after the other. */
export class MessagePackWriter {
  #bytes = new Uint8Array(SIZE_AT_FIRST);
  #view = new DataView(this.#bytes.buffer);
  #size = 0;

  get sizeBytes(): number {
    return this.#size;
  }

  /** What was written; the writer is used no more. */
  take(): Uint8Array {
    return this.#bytes.subarray(0, this.#size);
  }

  map(count: number): this {
    return this.#head(count, 0x80, 0xde);
  }

  array(count: number): this {
    return this.#head(count, 0x90, 0xdc);
  }

  text(value: string): this {
    // No character takes more than three bytes for each of its units.
    const at = this.#room(value.length * 3 + 5);
    const shortHead = value.length * 3 < 32 ? 1 : 5;
    const { written } = ENCODER.encodeInto(value, this.#bytes.subarray(at + shortHead));
    const headSize = written < 32 ? 1 : written < 0x100 ? 2 : written < 0x1_0000 ? 3 : 5;
    if (headSize !== shortHead)
      this.#bytes.copyWithin(at + headSize, at + shortHead, at + shortHead + written);
    if (headSize === 1) this.#bytes[at] = 0xa0 | written;
    else {
      this.#bytes[at] = headSize === 2 ? 0xd9 : headSize === 3 ? 0xda : 0xdb;
      if (headSize === 2) this.#view.setUint8(at + 1, written);
      else if (headSize === 3) this.#view.setUint16(at + 1, written);
      else this.#view.setUint32(at + 1, written);
    }
    this.#size = at + headSize + written;
    return this;
  }

  nil(): this {
    return this.#byte(0xc0);
  }

  boolean(value: boolean): this {
    return this.#byte(value ? 0xc3 : 0xc2);
  }

  float(value: number): this {
    const at = this.#room(9);
    this.#bytes[at] = 0xcb;
    this.#view.setFloat64(at + 1, value);
    this.#size = at + 9;
    return this;
  }

  /** Of 64 bits, signed or not. */
  integer(value: bigint): this {
    if (value >= -32n && value <= 127n) return this.#byte(Number(value) & 0xff);
    const at = this.#room(9);
    if (value >= -0x80n && value <= 0x7fn) {
      this.#bytes[at] = 0xd0;
      this.#view.setInt8(at + 1, Number(value));
      this.#size = at + 2;
    } else if (value >= -0x8000n && value <= 0x7fffn) {
      this.#bytes[at] = 0xd1;
      this.#view.setInt16(at + 1, Number(value));
      this.#size = at + 3;
    } else if (value >= -0x8000_0000n && value <= 0x7fff_ffffn) {
      this.#bytes[at] = 0xd2;
      this.#view.setInt32(at + 1, Number(value));
      this.#size = at + 5;
    } else {
      this.#bytes[at] = value > 0x7fff_ffff_ffff_ffffn ? 0xcf : 0xd3;
      this.#view.setBigInt64(at + 1, value);
      this.#size = at + 9;
    }
    return this;
  }

  /** Nanoseconds since the Unix epoch. */
  time(timeNs: bigint): this {
    const at = this.#room(TIME_SIZE + 3);
    const rest = timeNs % SECOND_NS;
    const nanoseconds = rest < 0n ? rest + SECOND_NS : rest;
    this.#bytes.set([0xc7, TIME_SIZE, TIME_TYPE], at);
    this.#view.setBigInt64(at + 3, (timeNs - nanoseconds) / SECOND_NS);
    this.#view.setInt32(at + 11, Number(nanoseconds));
    this.#size = at + TIME_SIZE + 3;
    return this;
  }

  #head(count: number, fix: number, wide: number): this {
    if (count < 16) return this.#byte(fix | count);
    const at = this.#room(5);
    const isWide = count > 0xffff;
    this.#bytes[at] = isWide ? wide + 1 : wide;
    if (isWide) this.#view.setUint32(at + 1, count);
    else this.#view.setUint16(at + 1, count);
    this.#size = at + (isWide ? 5 : 3);
    return this;
  }

  #byte(value: number): this {
    const at = this.#room(1);
    this.#bytes[at] = value;
    this.#size = at + 1;
    return this;
  }

  /** Makes room for `sizeBytes` more, and says where they begin. */
  #room(sizeBytes: number): number {
    const needed = this.#size + sizeBytes;
    if (needed > this.#bytes.length) {
      const bytes = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
      bytes.set(this.#bytes);
      this.#bytes = bytes;
      this.#view = new DataView(bytes.buffer);
    }
    return this.#size;
  }
}
