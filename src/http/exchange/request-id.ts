import { hex } from "#base/bytes.ts";
import type { Clock } from "#ports/clock.ts";
import { type Random, randomBytes } from "#ports/random.ts";

/** A new UUID of version 7 (RFC 9562 §5.7): milliseconds of the clock, then chance. */
export function requestId(clock: Clock, random: Random): string {
  const milliseconds = clock.nowNs() / 1_000_000n;
  const bytes = randomBytes(random, 16);
  for (let index = 0; index < 6; index += 1) {
    bytes[index] = Number((milliseconds >> BigInt(8 * (5 - index))) & 0xffn);
  }
  bytes[6] = 0x70 | ((bytes[6] ?? 0) & 0x0f);
  bytes[8] = 0x80 | ((bytes[8] ?? 0) & 0x3f);
  return hex(bytes).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
