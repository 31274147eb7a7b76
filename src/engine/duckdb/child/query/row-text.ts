/** Rows that print/row-text.ts wrote, as bytes. */
import { concatBytes } from "#base/bytes.ts";
import type { RowText } from "#ports/engine.ts";
import { type Cells, readTexts } from "../vectors.ts";

const BRACE = 0x7b;
const COMMA = 0x2c;

/** The bytes of the rows in `parts`, each with its end. */
export function rowTextFrom(parts: readonly Cells[], format: RowText): Uint8Array {
  const texts = parts.map((part) => {
    const { bytes, sizes } = readTexts(part);
    return format === "csv" ? bytes : withBraces(bytes, sizes);
  });
  return concatBytes(texts);
}

/** Rows of JSON begin with a brace: in the place of the comma, or before the end of a row without members. */
function withBraces(bytes: Uint8Array, sizes: Uint32Array): Uint8Array {
  let at = 0;
  const emptyRows: number[] = [];
  for (const size of sizes) {
    if (bytes[at] === COMMA) bytes[at] = BRACE;
    else emptyRows.push(at);
    at += size;
  }
  if (emptyRows.length === 0) return bytes;
  const brace = Uint8Array.of(BRACE);
  const pieces: Uint8Array[] = [];
  let from = 0;
  for (const row of emptyRows) {
    pieces.push(bytes.subarray(from, row), brace);
    from = row;
  }
  return concatBytes([...pieces, bytes.subarray(from)]);
}
