/**
 * Recent rows as tables of the engine: one per generation and table, the first tags as codes beside a dictionary each.
 *
 * Blocks wait as they came until somebody reads their table, or until they are many and their pace allows it: most rows of a
 * bulk load are in files, and their generation is dropped, before anybody asks for them. They go in in large pieces, for the engine
 * takes those for half of what small ones cost (20 columns, seconds of CPU for a million rows: 2.3 in pieces of 5,000, 0.8 in pieces
 * of 125,000).
 */
import { setImmediate as nextTurn } from "node:timers/promises";
import type { DuckDBConnection, DuckDBInstance } from "@duckdb/node-api";
import { Mutex } from "#base/async.ts";
import type { GenerationId, TableId } from "#model/ids.ts";
import type { BufferedBlock } from "#ports/engine.ts";
import { type BufferTable, dictionaryName } from "../print/scan.ts";
import { type AppendedBlock, appendDictionary, appendRows, type Inserter } from "./append.ts";
import { Pace } from "./pace.ts";
import { SmallTables } from "./small-tables.ts";
import { addColumns, addTexts, type BufferName, keyOf, make, type Table, unmake } from "./table.ts";
import {
  decodeRows,
  type EncodedBlock,
  encodedBlocks,
  encodedSize,
  pieceFrom,
  rowsSize,
  TEXT_SIZE,
} from "./waiting-rows.ts";

/** Rows of a piece, a little more than a row group of the engine's: it takes that as it is, fewer are copied once more. */
const PIECE_ROW_COUNT_MAX = 125_000;
/** A table with as many waiting rows or blocks is full. */
const WAITING_ROW_COUNT_MAX = 122_880;
const WAITING_BLOCK_COUNT_MAX = 500;

/** An insertion that nobody waits for makes way for queries after so long, for at most so long: it goes at a fifth of its speed then. */
const STEP_MS = 5;
const MAKE_WAY_MS_MAX = 20;

const FAILED_REST_MS = 1_000;

export interface BufferTablesOptions {
  /** Hears of insertions that failed and that nobody waited for: their rows go on waiting, and who reads them is told. */
  readonly onFailure: (error: unknown) => void;
  /** For the pace of insertions alone. */
  readonly nowMs: () => number;
  /** Whether queries run now: what nobody waits for then makes way for them. */
  readonly querying: () => boolean;
  readonly sleep: (delayMs: number) => Promise<void>;
  /** What tables of few rows may take in the engine beside those. */
  readonly smallTablesSizeMax: number;
}

/** One transaction at a time. */
interface Lane {
  readonly connection: DuckDBConnection;
  readonly turns: Mutex;
}

export class BufferTables {
  /** For what somebody waits for. */
  readonly #foreground: Lane;
  readonly #background: Lane;
  readonly #tables = new Map<string, Table>();
  readonly #options: BufferTablesOptions;
  readonly #pace: Pace;
  readonly #small: SmallTables;
  #inserting = false;
  #makingRoom = false;
  /** Nothing is inserted in the background before this: it failed, most likely for lack of memory. */
  #restUntilMs = 0;
  #sizeBytes = 0;

  static async open(instance: DuckDBInstance, options: BufferTablesOptions): Promise<BufferTables> {
    return new BufferTables(await openLane(instance), await openLane(instance), options);
  }

  private constructor(foreground: Lane, background: Lane, options: BufferTablesOptions) {
    this.#foreground = foreground;
    this.#background = background;
    this.#options = options;
    this.#pace = new Pace(options.nowMs);
    this.#small = new SmallTables(options.smallTablesSizeMax);
  }

  /** The table as the engine has it; undefined as long as all its rows wait. */
  find(generation: GenerationId, tableId: TableId): BufferTable | undefined {
    const table = this.#tables.get(keyOf(generation, tableId));
    return table?.made === true ? table : undefined;
  }

  /** About what all rows take, those that wait counted as if they did not. */
  sizeBytes(): number {
    return this.#sizeBytes;
  }

  /** Takes all blocks or none. Throws `corrupt` / `block_damaged`. */
  append(blocks: readonly BufferedBlock[]): void {
    const groups = Map.groupBy(blocks, ({ generation, tableId }) => keyOf(generation, tableId));
    const checked = [...groups].map(([key, some]) => {
      return { key, some, fresh: encodedBlocks(some, this.#tables.get(key)?.positionMax ?? 0) };
    });
    let full = false;
    for (const { key, some, fresh } of checked) {
      const [first] = some;
      if (first === undefined || fresh.length === 0) continue;
      const table = this.#tables.get(key) ?? this.#add(key, first);
      for (const block of fresh) this.#wait(table, block);
      full ||= isFull(table);
    }
    if (full && !this.#inserting && this.#options.nowMs() >= this.#restUntilMs)
      void this.#insertFull();
  }

  /**
   * Makes all rows that these tables have now readable, as long as somebody waits for it, and keeps them so until what it resolves with
   * is disposed of. Rejects as the engine does, and what is not in it goes on waiting.
   */
  async settle(sources: readonly BufferName[], wanted = () => true): Promise<Disposable> {
    const tables = this.#named(sources);
    for (const table of tables) table.readerCount += 1;
    const held = {
      [Symbol.dispose]: () => {
        for (const table of tables) table.readerCount -= 1;
        if (!this.#makingRoom) void this.#makeRoom();
      },
    };
    try {
      await this.#fillAll(tables, wanted);
      return held;
    } catch (error) {
      held[Symbol.dispose]();
      throw error;
    }
  }

  async #fillAll(tables: readonly Table[], wanted: () => boolean): Promise<void> {
    for (const table of tables) {
      this.#pace.read(table.tableId);
      this.#small.use(table);
    }
    const counts = tables.map((table) => ({ table, count: table.blocks.length }));
    // One that is there already starts over when an insertion into it fails meanwhile.
    const findNext = () => counts.find(({ table, count }) => table.insertedCount < count)?.table;
    for (let next = findNext(); next !== undefined && wanted(); next = findNext()) {
      const table = next;
      await this.#changeAwaited(table, async (connection) => {
        // Who waited for this may have left, or found it done.
        if (!wanted() || findNext() !== table) return;
        await this.#insertPiece(table, { connection, letOthersIn: nextTurn });
      });
    }
  }

  /** Has the rows of small tables that were not read lately wait again, until there is room. Never rejects. */
  async #makeRoom(): Promise<void> {
    this.#makingRoom = true;
    try {
      for (let cold = this.#small.cold(); cold.length > 0; cold = this.#small.cold())
        await Promise.all(cold.map((table) => this.#takeOut(table)));
    } catch (error) {
      this.#options.onFailure(error);
    } finally {
      this.#makingRoom = false;
    }
  }

  async #takeOut(table: Table): Promise<void> {
    await change(table, this.#foreground, async (connection) => {
      // It may have been read again, or dropped, meanwhile.
      if (table.made && table.readerCount === 0) await this.#startOver(table, connection);
    });
  }

  /** Forgets all rows of `generation`. Rejects as the engine does, which then keeps what nobody can name. */
  async drop(generation: GenerationId): Promise<void> {
    const tables = [...this.#tables.values()].filter((table) => table.generation === generation);
    for (const table of tables) {
      await this.#changeAwaited(table, async (connection) => {
        this.#tables.delete(keyOf(generation, table.tableId));
        this.#grow(table, -table.sizeBytes);
        table.insertedCount = table.blocks.length;
        this.#small.delete(table);
        if (table.made) await unmake(table, connection);
      });
    }
  }

  /** Inserts rows of full tables until there is none that may be. Never rejects. */
  async #insertFull(): Promise<void> {
    this.#inserting = true;
    try {
      for (let table = this.#findFull(); table !== undefined; table = this.#findFull()) {
        const full = table;
        const letOthersIn = this.#makingWay(full);
        await change(full, this.#background, (connection) =>
          this.#insertPiece(full, { connection, letOthersIn }),
        );
      }
    } catch (error) {
      this.#restUntilMs = this.#options.nowMs() + FAILED_REST_MS;
      this.#options.onFailure(error);
    } finally {
      this.#inserting = false;
    }
  }

  /** Changes `table` for somebody who waits. */
  async #changeAwaited(
    table: Table,
    work: (connection: DuckDBConnection) => Promise<void>,
  ): Promise<void> {
    table.awaitedCount += 1;
    try {
      await change(table, this.#foreground, work);
    } finally {
      table.awaitedCount -= 1;
    }
  }

  /** For an insertion into `table` that nobody waits for: waits for queries, but not for long ones, for it must go in some time. */
  #makingWay(table: Table): () => Promise<void> {
    const { nowMs, querying, sleep } = this.#options;
    let sinceMs = nowMs();
    return async () => {
      await nextTurn();
      if (nowMs() - sinceMs < STEP_MS) return;
      const untilMs = nowMs() + MAKE_WAY_MS_MAX;
      while (nowMs() < untilMs && querying() && table.awaitedCount === 0) await sleep(1);
      sinceMs = nowMs();
    };
  }

  #findFull(): Table | undefined {
    return this.#tables.values().find((table) => isFull(table) && this.#pace.allows(table.tableId));
  }

  #add(key: string, { generation, tableId }: BufferName): Table {
    const table: Table = {
      name: key,
      makeCount: 0,
      generation,
      tableId,
      columns: new Map(),
      dictionaries: new Map(),
      blocks: [],
      insertedCount: 0,
      insertedRowCount: 0,
      waitingRowCount: 0,
      changes: new Mutex(),
      awaitedCount: 0,
      readerCount: 0,
      made: false,
      positionMax: 0,
      sizeBytes: 0,
    };
    this.#tables.set(key, table);
    return table;
  }

  #wait(table: Table, block: EncodedBlock): void {
    table.blocks.push(block);
    table.waitingRowCount += block.rowCount;
    table.positionMax = block.position;
    this.#grow(table, block.sizeBytes);
    this.#pace.came(block.rowCount);
  }

  #grow(table: Table, sizeBytes: number): void {
    table.sizeBytes += sizeBytes;
    this.#sizeBytes += sizeBytes;
  }

  #named(sources: readonly BufferName[]): readonly Table[] {
    const keys = new Set(sources.map(({ generation, tableId }) => keyOf(generation, tableId)));
    return [...keys].flatMap((key) => this.#tables.get(key) ?? []);
  }

  /** Inserts the first rows that wait, if any do; more may come meanwhile, and wait. */
  async #insertPiece(table: Table, inserter: Inserter): Promise<void> {
    const { connection, letOthersIn } = inserter;
    const piece = pieceFrom(table.blocks, table.insertedCount, PIECE_ROW_COUNT_MAX);
    if (piece.length === 0) return;
    const blocks: AppendedBlock[] = [];
    for (const block of piece) {
      blocks.push(decodeRows(block));
      await letOthersIn();
    }
    try {
      await make(table, connection);
      await addColumns(table, blocks, connection);
      await connection.run("BEGIN TRANSACTION");
      await this.#insert(table, blocks, inserter);
      await connection.run("COMMIT");
    } catch (error) {
      await connection.run("ROLLBACK").catch(() => undefined);
      await this.#startOver(table, connection);
      throw error;
    }
    this.#countInserted(table, piece, blocks);
  }

  /**
   * Has all rows of `table` wait again, and the engine without it. So it is where a commit failed for lack of memory, too: the engine loses
   * count of its rows, and fails the next commit for good (DuckDB 1.5.5).
   */
  async #startOver(table: Table, connection: DuckDBConnection): Promise<void> {
    table.insertedCount = 0;
    table.insertedRowCount = 0;
    this.#small.delete(table);
    table.waitingRowCount = sumOf(table.blocks, ({ rowCount }) => rowCount);
    this.#grow(table, sumOf(table.blocks, ({ sizeBytes }) => sizeBytes) - table.sizeBytes);
    await unmake(table, connection).catch(() => undefined);
  }

  /** `piece`, the first that waited, is in the engine's table now, which has a cell for each of its columns. */
  #countInserted(
    table: Table,
    piece: readonly EncodedBlock[],
    blocks: readonly AppendedBlock[],
  ): void {
    const kinds = [...table.columns.values()];
    for (const { bytes, rowCount, sizeBytes } of piece) {
      table.waitingRowCount -= rowCount;
      table.insertedRowCount += rowCount;
      this.#grow(table, encodedSize(bytes.length) - sizeBytes);
    }
    for (const block of blocks) this.#grow(table, rowsSize(block, kinds));
    table.insertedCount += piece.length;
    this.#small.add(table);
  }

  async #insert(table: Table, blocks: readonly AppendedBlock[], inserter: Inserter): Promise<void> {
    for (const [id, codes] of table.dictionaries) {
      const texts = addTexts(codes, blocks, id);
      const firstCode = codes.size - texts.length + 1;
      await appendDictionary(inserter, dictionaryName(table.name, id), texts, firstCode);
      this.#grow(
        table,
        sumOf(texts, (text) => 2 * text.length + TEXT_SIZE),
      );
    }
    await appendRows(inserter, table, blocks);
  }
}

async function openLane(instance: DuckDBInstance): Promise<Lane> {
  return { connection: await instance.connect(), turns: new Mutex() };
}

/** Runs `work`, which changes `table`, when it is that's turn and the lane's. */
function change(
  table: Table,
  { connection, turns }: Lane,
  work: (connection: DuckDBConnection) => Promise<void>,
): Promise<void> {
  return table.changes.run(() => turns.run(() => work(connection)));
}

function waitingCount({ blocks, insertedCount }: Table): number {
  return blocks.length - insertedCount;
}

function isFull(table: Table): boolean {
  return (
    table.waitingRowCount >= WAITING_ROW_COUNT_MAX || waitingCount(table) >= WAITING_BLOCK_COUNT_MAX
  );
}

function sumOf<T>(items: readonly T[], numberOf: (item: T) => number): number {
  return items.reduce((sum, item) => sum + numberOf(item), 0);
}
