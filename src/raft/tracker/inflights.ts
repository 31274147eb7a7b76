import { assert } from "#base/errors.ts";

export interface InflightLimits {
  readonly countMax: number;
  readonly bytesMax: number;
}

/** The messages with entries that are on their way to one peer, oldest first: the last index of each, and its size. */
export class Inflights {
  readonly #limits: InflightLimits;
  #messages: { readonly index: number; readonly sizeBytes: number }[] = [];
  /** Messages before this one have arrived. */
  #start = 0;
  #sizeBytes = 0;

  constructor(limits: InflightLimits) {
    this.#limits = limits;
  }

  get count(): number {
    return this.#messages.length - this.#start;
  }

  get full(): boolean {
    return this.count >= this.#limits.countMax || this.#sizeBytes >= this.#limits.bytesMax;
  }

  /** A message whose last entry is `index` was sent. The one that reaches the limit of bytes may pass it. */
  add(index: number, sizeBytes: number): void {
    assert(!this.full, "a message was sent to a peer that has as many on their way as it may");
    this.#messages.push({ index, sizeBytes });
    this.#sizeBytes += sizeBytes;
  }

  /** All messages that end at or before `index` have arrived. */
  freeThrough(index: number): void {
    for (;;) {
      const oldest = this.#messages[this.#start];
      if (oldest === undefined || oldest.index > index) break;
      this.#start += 1;
      this.#sizeBytes -= oldest.sizeBytes;
    }
    if (this.#start * 2 > this.#messages.length) {
      this.#messages = this.#messages.slice(this.#start);
      this.#start = 0;
    }
  }

  clear(): void {
    this.#messages = [];
    this.#start = 0;
    this.#sizeBytes = 0;
  }
}
