import { newDatabase } from "#catalog/catalog.ts";
import { type CatalogState, findDatabase, findTable } from "#catalog/catalog-state.ts";
import type { CatalogChange } from "#catalog/changes.ts";
import type { ParsedColumn, ParsedTable } from "#lineprotocol/parsed.ts";
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
  const changes: CatalogChange[] = [];
  const validated: ValidatedTable[] = [];
  const problems: RowProblem[] = [];
  const fresh = known
    ? undefined
    : newDatabase(state, { name: database, retentionNs: undefined }, limits);
  const databaseId: DatabaseId = known?.id ?? fresh?.id ?? state.nextDatabaseId;
  let tableCount = state.tableCount;
  let nextTableId = state.nextTableId;
  for (const parsed of tables) {
    const schema = known && findTable(known, parsed.name);
    if (schema === undefined && tableCount >= limits.tableCountMax) {
      problems.push(...refuseAll(parsed, tableCount, limits.tableCountMax));
      continue;
    }
    const checked = checkRows(parsed, schema, limits);
    problems.push(...checked.problems);
    if (checked.rows?.length === 0) continue;
    validated.push({ parsed, schema, rows: checked.rows });
    const { added: columns } = checked;
    if (schema === undefined) {
      changes.push({
        kind: "create_table",
        databaseId,
        id: nextTableId,
        name: parsed.name,
        columns,
      });
      nextTableId = (nextTableId + 1) as TableId;
      tableCount += 1;
    } else if (columns.length > 0) {
      changes.push({ kind: "add_columns", databaseId, tableId: schema.id, columns });
    }
  }
  if (fresh !== undefined && changes.length > 0) changes.unshift(fresh);
  return { changes, tables: validated, problems };
}

function refuseAll(
  { lines }: ParsedTable,
  tableCount: number,
  tableCountMax: number,
): RowProblem[] {
  const message = `Update to schema would exceed number of tables limit: attempted to create table but already have ${tableCount} table(s) (limit: ${tableCountMax})`;
  return Array.from(lines, (line) => ({ line, message, limitMet: true }));
}
