import type { LiteralValue } from "#model/query/expression.ts";
import type { Field, SourceGroup } from "#model/query/plan.ts";
import type { TableSchema } from "#model/schema.ts";
import type { TimeRange } from "#model/time-range.ts";
import type { BindContext } from "./bind/bind.ts";

/** What a plan is made from: one view of the tables, and the values of the statement. */
export interface PlanContext extends BindContext {
  /** A table of the database. */
  findTable(name: string): TableSchema | undefined;
  findSystemTable(name: string): SystemTable | undefined;
  /** All tables of the database. */
  tableNames(): readonly string[];
  systemTableNames(): readonly string[];
  /** Rows of other times are not shown. */
  kept(table: TableSchema): TimeRange;
  /** What holds the rows of `table` in `time`. */
  sources(table: TableSchema, time: TimeRange): readonly SourceGroup[];
  /** Data files of `table`, of all times. */
  fileCount(table: TableSchema): number;
}

/** A table that the database makes up about itself; each row has a value for each field. */
export interface SystemTable {
  readonly fields: readonly Field[];
  readonly rows: readonly (readonly LiteralValue[])[];
}

export const CATALOG_NAME = "public";
export const SCHEMA_NAME = "iox";
export const SYSTEM_SCHEMA_NAME = "system";
export const INFORMATION_SCHEMA_NAME = "information_schema";
