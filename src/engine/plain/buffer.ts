/** The buffered rows: decoded blocks by generation and table. */

import { assert, DbError } from "#base/errors.ts";
import { decodeBlock } from "#block/block.ts";
import type { GenerationId, Position, TableId } from "#model/ids.ts";
import type { BufferSource } from "#model/query/plan.ts";
import type { BufferedBlock } from "#ports/engine.ts";
import type { StampedBatch } from "./rows.ts";

interface HeldBlock extends StampedBatch {
  readonly position: Position;
  readonly sizeBytes: number;
}

export class PlainBuffer {
  readonly #generations = new Map<GenerationId, Map<TableId, HeldBlock[]>>();

  /** All of `blocks` or, when one is damaged, none. */
  append(blocks: readonly BufferedBlock[]): void {
    const held = blocks.map((block) => ({ block, decoded: holdBlock(block) }));
    for (const { block, decoded } of held) {
      const table = this.#tableOf(block.generation, block.tableId);
      const last = table.at(-1);
      if (last === undefined || last.position < block.position) table.push(decoded);
    }
  }

  drop(generation: GenerationId): void {
    this.#generations.delete(generation);
  }

  clear(): void {
    this.#generations.clear();
  }

  /** Throws `internal` / `buffer_missing` where no block was appended there. */
  find(tableId: TableId, source: BufferSource): readonly StampedBatch[] {
    const { generation, positionAbove, positionMax } = source;
    const table = this.#generations.get(generation)?.get(tableId);
    if (table === undefined) {
      throw new DbError("internal", "buffer_missing", "the engine lacks buffered rows", {
        detail: { generation, tableId },
      });
    }
    return table.filter(({ position }) => position > positionAbove && position <= positionMax);
  }

  sizeBytes(): number {
    let sum = 0;
    for (const tables of this.#generations.values()) {
      for (const table of tables.values()) {
        for (const { sizeBytes } of table) sum += sizeBytes;
      }
    }
    return sum;
  }

  #tableOf(generation: GenerationId, tableId: TableId): HeldBlock[] {
    const tables = this.#generations.getOrInsertComputed(generation, () => new Map());
    return tables.getOrInsertComputed(tableId, () => []);
  }
}

function holdBlock({ tableId, position, stamp, bytes }: BufferedBlock): HeldBlock {
  const batch = decodeBlock(bytes);
  assert(batch.tableId === tableId, "a block is of the table it is appended to");
  const stamps = new BigInt64Array(batch.times.length).fill(stamp);
  return { batch, stamps, position, sizeBytes: bytes.length };
}
