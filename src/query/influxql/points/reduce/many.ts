/** What chooses several rows of a bucket; each keeps its time. */
import { below, type Random } from "#ports/random.ts";
import { type PointColumn, type PointValue, valueAt } from "../values/columns.ts";
import { type Chosen, checkHeld, type LaneBuilder, type Reducer, type Rows } from "./reducer.ts";
import { compareValues } from "./selectors.ts";

const NOTHING: PointColumn = { type: "null" };

interface Candidate extends Chosen {
  readonly value: PointValue;
  readonly timeNs: bigint;
}

function candidateAt(rows: Rows, index: number, row: number): Candidate | undefined {
  const value = valueAt(rows.columns[index] ?? NOTHING, row);
  return value === null ? undefined : { rows, row, value, timeNs: rows.times[row] ?? 0n };
}

function byTime(left: Candidate, right: Candidate): number {
  return Number(left.timeNs > right.timeNs) - Number(left.timeNs < right.timeNs);
}

export interface BestOptions {
  readonly index: number;
  readonly keys: readonly number[];
  readonly count: number;
  readonly least: boolean;
}

interface Ranked extends Candidate {
  /** How many came before it. */
  readonly place: number;
}

/**
 * `top` and `bottom`: the best rows, of equal ones the earliest, of one time those that come first; with keys the best row of each combination
 * of their values.
 */
export class Best implements Reducer {
  readonly #options: BestOptions;
  /** The worst first, as a heap. */
  #heap: Ranked[] = [];
  #byKey = new Map<string, Ranked>();
  #seen = 0;

  constructor(options: BestOptions) {
    this.#options = options;
  }

  add(rows: Rows, start: number, end: number): void {
    const { index, keys, least } = this.#options;
    for (let row = start; row < end; row += 1) {
      const found = candidateAt(rows, index, row);
      if (found === undefined) continue;
      const candidate = { ...found, place: this.#seen };
      this.#seen += 1;
      if (keys.length === 0) {
        this.#offer(candidate);
        continue;
      }
      const key = JSON.stringify(keys.map((column) => keyAt(rows, column, row)));
      const known = this.#byKey.get(key);
      if (known === undefined || this.#better(candidate, known)) this.#byKey.set(key, candidate);
    }
    checkHeld(this.#byKey.size + this.#heap.length, least ? "bottom()" : "top()");
  }

  finish(output: LaneBuilder): void {
    for (const candidate of this.#byKey.values()) this.#offer(candidate);
    // Of one time the best comes first.
    const found = this.#heap.toSorted(
      (left, right) => byTime(left, right) || this.#compare(left, right),
    );
    for (const candidate of found) output.pushChosen(candidate.value, candidate);
    this.#heap = [];
    this.#byKey = new Map();
    this.#seen = 0;
  }

  #better(left: Ranked, right: Ranked): boolean {
    return this.#compare(left, right) < 0;
  }

  #compare(left: Ranked, right: Ranked): number {
    const order = compareValues(left.value, right.value);
    return (
      (this.#options.least ? order : -order) || byTime(left, right) || left.place - right.place
    );
  }

  #offer(candidate: Ranked): void {
    const heap = this.#heap;
    if (heap.length < this.#options.count) {
      heap.push(candidate);
      this.#rise(heap.length - 1);
      return;
    }
    const worst = heap[0];
    if (worst === undefined || !this.#better(candidate, worst)) return;
    heap[0] = candidate;
    this.#sink();
  }

  #rise(from: number): void {
    let at = from;
    while (at > 0) {
      const above = (at - 1) >> 1;
      if (!this.#swapIfWorse(at, above)) return;
      at = above;
    }
  }

  #sink(): void {
    let at = 0;
    for (;;) {
      let worst = at;
      for (const child of [2 * at + 1, 2 * at + 2]) if (this.#worse(child, worst)) worst = child;
      if (worst === at) return;
      this.#swapIfWorse(worst, at);
      at = worst;
    }
  }

  #worse(left: number, right: number): boolean {
    const [a, b] = [this.#heap[left], this.#heap[right]];
    return a !== undefined && b !== undefined && this.#better(b, a);
  }

  #swapIfWorse(lower: number, upper: number): boolean {
    const [a, b] = [this.#heap[lower], this.#heap[upper]];
    if (a === undefined || b === undefined || !this.#better(b, a)) return false;
    this.#heap[lower] = b;
    this.#heap[upper] = a;
    return true;
  }
}

function keyAt(rows: Rows, column: number, row: number): string {
  return String(valueAt(rows.columns[column] ?? NOTHING, row) ?? "");
}

/** `sample`: so many rows by chance, each with the same chance (a reservoir). */
export class Sample implements Reducer {
  readonly #index: number;
  readonly #size: number;
  readonly #random: Random;
  #kept: Candidate[] = [];
  #seen = 0;

  constructor(index: number, size: number, random: Random) {
    this.#index = index;
    this.#size = size;
    this.#random = random;
  }

  add(rows: Rows, start: number, end: number): void {
    for (let row = start; row < end; row += 1) {
      const candidate = candidateAt(rows, this.#index, row);
      if (candidate === undefined) continue;
      this.#seen += 1;
      if (this.#kept.length < this.#size) {
        this.#kept.push(candidate);
      } else {
        const place = below(this.#random, this.#seen);
        if (place < this.#size) this.#kept[place] = candidate;
      }
    }
    checkHeld(this.#kept.length, "sample()");
  }

  finish(output: LaneBuilder): void {
    const found = this.#kept.toSorted(
      (left, right) => byTime(left, right) || compareValues(left.value, right.value),
    );
    for (const candidate of found) output.pushChosen(candidate.value, candidate);
    this.#kept = [];
    this.#seen = 0;
  }
}
