import { fromUtf8, utf8 } from "#base/bytes.ts";
import type { EncodedTexts } from "#model/batch.ts";
import type { Machine } from "./machine.ts";

const TEXT_SIZE = 16;
const COUNT_MIN = 1_024;
const GROWTH = 4;
/** Loads of whole words may begin at a text's last byte. */
const PAD_SIZE = 16;
/** Above the numbers of the machine's texts are those that it has no slot for. */
const FIRST_OTHER = 2 ** 30;

/** Tags and strings of a body by number: those of one column of one table, which is a domain, differ from each other. 0 is NULL. */
export class Texts {
  readonly #machine: Machine;
  readonly #countMax: number;
  #roomCount = 0;
  /** The texts that have no slot, by domain and text: somebody has chosen such. */
  readonly #others = new Map<string, number>();
  readonly #otherTexts: string[] = [];

  /** No body has more than `countMax`. */
  constructor(machine: Machine, countMax: number) {
    this.#machine = machine;
    this.#countMax = 2 ** Math.ceil(Math.log2(countMax));
  }

  /** Makes room for more in the machine; false where there will be no more. */
  grow(): boolean {
    if (this.#roomCount >= this.#countMax) return false;
    const count = Math.max(COUNT_MIN, Math.min(GROWTH * this.#roomCount, this.#countMax));
    const machine = this.#machine;
    const entries = machine.take((count + 1) * TEXT_SIZE);
    const slotCount = 2 * count;
    machine.exports.growTexts(entries, count, machine.takeZeros(4 * slotCount), slotCount);
    this.#roomCount = count;
    return true;
  }

  /** The numbers of `texts`, by code: of NULL, then of each. */
  numbersOf(domain: number, texts: readonly string[]): Uint32Array {
    const numbers = new Uint32Array(texts.length + 1);
    const bytes = utf8(texts.join(""));
    let at = this.#machine.take(bytes.length + PAD_SIZE);
    this.#machine.write(at, bytes);
    for (const [index, text] of texts.entries()) {
      const size = Buffer.byteLength(text);
      numbers[index + 1] = this.#intern(domain, at, size) || this.#otherNumber(domain, text);
      at += size;
    }
    return numbers;
  }

  /** The texts of `numbers`, in their order. */
  dictionaryOf(numbers: readonly number[]): TextDictionary {
    const machine = this.#machine;
    const known = Uint32Array.from(numbers.filter((number) => number < FIRST_OTHER));
    const list = machine.take(4 * known.length);
    machine.write(list, known);
    const lengthsAt = machine.take(4 * known.length);
    const out = machine.take(machine.exports.sizeOfTexts(list, known.length));
    const end = machine.exports.gatherTexts(list, known.length, lengthsAt, out);
    const bytes = new Uint8Array(machine.bytes(out, end - out));
    const lengths = machine.words(lengthsAt, known.length);
    const texts = splitTexts(fromUtf8(bytes), lengths);
    if (known.length === numbers.length) return { dictionary: texts, encoded: { bytes, lengths } };
    let index = 0;
    const dictionary = numbers.map((number) => {
      const text = number >= FIRST_OTHER ? this.#otherTexts[number - FIRST_OTHER] : texts[index++];
      return text as string;
    });
    return { dictionary };
  }

  #intern(domain: number, at: number, size: number): number {
    const { exports } = this.#machine;
    const number = exports.intern(domain, at, size);
    if (number !== 0 || exports.textsFull.value === 0 || !this.grow()) return number;
    return exports.intern(domain, at, size);
  }

  #otherNumber(domain: number, text: string): number {
    const key = `${domain} ${text}`;
    const known = this.#others.get(key);
    if (known !== undefined) return known;
    const number = FIRST_OTHER + this.#otherTexts.push(text) - 1;
    this.#others.set(key, number);
    return number;
  }
}

/** What a column of texts has beside its codes. */
export interface TextDictionary {
  readonly dictionary: readonly string[];
  readonly encoded?: EncodedTexts;
}

function splitTexts(joined: string, lengths: Uint32Array): string[] {
  const texts: string[] = [];
  let start = 0;
  for (const length of lengths) {
    texts.push(joined.slice(start, start + length));
    start += length;
  }
  return texts;
}

/** Codes of texts in order of first use, one column after the other. */
export class TextCodes {
  /** By number; those of other columns are not asked for again. */
  readonly #codes: Uint32Array;
  readonly #otherCodes = new Map<number, number>();
  #numbers: number[] = [];

  constructor(machine: Machine) {
    this.#codes = new Uint32Array(machine.exports.textCount.value + 1);
  }

  /** Puts codes in the place of `numbers`, those of a column; answers the numbers of its dictionary. */
  encode(numbers: Uint32Array): readonly number[] {
    const codes = this.#codes;
    this.#numbers = [];
    for (let row = 0; row < numbers.length; row += 1) {
      const number = numbers[row] as number;
      if (number === 0) continue;
      const known = number < codes.length ? (codes[number] as number) : 0;
      numbers[row] = known === 0 ? this.#add(number) : known;
    }
    return this.#numbers;
  }

  #add(number: number): number {
    const known = this.#otherCodes.get(number);
    if (known !== undefined) return known;
    const code = this.#numbers.push(number);
    if (number < this.#codes.length) this.#codes[number] = code;
    else this.#otherCodes.set(number, code);
    return code;
  }
}
