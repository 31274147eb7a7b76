import { readFileSync } from "node:fs";
import { compileWasm, type WasmGlobal, WasmMachine } from "#base/wasm.ts";

/** What lines.as exports; addresses and sizes are bytes of its memory. */
interface Exports {
  readonly at: WasmGlobal;
  readonly lineCount: WasmGlobal;
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
