/** Recent rows as tables of the engine: one per generation and table, tags as codes beside a dictionary each. */
import type { DuckDBConnection } from "@duckdb/node-api";
import { decodeBlock } from "#block/block.ts";
import type { ColumnDataKind } from "#model/batch.ts";
import type { ColumnId, GenerationId, TableId } from "#model/ids.ts";
import type { BufferedBlock } from "#ports/engine.ts";
import { type BufferTable, dictionaryName } from "../print/scan.ts";
import { type AppendedBlock, appendDictionary, appendRows, STORED_TYPES } from "./append.ts";

/** Bytes a row takes before its columns: position, stamp and time. */
const ROW_SIZE = 24;
const TEXT_SIZE = 16;
const CELL_SIZES: Readonly<Record<ColumnDataKind, number>> = {
  tag: 4,
  string: TEXT_SIZE,
  float: 8,
  integer: 8,
  uinteger: 8,
  boolean: 1,
};

interface Table extends BufferTable {
  readonly generation: GenerationId;
  readonly columns: Map<ColumnId, ColumnDataKind>;
  /** Codes of texts, by tag; 0 is NULL's. */
  readonly dictionaries: Map<ColumnId, Map<string, number>>;
  positionMax: number;
  sizeBytes: number;
}

/** Not safe for overlapping calls: the child makes one change at a time. */
export class BufferTables {
  readonly #connection: DuckDBConnection;
  readonly #tables = new Map<string, Table>();

  constructor(connection: DuckDBConnection) {
    this.#connection = connection;
  }

  find(generation: GenerationId, tableId: TableId): BufferTable | undefined {
    return this.#tables.get(tableName(generation, tableId));
  }

  /** About what all rows take. */
  sizeBytes(): number {
    let sizeBytes = 0;
    for (const table of this.#tables.values()) sizeBytes += table.sizeBytes;
    return sizeBytes;
  }

  /** All blocks or none. Rejects with `corrupt` / `block_damaged`, or as the engine does. */
  async append(blocks: readonly BufferedBlock[]): Promise<void> {
    const groups = Map.groupBy(blocks, ({ generation, tableId }) => tableName(generation, tableId));
    const work: { table: Table; decoded: AppendedBlock[] }[] = [];
    for (const [name, some] of groups) {
      const decoded = decodeNew(some, this.#tables.get(name)?.positionMax ?? 0);
      const [first] = some;
      if (first === undefined || decoded.length === 0) continue;
      const table = this.#tables.get(name) ?? (await this.#create(name, first.generation));
      await this.#addColumns(table, decoded);
      work.push({ table, decoded });
    }
    if (work.length === 0) return;
    await this.#connection.run("BEGIN TRANSACTION");
    const added: (() => void)[] = [];
    try {
      for (const { table, decoded } of work) added.push(await this.#insert(table, decoded));
      await this.#connection.run("COMMIT");
    } catch (error) {
      for (const undo of added) undo();
      await this.#connection.run("ROLLBACK").catch(() => undefined);
      throw error;
    }
    for (const { table, decoded } of work) grow(table, decoded);
  }

  async drop(generation: GenerationId): Promise<void> {
    for (const [name, table] of this.#tables) {
      if (table.generation !== generation) continue;
      this.#tables.delete(name);
      for (const id of table.dictionaries.keys()) {
        await this.#connection.run(`DROP TABLE ${dictionaryName(name, id)}`);
      }
      await this.#connection.run(`DROP TABLE ${name}`);
    }
  }

  async #create(name: string, generation: GenerationId): Promise<Table> {
    await this.#connection.run(
      `CREATE TABLE ${name} (_position BIGINT, _order BIGINT, time BIGINT)`,
    );
    const table: Table = {
      name,
      generation,
      columns: new Map(),
      dictionaries: new Map(),
      positionMax: 0,
      sizeBytes: 0,
    };
    this.#tables.set(name, table);
    return table;
  }

  async #addColumns(table: Table, blocks: readonly AppendedBlock[]): Promise<void> {
    for (const { batch } of blocks) {
      for (const { id, data } of batch.columns) {
        if (table.columns.has(id)) continue;
        if (data.kind === "tag") {
          const dictionary = dictionaryName(table.name, id);
          await this.#connection.run(`CREATE TABLE ${dictionary} (code UINTEGER, value VARCHAR)`);
          await this.#connection.run(`INSERT INTO ${dictionary} VALUES (0, NULL)`);
          table.dictionaries.set(id, new Map());
        }
        // Rows from before the tag have its code of NULL.
        const type = data.kind === "tag" ? "UINTEGER DEFAULT 0" : STORED_TYPES[data.kind].sql;
        await this.#connection.run(`ALTER TABLE ${table.name} ADD COLUMN c${id} ${type}`);
        table.columns.set(id, data.kind);
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

function grow(table: Table, blocks: readonly AppendedBlock[]): void {
  let rowSize = ROW_SIZE;
  for (const kind of table.columns.values()) rowSize += CELL_SIZES[kind];
  for (const { batch, position } of blocks) {
    table.positionMax = position;
    table.sizeBytes += rowSize * batch.times.length;
    for (const { data } of batch.columns) {
      if (data.kind !== "string") continue;
      for (const text of data.dictionary) table.sizeBytes += text.length;
    }
  }
}
