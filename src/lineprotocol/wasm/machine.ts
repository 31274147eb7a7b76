import { readFileSync } from "node:fs";

/** As much as is used here: the types of browsers have it, those of Node do not. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: object };
  readonly Memory: new (options: {
    readonly initial: number;
  }) => {
    readonly buffer: ArrayBuffer;
    grow(pageCount: number): number;
  };
};

interface Global {
  readonly value: number;
}

/** What lines.as exports; addresses and sizes are bytes of its memory. */
interface Exports {
  readonly at: Global;
  readonly lineCount: Global;
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

const MODULE = new WebAssembly.Module(readFileSync(new URL("./lines.wasm", import.meta.url)));
const PAGE_SIZE = 65_536;
/** Below lie the module's own constants. */
const FREE_FROM = 4_096;

/** An instance of lines.wasm, and its memory, of which pieces are taken one behind the other. */
export class Machine {
  readonly exports: Exports;
  readonly #memory = new WebAssembly.Memory({ initial: 16 });
  #free = FREE_FROM;
  #bytes = new Uint8Array(this.#memory.buffer);
  #words = new Uint32Array(this.#memory.buffer);

  constructor() {
    const { exports } = new WebAssembly.Instance(MODULE, { env: { memory: this.#memory } });
    this.exports = exports as Exports;
  }

  get sizeBytes(): number {
    return this.#bytes.length;
  }

  /** Forgets all pieces. */
  clear(): void {
    this.#free = FREE_FROM;
  }

  /** Where a piece of `sizeBytes` begins, a multiple of 16. What it holds is left over. */
  take(sizeBytes: number): number {
    const at = this.#free;
    this.#free += Math.ceil(sizeBytes / 16) * 16;
    const missing = this.#free - this.#bytes.length;
    if (missing > 0) {
      this.#memory.grow(Math.ceil(missing / PAGE_SIZE));
      this.#bytes = new Uint8Array(this.#memory.buffer);
      this.#words = new Uint32Array(this.#memory.buffer);
    }
    return at;
  }

  /** The same, all 0. */
  takeZeros(sizeBytes: number): number {
    const at = this.take(sizeBytes);
    this.#bytes.fill(0, at, at + sizeBytes);
    return at;
  }

  write(at: number, bytes: Uint8Array): void {
    this.#bytes.set(bytes, at);
  }

  fill(at: number, byte: number, count: number): void {
    this.#bytes.fill(byte, at, at + count);
  }

  word(at: number): number {
    return this.#words[at >>> 2] as number;
  }

  setWord(at: number, value: number): void {
    this.#words[at >>> 2] = value;
  }

  /** A copy of `count` words. */
  words(at: number, count: number): Uint32Array<ArrayBuffer> {
    return this.#words.slice(at >>> 2, (at >>> 2) + count);
  }

  /** A copy of `sizeBytes`. */
  bytes(at: number, sizeBytes: number): ArrayBuffer {
    return this.#memory.buffer.slice(at, at + sizeBytes);
  }
}
