/** Series of many blocks under one numbering, and their order. */
import { randomInt } from "node:crypto";

import { utf8 } from "#base/bytes.ts";
import type { BlockSeries } from "#block/block.ts";
import { numbersOfCodes } from "#model/batch.ts";
import type { ColumnId } from "#model/ids.ts";
import { type Texts, textsOf } from "#parquet/texts.ts";

/** Every series of some blocks. */
export interface AllSeries {
  /** For each block, the number of each of its series. */
  readonly numbers: readonly Uint32Array[];
  readonly count: number;
  /** The series' numbers in order of their tags: NULL first, then by code point. */
  readonly sorted: Uint32Array;
  /** In the order they were asked for, without those that are NULL in every row. */
  readonly tags: readonly SeriesTag[];
}

export interface SeriesTag {
  readonly id: ColumnId;
  /** A code for each series; 0 is NULL. */
  readonly codes: Uint32Array;
  /** In order; code `n` is entry `n - 1`. */
  readonly dictionary: Texts;
}

/** Numbers the series of `blocks`; series are told apart, and sorted, by `tagIds` in this order, which name every tag of the blocks. */
export function joinSeries(blocks: readonly BlockSeries[], tagIds: readonly ColumnId[]): AllSeries {
  const found = new Set(blocks.flatMap(({ tags }) => tags.map(({ id }) => id)));
  const ids = tagIds.filter((id) => found.has(id));
  const texts = ids.map((id) => sortedTexts(blocks, id));
  const table = new SeriesTable(ids.length);
  const numbers = blocks.map((block) => numberSeries(block, ids, texts, table));
  const tags = ids.map((id, index): SeriesTag => {
    return { id, codes: table.column(index), dictionary: textsOf(texts[index]?.all ?? []) };
  });
  return { numbers, count: table.count, sorted: sortSeries(tags, table.count), tags };
}

interface SortedTexts {
  readonly all: readonly string[];
  readonly codeOf: ReadonlyMap<string, number>;
}

function sortedTexts(blocks: readonly BlockSeries[], id: ColumnId): SortedTexts {
  const distinct = new Set<string>();
  for (const { tags } of blocks)
    for (const tag of tags)
      if (tag.id === id) for (const text of tag.dictionary) distinct.add(text);
  const texts = [...distinct];
  // Where no text has a surrogate, the order of UTF-16 is that of code points.
  const plain = !texts.some((text) => SURROGATE.test(text));
  const all = plain ? texts.toSorted() : texts.toSorted(compareCodePoints);
  return { all, codeOf: new Map(all.map((text, index) => [text, index + 1])) };
}

const SURROGATE = /[\uD800-\uDFFF]/;

function compareCodePoints(left: string, right: string): number {
  return Buffer.compare(utf8(left), utf8(right));
}

function numberSeries(
  { seriesCount, tags }: BlockSeries,
  ids: readonly ColumnId[],
  texts: readonly SortedTexts[],
  table: SeriesTable,
): Uint32Array {
  const columns = ids.map((id, index) => {
    const tag = tags.find((one) => one.id === id);
    const codeOf = texts[index]?.codeOf;
    const target = numbersOfCodes(tag?.dictionary ?? [], (text) => codeOf?.get(text) ?? 0);
    return { codes: tag?.codes, target };
  });
  const numbers = new Uint32Array(seriesCount);
  const tuple = new Uint32Array(ids.length);
  for (let series = 0; series < seriesCount; series += 1) {
    for (const [index, { codes, target }] of columns.entries())
      tuple[index] = codes === undefined ? 0 : (target[codes[series] as number] as number);
    numbers[series] = table.number(tuple);
  }
  return numbers;
}

/** Distinct rows of codes, numbered from 0 as they come: an open hash table. */
class SeriesTable {
  readonly #width: number;
  #tuples: Uint32Array;
  /** Numbers from 1; 0 is a free slot. */
  #slots = new Uint32Array(1024);
  #count = 0;

  constructor(width: number) {
    this.#width = width;
    this.#tuples = new Uint32Array(width * 512);
  }

  get count(): number {
    return this.#count;
  }

  number(tuple: Uint32Array): number {
    const mask = this.#slots.length - 1;
    let slot = hashOf(tuple, 0, this.#width) & mask;
    for (;;) {
      const found = this.#slots[slot] as number;
      if (found === 0) break;
      if (this.#equals(found - 1, tuple)) return found - 1;
      slot = (slot + 1) & mask;
    }
    return this.#add(tuple, slot);
  }

  /** The codes of one tag, a series each. */
  column(index: number): Uint32Array {
    const codes = new Uint32Array(this.#count);
    for (let series = 0; series < this.#count; series += 1)
      codes[series] = this.#tuples[series * this.#width + index] as number;
    return codes;
  }

  #equals(number: number, tuple: Uint32Array): boolean {
    const offset = number * this.#width;
    for (let i = 0; i < this.#width; i += 1)
      if (this.#tuples[offset + i] !== tuple[i]) return false;
    return true;
  }

  #add(tuple: Uint32Array, slot: number): number {
    const number = this.#count;
    const offset = number * this.#width;
    if (offset + this.#width > this.#tuples.length) {
      const grown = new Uint32Array(2 * this.#tuples.length);
      grown.set(this.#tuples);
      this.#tuples = grown;
    }
    this.#tuples.set(tuple, offset);
    this.#slots[slot] = number + 1;
    this.#count += 1;
    if (2 * this.#count > this.#slots.length) this.#grow();
    return number;
  }

  #grow(): void {
    const slots = new Uint32Array(2 * this.#slots.length);
    const mask = slots.length - 1;
    for (let number = 0; number < this.#count; number += 1) {
      let slot = hashOf(this.#tuples, number * this.#width, this.#width) & mask;
      while (slots[slot] !== 0) slot = (slot + 1) & mask;
      slots[slot] = number + 1;
    }
    this.#slots = slots;
  }
}

/** Nobody can choose tags that meet in one slot. */
const SEED = randomInt(2 ** 32);

function hashOf(codes: Uint32Array, offset: number, width: number): number {
  let hash = SEED;
  for (let i = 0; i < width; i += 1) {
    hash = Math.imul(hash ^ (codes[offset + i] as number), 0x9e3779b1);
    hash ^= hash >>> 15;
  }
  return hash;
}

/** By the last tag, then by the one before, and on: each pass keeps the order of the one before among equals. */
function sortSeries(tags: readonly SeriesTag[], count: number): Uint32Array {
  let sorted = numbersTo(count);
  for (const { codes, dictionary } of tags.toReversed())
    sorted = sortByCode(sorted, codes, dictionary.count + 1);
  return sorted;
}

/** The numbers from 0 to `count`, which is not included. */
export function numbersTo(count: number): Uint32Array {
  const numbers = new Uint32Array(count);
  for (let i = 0; i < count; i += 1) numbers[i] = i;
  return numbers;
}

/** `items` in order of the codes they have, which are below `codeCount`; those with one code stay in their order. */
export function sortByCode(
  items: Uint32Array,
  codes: Uint32Array,
  codeCount: number,
): Uint32Array<ArrayBuffer> {
  const starts = new Uint32Array(codeCount + 1);
  for (let i = 0; i < items.length; i += 1) {
    const code = codes[items[i] as number] as number;
    starts[code + 1] = (starts[code + 1] as number) + 1;
  }
  for (let code = 0; code < codeCount; code += 1)
    starts[code + 1] = (starts[code + 1] as number) + (starts[code] as number);
  const sorted = new Uint32Array(items.length);
  for (let i = 0; i < items.length; i += 1) {
    const item = items[i] as number;
    const code = codes[item] as number;
    const place = starts[code] as number;
    sorted[place] = item;
    starts[code] = place + 1;
  }
  return sorted;
}
