import { DbError } from "#base/errors.ts";
import { type CatalogState, findTable } from "#catalog/catalog-state.ts";
import { requirePolicy } from "#catalog/v1/policies.ts";
import type { TableSchema } from "#model/schema.ts";
import type { MeasurementSource } from "../ast.ts";
import { regexTest } from "../regex/regex.ts";
import type { ResolveContext } from "./select.ts";

/** What measurements are of that name no database or retention policy. */
export interface Defaults {
  readonly database: string | undefined;
  readonly retentionPolicy: string | undefined;
  /** Whether InfluxDB 3 decides where it differs from 1.x. */
  readonly native: boolean;
}

/**
 * The tables of a catalog. One that it has not is none, as in 1.x, where the catalog is the newest; else `tables` throws `invalid` /
 * `table_not_found`, so that the newest is asked. Also `database_not_found`, `policy_not_found`, `invalid` / `database_missing`.
 */
export function tablesOf(
  catalog: CatalogState,
  defaults: Defaults,
  isNewest: boolean,
): ResolveContext {
  return {
    native: defaults.native,
    tables: (source) => {
      const { database = "" } = defaults;
      const name = source.database || database;
      if (name === "") throw new DbError("invalid", "database_missing", "database name required");
      const policy = source.retentionPolicy || defaults.retentionPolicy;
      const { database: record, databaseName } = requirePolicy(catalog, name, policy);
      const tables = record === undefined ? [] : named(source, record);
      if (tables.length === 0 && !isNewest) throw tableNotFound(source);
      return { database: databaseName, tables };
    },
  };
}

type Database = Parameters<typeof findTable>[0];

function named({ name }: MeasurementSource, database: Database): readonly TableSchema[] {
  if (name.kind === "name") {
    const table = findTable(database, name.name);
    return table === undefined ? [] : [table];
  }
  const test = regexTest(name.pattern);
  const names = [...database.tableIds.keys()].filter(test);
  return names.flatMap((each) => findTable(database, each) ?? []);
}

function tableNotFound({ name }: MeasurementSource): DbError {
  const text = name.kind === "name" ? name.name : name.pattern;
  return new DbError("invalid", "table_not_found", `measurement not found: ${text}`);
}
