import { newDatabase } from "#catalog/catalog.ts";
import {
  type CatalogState,
  findDatabase,
  findTable,
  type NewColumn,
} from "#catalog/catalog-state.ts";
import type { CatalogChange } from "#catalog/changes.ts";
import type { ParsedTable } from "#lineprotocol/parsed.ts";
import type { DatabaseId, TableId } from "#model/ids.ts";
import type { TableSchema } from "#model/schema.ts";
import { checkRows, type RowProblem } from "./check-rows.ts";
import type { SchemaLimits } from "./write.ts";

/** What the catalog says of the tables of a body. */
export interface Validated {
  /** What the catalog must learn before the rows fit; empty when they do. */
  readonly changes: readonly CatalogChange[];
  readonly tables: readonly ValidatedTable[];
  readonly problems: readonly RowProblem[];
}

export interface ValidatedTable {
  readonly parsed: ParsedTable;
  /** As the catalog has it; undefined while `changes` would create it. */
  readonly schema: TableSchema | undefined;
  /** The rows that fit, rising; undefined: all. */
  readonly rows: Uint32Array | undefined;
}

/**
 * Checks rows against the catalog line by line, as if each line were a write of its own: a line that fits brings its new columns, one that
 * does not brings nothing. Pure: asked again on a newer state, it decides anew. Throws `exceeded` / `database_limit`.
 */
export function validate(
  tables: readonly ParsedTable[],
  state: CatalogState,
  database: string,
  limits: SchemaLimits,
): Validated {
  const known = findDatabase(state, database);
  const fresh =
    known === undefined
      ? newDatabase(state, { name: database, retentionNs: undefined }, limits)
      : undefined;
  const databaseId = known?.id ?? state.nextDatabaseId;
  const growing = new GrowingDatabase(state, databaseId, limits);
  const checked = tables.map((parsed) =>
    growing.check(parsed, known && findTable(known, parsed.name)),
  );
  const { changes } = growing;
  return {
    changes: fresh !== undefined && changes.length > 0 ? [fresh, ...changes] : changes,
    tables: checked.map(({ table }) => table).filter(({ rows }) => rows?.length !== 0),
    problems: checked.flatMap(({ problems }) => problems),
  };
}

interface CheckedTable {
  readonly table: ValidatedTable;
  readonly problems: readonly RowProblem[];
}

/** The tables of a database while a body adds to them. */
class GrowingDatabase {
  readonly changes: CatalogChange[] = [];
  readonly #databaseId: DatabaseId;
  readonly #limits: SchemaLimits;
  #tableCount: number;
  #nextTableId: TableId;

  constructor(state: CatalogState, databaseId: DatabaseId, limits: SchemaLimits) {
    this.#databaseId = databaseId;
    this.#limits = limits;
    this.#tableCount = state.tableCount;
    this.#nextTableId = state.nextTableId;
  }

  check(parsed: ParsedTable, schema: TableSchema | undefined): CheckedTable {
    if (schema === undefined && this.#tableCount >= this.#limits.tableCountMax)
      return this.#refuse(parsed);
    const { rows, added, problems } = checkRows(parsed, schema, this.#limits);
    if (rows?.length !== 0) this.#learn(parsed.name, schema, added);
    return { table: { parsed, schema, rows }, problems };
  }

  #learn(name: string, schema: TableSchema | undefined, columns: readonly NewColumn[]): void {
    const databaseId = this.#databaseId;
    if (schema === undefined) {
      this.changes.push({ kind: "create_table", databaseId, id: this.#nextTableId, name, columns });
      this.#nextTableId = (this.#nextTableId + 1) as TableId;
      this.#tableCount += 1;
    } else if (columns.length > 0) {
      this.changes.push({ kind: "add_columns", databaseId, tableId: schema.id, columns });
    }
  }

  #refuse(parsed: ParsedTable): CheckedTable {
    const message = `Update to schema would exceed number of tables limit: attempted to create table but already have ${this.#tableCount} table(s) (limit: ${this.#limits.tableCountMax})`;
    const problems = Array.from(parsed.lines, (line) => ({ line, message, limitMet: true }));
    return { table: { parsed, schema: undefined, rows: new Uint32Array(0) }, problems };
  }
}
