/** FlatBuffers (https://flatbuffers.dev/internals/), as much of writing them as Arrow's messages need. */
import { utf8 } from "#base/bytes.ts";

/** A part of a buffer. Whatever is not a number stands elsewhere, and its place in a table says where. */
export type Flat =
  | { readonly kind: "int8" | "int16" | "int32"; readonly value: number }
  | { readonly kind: "int64"; readonly value: bigint }
  | { readonly kind: "text"; readonly text: string }
  /** Fields by their number; absent ones have their default. */
  | { readonly kind: "table"; readonly fields: readonly (Flat | undefined)[] }
  | { readonly kind: "list"; readonly items: readonly Flat[] }
  /** Numbers of 32 bits. */
  | { readonly kind: "int32s"; readonly values: readonly number[] }
  /** Structs of two numbers of 64 bits each, one struct after the other. */
  | { readonly kind: "pairs"; readonly values: readonly number[] };

const SIZES = { int8: 1, int16: 2, int32: 4, int64: 8 } as const;
const OFFSET_SIZE = 4;
const SIZE_START = 1024;

export function int8(value: number): Flat {
  return { kind: "int8", value };
}

export function int16(value: number): Flat {
  return { kind: "int16", value };
}

export function int32(value: number): Flat {
  return { kind: "int32", value };
}

export function int64(value: number): Flat {
  return { kind: "int64", value: BigInt(value) };
}

export function text(value: string): Flat {
  return { kind: "text", text: value };
}

export function table(fields: readonly (Flat | undefined)[]): Flat {
  return { kind: "table", fields };
}

export function list(items: readonly Flat[]): Flat {
  return { kind: "list", items };
}

/** The buffer whose root is the table of `fields`; its size is a multiple of 8. */
export function encodeFlat(fields: readonly (Flat | undefined)[]): Uint8Array {
  const writer = new FlatWriter();
  writer.root(fields);
  return writer.written();
}

/** Writes parents before what they point to, for offsets lead forward. */
class FlatWriter {
  #bytes = new Uint8Array(SIZE_START);
  #view = new DataView(this.#bytes.buffer);
  #size = 0;

  root(fields: readonly (Flat | undefined)[]): void {
    const place = this.#take(OFFSET_SIZE);
    this.#point(place, this.#table(fields));
  }

  written(): Uint8Array {
    this.#align(8, 0);
    return this.#bytes.subarray(0, this.#size);
  }

  /** Where it stands. */
  #put(part: Flat): number {
    switch (part.kind) {
      case "text":
        return this.#text(part.text);
      case "table":
        return this.#table(part.fields);
      case "list":
        return this.#list(part.items);
      case "int32s":
        return this.#int32s(part.values);
      case "pairs":
        return this.#pairs(part.values);
      default: {
        const start = this.#take(SIZES[part.kind]);
        this.#number(start, part);
        return start;
      }
    }
  }

  /** The table's layout, then its numbers and offsets, then what these lead to. */
  #table(fields: readonly (Flat | undefined)[]): number {
    const layoutSize = 2 * OFFSET_SIZE + 2 * fields.length;
    this.#align(8, layoutSize - OFFSET_SIZE);
    const layout = this.#take(layoutSize - OFFSET_SIZE);
    let sizeBytes = OFFSET_SIZE;
    const places = fields.map((field) => {
      if (field === undefined) return 0;
      const size = sizeOf(field);
      sizeBytes += -sizeBytes & (size - 1);
      const place = sizeBytes;
      sizeBytes += size;
      return place;
    });
    const start = this.#take(sizeBytes);
    this.#view.setInt32(start, start - layout, true);
    this.#view.setUint16(layout, layoutSize - OFFSET_SIZE, true);
    this.#view.setUint16(layout + 2, sizeBytes, true);
    for (const [index, place] of places.entries())
      this.#view.setUint16(layout + 4 + 2 * index, place, true);
    for (const [index, field] of fields.entries())
      if (field !== undefined) this.#field(start + (places[index] ?? 0), field);
    return start;
  }

  #field(place: number, field: Flat): void {
    if (field.kind in SIZES) this.#number(place, field);
    else this.#point(place, this.#put(field));
  }

  #number(place: number, part: Flat): void {
    if (part.kind === "int8") this.#view.setInt8(place, part.value);
    else if (part.kind === "int16") this.#view.setInt16(place, part.value, true);
    else if (part.kind === "int32") this.#view.setInt32(place, part.value, true);
    else if (part.kind === "int64") this.#view.setBigInt64(place, part.value, true);
  }

  #text(value: string): number {
    const bytes = utf8(value);
    const start = this.#vector(bytes.length, OFFSET_SIZE);
    // With the NUL that readers in C rely on.
    const place = this.#take(bytes.length + 1);
    this.#bytes.set(bytes, place);
    return start;
  }

  #list(items: readonly Flat[]): number {
    const start = this.#vector(items.length, OFFSET_SIZE);
    const places = this.#take(OFFSET_SIZE * items.length);
    for (const [index, item] of items.entries())
      this.#point(places + OFFSET_SIZE * index, this.#put(item));
    return start;
  }

  #int32s(values: readonly number[]): number {
    const start = this.#vector(values.length, OFFSET_SIZE);
    for (const value of values) {
      const place = this.#take(OFFSET_SIZE);
      this.#view.setInt32(place, value, true);
    }
    return start;
  }

  #pairs(values: readonly number[]): number {
    const start = this.#vector(values.length / 2, 8);
    const places = this.#take(8 * values.length);
    for (const [index, value] of values.entries())
      this.#view.setBigInt64(places + 8 * index, BigInt(value), true);
    return start;
  }

  /** The count of a vector, whose items follow and are aligned to `alignment`. */
  #vector(count: number, alignment: number): number {
    this.#align(alignment, OFFSET_SIZE);
    const start = this.#take(OFFSET_SIZE);
    this.#view.setUint32(start, count, true);
    return start;
  }

  #point(place: number, target: number): void {
    this.#view.setUint32(place, target - place, true);
  }

  /** Goes on to where what comes after `ahead` bytes is aligned. */
  #align(alignment: number, ahead: number): void {
    this.#take(-(this.#size + ahead) & (alignment - 1));
  }

  #take(sizeBytes: number): number {
    const start = this.#size;
    this.#size += sizeBytes;
    if (this.#size > this.#bytes.length) {
      const bytes = new Uint8Array(Math.max(2 * this.#bytes.length, this.#size));
      bytes.set(this.#bytes);
      this.#bytes = bytes;
      this.#view = new DataView(bytes.buffer);
    }
    return start;
  }
}

function sizeOf(field: Flat): number {
  return field.kind in SIZES ? SIZES[field.kind as keyof typeof SIZES] : OFFSET_SIZE;
}
