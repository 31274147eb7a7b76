import type { BlockHeader } from "#block/block.ts";
import type { GenerationId, NodeNumber, Position, TableId } from "#model/ids.ts";
import { hull, overlaps, type TimeRange } from "#model/time-range.ts";
import type { BufferedBlock } from "#ports/engine.ts";

/** What a generation holds of one table. */
export interface GenerationTable {
  readonly time: TimeRange;
  /** Whether no two of its rows have the same series and time, for certain. */
  readonly unique: boolean;
  /** Of its first block and its last. */
  readonly positionMin: Position;
  readonly positionMax: Position;
  readonly rowCount: number;
}

/** Buffered blocks of one node log that follow each other, and that are dropped together. */
export class Generation {
  readonly id: GenerationId;
  readonly node: NodeNumber;
  readonly #tables = new Map<TableId, GenerationTable>();
  #blocks: BufferedBlock[] = [];
  #positionMax: Position = 0;
  #sizeBytes = 0;
  #rowCount = 0;
  #viewCount = 0;

  constructor(id: GenerationId, node: NodeNumber) {
    this.id = id;
    this.node = node;
  }

  /** The highest position it has a block of; 0 while it is empty. */
  get positionMax(): Position {
    return this.#positionMax;
  }

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /** Of all its tables. */
  get rowCount(): number {
    return this.#rowCount;
  }

  get blocks(): readonly BufferedBlock[] {
    return this.#blocks;
  }

  /** Views that name it. */
  get viewCount(): number {
    return this.#viewCount;
  }

  get tables(): ReadonlyMap<TableId, GenerationTable> {
    return this.#tables;
  }

  add(block: BufferedBlock, header: BlockHeader): void {
    const { position, tableId } = block;
    const before = this.#tables.get(tableId);
    this.#blocks.push(block);
    this.#sizeBytes += block.bytes.length;
    this.#positionMax = position;
    this.#rowCount += header.rowCount;
    this.#tables.set(tableId, {
      time: before === undefined ? header.time : hull(before.time, header.time),
      // A block alone holds no series and time twice; blocks that share no instant do not either.
      unique: before === undefined || (before.unique && !overlaps(before.time, header.time)),
      positionMin: before?.positionMin ?? position,
      positionMax: position,
      rowCount: (before?.rowCount ?? 0) + header.rowCount,
    });
  }

  /** What it holds of `tableId`, where any of that lies in `range`: the engine may not have what lies above it yet. */
  find(
    tableId: TableId,
    range: { readonly positionAbove: Position; readonly positionMax: Position },
  ): GenerationTable | undefined {
    const table = this.#tables.get(tableId);
    if (table === undefined) return undefined;
    const lies = table.positionMax > range.positionAbove && table.positionMin <= range.positionMax;
    return lies ? table : undefined;
  }

  hold(): void {
    this.#viewCount += 1;
  }

  release(): void {
    this.#viewCount -= 1;
  }
}
