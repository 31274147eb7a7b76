import { readFileSync } from "node:fs";
import { compileWasm, type WasmGlobal, WasmMachine } from "#base/wasm.ts";

/** What lines.as exports; addresses and sizes are bytes of its memory. */
interface Exports {
  readonly at: WasmGlobal;
  readonly lineCount: WasmGlobal;
  readonly seriesCount: WasmGlobal;
  readonly textCount: WasmGlobal;
  readonly textsFull: WasmGlobal;
  begin(
    bodyAt: number,
    bodyEnd: number,
    unitNs: bigint,
    defaultNs: bigint,
    series: number,
    seriesCountMax: number,
    slots: number,
    slotCount: number,
    log: number,
    logSize: number,
  ): void;
  beginTexts(
    lists: number,
    plain: number,
    nameSizeMax: number,
    stringSizeMax: number,
    powers: number,
  ): void;
  growTexts(texts: number, max: number, slots: number, slotCount: number): void;
  intern(domain: number, start: number, size: number): number;
  gatherTexts(numbers: number, count: number, lengths: number, out: number): number;
  sizeOfTexts(numbers: number, count: number): number;
  addTags(tags: number): void;
  goOn(next: number): void;
  leaveGap(table: number): number;
  learnSeries(key: number, size: number, table: number): number;
  parse(): number;
  scatter(log: number): void;
}

const MODULE = compileWasm(readFileSync(new URL("./lines.wasm", import.meta.url)));

/** An instance of lines.wasm, and its memory. */
export class Machine extends WasmMachine<Exports> {
  constructor() {
    super(MODULE);
  }
}
