/** One buffered table: what waits, and what of it stands in the engine. */
import type { DuckDBConnection } from "@duckdb/node-api";
import type { Mutex } from "#base/async.ts";
import type { ColumnDataKind } from "#model/batch.ts";
import type { ColumnId, GenerationId, TableId } from "#model/ids.ts";
import { type BufferTable, dictionaryName } from "../print/scan.ts";
import { type AppendedBlock, STORED_TYPES } from "./append.ts";
import type { EncodedBlock } from "./waiting-rows.ts";

/**
 * Tags that are coded, later ones are texts. Appending codes costs half of what texts do (10 tags, 10 fields, seconds of CPU for
 * a million rows: 2.2 and 4), but planning their joins takes time in the third power of their number: 57 took 17 seconds.
 */
const CODED_TAG_COUNT_MAX = 10;
/** Names a buffered table. */
export interface BufferName {
  readonly generation: GenerationId;
  readonly tableId: TableId;
}

export interface Table extends BufferTable {
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
  /** How many rows those have. */
  insertedRowCount: number;
  waitingRowCount: number;
  /** It changes in one place at a time. */
  readonly changes: Mutex;
  /** How many wait to change it who are waited for: then nothing makes way that changes it. */
  awaitedCount: number;
  /** Queries that run on it: it stays as it is for them. */
  readerCount: number;
  /** Whether the engine has the table. */
  made: boolean;
  positionMax: number;
  /** Of the rows in the engine's table, and of those that wait. */
  sizeBytes: number;
}

/** Makes the table in the engine, where it is not. */
export async function make(table: Table, connection: DuckDBConnection): Promise<void> {
  if (table.made) return;
  await connection.run(`CREATE TABLE ${table.name} (_position BIGINT, _order BIGINT, time BIGINT)`);
  table.made = true;
}

/** Adds the columns of `blocks` that it does not have. */
export async function addColumns(
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
export async function unmake(table: Table, connection: DuckDBConnection): Promise<void> {
  const names = [...table.dictionaries.keys()].map((id) => dictionaryName(table.name, id));
  names.push(table.name);
  table.made = false;
  table.makeCount += 1;
  table.name = `${keyOf(table.generation, table.tableId)}r${table.makeCount}`;
  table.columns.clear();
  table.dictionaries.clear();
  for (const name of names) await connection.run(`DROP TABLE IF EXISTS ${name}`);
}

export function keyOf(generation: GenerationId, tableId: TableId): string {
  return `b${generation}_${tableId}`;
}

/** Gives codes to the texts of a tag that have none yet; answers those, in order of code. */
export function addTexts(
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
