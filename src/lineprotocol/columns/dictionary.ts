import { sameBytes } from "../ascii.ts";
import { decodeToken, type Token } from "../token.ts";

const SLOT_COUNT_MIN = 16;
const SLOT_COUNT_MAX = 2 ** 16;
/** Where a token stands, its size, its code. */
const SLOT_FIELDS = 3;
/** Slots in a row that a token may stand in: fewer, and texts of one column would often push each other out. */
const PROBE_COUNT = 4;

/**
 * The texts of one column, each once, in order of first use.
 *
 * In front of the map stands a small table from bytes as written to codes, so that a text seen before costs no
 * string. Tokens that meet in all their slots push each other out; that costs time and nothing else, so nobody can
 * choose texts that make it slow.
 */
export class Dictionary {
  readonly entries: string[] = [];
  readonly #bytes: Buffer;
  readonly #escape: RegExp;
  readonly #codes = new Map<string, number>();
  #slots = new Uint32Array(SLOT_COUNT_MIN * SLOT_FIELDS);
  #slotMask = SLOT_COUNT_MIN - 1;

  constructor(bytes: Buffer, escape: RegExp) {
    this.#bytes = bytes;
    this.#escape = escape;
  }

  /** The code of the token's text, from 1; it is added when it is new. */
  codeOf(token: TokenPlace): number {
    const slots = this.#slots;
    const size = token.end - token.start;
    const home = token.hash ^ (token.hash >>> 15);
    let free = (home & this.#slotMask) * SLOT_FIELDS;
    for (let probe = 0; probe < PROBE_COUNT; probe += 1) {
      const slot = ((home + probe) & this.#slotMask) * SLOT_FIELDS;
      const code = slots[slot + 2] as number;
      if (code === 0) {
        free = slot;
        break;
      }
      if (
        slots[slot + 1] === size &&
        sameBytes(this.#bytes, slots[slot] as number, token.start, size)
      )
        return code;
    }
    const found = this.#intern(token);
    slots[free] = token.start;
    slots[free + 1] = size;
    slots[free + 2] = found;
    if (this.entries.length > this.#slotMask >>> 1) this.#widen();
    return found;
  }

  #intern(token: TokenPlace): number {
    const text = decodeToken(this.#bytes, token, this.#escape);
    const known = this.#codes.get(text);
    if (known !== undefined) return known;
    const code = this.entries.push(text);
    this.#codes.set(text, code);
    return code;
  }

  /** The wider table starts empty and fills itself again. */
  #widen(): void {
    const count = (this.#slotMask + 1) * 2;
    if (count > SLOT_COUNT_MAX) return;
    this.#slots = new Uint32Array(count * SLOT_FIELDS);
    this.#slotMask = count - 1;
  }
}

/** What a column remembers of a token until its line proves good. */
export type TokenPlace = Pick<Token, "start" | "end" | "hash" | "escapeCount">;
