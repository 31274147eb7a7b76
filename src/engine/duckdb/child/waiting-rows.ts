/** Blocks as they came, with what is known of them without their cells: the rows of those wait to go into the engine's table. */
import { type BlockHeader, decodeBlock, readBlockHeader } from "#block/block.ts";
import { type ColumnDataKind, numbersOfCodes } from "#model/batch.ts";
import type { Position } from "#model/ids.ts";
import type { OrderStamp } from "#model/stamp.ts";
import type { BufferedBlock } from "#ports/engine.ts";
import type { AppendedBlock } from "./append.ts";

/** Bytes a row takes in the engine before its columns: position, stamp and time. */
const ROW_SIZE = 24;
export const TEXT_SIZE = 16;
/** The engine keeps longer texts apart from their cells, one for each row. */
const TEXT_INLINE_MAX = 12;
const CELL_SIZES: Readonly<Record<ColumnDataKind, number>> = {
  tag: 4,
  string: TEXT_SIZE,
  float: 8,
  integer: 8,
  uinteger: 8,
  boolean: 1,
};
/** What a block takes beside its bytes: it matters where blocks are of a row or two. */
const BLOCK_SIZE = 400;

export interface EncodedBlock {
  readonly position: Position;
  readonly stamp: OrderStamp;
  readonly bytes: Uint8Array;
  readonly rowCount: number;
  /** About what the block takes, and its rows will take in the engine. */
  readonly sizeBytes: number;
}

/** Those of `blocks` that lie above `positionMax`. Throws `corrupt` / `block_damaged` where the bytes of one have changed. */
export function encodedBlocks(
  blocks: readonly BufferedBlock[],
  positionMax: Position,
): readonly EncodedBlock[] {
  let position = positionMax;
  const encoded: EncodedBlock[] = [];
  for (const block of blocks) {
    if (block.position <= position) continue;
    position = block.position;
    const header = readBlockHeader(block.bytes);
    const { rowCount } = header;
    const bytes = ownBytes(block.bytes);
    const sizeBytes = waitingSize(header, bytes.length);
    encoded.push({ position, stamp: block.stamp, bytes, rowCount, sizeBytes });
  }
  return encoded;
}

/** Of `blocks` those from `start` on, at least one where there is one, up to `rowCountMax` rows. */
export function pieceFrom(
  blocks: readonly EncodedBlock[],
  start: number,
  rowCountMax: number,
): readonly EncodedBlock[] {
  let end = start;
  let rowCount = 0;
  for (; end < blocks.length; end += 1) {
    rowCount += blocks[end]?.rowCount ?? 0;
    if (end > start && rowCount > rowCountMax) break;
  }
  return blocks.slice(start, end);
}

/** Throws `corrupt` / `block_damaged` where a block is not what its checksum was made of. */
export function decodeRows({ position, stamp, bytes }: EncodedBlock): AppendedBlock {
  return { position, stamp, batch: decodeBlock(bytes) };
}

/** About what the rows of a block take in columns of `kinds`. */
export function rowsSize({ batch }: AppendedBlock, kinds: readonly ColumnDataKind[]): number {
  let sizeBytes = cellsSize(kinds, batch.times.length);
  for (const { data } of batch.columns) {
    if (data.kind === "string") sizeBytes += textsSize(data.codes, data.dictionary);
  }
  return sizeBytes;
}

/** What a block of `blockSize` bytes takes, without its rows. */
export function encodedSize(blockSize: number): number {
  return blockSize + BLOCK_SIZE;
}

function waitingSize({ columns, rowCount }: BlockHeader, blockSize: number): number {
  const kinds = columns.map(({ kind }) => kind);
  const texts = kinds.includes("string") ? blockSize : 0;
  return cellsSize(kinds, rowCount) + texts + encodedSize(blockSize);
}

function cellsSize(kinds: readonly ColumnDataKind[], rowCount: number): number {
  return kinds.reduce((sum, kind) => sum + CELL_SIZES[kind], ROW_SIZE) * rowCount;
}

function textsSize(codes: Uint32Array, dictionary: readonly string[]): number {
  const sizes = numbersOfCodes(dictionary, outerSize);
  let sizeBytes = 0;
  for (let row = 0; row < codes.length; row += 1) sizeBytes += sizes[codes[row] as number] ?? 0;
  return sizeBytes;
}

function outerSize({ length }: string): number {
  return length > TEXT_INLINE_MAX ? length : 0;
}

/** A small block in a large message would keep all of that. */
function ownBytes(bytes: Uint8Array): Uint8Array {
  return bytes.buffer.byteLength > 2 * bytes.length ? bytes.slice() : bytes;
}
