import { DIGIT_0, DIGIT_9, DOT, LOWER_E, MINUS, PLUS, UPPER_E } from "../ascii.ts";

/** Decimal digits that a double holds exactly, whatever they are. */
const EXACT_DIGITS = 15;
/** Powers of ten that a double holds exactly. */
const EXACT_POWERS = Float64Array.from({ length: 23 }, (_, exponent) => Number(`1e${exponent}`));
/** The digits of 2^64 - 1. */
const WHOLE_DIGITS_MAX = 20;
/** What a number of more digits reads as: outside of int64 and uint64. */
const TOO_LARGE = 2n ** 64n;

/** Where the digits that begin at `start` end: `start` itself when there are none. */
export function findDigitsEnd(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  while (at < end && isDigit(bytes[at] as number)) at += 1;
  return at;
}

/**
 * Where the float whose digits before the point end at `digitsEnd` ends itself. A point or an exponent
 * without digits is not part of it.
 */
export function findFloatEnd(bytes: Uint8Array, digitsEnd: number, end: number): number {
  let at = digitsEnd;
  if (at < end && bytes[at] === DOT) {
    const fractionEnd = findDigitsEnd(bytes, at + 1, end);
    if (fractionEnd > at + 1) at = fractionEnd;
  }
  if (at >= end || (bytes[at] !== LOWER_E && bytes[at] !== UPPER_E)) return at;
  const sign = bytes[at + 1];
  const exponentStart = at + (sign === PLUS || sign === MINUS ? 2 : 1);
  const exponentEnd = findDigitsEnd(bytes, exponentStart, end);
  return exponentEnd > exponentStart ? exponentEnd : at;
}

/** The number that the digits in [`start`, `end`) spell, exact; 2^64 for every one that is larger. */
export function readWhole(bytes: Uint8Array, start: number, end: number): bigint {
  let at = start;
  while (at < end && bytes[at] === DIGIT_0) at += 1;
  if (end - at > WHOLE_DIGITS_MAX) return TOO_LARGE;
  const headEnd = Math.min(end, at + EXACT_DIGITS);
  const head = BigInt(readDigits(bytes, at, headEnd));
  if (headEnd === end) return head;
  const tail = BigInt(readDigits(bytes, headEnd, end));
  return head * 10n ** BigInt(end - headEnd) + tail;
}

function readDigits(bytes: Uint8Array, start: number, end: number): number {
  let value = 0;
  for (let at = start; at < end; at += 1) value = value * 10 + ((bytes[at] as number) - DIGIT_0);
  return value;
}

/**
 * The double nearest to the float in [`start`, `end`), which findFloatEnd has found; infinite when out of range.
 *
 * Few digits and a small power of ten are both exact as doubles, so one multiplication or division rounds
 * correctly (Clinger, "How to read floating point numbers accurately", 1990); the rest is left to Number().
 */
export function readFloat(bytes: Buffer, start: number, end: number): number {
  const negative = bytes[start] === MINUS;
  let digits = 0;
  let digitCount = 0;
  let fractionCount = 0;
  let inFraction = 0;
  for (let at = negative ? start + 1 : start; at < end; at += 1) {
    const byte = bytes[at] as number;
    if (byte === DOT) {
      inFraction = 1;
    } else if (isDigit(byte)) {
      digits = digits * 10 + (byte - DIGIT_0);
      // Zeros in front are no digits of the number.
      if (digits !== 0) digitCount += 1;
      fractionCount += inFraction;
    } else {
      return Number(bytes.toString("latin1", start, end));
    }
  }
  if (digitCount > EXACT_DIGITS || fractionCount >= EXACT_POWERS.length) {
    return Number(bytes.toString("latin1", start, end));
  }
  const value = digits / (EXACT_POWERS[fractionCount] as number);
  return negative ? -value : value;
}

function isDigit(byte: number): boolean {
  return byte >= DIGIT_0 && byte <= DIGIT_9;
}
