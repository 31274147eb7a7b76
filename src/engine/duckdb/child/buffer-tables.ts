/**
 * Recent rows as tables of the engine: one per generation and table, the first tags as codes beside a dictionary each.
 *
 * Blocks wait, decoded, until somebody reads their table, or until they are many, when they are inserted in the background: the
 * engine takes rows in large pieces for half of what they cost in small ones (20 columns, seconds of CPU for a million rows: 2.3 in
 * pieces of 5,000, 1.2 in pieces of 125,000).
 */
import type { DuckDBConnection } from "@duckdb/node-api";
import { Mutex } from "#base/async.ts";
import { decodeBlock } from "#block/block.ts";
import type { ColumnDataKind } from "#model/batch.ts";
import type { ColumnId, GenerationId, TableId } from "#model/ids.ts";
import type { BufferedBlock } from "#ports/engine.ts";
import { type BufferTable, dictionaryName } from "../print/scan.ts";
import { type AppendedBlock, appendDictionary, appendRows, STORED_TYPES } from "./append.ts";

/**
 * Tags that are coded, later ones are texts. Appending codes costs half of what texts do (10 tags, 10 fields, seconds of CPU for
 * a million rows: 2.2 and 4), but planning their joins takes time in the third power of their number: 57 took 17 seconds.
 */
const CODED_TAG_COUNT_MAX = 10;
/** Bytes a row takes before its columns: position, stamp and time. */
const ROW_SIZE = 24;
const TEXT_SIZE = 16;
/** A row group of the engine's: it takes this many as they are, fewer are copied once more. */
const WAITING_ROW_COUNT_MAX = 122_880;
/** Bounds what many small blocks take. */
const WAITING_BLOCK_COUNT_MAX = 500;
/** How many times these bounds may wait while earlier ones are inserted; whoever appends more waits as well. */
const WAITING_TIMES_MAX = 2;
const CELL_SIZES: Readonly<Record<ColumnDataKind, number>> = {
  tag: 4,
  string: TEXT_SIZE,
  float: 8,
  integer: 8,
  uinteger: 8,
  boolean: 1,
};

/** Names a buffered table. */
export interface BufferName {
  readonly generation: GenerationId;
  readonly tableId: TableId;
}

interface Table extends BufferTable {
  readonly generation: GenerationId;
  readonly columns: Map<ColumnId, ColumnDataKind>;
  /** Codes of texts, by coded tag; 0 is NULL's. */
  readonly dictionaries: Map<ColumnId, Map<string, number>>;
  /** Blocks that are not in the engine's table yet, in order. */
  waiting: AppendedBlock[];
  waitingRowCount: number;
  /** Whether the engine has the table. */
  made: boolean;
  positionMax: number;
  /** Of the rows in the engine's table, and of those that wait. */
  sizeBytes: number;
  waitingSizeBytes: number;
}

export class BufferTables {
  readonly #connection: DuckDBConnection;
  readonly #tables = new Map<string, Table>();
  /** The engine's tables change one at a time. */
  readonly #changes = new Mutex();
  readonly #onFailure: (error: unknown) => void;
  #inserting = false;

  /** `onFailure` hears of insertions that failed and that nobody waited for: their rows go on waiting, and who reads them is told. */
  constructor(connection: DuckDBConnection, onFailure: (error: unknown) => void) {
    this.#connection = connection;
    this.#onFailure = onFailure;
  }

  /** The table as the engine has it; undefined as long as all its rows wait. */
  find(generation: GenerationId, tableId: TableId): BufferTable | undefined {
    const table = this.#tables.get(tableName(generation, tableId));
    return table?.made === true ? table : undefined;
  }

  /** About what all rows take. */
  sizeBytes(): number {
    let sizeBytes = 0;
    for (const table of this.#tables.values())
      sizeBytes += table.sizeBytes + table.waitingSizeBytes;
    return sizeBytes;
  }

  /** Takes all blocks or none. Rejects with `corrupt` / `block_damaged`. */
  async append(blocks: readonly BufferedBlock[]): Promise<void> {
    const groups = Map.groupBy(blocks, ({ generation, tableId }) => tableName(generation, tableId));
    const decoded = [...groups].map(([name, some]) => {
      return { name, some, fresh: decodeNew(some, this.#tables.get(name)?.positionMax ?? 0) };
    });
    let fullTimes = 0;
    for (const { name, some, fresh } of decoded) {
      const [first] = some;
      if (first === undefined || fresh.length === 0) continue;
      const table = this.#tables.get(name) ?? this.#add(name, first.generation);
      for (const block of fresh) addWaiting(table, block);
      fullTimes = Math.max(fullTimes, timesFull(table));
    }
    if (fullTimes >= 1 && !this.#inserting) void this.#insertFull();
    if (fullTimes >= WAITING_TIMES_MAX) await this.#changes.run(async () => undefined);
  }

  /** Whether rows of any of these tables wait: then they cannot be read before `settle`. */
  waits(sources: readonly BufferName[]): boolean {
    return this.#waiting(sources).length > 0;
  }

  /** Makes all rows of these tables readable. Rejects as the engine does, and the rows go on waiting. */
  async settle(sources: readonly BufferName[]): Promise<void> {
    if (!this.waits(sources)) return;
    await this.#changes.run(() => this.#insertWaiting(this.#waiting(sources)));
  }

  drop(generation: GenerationId): Promise<void> {
    return this.#changes.run(() => this.#drop(generation));
  }

  async #drop(generation: GenerationId): Promise<void> {
    for (const [name, table] of this.#tables) {
      if (table.generation !== generation) continue;
      this.#tables.delete(name);
      for (const id of table.dictionaries.keys()) {
        await this.#connection.run(`DROP TABLE ${dictionaryName(name, id)}`);
      }
      if (table.made) await this.#connection.run(`DROP TABLE ${name}`);
    }
  }

  /** Inserts the rows of full tables until there is none. Never rejects. */
  async #insertFull(): Promise<void> {
    this.#inserting = true;
    try {
      while (this.#full().length > 0) {
        await this.#changes.run(() => this.#insertWaiting(this.#full()));
      }
    } catch (error) {
      this.#onFailure(error);
    } finally {
      this.#inserting = false;
    }
  }

  #full(): readonly Table[] {
    return [...this.#tables.values()].filter((table) => timesFull(table) >= 1);
  }

  #add(name: string, generation: GenerationId): Table {
    const table: Table = {
      name,
      generation,
      columns: new Map(),
      dictionaries: new Map(),
      waiting: [],
      waitingRowCount: 0,
      made: false,
      positionMax: 0,
      sizeBytes: 0,
      waitingSizeBytes: 0,
    };
    this.#tables.set(name, table);
    return table;
  }

  #waiting(sources: readonly BufferName[]): readonly Table[] {
    const names = new Set(sources.map(({ generation, tableId }) => tableName(generation, tableId)));
    return [...names].flatMap((name) => {
      const table = this.#tables.get(name);
      return table === undefined || table.waiting.length === 0 ? [] : [table];
    });
  }

  /** Inserts all rows that wait now of all of `tables`, or none; more may come meanwhile, and wait. */
  async #insertWaiting(tables: readonly Table[]): Promise<void> {
    if (tables.length === 0) return;
    const taken = tables.map((table) => ({ table, blocks: [...table.waiting] }));
    for (const { table, blocks } of taken) {
      await this.#make(table);
      await this.#addColumns(table, blocks);
    }
    await this.#connection.run("BEGIN TRANSACTION");
    const added: (() => void)[] = [];
    try {
      for (const { table, blocks } of taken) added.push(await this.#insert(table, blocks));
      await this.#connection.run("COMMIT");
    } catch (error) {
      for (const undo of added) undo();
      await this.#connection.run("ROLLBACK").catch(() => undefined);
      throw error;
    }
    for (const { table, blocks } of taken) countInserted(table, blocks);
  }

  async #make(table: Table): Promise<void> {
    if (table.made) return;
    await this.#connection.run(
      `CREATE TABLE ${table.name} (_position BIGINT, _order BIGINT, time BIGINT)`,
    );
    table.made = true;
  }

  async #addColumns(table: Table, blocks: readonly AppendedBlock[]): Promise<void> {
    for (const { batch } of blocks) {
      for (const { id, data } of batch.columns) {
        if (table.columns.has(id)) continue;
        const { dictionaries } = table;
        const codeable = dictionaries.has(id) || dictionaries.size < CODED_TAG_COUNT_MAX;
        const coded = data.kind === "tag" && codeable;
        if (coded) {
          const dictionary = dictionaryName(table.name, id);
          // What was made before a failure is made again.
          await this.#connection.run(
            `CREATE OR REPLACE TABLE ${dictionary} AS SELECT 0::UINTEGER AS code, NULL::VARCHAR AS value`,
          );
          dictionaries.set(id, new Map());
        }
        // Rows from before the tag have its code of NULL.
        const kind = data.kind === "tag" && !coded ? "string" : data.kind;
        const type = coded ? "UINTEGER DEFAULT 0" : STORED_TYPES[kind].sql;
        await this.#connection.run(
          `ALTER TABLE ${table.name} ADD COLUMN IF NOT EXISTS c${id} ${type}`,
        );
        table.columns.set(id, kind);
      }
    }
  }

  /** Answers what takes new codes back. */
  async #insert(table: Table, blocks: readonly AppendedBlock[]): Promise<() => void> {
    const added: [Map<string, number>, string][] = [];
    let addedSizeBytes = 0;
    const undo = () => {
      for (const [codes, text] of added) codes.delete(text);
      table.sizeBytes -= addedSizeBytes;
    };
    try {
      for (const [id, codes] of table.dictionaries) {
        const texts = addTexts(codes, blocks, id);
        for (const text of texts) added.push([codes, text]);
        const firstCode = codes.size - texts.length + 1;
        await appendDictionary(this.#connection, dictionaryName(table.name, id), texts, firstCode);
        const sizeBytes = texts.reduce((sum, text) => sum + 2 * text.length + TEXT_SIZE, 0);
        table.sizeBytes += sizeBytes;
        addedSizeBytes += sizeBytes;
      }
      await appendRows(this.#connection, table, blocks);
    } catch (error) {
      undo();
      throw error;
    }
    return undo;
  }
}

function tableName(generation: GenerationId, tableId: TableId): string {
  return `b${generation}_${tableId}`;
}

function decodeNew(blocks: readonly BufferedBlock[], positionMax: number): AppendedBlock[] {
  let position = positionMax;
  const decoded: AppendedBlock[] = [];
  for (const block of blocks) {
    if (block.position <= position) continue;
    position = block.position;
    decoded.push({ position, stamp: block.stamp, batch: decodeBlock(block.bytes) });
  }
  return decoded;
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

/** How many times a table has as many waiting rows or blocks as are inserted together. */
function timesFull({ waiting, waitingRowCount }: Table): number {
  return Math.max(
    waitingRowCount / WAITING_ROW_COUNT_MAX,
    waiting.length / WAITING_BLOCK_COUNT_MAX,
  );
}

function addWaiting(table: Table, block: AppendedBlock): void {
  table.waiting.push(block);
  table.waitingRowCount += block.batch.times.length;
  table.positionMax = block.position;
  table.waitingSizeBytes += waitingSize(block);
}

/** `blocks`, the first that waited, are in the engine's table now, which has a cell for each of its columns. */
function countInserted(table: Table, blocks: readonly AppendedBlock[]): void {
  const kinds = [...table.columns.values()];
  for (const block of blocks) {
    table.sizeBytes += rowsSize(block, kinds);
    table.waitingRowCount -= block.batch.times.length;
    table.waitingSizeBytes -= waitingSize(block);
  }
  table.waiting = table.waiting.slice(blocks.length);
}

function waitingSize(block: AppendedBlock): number {
  return rowsSize(
    block,
    block.batch.columns.map(({ data }) => data.kind),
  );
}

/** About what the rows of a block take in columns of `kinds`. */
function rowsSize({ batch }: AppendedBlock, kinds: readonly ColumnDataKind[]): number {
  let sizeBytes =
    kinds.reduce((sum, kind) => sum + CELL_SIZES[kind], ROW_SIZE) * batch.times.length;
  for (const { data } of batch.columns) {
    if (data.kind !== "string") continue;
    for (const text of data.dictionary) sizeBytes += text.length;
  }
  return sizeBytes;
}
