/**
 * Data files of the plain engine, in a format of its own:
 *
 *     ┌──────────────┬───────────────────────┬─────────────────────────────┐
 *     │ rowCount u32 │ order stamp i64 a row │ block (docs/formats/block.md) │
 *     └──────────────┴───────────────────────┴─────────────────────────────┘
 */

import { concatBytes } from "#base/bytes.ts";
import { crc32 } from "#base/crc32.ts";
import { assert, DbError, isKind } from "#base/errors.ts";
import { decodeBlock, encodeBlock } from "#block/block.ts";
import type { DataFile } from "#model/data-file.ts";
import type { StampedBatch } from "./rows.ts";

const STAMPS_OFFSET = 4;
const STAMP_SIZE = 8;

/** Where an engine gets the bytes of data files. */
export interface FileLoader {
  /** The whole file. Rejects with `not_found` when it is gone. */
  load(file: DataFile): Promise<Uint8Array>;
}

export function encodeFile({ batch, stamps }: StampedBatch): Uint8Array {
  const head = new Uint8Array(STAMPS_OFFSET + STAMP_SIZE * stamps.length);
  const view = new DataView(head.buffer);
  view.setUint32(0, stamps.length, true);
  stamps.forEach((stamp, row) => {
    view.setBigInt64(STAMPS_OFFSET + STAMP_SIZE * row, stamp, true);
  });
  return concatBytes([head, encodeBlock(batch)]);
}

/** Rejects with `not_found` / `file_vanished`, `corrupt` / `file_damaged`, or as `files` does. */
export async function loadFile(files: FileLoader, file: DataFile): Promise<StampedBatch> {
  const bytes = await files.load(file).catch((cause: unknown) => {
    if (!isKind(cause, "not_found")) throw cause;
    const detail = { key: file.key };
    throw new DbError("not_found", "file_vanished", `the data file ${file.key} is gone`, {
      detail,
      cause,
    });
  });
  const { key, sizeBytes, checksum } = file;
  if (bytes.length !== sizeBytes || crc32(bytes) !== checksum) {
    throw damagedFile(key, { sizeBytes, foundBytes: bytes.length });
  }
  try {
    return decodeFile(bytes, file);
  } catch (cause) {
    throw damagedFile(key, {}, cause);
  }
}

function decodeFile(bytes: Uint8Array, file: DataFile): StampedBatch {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const rowCount = view.getUint32(0, true);
  assert(rowCount === file.rowCount, "a file has as many rows as its envelope says");
  const stamps = new BigInt64Array(rowCount);
  for (let row = 0; row < rowCount; row += 1) {
    stamps[row] = view.getBigInt64(STAMPS_OFFSET + STAMP_SIZE * row, true);
  }
  const batch = decodeBlock(bytes.subarray(STAMPS_OFFSET + STAMP_SIZE * rowCount));
  assert(batch.tableId === file.tableId, "a file has rows of the table its envelope names");
  assert(batch.times.length === rowCount, "a file has a stamp for each row");
  return { batch, stamps };
}

function damagedFile(
  key: string,
  detail: Readonly<Record<string, number>>,
  cause?: unknown,
): DbError {
  return new DbError("corrupt", "file_damaged", `the data file ${key} is not what was written`, {
    detail: { key, ...detail },
    cause,
  });
}
