/** A chunk with twice as many is divided: to put a key in costs the moving of some thousand, however many there are. */
const CHUNK_COUNT = 1_024;

/** Keys in ascending order, of which each is there once. */
export class SortedKeys {
  /** Runs of rising keys, none of them empty, each above the one before. */
  readonly #chunks: string[][] = [];

  add(key: string): void {
    const place = Math.max(0, this.#chunkOf(key));
    const chunk = this.#chunks[place];
    if (chunk === undefined) {
      this.#chunks.push([key]);
      return;
    }
    const index = countBelow(chunk, key);
    if (chunk[index] === key) return;
    chunk.splice(index, 0, key);
    if (chunk.length >= 2 * CHUNK_COUNT)
      this.#chunks.splice(place + 1, 0, chunk.splice(CHUNK_COUNT));
  }

  delete(key: string): void {
    const place = this.#chunkOf(key);
    const chunk = this.#chunks[place];
    if (chunk === undefined) return;
    const index = countBelow(chunk, key);
    if (chunk[index] !== key) return;
    chunk.splice(index, 1);
    if (chunk.length === 0) this.#chunks.splice(place, 1);
  }

  /** All that are not below `start`. */
  *from(start: string): Generator<string> {
    for (let place = Math.max(0, this.#chunkOf(start)); place < this.#chunks.length; place += 1) {
      const chunk = this.#chunks[place] ?? [];
      for (let index = countBelow(chunk, start); index < chunk.length; index += 1)
        yield chunk[index] ?? "";
    }
  }

  /** The last chunk that begins at or below `key`; -1 for none. */
  #chunkOf(key: string): number {
    let start = 0;
    let end = this.#chunks.length;
    while (start < end) {
      const middle = (start + end) >>> 1;
      if ((this.#chunks[middle]?.[0] ?? "") <= key) start = middle + 1;
      else end = middle;
    }
    return start - 1;
  }
}

function countBelow(keys: readonly string[], key: string): number {
  let start = 0;
  let end = keys.length;
  while (start < end) {
    const middle = (start + end) >>> 1;
    if ((keys[middle] ?? "") < key) start = middle + 1;
    else end = middle;
  }
  return start;
}
