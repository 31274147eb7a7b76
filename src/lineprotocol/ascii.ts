/** The bytes that mean something in line protocol. */
export const NUL = 0x00;
export const TAB = 0x09;
export const NEWLINE = 0x0a;
export const SPACE = 0x20;
export const QUOTE = 0x22;
export const HASH = 0x23;
export const PLUS = 0x2b;
export const COMMA = 0x2c;
export const MINUS = 0x2d;
export const DOT = 0x2e;
export const DIGIT_0 = 0x30;
export const DIGIT_9 = 0x39;
export const EQUALS = 0x3d;
export const UPPER_E = 0x45;
export const UPPER_F = 0x46;
export const UPPER_T = 0x54;
export const BACKSLASH = 0x5c;
export const LOWER_E = 0x65;
export const LOWER_F = 0x66;
export const LOWER_I = 0x69;
export const LOWER_T = 0x74;
export const LOWER_U = 0x75;

/** Whether `bytes` hold the same at `left` and at `right`, for `size` bytes; the caller knows that both lie inside. */
export function sameBytes(bytes: Uint8Array, left: number, right: number, size: number): boolean {
  for (let offset = 0; offset < size; offset += 1) {
    if (bytes[left + offset] !== bytes[right + offset]) return false;
  }
  return true;
}
