import type { ColumnId, DatabaseId, TableId } from "./ids.ts";

/** What a column holds, fixed by its first use. `time` is the timestamp every table has. */
export type ColumnKind = "time" | "tag" | FieldKind;
export type FieldKind = "float" | "integer" | "uinteger" | "boolean" | "string";

/** The timestamp's column id, the same in every table. Other columns count from 1. */
export const TIME_COLUMN_ID = 0 as ColumnId;
export const TIME_COLUMN_NAME = "time";

export interface ColumnSchema {
  readonly id: ColumnId;
  readonly name: string;
  readonly kind: ColumnKind;
}

export interface TableSchema {
  readonly id: TableId;
  readonly databaseId: DatabaseId;
  readonly name: string;
  /** In order of creation, `time` first; tags in this order are the series key. */
  readonly columns: readonly ColumnSchema[];
}

/** The name of a kind in error texts, as clients of InfluxDB 3 know it. */
export function kindText(kind: ColumnKind): string {
  switch (kind) {
    case "time":
      return "iox::column_type::timestamp";
    case "tag":
      return "iox::column_type::tag";
    case "float":
    case "integer":
    case "uinteger":
    case "boolean":
    case "string":
      return `iox::column_type::field::${kind}`;
  }
}
