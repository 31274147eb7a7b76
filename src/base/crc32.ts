import { crc32 as zlibCrc32 } from "node:zlib";

/** CRC-32 (IEEE 802.3) of `bytes`, as an unsigned 32-bit integer; `previous` continues an earlier one. */
export function crc32(bytes: Uint8Array, previous = 0): number {
  return zlibCrc32(bytes, previous);
}
