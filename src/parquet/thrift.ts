/** Structures of Parquet's headers in Thrift's compact protocol. */
import { utf8 } from "#base/bytes.ts";

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
/** Entries are of one type; no entry makes a list of structures. */
export const list = (value: readonly ThriftValue[]): ThriftValue => ({ type: "list", value });

/** The bytes of a structure. */
export function encodeStruct(fields: ThriftStruct): Uint8Array {
  const bytes: number[] = [];
  putStruct(bytes, fields);
  return Uint8Array.from(bytes);
}

function putStruct(bytes: number[], fields: ThriftStruct): void {
  let last = 0;
  for (const [key, value] of Object.entries(fields)) {
    if (value === undefined) continue;
    const id = Number(key);
    const step = id - last;
    last = id;
    const code = codeOf(value);
    if (step <= FIELD_STEP_MAX) bytes.push((step << 4) | code);
    else {
      bytes.push(code);
      putVarint(bytes, 2 * id);
    }
    // A truth is said by its code.
    if (value.type !== "bool") putValue(bytes, value);
  }
  bytes.push(0);
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
      return STRUCT;
  }
}

function putValue(bytes: number[], value: ThriftValue): void {
  switch (value.type) {
    case "bool":
      bytes.push(value.value ? TRUE : FALSE);
      return;
    case "i8":
      bytes.push(value.value & 0xff);
      return;
    case "i32":
    case "i64":
      putVarint(bytes, value.value < 0 ? -2 * value.value - 1 : 2 * value.value);
      return;
    case "binary":
      putVarint(bytes, value.value.length);
      for (const byte of value.value) bytes.push(byte);
      return;
    case "struct":
      putStruct(bytes, value.value);
      return;
    case "list":
      putList(bytes, value.value);
  }
}

function putList(bytes: number[], entries: readonly ThriftValue[]): void {
  const [first] = entries;
  const code = first === undefined ? STRUCT : codeOf(first);
  if (entries.length <= SHORT_LIST_COUNT_MAX) bytes.push((entries.length << 4) | code);
  else {
    bytes.push(0xf0 | code);
    putVarint(bytes, entries.length);
  }
  for (const entry of entries) putValue(bytes, entry);
}

/** Seven bits a byte, the lowest first; `value` is not negative. */
function putVarint(bytes: number[], value: number): void {
  let rest = value;
  while (rest >= 0x80) {
    bytes.push((rest % 0x80) | 0x80);
    rest = Math.floor(rest / 0x80);
  }
  bytes.push(rest);
}
