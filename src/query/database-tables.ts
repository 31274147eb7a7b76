/** Tables that a node makes up about one database. */
import type { DatabaseRecord } from "#catalog/catalog-state.ts";
import type { LiteralValue } from "#model/query/expression.ts";
import type { Field } from "#model/query/plan.ts";
import type { ColumnKind } from "#model/schema.ts";
import { ALL_TIME } from "#model/time-range.ts";
import type { View } from "#view/view.ts";
import type { SystemTable } from "./system-tables.ts";

/** What `system.influxdb_schema` calls a kind of column. */
const KEY_TYPES: Readonly<Record<ColumnKind, string>> = {
  time: "time",
  tag: "tag",
  float: "float",
  integer: "integer",
  uinteger: "uinteger",
  boolean: "boolean",
  string: "string",
};

/** Fields of tables about parts that are not built: there are none of them, in any database. */
const EMPTY_TABLES: Readonly<Record<string, readonly Field[]>> = {
  last_caches: [
    ...texts("table", "name", "key_column_ids", "key_column_names"),
    ...texts("value_column_ids", "value_column_names"),
    ...numbers("count", "ttl"),
  ],
  distinct_caches: [
    ...texts("table", "name", "column_ids", "column_names"),
    ...numbers("max_cardinality", "max_age_seconds"),
  ],
  processing_engine_triggers: [
    ...texts("trigger_name", "plugin_filename", "trigger_specification"),
    { name: "disabled", type: "boolean" },
  ],
  processing_engine_trigger_arguments: texts("trigger_name", "argument_key", "argument_value"),
  processing_engine_logs: [
    { name: "event_time", type: "timestamp" },
    ...texts("trigger_name", "log_level", "log_text"),
  ],
};

/** Those of every database, `system.queries` beside them. */
export const DATABASE_TABLE_NAMES: readonly string[] = [
  ...Object.keys(EMPTY_TABLES),
  "influxdb_schema",
  "parquet_files",
];

/** The table `system.<name>` of `database`; undefined when there is none. */
export function findDatabaseTable(
  database: DatabaseRecord,
  name: string,
  view: View,
): SystemTable | undefined {
  if (name === "influxdb_schema") return schemaTable(database);
  if (name === "parquet_files") return filesTable(database, view);
  const fields = Object.hasOwn(EMPTY_TABLES, name) ? EMPTY_TABLES[name] : undefined;
  return fields && { fields, rows: [] };
}

function schemaTable({ tables }: DatabaseRecord): SystemTable {
  return {
    fields: texts("measurement", "key", "data_type"),
    rows: [...tables.values()].flatMap((table) =>
      table.columns.map(({ name, kind }) => [table.name, name, KEY_TYPES[kind]]),
    ),
  };
}

/** The files that a query of all times would read; rows that are in none yet are not told of. */
function filesTable({ tables }: DatabaseRecord, view: View): SystemTable {
  return {
    fields: [
      ...texts("table_name", "path"),
      ...numbers("size_bytes", "row_count", "min_time", "max_time"),
    ],
    rows: [...tables.values()].flatMap(({ id, name }) =>
      view.files(id, ALL_TIME).map(({ file }): readonly LiteralValue[] => {
        const { key, rowCount, sizeBytes, time } = file;
        return [name, key, BigInt(sizeBytes), BigInt(rowCount), time.start, time.end];
      }),
    ),
  };
}

function texts(...names: readonly string[]): readonly Field[] {
  return names.map((name) => ({ name, type: "string" }));
}

function numbers(...names: readonly string[]): readonly Field[] {
  return names.map((name) => ({ name, type: "int64" }));
}
