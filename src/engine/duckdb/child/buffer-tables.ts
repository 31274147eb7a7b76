/**
 * Recent rows as tables of the engine: one per generation and table, the first tags as codes beside a dictionary each.
 *
 * Blocks wait, decoded, until somebody reads their table or they are many: the engine takes rows in large pieces for half of what
 * they cost in small ones (20 columns, seconds of CPU for a million rows: 2.3 in pieces of 5,000, 1.2 in pieces of 125,000).
 */
import type { DuckDBConnection } from "@duckdb/node-api";
import { decodeBlock } from "#block/block.ts";
import type { ColumnDataKind } from "#model/batch.ts";
import type { ColumnId, GenerationId, TableId } from "#model/ids.ts";
import type { BufferedBlock } from "#ports/engine.ts";
import { type BufferTable, dictionaryName } from "../print/scan.ts";
import { type AppendedBlock, appendDictionary, appendRows, STORED_TYPES } from "./append.ts";
import { changeFailureOf } from "./failures.ts";

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
/** Bounds what many small blocks take, and how long inserting them holds up the next. */
const WAITING_BLOCK_COUNT_MAX = 500;
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

/** Not safe for overlapping calls: the child makes one change at a time. */
export class BufferTables {
  readonly #connection: DuckDBConnection;
  readonly #tables = new Map<string, Table>();

  constructor(connection: DuckDBConnection) {
    this.#connection = connection;
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

  /**
   * Takes all blocks or none. Rejects with `corrupt` / `block_damaged`. Another failure of the engine passes as it is, and the
   * blocks are taken all the same.
   */
  async append(blocks: readonly BufferedBlock[]): Promise<void> {
    const groups = Map.groupBy(blocks, ({ generation, tableId }) => tableName(generation, tableId));
    const decoded = [...groups].map(([name, some]) => {
      return { name, some, fresh: decodeNew(some, this.#tables.get(name)?.positionMax ?? 0) };
    });
    const full: Table[] = [];
    for (const { name, some, fresh } of decoded) {
      const [first] = some;
      if (first === undefined || fresh.length === 0) continue;
      const table = this.#tables.get(name) ?? this.#add(name, first.generation);
      for (const block of fresh) addWaiting(table, block);
      if (isFull(table)) full.push(table);
    }
    if (full.length > 0) await this.#insertWaiting(full).catch(allowNoRoom);
  }

  /** Whether rows of any of these tables wait: then they cannot be read before `settle`. */
  waits(sources: readonly BufferName[]): boolean {
    return this.#waiting(sources).length > 0;
  }

  /** Makes all rows of these tables readable. Rejects as the engine does, and the rows go on waiting. */
  async settle(sources: readonly BufferName[]): Promise<void> {
    const tables = this.#waiting(sources);
    if (tables.length > 0) await this.#insertWaiting(tables);
  }

  async drop(generation: GenerationId): Promise<void> {
    for (const [name, table] of this.#tables) {
      if (table.generation !== generation) continue;
      this.#tables.delete(name);
      for (const id of table.dictionaries.keys()) {
        await this.#connection.run(`DROP TABLE ${dictionaryName(name, id)}`);
      }
      if (table.made) await this.#connection.run(`DROP TABLE ${name}`);
    }
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

  /** Inserts all waiting rows of all of `tables`, or none. */
  async #insertWaiting(tables: readonly Table[]): Promise<void> {
    for (const table of tables) {
      await this.#make(table);
      await this.#addColumns(table, table.waiting);
    }
    await this.#connection.run("BEGIN TRANSACTION");
    const added: (() => void)[] = [];
    try {
      for (const table of tables) added.push(await this.#insert(table, table.waiting));
      await this.#connection.run("COMMIT");
    } catch (error) {
      for (const undo of added) undo();
      await this.#connection.run("ROLLBACK").catch(() => undefined);
      throw error;
    }
    for (const table of tables) countInserted(table);
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
        const coded = data.kind === "tag" && table.dictionaries.size < CODED_TAG_COUNT_MAX;
        if (coded) {
          const dictionary = dictionaryName(table.name, id);
          await this.#connection.run(`CREATE TABLE ${dictionary} (code UINTEGER, value VARCHAR)`);
          await this.#connection.run(`INSERT INTO ${dictionary} VALUES (0, NULL)`);
          table.dictionaries.set(id, new Map());
        }
        // Rows from before the tag have its code of NULL.
        const kind = data.kind === "tag" && !coded ? "string" : data.kind;
        const type = coded ? "UINTEGER DEFAULT 0" : STORED_TYPES[kind].sql;
        await this.#connection.run(`ALTER TABLE ${table.name} ADD COLUMN c${id} ${type}`);
        table.columns.set(id, kind);
      }
    }
  }

  /** Answers what takes new codes back. */
  async #insert(table: Table, blocks: readonly AppendedBlock[]): Promise<() => void> {
    const added: [Map<string, number>, string][] = [];
    const undo = () => {
      for (const [codes, text] of added) codes.delete(text);
    };
    try {
      for (const [id, codes] of table.dictionaries) {
        const texts = addTexts(codes, blocks, id);
        for (const text of texts) added.push([codes, text]);
        const firstCode = codes.size - texts.length + 1;
        await appendDictionary(this.#connection, dictionaryName(table.name, id), texts, firstCode);
        for (const text of texts) table.sizeBytes += 2 * text.length + TEXT_SIZE;
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

/** What the engine has no room for goes on waiting: who reads it is told. */
function allowNoRoom(error: unknown): void {
  if (changeFailureOf(error).code !== "buffer_memory") throw error;
}

function isFull({ waiting, waitingRowCount }: Table): boolean {
  return waitingRowCount >= WAITING_ROW_COUNT_MAX || waiting.length >= WAITING_BLOCK_COUNT_MAX;
}

function addWaiting(table: Table, block: AppendedBlock): void {
  table.waiting.push(block);
  table.waitingRowCount += block.batch.times.length;
  table.positionMax = block.position;
  const kinds = block.batch.columns.map(({ data }) => data.kind);
  table.waitingSizeBytes += rowsSize(block, kinds);
}

/** The rows that waited are in the engine's table now, which has a cell for each of its columns. */
function countInserted(table: Table): void {
  const kinds = [...table.columns.values()];
  for (const block of table.waiting) table.sizeBytes += rowsSize(block, kinds);
  table.waiting = [];
  table.waitingRowCount = 0;
  table.waitingSizeBytes = 0;
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
