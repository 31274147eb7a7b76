/** Blocks as data files (docs/formats/data-file.md), without the engine: the rows are in columns already. */
import { assert } from "#base/errors.ts";
import { readBlock } from "#block/block.ts";
import { ZSTD_LEVEL_FAST } from "#parquet/chunk.ts";
import type { FileColumn, WriteFilesRequest, WrittenFile } from "#ports/engine.ts";
import { FieldReader } from "./cells.ts";
import { FileDraft, inOrder, takerOf } from "./draft.ts";
import { cutIntoFiles, rowsOf, type StampedParts } from "./rows.ts";

const LAYOUT = { rowGroupSize: 122_880, zstdLevel: ZSTD_LEVEL_FAST };

/**
 * The files of `request`, all at once: each column is decoded once, over all blocks, and written into every file before the next.
 * Throws `corrupt` / `block_damaged`.
 */
export function dataFiles(request: WriteFilesRequest): readonly WrittenFile[] {
  const { blocks, columns } = request;
  if (blocks.length === 0) return [];
  const stamped = blocks.map(({ bytes, stamp }) => ({ parts: readBlock(bytes), stamp }));
  assertKnown(stamped, columns);
  const tagIds = columns.filter(({ kind }) => kind === "tag").map(({ id }) => id);
  const rows = rowsOf(stamped, tagIds);
  const drafts = cutIntoFiles(rows, request).map((sorted) => new FileDraft(rows, sorted, LAYOUT));
  const fields = new FieldReader(stamped);
  for (const column of inOrder(columns)) {
    const take = takerOf(column, rows, (id) => fields.take(id));
    if (take !== undefined) for (const draft of drafts) draft.put(column, take);
  }
  assert(fields.finished, "the columns of blocks are in order of their ids");
  return drafts.map((draft) => draft.finish(columns));
}

function assertKnown(blocks: readonly StampedParts[], columns: readonly FileColumn[]): void {
  const known = new Set(columns.map(({ id }) => id));
  for (const { parts } of blocks) {
    const all = parts.header.columns.every(({ id }) => known.has(id));
    assert(all, "a request for files names every column of the rows");
  }
}
