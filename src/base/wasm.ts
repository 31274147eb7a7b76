/** As much of WebAssembly as is used here: the types of browsers have it, those of Node do not. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => WasmModule;
  readonly Instance: new (module: WasmModule, imports: object) => { readonly exports: object };
  readonly Memory: new (options: {
    readonly initial: number;
  }) => {
    readonly buffer: ArrayBuffer;
    grow(pageCount: number): number;
  };
};

/** A compiled module: any number of instances can be made of it. */
export type WasmModule = object;

/** A global that a module exports. */
export interface WasmGlobal {
  readonly value: number;
}

const PAGE_SIZE = 65_536;
/** Below lie the module's own constants. */
const FREE_FROM = 4_096;

/** Throws where `bytes` are no module. */
export function compileWasm(bytes: Uint8Array): WasmModule {
  return new WebAssembly.Module(bytes);
}

/** An instance of a module that imports its memory, of which the host takes pieces, one behind the other. */
export class WasmMachine<Exports extends object> {
  /** Addresses and sizes are bytes of its memory. */
  readonly exports: Exports;
  readonly #memory = new WebAssembly.Memory({ initial: 16 });
  #free = FREE_FROM;
  #bytes = new Uint8Array(this.#memory.buffer);
  #words = new Uint32Array(this.#memory.buffer);

  constructor(module: WasmModule) {
    const { exports } = new WebAssembly.Instance(module, { env: { memory: this.#memory } });
    this.exports = exports as Exports;
  }

  get sizeBytes(): number {
    return this.#bytes.length;
  }

  /** Forgets all pieces. */
  clear(): void {
    this.#free = FREE_FROM;
  }

  /** Where a piece of `sizeBytes` begins, a multiple of 16. What it holds is left over. Views are stale afterwards. */
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

  /** Copies the bytes of `source` to `at`. */
  write(at: number, source: ArrayBufferView): void {
    const { buffer, byteLength, byteOffset } = source;
    this.#bytes.set(new Uint8Array(buffer, byteOffset, byteLength), at);
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

  /** [`start`, `end`) as they are until a piece is taken. */
  view(start: number, end: number): Uint8Array {
    return this.#bytes.subarray(start, end);
  }
}
