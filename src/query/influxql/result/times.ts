/** Instants as InfluxDB 1 shows them. */
import type { Zone } from "#model/time/zone.ts";
import { formatDate } from "../../result/time-cells.ts";

const NS_PER_SECOND = 1_000_000_000;
const SECONDS_PER_DAY = 86_400;
const TWO_TO_THE_32 = 2 ** 32;
const TWO_DIGITS = Array.from({ length: 100 }, (_, value) => String(value).padStart(2, "0"));

/**
 * Values `start` to before `end`, nanoseconds since the Unix epoch, as in RFC 3339 with the digits of the second that are needed, each
 * between two `quote`s. In `zone` with its offset then, and with `Z` where that is none.
 *
 * Works on halves of 32 bits: a bigint a row takes several times as long.
 */
export function timeTexts(
  values: BigInt64Array,
  [start, end]: readonly [start: number, end: number],
  quote: string,
  zone: Zone | undefined,
): string[] {
  const halves = new Int32Array(values.buffer, values.byteOffset, values.length * 2);
  const texts: string[] = [];
  let minute = Number.NaN;
  let minuteText = "";
  for (let row = start; row < end; row++) {
    const low = halves[2 * row] ?? 0;
    const high = halves[2 * row + 1] ?? 0;
    // One too many or too few, as a float cannot hold the value; its lower half says which.
    let second = Math.floor((high * TWO_TO_THE_32 + (low >>> 0)) / NS_PER_SECOND);
    let rest = (low - Math.imul(second | 0, NS_PER_SECOND)) | 0;
    if (rest < 0) {
      rest += NS_PER_SECOND;
      second -= 1;
    } else if (rest >= NS_PER_SECOND) {
      rest -= NS_PER_SECOND;
      second += 1;
    }
    let tail = `Z${quote}`;
    if (zone !== undefined) {
      const offset = Number(zone.offsetAt(values[row] ?? 0n)) / NS_PER_SECOND;
      second += offset;
      tail = offsetText(offset) + quote;
    }
    const ofMinute = Math.floor(second / 60);
    if (ofMinute !== minute) {
      minute = ofMinute;
      minuteText = quote + textOfMinute(minute);
    }
    texts.push(minuteText + TWO_DIGITS[second - minute * 60] + fractionText(rest) + tail);
  }
  return texts;
}

function textOfMinute(minute: number): string {
  const day = Math.floor((minute * 60) / SECONDS_PER_DAY);
  const ofDay = minute - (day * SECONDS_PER_DAY) / 60;
  const hour = Math.floor(ofDay / 60);
  return `${formatDate(day)}T${TWO_DIGITS[hour]}:${TWO_DIGITS[ofDay - hour * 60]}:`;
}

function fractionText(nanoseconds: number): string {
  if (nanoseconds === 0) return "";
  let digits = nanoseconds;
  let digitCount = 9;
  while (digits % 10 === 0) {
    digits /= 10;
    digitCount -= 1;
  }
  return `.${String(digits).padStart(digitCount, "0")}`;
}

/** Seconds of an offset, which some of long ago have, are not shown. */
function offsetText(seconds: number): string {
  if (seconds === 0) return "Z";
  const minutes = Math.floor(Math.abs(seconds) / 60);
  const hours = Math.floor(minutes / 60);
  return `${seconds < 0 ? "-" : "+"}${TWO_DIGITS[hours]}:${TWO_DIGITS[minutes - hours * 60]}`;
}
