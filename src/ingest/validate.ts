import { newDatabase } from "#catalog/catalog.ts";
import {
  type CatalogState,
  type DatabaseRecord,
  findDatabase,
  findTable,
  type NewColumn,
  retentionOf,
} from "#catalog/catalog-state.ts";
import type { CatalogChange } from "#catalog/changes.ts";
import type { ParsedTable } from "#lineprotocol/parsed.ts";
import type { DatabaseId, TableId } from "#model/ids.ts";
import type { TableSchema } from "#model/schema.ts";
import { type RowSelection, rowCountOf, type StagedTable } from "#staging/stage.ts";
import { checkColumns, checkRows, type RowProblem, RowProblems } from "./check-rows.ts";
import type { SchemaLimits } from "./write.ts";

/** What the catalog says of the tables of a body. */
export interface Validated {
  /** What the catalog must learn before the rows fit; empty when they do. */
  readonly changes: readonly CatalogChange[];
  readonly tables: readonly ValidatedTable[];
  /** The lines that do not fit. */
  readonly problems: RowProblems;
  /** Rows that are past their retention, where these are left out. */
  readonly expiredCount: number;
}

export interface ValidatedTable {
  /** Which of the body's tables. */
  readonly index: number;
  /** As the catalog has it; undefined while `changes` would create it. */
  readonly schema: TableSchema | undefined;
  /** The rows that fit. */
  readonly rows: RowSelection;
}

/** The tables of a body: their looks, and their rows once somebody had to look at these. */
export interface TablesToCheck {
  readonly looks: readonly StagedTable[];
  readonly parsed: readonly ParsedTable[] | undefined;
  /** Rows that are past their retention now are left out; undefined: they are not. */
  readonly nowNs?: bigint | undefined;
}

/**
 * Checks rows against the catalog line by line, as if each line were a write of its own: a line that fits brings its new columns, one that
 * does not brings nothing. Where each column fits, so does each row; else it has to see the rows, and answers undefined without them. Pure:
 * asked again on a newer state, it decides anew. Throws `exceeded` / `database_limit`.
 */
export function validate(
  { looks, nowNs, parsed }: TablesToCheck,
  state: CatalogState,
  database: string,
  limits: SchemaLimits,
): Validated | undefined {
  const known = findDatabase(state, database);
  const fresh =
    known === undefined
      ? newDatabase(state, { name: database, retentionNs: undefined }, limits)
      : undefined;
  const databaseId = known?.id ?? state.nextDatabaseId;
  const declared = known?.schemaMode === "explicit" ? database : undefined;
  const growing = new GrowingDatabase(state, { databaseId, declared }, limits);
  const checked: ValidatedTable[] = [];
  for (const [index, table] of looks.entries()) {
    const schema = known && findTable(known, table.name);
    const from = oldestKept(known, schema, nowNs);
    const rows = growing.check(table, schema, parsed?.[index], from);
    if (rows === undefined) return undefined;
    checked.push({ rows, index, schema });
  }
  const { changes } = growing;
  return {
    changes: fresh !== undefined && changes.length > 0 ? [fresh, ...changes] : changes,
    tables: checked.filter(({ rows }) => rowCountOf(rows) > 0),
    problems: growing.problems,
    expiredCount: growing.expiredCount,
  };
}

/** Rows that are older are past their retention; undefined: none is. */
function oldestKept(
  database: DatabaseRecord | undefined,
  schema: TableSchema | undefined,
  nowNs: bigint | undefined,
): bigint | undefined {
  if (database === undefined || nowNs === undefined) return undefined;
  const ns = schema === undefined ? database.retentionNs : retentionOf(database, schema.id);
  return ns === undefined ? undefined : nowNs - ns;
}

/** The tables of a database while a body adds to them. */
class GrowingDatabase {
  readonly changes: CatalogChange[] = [];
  readonly problems = new RowProblems();
  expiredCount = 0;
  readonly #databaseId: DatabaseId;
  readonly #limits: SchemaLimits;
  /** The database's name where writes create nothing in it. */
  readonly #declared: string | undefined;
  #tableCount: number;
  #nextTableId: TableId;

  constructor(
    state: CatalogState,
    { databaseId, declared }: { databaseId: DatabaseId; declared: string | undefined },
    limits: SchemaLimits,
  ) {
    this.#databaseId = databaseId;
    this.#declared = declared;
    this.#limits = limits;
    this.#tableCount = state.tableCount;
    this.#nextTableId = state.nextTableId;
  }

  /** The rows that fit, and are not before `keptFrom`; undefined where they have to be seen. */
  check(
    looks: StagedTable,
    schema: TableSchema | undefined,
    parsed: ParsedTable | undefined,
    keptFrom: bigint | undefined,
  ): RowSelection | undefined {
    const refusal = schema === undefined ? this.#refusal(looks.name) : undefined;
    if (refusal !== undefined) return parsed && this.#refuse(parsed, refusal);
    const rules = { ...this.#limits, declared: this.#declared, keptFrom };
    const added = checkColumns(looks, schema, rules);
    if (added !== undefined) {
      this.#learn(looks.name, schema, added);
      return { start: 0, end: looks.rowCount };
    }
    if (parsed === undefined) return undefined;
    const checked = checkRows(parsed, schema, rules, this.problems);
    const { added: columns, expiredCount, rows } = checked;
    this.expiredCount += expiredCount;
    if (rows.length > 0) this.#learn(looks.name, schema, columns);
    return rows;
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

  /** Why there may be no new table. */
  #refusal(name: string): Omit<RowProblem, "line"> | undefined {
    if (this.#declared !== undefined) {
      const message = `table '${name}' is not defined in database '${this.#declared}', which uses explicit schemas; create the table with the /api/v3/configure/table API before writing to it`;
      return { message, limitMet: false };
    }
    const { tableCountMax } = this.#limits;
    if (this.#tableCount < tableCountMax) return undefined;
    const message = `Update to schema would exceed number of tables limit: attempted to create table but already have ${this.#tableCount} table(s) (limit: ${tableCountMax})`;
    return { message, limitMet: true };
  }

  #refuse(parsed: ParsedTable, problem: Omit<RowProblem, "line">): RowSelection {
    for (const line of parsed.lines) this.problems.add(line, problem);
    return new Uint32Array(0);
  }
}
