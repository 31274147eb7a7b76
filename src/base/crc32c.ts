const POLYNOMIAL = 0x82f63b78;
const WIDTH = 8;
/** Eight tables of 256: the remainder of a byte that has 0 to 7 bytes behind it. */
const TABLES = makeTables();

/**
 * CRC-32C (Castagnoli, RFC 3720 appendix B.4) of `bytes`, as an unsigned 32-bit integer; `previous` continues an earlier one.
 * Eight bytes a step.
 */
export function crc32c(bytes: Uint8Array, previous = 0): number {
  let crc = ~previous;
  let offset = 0;
  for (const end = bytes.length - WIDTH; offset <= end; offset += WIDTH)
    crc = step(crc, bytes, offset);
  for (; offset < bytes.length; offset++)
    crc = table(0, crc ^ (bytes[offset] as number)) ^ (crc >>> 8);
  return ~crc >>> 0;
}

function step(crc: number, bytes: Uint8Array, offset: number): number {
  const low =
    crc ^
    ((bytes[offset] as number) |
      ((bytes[offset + 1] as number) << 8) |
      ((bytes[offset + 2] as number) << 16) |
      ((bytes[offset + 3] as number) << 24));
  return (
    table(7, low) ^
    table(6, low >>> 8) ^
    table(5, low >>> 16) ^
    table(4, low >>> 24) ^
    table(3, bytes[offset + 4] as number) ^
    table(2, bytes[offset + 5] as number) ^
    table(1, bytes[offset + 6] as number) ^
    table(0, bytes[offset + 7] as number)
  );
}

function table(behind: number, byte: number): number {
  return TABLES[(behind << 8) | (byte & 0xff)] as number;
}

function makeTables(): Int32Array {
  const tables = new Int32Array(WIDTH * 256);
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1;
    tables[byte] = crc;
  }
  for (let index = 256; index < tables.length; index++) {
    const before = tables[index - 256] as number;
    tables[index] = (tables[before & 0xff] as number) ^ (before >>> 8);
  }
  return tables;
}
