import { readFileSync } from "node:fs";
import { compileWasm, type WasmGlobal, WasmMachine } from "#base/wasm.ts";

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
}

const MODULE = compileWasm(readFileSync(new URL("./cells.wasm", import.meta.url)));
/** An instance that has grown beyond this is let go of. */
const SIZE_MAX = 32 * 2 ** 20;
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
    return some === 0 ? undefined : machine.words(kept, count);
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
