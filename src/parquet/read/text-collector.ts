import { concatBytes } from "#base/bytes.ts";
import type { Texts } from "../texts.ts";

/** The texts of a dictionary, and behind them those of pages without one, which may repeat. */
export class TextCollector {
  readonly #parts: Texts[] = [];
  #count = 0;

  constructor(dictionary: Texts | undefined) {
    if (dictionary !== undefined) this.add(dictionary);
  }

  /** The number of each text. */
  add(texts: Texts): Uint32Array {
    this.#parts.push(texts);
    const numbers = new Uint32Array(texts.count);
    for (let i = 0; i < texts.count; i += 1) numbers[i] = this.#count + i;
    this.#count += texts.count;
    return numbers;
  }

  get all(): Texts {
    const [only] = this.#parts;
    if (only !== undefined && this.#parts.length === 1) return only;
    const ends = new Uint32Array(this.#count);
    let index = 0;
    let end = 0;
    for (const part of this.#parts) {
      for (let i = 0; i < part.count; i += 1) ends[index++] = end + (part.ends[i] as number);
      end += part.bytes.length;
    }
    const bytes = concatBytes(this.#parts.map((part) => part.bytes));
    return { count: this.#count, bytes, ends };
  }
}
