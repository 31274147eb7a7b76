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
import type { ColumnDataKind } from "#model/batch.ts";
import type { ColumnId, GenerationId, TableId } from "#model/ids.ts";
import type { BufferedBlock } from "#ports/engine.ts";
import { type BufferTable, dictionaryName } from "../print/scan.ts";
import {
  type AppendedBlock,
  appendDictionary,
  appendRows,
  type Inserter,
  STORED_TYPES,
} from "./append.ts";
import { Pace } from "./pace.ts";
import {
  decodeRows,
  type EncodedBlock,
  encodedBlocks,
  encodedSize,
  pieceFrom,
  rowsSize,
  TEXT_SIZE,
} from "./waiting-rows.ts";

/**
 * Tags that are coded, later ones are texts. Appending codes costs half of what texts do (10 tags, 10 fields, seconds of CPU for
 * a million rows: 2.2 and 4), but planning their joins takes time in the third power of their number: 57 took 17 seconds.
 */
const CODED_TAG_COUNT_MAX = 10;
/** Rows of a piece, a little more than a row group of the engine's: it takes that as it is, fewer are copied once more. */
const PIECE_ROW_COUNT_MAX = 125_000;
/** A table with as many waiting rows or blocks is full. */
const WAITING_ROW_COUNT_MAX = 122_880;
const WAITING_BLOCK_COUNT_MAX = 500;

/** So long, at each step of some milliseconds, an insertion that nobody waits for makes way: it goes at a third of its speed then. */
const MAKE_WAY_MS_MAX = 20;

const FAILED_REST_MS = 1_000;

/** Names a buffered table. */
export interface BufferName {
  readonly generation: GenerationId;
  readonly tableId: TableId;
}

interface Table extends BufferTable {
  /** Of the engine's table, which has another each time it is made: who named one that is gone is told so, and not given half of the rows. */
  name: string;
  makeCount: number;
  readonly generation: GenerationId;
  readonly tableId: TableId;
  readonly columns: Map<ColumnId, ColumnDataKind>;
  /** Codes of texts, by coded tag; 0 is NULL's. */
  readonly dictionaries: Map<ColumnId, Map<string, number>>;
  /** In order. They stay, so that the table can be made anew: they take a tenth of what their rows do there. */
  blocks: EncodedBlock[];
  /** How many of `blocks` are in the engine's table; the others wait. */
  insertedCount: number;
  waitingRowCount: number;
  /** It changes in one place at a time. */
  readonly changes: Mutex;
  /** Whether the engine has the table. */
  made: boolean;
  positionMax: number;
  /** Of the rows in the engine's table, and of those that wait. */
  sizeBytes: number;
}

export interface BufferTablesOptions {
  /** Hears of insertions that failed and that nobody waited for: their rows go on waiting, and who reads them is told. */
  readonly onFailure: (error: unknown) => void;
  /** For the pace of insertions alone. */
  readonly nowMs: () => number;
  /** Whether queries run now: what nobody waits for then makes way for them. */
  readonly querying: () => boolean;
  readonly sleep: (delayMs: number) => Promise<void>;
}

/** One transaction at a time. */
interface Lane extends Inserter {
  readonly turns: Mutex;
}

export class BufferTables {
  /** For what somebody waits for. */
  readonly #foreground: Lane;
  readonly #background: Lane;
  readonly #tables = new Map<string, Table>();
  readonly #options: BufferTablesOptions;
  readonly #pace: Pace;
  #inserting = false;
  /** Nothing is inserted in the background before this: it failed, most likely for lack of memory. */
  #restUntilMs = 0;
  #sizeBytes = 0;

  static async open(instance: DuckDBInstance, options: BufferTablesOptions): Promise<BufferTables> {
    const foreground = await openLane(instance, nextTurn);
    const background = await openLane(instance, () => makeWay(options));
    return new BufferTables(foreground, background, options);
  }

  private constructor(foreground: Lane, background: Lane, options: BufferTablesOptions) {
    this.#foreground = foreground;
    this.#background = background;
    this.#options = options;
    this.#pace = new Pace(options.nowMs);
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
   * Makes all rows that these tables have now readable, as long as somebody waits for it. Rejects as the engine does, and what is not in
   * it goes on waiting.
   */
  async settle(sources: readonly BufferName[], wanted = () => true): Promise<void> {
    for (const { tableId } of sources) this.#pace.read(tableId);
    const counts = this.#named(sources).map((table) => ({ table, count: table.blocks.length }));
    // One that is there already starts over when an insertion into it fails meanwhile.
    const findNext = () => counts.find(({ table, count }) => table.insertedCount < count)?.table;
    for (let next = findNext(); next !== undefined && wanted(); next = findNext()) {
      const table = next;
      await change(table, this.#foreground, () => this.#insertPiece(table, this.#foreground));
    }
  }

  /** Forgets all rows of `generation`. Rejects as the engine does, which then keeps what nobody can name. */
  async drop(generation: GenerationId): Promise<void> {
    const tables = [...this.#tables.values()].filter((table) => table.generation === generation);
    for (const table of tables) {
      await change(table, this.#foreground, async (connection) => {
        this.#tables.delete(keyOf(generation, table.tableId));
        this.#grow(table, -table.sizeBytes);
        table.insertedCount = table.blocks.length;
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
        await change(full, this.#background, () => this.#insertPiece(full, this.#background));
      }
    } catch (error) {
      this.#restUntilMs = this.#options.nowMs() + FAILED_REST_MS;
      this.#options.onFailure(error);
    } finally {
      this.#inserting = false;
    }
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
      waitingRowCount: 0,
      changes: new Mutex(),
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
  async #insertPiece(table: Table, lane: Lane): Promise<void> {
    const { connection, letOthersIn } = lane;
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
      await this.#insert(table, blocks, lane);
      await connection.run("COMMIT");
    } catch (error) {
      await this.#startOver(table, connection);
      throw error;
    }
    this.#countInserted(table, piece, blocks);
  }

  /**
   * Has all rows of `table` wait again, and the engine without it: one whose commit failed for lack of memory loses count of its
   * rows, and fails the next commit for good (DuckDB 1.5.5).
   */
  async #startOver(table: Table, connection: DuckDBConnection): Promise<void> {
    await connection.run("ROLLBACK").catch(() => undefined);
    table.insertedCount = 0;
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
      this.#grow(table, encodedSize(bytes.length) - sizeBytes);
    }
    for (const block of blocks) this.#grow(table, rowsSize(block, kinds));
    table.insertedCount += piece.length;
  }

  async #insert(table: Table, blocks: readonly AppendedBlock[], lane: Lane): Promise<void> {
    for (const [id, codes] of table.dictionaries) {
      const texts = addTexts(codes, blocks, id);
      const firstCode = codes.size - texts.length + 1;
      await appendDictionary(lane, dictionaryName(table.name, id), texts, firstCode);
      this.#grow(
        table,
        sumOf(texts, (text) => 2 * text.length + TEXT_SIZE),
      );
    }
    await appendRows(lane, table, blocks);
  }
}

async function openLane(instance: DuckDBInstance, letOthersIn: () => Promise<void>): Promise<Lane> {
  return { connection: await instance.connect(), turns: new Mutex(), letOthersIn };
}

/** Waits for queries to end, but not for long ones: what waits here must go in some time. */
async function makeWay({ querying, sleep }: BufferTablesOptions): Promise<void> {
  await nextTurn();
  for (let ms = 0; ms < MAKE_WAY_MS_MAX && querying(); ms += 1) await sleep(1);
}

/** Runs `work`, which changes `table`, when it is that's turn and the lane's. */
function change(
  table: Table,
  { connection, turns }: Lane,
  work: (connection: DuckDBConnection) => Promise<void>,
): Promise<void> {
  return table.changes.run(() => turns.run(() => work(connection)));
}

async function make(table: Table, connection: DuckDBConnection): Promise<void> {
  if (table.made) return;
  await connection.run(`CREATE TABLE ${table.name} (_position BIGINT, _order BIGINT, time BIGINT)`);
  table.made = true;
}

async function addColumns(
  table: Table,
  blocks: readonly AppendedBlock[],
  connection: DuckDBConnection,
): Promise<void> {
  for (const { batch } of blocks) {
    for (const { id, data } of batch.columns) {
      if (table.columns.has(id)) continue;
      const { dictionaries } = table;
      const codeable = dictionaries.has(id) || dictionaries.size < CODED_TAG_COUNT_MAX;
      const coded = data.kind === "tag" && codeable;
      if (coded) {
        const dictionary = dictionaryName(table.name, id);
        await connection.run(
          `CREATE TABLE ${dictionary} AS SELECT 0::UINTEGER AS code, NULL::VARCHAR AS value`,
        );
        dictionaries.set(id, new Map());
      }
      // Rows from before the tag have its code of NULL.
      const kind = data.kind === "tag" && !coded ? "string" : data.kind;
      const type = coded ? "UINTEGER DEFAULT 0" : STORED_TYPES[kind].sql;
      await connection.run(`ALTER TABLE ${table.name} ADD COLUMN c${id} ${type}`);
      table.columns.set(id, kind);
    }
  }
}

/** Takes the table out of the engine. Rejects as that does. */
async function unmake(table: Table, connection: DuckDBConnection): Promise<void> {
  const names = [...table.dictionaries.keys()].map((id) => dictionaryName(table.name, id));
  names.push(table.name);
  table.made = false;
  table.makeCount += 1;
  table.name = `${keyOf(table.generation, table.tableId)}r${table.makeCount}`;
  table.columns.clear();
  table.dictionaries.clear();
  for (const name of names) await connection.run(`DROP TABLE IF EXISTS ${name}`);
}

function keyOf(generation: GenerationId, tableId: TableId): string {
  return `b${generation}_${tableId}`;
}

/** Gives codes to the texts of a tag that have none yet; answers those, in order of code. */
function addTexts(
  codes: Map<string, number>,
  blocks: readonly AppendedBlock[],
  id: ColumnId,
): string[] {
  const texts: string[] = [];
  for (const { batch } of blocks) {
    const data = batch.columns.find((column) => column.id === id)?.data;
    if (data?.kind !== "tag") continue;
    for (const text of data.dictionary) {
      if (codes.has(text)) continue;
      codes.set(text, codes.size + 1);
      texts.push(text);
    }
  }
  return texts;
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
