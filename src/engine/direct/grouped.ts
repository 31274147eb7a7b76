/** Groups of rows: a row for each, its keys and then its aggregates. */
import type { ScanColumn } from "#model/query/plan.ts";
import { TIME_MIN } from "#model/time-range.ts";
import type { Row, Value } from "../plain/expression/value.ts";
import { Choice } from "./choice.ts";
import type { Numbers } from "./chunk.ts";
import type { ChunkCache } from "./chunk-cache.ts";
import { type Fold, NumberFold, RowCount } from "./fold.ts";
import { numbersOf, type Piece } from "./pieces.ts";
import { type Folded, fieldsOf, type Grouping, type GroupKey, type Shape } from "./shape.ts";

/** More of them take too much memory here. */
const GROUPS_MAX = 200_000;
const EXACT_MAX = 2 ** 53;
/** Bins of a group key whose times are not divided. */
const WHOLE = 0;

/** Adds pieces up. */
export class Groups {
  readonly #grouping: Grouping;
  readonly #columns: readonly ScanColumn[];
  readonly #folds: readonly Fold[];
  readonly #bin: Extract<GroupKey, { kind: "bin" }> | undefined;
  readonly #tags: readonly ScanColumn[];
  /** For each combination of tags the groups of its bins; a bin is numbered from that of the first row seen. */
  readonly #byTags = new Map<string, { readonly tags: Row; readonly bins: Map<number, number> }>();
  #firstBin: bigint | undefined;
  #count = 0;

  constructor({ grouping, scan }: Shape & { readonly grouping: Grouping }) {
    this.#grouping = grouping;
    this.#columns = scan.columns;
    this.#folds = grouping.aggregates.map(foldOf);
    this.#bin = grouping.groups.find((key) => key.kind === "bin");
    this.#tags = grouping.groups.flatMap((key) =>
      key.kind === "tag" ? [scan.columns[key.index] as ScanColumn] : [],
    );
    // Without keys there is one row, whatever there is.
    if (grouping.groups.length === 0) this.#binsOf([]).set(WHOLE, this.#next());
  }

  /** Answers whether it could: false where cells are not exact as floats, or groups too many. */
  async add(piece: Piece, cache: ChunkCache): Promise<boolean> {
    if (!(await this.#bind(piece, cache))) return false;
    const bins = this.#bin && this.#binsIn(piece, this.#bin);
    if (bins !== undefined && !bins.exact) return false;
    for (const { end, run, start } of piece.ranges) {
      const tags = this.#tags.map(({ id }) => {
        const found = piece.runs.tags.get(id);
        return found?.texts[found.codes[run] as number] ?? null;
      });
      const known = this.#binsOf(tags);
      if (bins === undefined) this.#addRows(known, WHOLE, piece, [start, end]);
      else this.#addBins(known, bins, piece, [start, end]);
      if (this.#count > GROUPS_MAX) return false;
    }
    return true;
  }

  /** A row for each group; undefined where a value cannot be told exactly. */
  rows(): readonly Row[] | undefined {
    const rows: Row[] = [];
    for (const { bins, tags } of this.#byTags.values()) {
      for (const [bin, group] of bins) {
        const values = this.#folds.map((fold) => fold.value(group));
        const keys = this.#keys(tags, bin);
        if (keys === undefined || !values.every((value) => value !== undefined)) return undefined;
        rows.push([...keys, ...values]);
      }
    }
    return rows;
  }

  /** Undefined where a bin begins before the first instant. */
  #keys(tags: Row, bin: number): Row | undefined {
    const values: Value[] = [];
    let next = 0;
    for (const key of this.#grouping.groups) {
      if (key.kind === "tag") {
        values.push(tags[next++] ?? null);
        continue;
      }
      const start = key.origin + ((this.#firstBin ?? 0n) + BigInt(bin)) * BigInt(key.strideNs);
      if (start < TIME_MIN) return undefined;
      values.push(start);
    }
    return values;
  }

  /** Gives the folds their columns. */
  async #bind(piece: Piece, cache: ChunkCache): Promise<boolean> {
    for (const [place, folded] of this.#grouping.aggregates.entries()) {
      const numbers: (Numbers | undefined)[] = [];
      for (const index of fieldsOf(folded)) {
        const found = await numbersOf(cache, piece, this.#columns[index] as ScanColumn);
        if (found === "inexact") return false;
        numbers.push(found);
      }
      this.#folds[place]?.bind(numbers, piece.times);
    }
    return true;
  }

  /** How the times of a piece are divided: row at `offset` is in bin `floor((offset + ahead) / stride) + first`. */
  #binsIn(
    { ranges, times }: Piece,
    { origin, strideNs }: Extract<GroupKey, { kind: "bin" }>,
  ): Bins {
    const stride = BigInt(strideNs);
    const sinceOrigin = times.base - origin;
    const rest = sinceOrigin % stride;
    const ahead = rest < 0n ? rest + stride : rest;
    const bin = (sinceOrigin - ahead) / stride;
    this.#firstBin ??= bin;
    const first = Number(bin - this.#firstBin);
    let last = 0;
    for (const { end } of ranges) last = Math.max(last, times.offsets[end - 1] as number);
    const exact = last + Number(ahead) + strideNs < EXACT_MAX && Math.abs(first) + last < EXACT_MAX;
    return { ahead: Number(ahead), stride: strideNs, first, exact };
  }

  #binsOf(tags: Row): Map<number, number> {
    const place = JSON.stringify(tags);
    let found = this.#byTags.get(place);
    if (found === undefined) {
      found = { tags, bins: new Map() };
      this.#byTags.set(place, found);
    }
    return found.bins;
  }

  #addBins(
    known: Map<number, number>,
    { ahead, first, stride }: Bins,
    piece: Piece,
    [start, end]: readonly [number, number],
  ): void {
    const { offsets } = piece.times;
    for (let from = start; from < end; ) {
      const bin = Math.floor(((offsets[from] as number) + ahead) / stride);
      const limit = (bin + 1) * stride - ahead;
      let to = from + 1;
      while (to < end && (offsets[to] as number) < limit) to += 1;
      this.#addRows(known, first + bin, piece, [from, to]);
      from = to;
    }
  }

  #addRows(
    known: Map<number, number>,
    bin: number,
    { mask }: Piece,
    [start, end]: readonly [number, number],
  ): void {
    if (mask !== undefined && !mask.subarray(start, end).includes(1)) return;
    let group = known.get(bin);
    if (group === undefined) {
      group = this.#next();
      known.set(bin, group);
    }
    for (const fold of this.#folds) fold.add(group, start, end, mask);
  }

  #next(): number {
    this.#count += 1;
    return this.#count - 1;
  }
}

function foldOf(folded: Folded): Fold {
  if (folded.kind === "choice") return new Choice(folded);
  return folded.index === undefined ? new RowCount() : new NumberFold(folded);
}

interface Bins {
  readonly ahead: number;
  readonly stride: number;
  readonly first: number;
  /** Whether all bins of the piece, and where they end, are exact as floats. */
  readonly exact: boolean;
}
