/** Many texts in one piece of memory: an array of their own for each would take ten times as much. */
import { utf8 } from "#base/bytes.ts";

export interface Texts {
  readonly count: number;
  /** UTF-8, one behind the other. */
  readonly bytes: Uint8Array;
  /** Where each text ends; it begins where the one before ends. */
  readonly ends: Uint32Array;
}

/** `list` in UTF-8. */
export function textsOf(list: readonly string[]): Texts {
  const bytes = utf8(list.join(""));
  const ends = new Uint32Array(list.length);
  let end = 0;
  // Where no character takes more than a byte, sizes are lengths.
  const ascii = list.reduce((sum, text) => sum + text.length, 0) === bytes.length;
  for (const [index, text] of list.entries()) {
    end += ascii ? text.length : Buffer.byteLength(text);
    ends[index] = end;
  }
  return { count: list.length, bytes, ends };
}

/** The bytes of a text. */
export function textAt({ bytes, ends }: Texts, index: number): Uint8Array {
  return bytes.subarray(index === 0 ? 0 : ends[index - 1], ends[index]);
}

/** Each of the texts that `indexes` name behind its size, as Parquet has plain texts. */
export function plainTexts(texts: Texts, indexes: Uint32Array): Uint8Array {
  const { bytes, ends } = texts;
  let sizeBytes = 4 * indexes.length;
  for (let i = 0; i < indexes.length; i += 1) {
    const index = indexes[i] as number;
    sizeBytes += (ends[index] as number) - (index === 0 ? 0 : (ends[index - 1] as number));
  }
  const plain = new Uint8Array(sizeBytes);
  const view = new DataView(plain.buffer);
  let offset = 0;
  for (let i = 0; i < indexes.length; i += 1) {
    const index = indexes[i] as number;
    const start = index === 0 ? 0 : (ends[index - 1] as number);
    const end = ends[index] as number;
    view.setUint32(offset, end - start, true);
    offset += 4;
    // Most texts are short: a loop takes less than a view and a copy of it.
    for (let at = start; at < end; at += 1) plain[offset++] = bytes[at] as number;
  }
  return plain;
}
