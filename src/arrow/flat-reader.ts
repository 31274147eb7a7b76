/** FlatBuffers as they come from clients: every place is checked before it is read. */
import { fromUtf8 } from "#base/bytes.ts";
import { DbError } from "#base/errors.ts";

/** A table in a buffer. What it throws is `invalid` / `arrow_message`. */
export class FlatTable {
  readonly #view: DataView;
  readonly #start: number;
  readonly #layout: number;
  /** Of all tables of the buffer. */
  readonly #texts: { sizeBytes: number };

  private constructor(view: DataView, start: number, texts: { sizeBytes: number }) {
    this.#view = view;
    this.#start = start;
    this.#texts = texts;
    this.#layout = reading(() => start - view.getInt32(start, true));
  }

  /** The table that a buffer is. */
  static root({ buffer, byteLength, byteOffset }: Uint8Array): FlatTable {
    const view = new DataView(buffer, byteOffset, byteLength);
    return new FlatTable(
      view,
      reading(() => view.getUint32(0, true)),
      { sizeBytes: 0 },
    );
  }

  int8(field: number): number {
    return this.#number(field, (view, place) => view.getInt8(place));
  }

  int16(field: number): number {
    return this.#number(field, (view, place) => view.getInt16(place, true));
  }

  int32(field: number): number {
    return this.#number(field, (view, place) => view.getInt32(place, true));
  }

  int64(field: number): number {
    return this.#number(field, (view, place) => Number(view.getBigInt64(place, true)));
  }

  /** All texts that are read of a buffer are together no longer than it: places may lead to one text again and again. */
  text(field: number): string {
    const start = this.#target(field);
    if (start === undefined) return "";
    return reading(() => {
      const size = this.#view.getUint32(start, true);
      const { buffer, byteOffset } = this.#view;
      // Throws where the text would reach beyond the buffer.
      if (start + 4 + size > this.#view.byteLength) throw new RangeError("the text is cut off");
      this.#texts.sizeBytes += size;
      if (this.#texts.sizeBytes > this.#view.byteLength)
        throw new RangeError("the texts are longer than the message");
      return fromUtf8(new Uint8Array(buffer, byteOffset + start + 4, size));
    });
  }

  table(field: number): FlatTable | undefined {
    const start = this.#target(field);
    return start === undefined ? undefined : new FlatTable(this.#view, start, this.#texts);
  }

  /** How many tables or structs there are in `field`. */
  count(field: number): number {
    return this.#vector(field, 4).count;
  }

  tables(field: number): readonly FlatTable[] {
    const { count, start } = this.#vector(field, 4);
    return Array.from({ length: count }, (_, index) => {
      const place = start + 4 * index;
      return new FlatTable(
        this.#view,
        reading(() => place + this.#view.getUint32(place, true)),
        this.#texts,
      );
    });
  }

  /** Structs of two numbers of 64 bits. */
  pairs(field: number): readonly (readonly [number, number])[] {
    const { count, start } = this.#vector(field, 16);
    const numberAt = (place: number) => Number(this.#view.getBigInt64(place, true));
    return Array.from({ length: count }, (_, index) =>
      reading(() => [numberAt(start + 16 * index), numberAt(start + 16 * index + 8)] as const),
    );
  }

  #vector(field: number, itemSize: number): { readonly start: number; readonly count: number } {
    const place = this.#target(field);
    if (place === undefined) return { start: 0, count: 0 };
    const count = reading(() => this.#view.getUint32(place, true));
    if (place + 4 + count * itemSize > this.#view.byteLength) throw malformed();
    return { start: place + 4, count };
  }

  #number(field: number, read: (view: DataView, place: number) => number): number {
    const place = this.#place(field);
    return place === undefined ? 0 : reading(() => read(this.#view, place));
  }

  /** Where the offset in `field` leads. */
  #target(field: number): number | undefined {
    const place = this.#place(field);
    return place === undefined
      ? undefined
      : reading(() => place + this.#view.getUint32(place, true));
  }

  /** Where `field` stands; undefined where it has its default. */
  #place(field: number): number | undefined {
    return reading(() => {
      const slot = 4 + 2 * field;
      if (slot >= this.#view.getUint16(this.#layout, true)) return undefined;
      const offset = this.#view.getUint16(this.#layout + slot, true);
      return offset === 0 ? undefined : this.#start + offset;
    });
  }
}

export function malformed(cause?: unknown): DbError {
  return new DbError("invalid", "arrow_message", "the message is none of Arrow's, or not whole", {
    cause,
  });
}

/** What leads out of the buffer is a message that is not whole. */
function reading<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw malformed(error);
  }
}
