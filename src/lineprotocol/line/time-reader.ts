import { TIME_MAX, TIME_MIN } from "#model/time-range.ts";
import { MINUS, SPACE, sameBytes } from "../ascii.ts";
import type { ParseOptions } from "../parsed.ts";
import { scaleToNs } from "../precision.ts";
import { FAILED, type Fault } from "../problems.ts";
import { findDigitsEnd, readWhole } from "./numbers.ts";

/** Reads what stands after the fields: a timestamp, or nothing. */
export class TimeReader {
  /** The time of the last line read, nanoseconds since the Unix epoch. */
  timeNs = 0n;
  readonly #bytes: Buffer;
  readonly #options: ParseOptions;
  readonly #fault: Fault;
  /** The last timestamp that was worked out, for lines often have that of the line before. */
  #knownStart = 0;
  #knownSize = 0;
  #knownNs = 0n;

  constructor(bytes: Buffer, options: ParseOptions, fault: Fault) {
    this.#bytes = bytes;
    this.#options = options;
    this.#fault = fault;
  }

  /** Reads from `start` to the end of the line, which it returns; or FAILED. */
  read(start: number, end: number): number {
    if (start === end) {
      this.timeNs = this.#options.defaultTimeNs;
      return end;
    }
    const bytes = this.#bytes;
    const numberStart = skipSpaces(bytes, start, end);
    if (numberStart === start) return this.#fault.note("trailing", start, end);
    const digitsStart = bytes[numberStart] === MINUS ? numberStart + 1 : numberStart;
    const digitsEnd = findDigitsEnd(bytes, digitsStart, end);
    if (digitsEnd === digitsStart) return this.#fault.note("trailing", start, end);
    const size = digitsEnd - numberStart;
    if (size !== this.#knownSize || !sameBytes(bytes, this.#knownStart, numberStart, size)) {
      if (this.#workOut(numberStart, digitsStart, digitsEnd) === FAILED) return FAILED;
    }
    const after = skipSpaces(bytes, digitsEnd, end);
    if (after !== end) return this.#fault.note("trailing", after, end);
    this.timeNs = this.#knownNs;
    return end;
  }

  #workOut(start: number, digitsStart: number, end: number): number {
    const magnitude = readWhole(this.#bytes, digitsStart, end);
    const value = digitsStart > start ? -magnitude : magnitude;
    if (value < TIME_MIN || value > TIME_MAX) return this.#fault.note("timestamp", start, end);
    const timeNs = scaleToNs(value, this.#options.precision);
    if (timeNs < TIME_MIN || timeNs > TIME_MAX) {
      return this.#fault.note("timestamp_range", start, end);
    }
    this.#knownStart = start;
    this.#knownSize = end - start;
    this.#knownNs = timeNs;
    return end;
  }
}

/** Where the spaces that begin at `start` end. */
export function skipSpaces(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  while (at < end && bytes[at] === SPACE) at += 1;
  return at;
}
