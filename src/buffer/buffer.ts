import type { AppendList } from "#base/collection/append-list.ts";
import { assert } from "#base/errors.ts";
import { readBlockHeader } from "#block/block.ts";
import type { Flush } from "#model/flush.ts";
import type { GenerationId, NodeNumber, Position } from "#model/ids.ts";
import type { BufferedBlock, Engine } from "#ports/engine.ts";
import { Generation } from "./generation.ts";

/** What holds the same rows, to be asked for them. */
export type RowHolder = Pick<Engine, "append" | "dropGeneration">;

/** What a block takes beside its bytes: it matters where blocks are of a row or two. */
const BLOCK_SIZE = 300;
/** A generation takes no more blocks when it has this many bytes, so that a snapshot frees most of what it covers. */
const GENERATION_SIZE_MAX = 8 * 1024 * 1024;

/**
 * The rows that are not in files yet, of every node log this process reads: blocks here, and the same rows in the engine.
 *
 * The blocks stay until their generation is dropped, so that an engine that was started again gets them back.
 */
export class Buffer {
  readonly #logs = new Map<NodeNumber, LogBuffer>();
  readonly #engine: () => RowHolder;
  #generationCount = 0;

  /** `engine` is asked for at each use, for the engine's own refill needs the buffer first. */
  constructor(engine: () => RowHolder) {
    this.#engine = engine;
  }

  /** The buffer of one node's log; made when it is first asked for. */
  of(node: NodeNumber): LogBuffer {
    const known = this.#logs.get(node);
    if (known !== undefined) return known;
    const made = new LogBuffer(node, this.#engine, () => ++this.#generationCount as GenerationId);
    this.#logs.set(node, made);
    return made;
  }

  /** All blocks that the engine must hold (`EngineRefill`). */
  *refill(): Generator<BufferedBlock> {
    for (const log of this.#logs.values()) yield* log.refill();
  }

  /** What all blocks take, those of retired generations that views still name included. */
  get sizeBytes(): number {
    return [...this.#logs.values()].reduce((sum, log) => sum + log.sizeBytes, 0);
  }

  /** Rows of own and other logs that are in no file yet. */
  get rowCount(): number {
    return [...this.#logs.values()].reduce((sum, log) => sum + log.rowCount, 0);
  }
}

/** The buffered rows of one node log. */
export class LogBuffer {
  readonly #node: NodeNumber;
  readonly #engine: () => RowHolder;
  readonly #nextId: () => GenerationId;
  /** A value: replaced, never changed, so that a view can keep it. */
  #generations: readonly Generation[] = [];
  readonly #retired = new Set<Generation>();
  #open: Generation | undefined;
  #positionMax: Position = 0;
  /** Blocks that stand in generations, and that the engine has not confirmed. */
  #unconfirmed: readonly BufferedBlock[] = [];

  constructor(node: NodeNumber, engine: () => RowHolder, nextId: () => GenerationId) {
    this.#node = node;
    this.#engine = engine;
    this.#nextId = nextId;
  }

  /** Oldest first. */
  get generations(): readonly Generation[] {
    return this.#generations;
  }

  /** What all blocks take, those of retired generations included. */
  get sizeBytes(): number {
    return [...this.#generations, ...this.#retired].reduce(
      (sum, { blocks, sizeBytes }) => sum + sizeBytes + blocks.length * BLOCK_SIZE,
      0,
    );
  }

  /** Bytes of blocks that are in no file yet. */
  get unsavedSizeBytes(): number {
    return this.#generations.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  }

  get rowCount(): number {
    return this.#generations.reduce((sum, { rowCount }) => sum + rowCount, 0);
  }

  /**
   * Adds the rows of `flush`; queries that are planned after it resolves may name its position. One caller at a time.
   * Rejects as the engine does; the next call then appends those rows before it resolves.
   */
  async add(flush: Flush): Promise<void> {
    const { position, stamp } = flush;
    assert(position > this.#positionMax, "flushes are buffered in order");
    // All of them are looked at before anything is kept: a flush with a block that cannot be read is not here at all.
    const headed = flush.blocks.map((block) => ({ block, header: readBlockHeader(block.bytes) }));
    this.#positionMax = position;
    if (headed.length === 0) return;
    const generation = this.#openGeneration();
    const blocks: BufferedBlock[] = [];
    for (const { block, header } of headed) {
      const { tableId, bytes } = block;
      const buffered = { generation: generation.id, tableId, position, stamp, bytes };
      generation.add(buffered, header);
      blocks.push(buffered);
    }
    if (generation.sizeBytes >= GENERATION_SIZE_MAX) this.#open = undefined;
    this.#unconfirmed = [...this.#unconfirmed, ...blocks];
    await this.#confirm();
  }

  /** Adds those of `flushes` that are not here yet: what a checkpoint brings. */
  async addMissing(flushes: AppendList<Flush>): Promise<void> {
    await this.#confirm();
    const before = this.#positionMax;
    for (const flush of flushes.newestWhile(({ position }) => position > before))
      await this.add(flush);
  }

  /** Later flushes go into another generation: a snapshot is about to be made of this one. */
  closeGeneration(): void {
    this.#open = undefined;
  }

  /** Rows up to `through` are in files: generations with nothing else are dropped when the last view that names them is released. */
  async retire(through: Position): Promise<void> {
    const covered = this.#generations.filter(({ positionMax }) => positionMax <= through);
    if (covered.length === 0) return;
    this.#generations = this.#generations.filter((generation) => !covered.includes(generation));
    if (this.#open !== undefined && covered.includes(this.#open)) this.#open = undefined;
    for (const generation of covered) this.#retired.add(generation);
    await this.dropUnseen();
  }

  /** Lets go of all rows, for their node was removed; should it come back, its log is buffered anew. Rejects as `dropUnseen`. */
  async forget(): Promise<void> {
    this.#positionMax = 0;
    this.#unconfirmed = [];
    await this.retire(Number.POSITIVE_INFINITY);
  }

  /**
   * Drops the retired generations that no view names any more. Rejects as the engine does; it then keeps rows that nobody asks for
   * until it is started again.
   */
  async dropUnseen(): Promise<void> {
    for (const generation of this.#retired) {
      if (generation.viewCount > 0) continue;
      this.#retired.delete(generation);
      await this.#engine().dropGeneration(generation.id);
    }
  }

  *refill(): Generator<BufferedBlock> {
    for (const generation of this.#retired) yield* generation.blocks;
    for (const generation of this.#generations) yield* generation.blocks;
  }

  /** Appending a block again is harmless. */
  async #confirm(): Promise<void> {
    if (this.#unconfirmed.length === 0) return;
    await this.#engine().append(this.#unconfirmed);
    this.#unconfirmed = [];
  }

  #openGeneration(): Generation {
    if (this.#open !== undefined) return this.#open;
    const generation = new Generation(this.#nextId(), this.#node);
    this.#open = generation;
    this.#generations = [...this.#generations, generation];
    return generation;
  }
}
