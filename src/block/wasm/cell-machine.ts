import { readFileSync } from "node:fs";
import { compileWasm, type WasmGlobal, WasmMachine } from "#base/wasm.ts";
import type { EncodedTexts } from "#model/batch.ts";

/** What cells.as exports; addresses are bytes of its memory. */
interface Exports {
  readonly greatest: WasmGlobal;
  readonly lowest: { readonly value: bigint };
  readonly highest: { readonly value: bigint };
  words(values: number, count: number, wholes: number, out: number): number;
  floats(values: number, count: number, wholes: number, out: number): number;
  int64s(values: number, count: number, wholes: number, out: number): number;
  bits(flags: number, count: number, out: number): number;
  gather(cells: number, flags: number, count: number): number;
  timesRise(times: number, series: number, count: number, lasts: number): number;
  findRepeats(
    times: number,
    series: number,
    count: number,
    slots: number,
    slotCount: number,
    keptRows: number,
  ): number;
  readonly textsEnd: WasmGlobal;
  joinTexts(
    texts: number,
    lengths: number,
    count: number,
    codes: number,
    slots: number,
    slotCount: number,
    entries: number,
    out: number,
    outLengths: number,
  ): number;
}

/** What CellMachine.joinTexts answers. */
export interface JoinedTexts {
  readonly codes: Uint32Array;
  readonly encoded: EncodedTexts;
}

const MODULE = compileWasm(readFileSync(new URL("./cells.wasm", import.meta.url)));
/** An instance that has grown beyond this is let go of. */
const SIZE_MAX = 32 * 2 ** 20;
const TOO_MANY_PROBES = 2;
/** What a form's own fields take at most, and the bits of presence of 8 rows. */
const FORM_SIZE_MAX = 64;

/**
 * Columns of up to a fixed count of rows as the bytes of a block: what it answers is a view until the next call.
 *
 * The sources are copied into its memory, one column after the other: that takes a fifth of what reading them there saves.
 */
export class CellMachine {
  #machine = new WasmMachine<Exports>(MODULE);
  #cells = 0;
  #flags = 0;
  #wholes = 0;
  #out = 0;

  /** Makes room for columns of `rowCount` rows. */
  begin(rowCount: number): void {
    const machine = this.#machine;
    machine.clear();
    this.#cells = machine.take(8 * rowCount);
    this.#flags = machine.take(rowCount);
    this.#wholes = machine.take(24 * rowCount);
    this.#out = machine.take(8 * rowCount + FORM_SIZE_MAX);
  }

  /** Lets go of memory that few blocks need. */
  end(): void {
    if (this.#machine.sizeBytes > SIZE_MAX) this.#machine = new WasmMachine<Exports>(MODULE);
  }

  /** A sequence of `codes`, and the greatest of them. */
  words(codes: Uint32Array): { readonly bytes: Uint8Array; readonly greatest: number } {
    const { exports } = this.#machine;
    this.#machine.write(this.#cells, codes);
    const bytes = this.#written(exports.words(this.#cells, codes.length, this.#wholes, this.#out));
    return { bytes, greatest: exports.greatest.value };
  }

  /** Floats, without those that are not present. */
  floats(values: Float64Array, present: Uint8Array | undefined): Uint8Array {
    const count = this.#put(values, present);
    return this.#written(this.#machine.exports.floats(this.#cells, count, this.#wholes, this.#out));
  }

  /** int64s, without those that are not present. */
  int64s(values: BigInt64Array | BigUint64Array, present: Uint8Array | undefined): Uint8Array {
    const count = this.#put(values, present);
    return this.#written(this.#machine.exports.int64s(this.#cells, count, this.#wholes, this.#out));
  }

  /** The least and greatest of the last `int64s`. */
  get range(): { readonly start: bigint; readonly end: bigint } {
    const { highest, lowest } = this.#machine.exports;
    return { start: lowest.value, end: highest.value };
  }

  /** A bit for each of `flags`, which are 0 or 1. */
  bits(flags: Uint8Array): Uint8Array {
    this.#machine.write(this.#flags, flags);
    return this.#written(this.#machine.exports.bits(this.#flags, flags.length, this.#out));
  }

  /**
   * For each row the first one of its series and time, where some row is not that; undefined where none is. Series count from 0 to
   * `seriesCount`.
   */
  findRepeats(
    times: BigInt64Array,
    series: Uint32Array,
    seriesCount: number,
  ): Uint32Array | undefined {
    const machine = this.#machine;
    const count = times.length;
    machine.write(this.#cells, times);
    const numbers = machine.take(4 * count);
    machine.write(numbers, series);
    const lasts = machine.takeZeros(16 * seriesCount);
    if (machine.exports.timesRise(this.#cells, numbers, count, lasts) !== 0) return undefined;
    const slotCount = 2 ** Math.ceil(Math.log2(2 * count));
    const slots = machine.takeZeros(4 * slotCount);
    const kept = machine.take(4 * count);
    const some = machine.exports.findRepeats(this.#cells, numbers, count, slots, slotCount, kept);
    if (some === TOO_MANY_PROBES) return sortedRepeats(times, series);
    return some === 0 ? undefined : machine.words(kept, count);
  }

  /**
   * The texts of `all`, each once, in order of appearance; and for each text of each, its code among those. Undefined where they had to be
   * compared too often. What was begun is over.
   */
  joinTexts(all: readonly EncodedTexts[]): JoinedTexts | undefined {
    const machine = this.#machine;
    machine.clear();
    const count = all.reduce((sum, { lengths }) => sum + lengths.length, 0);
    const size = all.reduce((sum, { bytes }) => sum + bytes.length, 0);
    const texts = machine.take(size);
    const out = machine.take(size);
    const lengthsAt = machine.take(4 * count);
    const outLengths = machine.take(4 * count);
    const codes = machine.take(4 * count);
    const entries = machine.take(8 * count);
    const slotCount = 2 ** Math.ceil(Math.log2(2 * count + 2));
    const slots = machine.takeZeros(4 * slotCount);
    let [at, index] = [texts, 0];
    for (const { bytes, lengths } of all) {
      machine.write(at, bytes);
      machine.write(lengthsAt + 4 * index, lengths);
      at += bytes.length;
      index += lengths.length;
    }
    const { exports } = machine;
    const distinct = exports.joinTexts(
      texts,
      lengthsAt,
      count,
      codes,
      slots,
      slotCount,
      entries,
      out,
      outLengths,
    );
    if (distinct === 0) return undefined;
    const bytes = new Uint8Array(machine.bytes(out, exports.textsEnd.value - out));
    const encoded = { bytes, lengths: machine.words(outLengths, distinct) };
    return { codes: machine.words(codes, count), encoded };
  }

  /** Answers how many there are. */
  #put(
    values: Float64Array | BigInt64Array | BigUint64Array,
    present: Uint8Array | undefined,
  ): number {
    this.#machine.write(this.#cells, values);
    if (present === undefined) return values.length;
    this.#machine.write(this.#flags, present);
    return this.#machine.exports.gather(this.#cells, this.#flags, values.length);
  }

  #written(end: number): Uint8Array {
    return this.#machine.view(this.#out, end);
  }
}

/** As `findRepeats`; slower, whatever the times are. */
function sortedRepeats(times: BigInt64Array, series: Uint32Array): Uint32Array | undefined {
  const rows = Uint32Array.from(times.keys());
  const order = (left: number, right: number) => {
    const apart = (series[left] as number) - (series[right] as number);
    if (apart !== 0) return apart;
    const [one, other] = [times[left] as bigint, times[right] as bigint];
    if (one === other) return left - right;
    return one < other ? -1 : 1;
  };
  const kept = new Uint32Array(rows.length);
  let [first, some] = [-1, false];
  for (const row of rows.toSorted(order)) {
    const repeats = first >= 0 && series[row] === series[first] && times[row] === times[first];
    if (repeats) some = true;
    else first = row;
    kept[row] = first;
  }
  return some ? kept : undefined;
}
