/** Structures of Parquet's headers in Thrift's compact protocol. */
import { concatBytes, utf8 } from "#base/bytes.ts";

const TRUE = 1;
const FALSE = 2;
const I8 = 3;
const I32 = 5;
const I64 = 6;
const BINARY = 8;
const LIST = 9;
const STRUCT = 12;
const SHORT_LIST_COUNT_MAX = 14;
const FIELD_STEP_MAX = 15;

/** What a field of a structure, or an entry of a list, holds. */
export type ThriftValue =
  | { readonly type: "bool"; readonly value: boolean }
  | { readonly type: "i8" | "i32" | "i64"; readonly value: number }
  | { readonly type: "binary"; readonly value: Uint8Array }
  | { readonly type: "struct"; readonly value: ThriftStruct }
  | { readonly type: "encoded"; readonly value: Uint8Array }
  | { readonly type: "list"; readonly value: readonly ThriftValue[] };

/** Fields by their numbers, which rise from 1; one that is undefined is left out. */
export type ThriftStruct = Readonly<Record<number, ThriftValue | undefined>>;

export const bool = (value: boolean): ThriftValue => ({ type: "bool", value });
export const i8 = (value: number): ThriftValue => ({ type: "i8", value });
export const i32 = (value: number): ThriftValue => ({ type: "i32", value });
/** `value` is a safe integer. */
export const i64 = (value: number): ThriftValue => ({ type: "i64", value });
export const binary = (value: Uint8Array): ThriftValue => ({ type: "binary", value });
export const text = (value: string): ThriftValue => binary(utf8(value));
export const struct = (value: ThriftStruct): ThriftValue => ({ type: "struct", value });
/** A structure that is bytes already, of `encodeStruct`: a few of those take less memory than what they were made of. */
export const encoded = (value: Uint8Array): ThriftValue => ({ type: "encoded", value });
/** Entries are of one type; no entry makes a list of structures. */
export const list = (value: readonly ThriftValue[]): ThriftValue => ({ type: "list", value });

/** The bytes of a structure. */
export function encodeStruct(fields: ThriftStruct): Uint8Array {
  const output = new Output();
  putStruct(output, fields);
  return output.take();
}

class Output {
  readonly #parts: Uint8Array[] = [];
  #tail: number[] = [];

  push(byte: number): void {
    this.#tail.push(byte);
  }

  /** Takes over `bytes`. */
  add(bytes: Uint8Array): void {
    this.#parts.push(Uint8Array.from(this.#tail), bytes);
    this.#tail = [];
  }

  take(): Uint8Array {
    return concatBytes([...this.#parts, Uint8Array.from(this.#tail)]);
  }
}

function putStruct(output: Output, fields: ThriftStruct): void {
  let last = 0;
  for (const [key, value] of Object.entries(fields)) {
    if (value === undefined) continue;
    const id = Number(key);
    const step = id - last;
    last = id;
    const code = codeOf(value);
    if (step <= FIELD_STEP_MAX) output.push((step << 4) | code);
    else {
      output.push(code);
      putVarint(output, 2 * id);
    }
    // A truth is said by its code.
    if (value.type !== "bool") putValue(output, value);
  }
  output.push(0);
}

function codeOf(value: ThriftValue): number {
  switch (value.type) {
    case "bool":
      return value.value ? TRUE : FALSE;
    case "i8":
      return I8;
    case "i32":
      return I32;
    case "i64":
      return I64;
    case "binary":
      return BINARY;
    case "list":
      return LIST;
    case "struct":
    case "encoded":
      return STRUCT;
  }
}

function putValue(output: Output, value: ThriftValue): void {
  switch (value.type) {
    case "bool":
      output.push(value.value ? TRUE : FALSE);
      return;
    case "i8":
      output.push(value.value & 0xff);
      return;
    case "i32":
    case "i64":
      putVarint(output, value.value < 0 ? -2 * value.value - 1 : 2 * value.value);
      return;
    case "binary":
      putVarint(output, value.value.length);
      for (const byte of value.value) output.push(byte);
      return;
    case "struct":
      putStruct(output, value.value);
      return;
    case "encoded":
      output.add(value.value);
      return;
    case "list":
      putList(output, value.value);
  }
}

function putList(output: Output, entries: readonly ThriftValue[]): void {
  const [first] = entries;
  const code = first === undefined ? STRUCT : codeOf(first);
  if (entries.length <= SHORT_LIST_COUNT_MAX) output.push((entries.length << 4) | code);
  else {
    output.push(0xf0 | code);
    putVarint(output, entries.length);
  }
  for (const entry of entries) putValue(output, entry);
}

/** Seven bits a byte, the lowest first; `value` is not negative. */
function putVarint(output: Output, value: number): void {
  let rest = value;
  while (rest >= 0x80) {
    output.push((rest % 0x80) | 0x80);
    rest = Math.floor(rest / 0x80);
  }
  output.push(rest);
}
