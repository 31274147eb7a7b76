/** Structures in Thrift's compact protocol, as `../thrift.ts` and other programs write them. */

/** Fields by their numbers. */
export type ThriftFields = ReadonlyMap<number, ThriftRead>;
/** Whole numbers beyond 2^53 are rounded: Parquet's headers have none that matter. */
export type ThriftRead = number | boolean | Uint8Array | readonly ThriftRead[] | ThriftFields;

const TRUE = 1;
const FALSE = 2;
const BYTE = 3;
/** Of 16, 32 and 64 bits. */
const WHOLES = [4, 5, 6];
const BINARY = 8;
const LIST = 9;
const SET = 10;
const MAP = 11;
const STRUCT = 12;
const VARINT_SIZE_MAX = 10;
const DEPTH_MAX = 16;

/** A structure, and where it ends in `bytes`. Throws an Error where there is none. */
export function readStruct(
  bytes: Uint8Array,
  offset = 0,
): { readonly fields: ThriftFields; readonly end: number } {
  const reader = new Reader(bytes, offset);
  const fields = reader.struct(0);
  return { fields, end: reader.offset };
}

export function numberAt(fields: ThriftFields, id: number): number | undefined {
  const value = fields.get(id);
  return typeof value === "number" ? value : undefined;
}

/** Throws where the field is missing or no number. */
export function requireNumber(fields: ThriftFields, id: number): number {
  const value = numberAt(fields, id);
  if (value === undefined) throw new Error(`a header lacks field ${id}`);
  return value;
}

export function structAt(fields: ThriftFields, id: number): ThriftFields | undefined {
  const value = fields.get(id);
  return value instanceof Map ? value : undefined;
}

/** Throws where the field is missing or no structure. */
export function requireStruct(fields: ThriftFields, id: number): ThriftFields {
  const value = structAt(fields, id);
  if (value === undefined) throw new Error(`a header lacks structure ${id}`);
  return value;
}

export function binaryAt(fields: ThriftFields, id: number): Uint8Array | undefined {
  const value = fields.get(id);
  return value instanceof Uint8Array ? value : undefined;
}

/** The structures of a list; none where there is no list. */
export function structsAt(fields: ThriftFields, id: number): readonly ThriftFields[] {
  const value = fields.get(id);
  if (!Array.isArray(value)) return [];
  return value.filter((entry): entry is ThriftFields => entry instanceof Map);
}

class Reader {
  readonly #bytes: Uint8Array;
  offset: number;

  constructor(bytes: Uint8Array, offset: number) {
    this.#bytes = bytes;
    this.offset = offset;
  }

  struct(depth: number): ThriftFields {
    if (depth > DEPTH_MAX) throw new Error("a header is nested too deeply");
    const fields = new Map<number, ThriftRead>();
    let id = 0;
    for (;;) {
      const head = this.#byte();
      if (head === 0) return fields;
      const code = head & 0x0f;
      id = head >> 4 === 0 ? this.#zigzag() : id + (head >> 4);
      // A truth is said by its code.
      const value = code === TRUE || code === FALSE ? code === TRUE : this.#value(code, depth);
      fields.set(id, value);
    }
  }

  #value(code: number, depth: number): ThriftRead {
    switch (code) {
      case BYTE:
        return (this.#byte() << 24) >> 24;
      case BINARY:
        return this.#take(this.#varint());
      case LIST:
      case SET:
        return this.#list(depth);
      case MAP:
        return this.#map(depth);
      case STRUCT:
        return this.struct(depth + 1);
      default:
        return this.#number(code);
    }
  }

  #number(code: number): number | boolean {
    if (code === TRUE || code === FALSE) return this.#byte() === TRUE;
    if (WHOLES.includes(code)) return this.#zigzag();
    throw new Error(`a header has a field of an unknown type ${code}`);
  }

  #list(depth: number): readonly ThriftRead[] {
    const head = this.#byte();
    const count = head >> 4 === 0x0f ? this.#varint() : head >> 4;
    if (count > this.#bytes.length) throw new Error("a list is longer than its header");
    return Array.from({ length: count }, () => this.#value(head & 0x0f, depth));
  }

  /** Passes over it: no header that is read here has one that matters. */
  #map(depth: number): readonly ThriftRead[] {
    const count = this.#varint();
    if (count === 0) return [];
    if (count > this.#bytes.length) throw new Error("a map is longer than its header");
    const types = this.#byte();
    for (let i = 0; i < count; i += 1) {
      this.#value(types >> 4, depth);
      this.#value(types & 0x0f, depth);
    }
    return [];
  }

  #zigzag(): number {
    const value = this.#varint();
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }

  #varint(): number {
    let value = 0;
    let scale = 1;
    for (let size = 0; size < VARINT_SIZE_MAX; size += 1) {
      const byte = this.#byte();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
      scale *= 0x80;
    }
    throw new Error("a number in a header does not end");
  }

  #byte(): number {
    const byte = this.#bytes[this.offset];
    if (byte === undefined) throw new Error("a header is cut off");
    this.offset += 1;
    return byte;
  }

  #take(sizeBytes: number): Uint8Array {
    const end = this.offset + sizeBytes;
    if (end > this.#bytes.length) throw new Error("a header is cut off");
    const taken = this.#bytes.subarray(this.offset, end);
    this.offset = end;
    return taken;
  }
}
