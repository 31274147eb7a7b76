/** What there is in a database, as Flight SQL asks for it. */
import { setImmediate } from "node:timers/promises";
import type { ArrowBatch } from "#arrow/batch.ts";
import { encapsulated, encodeSchema } from "#arrow/schema.ts";
import type { ArrowField } from "#arrow/type.ts";
import type { Command } from "./command.ts";
import { parsePattern } from "./pattern.ts";
import { type SmallAnswer, type SmallCell, smallAnswer, smallField } from "./rows.ts";

/** A table as `SHOW TABLES` tells of it. */
export interface TableName {
  readonly catalog: string;
  readonly schema: string;
  readonly table: string;
  readonly type: string;
}

/** Gives the fields of a table; undefined where it has gone. */
export type FindFields = (table: TableName) => Promise<readonly ArrowField[] | undefined>;

export type TablesCommand = Extract<Command, { readonly kind: "tables" }>;

/** The catalog of every database, and its schemas. */
const CATALOG = "public";
const SCHEMAS = ["information_schema", "iox", "system"];
const BASE_TABLE = "BASE TABLE";
const VIEW = "VIEW";
/** Schemas that are held before they are sent, at least. */
const SCHEMAS_SIZE = 256 * 1024;

const CATALOG_FIELDS = [smallField("catalog_name", "string")];
const SCHEMA_FIELDS = [
  smallField("catalog_name?", "string"),
  smallField("db_schema_name", "string"),
];
const TABLE_FIELDS = [
  smallField("catalog_name?", "string"),
  smallField("db_schema_name?", "string"),
  smallField("table_name", "string"),
  smallField("table_type", "string"),
];
const TYPE_FIELDS = [smallField("table_type", "string")];
const PRIMARY_KEY_FIELDS = [
  smallField("catalog_name?", "string"),
  smallField("db_schema_name?", "string"),
  smallField("table_name", "string"),
  smallField("column_name", "string"),
  smallField("key_name?", "string"),
  smallField("key_sequence", "int32"),
];
const FOREIGN_KEY_FIELDS = [
  ...["pk", "fk"].flatMap((side) => [
    smallField(`${side}_catalog_name?`, "string"),
    smallField(`${side}_db_schema_name?`, "string"),
    smallField(`${side}_table_name`, "string"),
    smallField(`${side}_column_name`, "string"),
  ]),
  smallField("key_sequence", "int32"),
  smallField("fk_key_name?", "string"),
  smallField("pk_key_name?", "string"),
  smallField("update_rule", "uint8"),
  smallField("delete_rule", "uint8"),
];

export function catalogsAnswer(): SmallAnswer {
  return smallAnswer(CATALOG_FIELDS, [[CATALOG]]);
}

export function schemasAnswer({
  catalog,
  schema,
}: Extract<Command, { readonly kind: "schemas" }>): SmallAnswer {
  const names = (catalog ?? CATALOG) === CATALOG ? SCHEMAS : [];
  const rows = names.filter(parsePattern(schema)).map((name) => [CATALOG, name]);
  return smallAnswer(SCHEMA_FIELDS, rows);
}

/** `baseType` is what tables are called. */
export function tableTypesAnswer(baseType: string): SmallAnswer {
  return smallAnswer(TYPE_FIELDS, [[baseType], [VIEW]]);
}

/** The fields of the answer to `command`. */
export function tableFields({ withSchema }: TablesCommand): readonly ArrowField[] {
  return withSchema ? [...TABLE_FIELDS, smallField("table_schema", "binary")] : TABLE_FIELDS;
}

/** Those of `tables` that `command` asks for, in order of their names. With schemas, some are made when those before are taken. */
export async function* tableBatches(
  command: TablesCommand,
  baseType: string,
  {
    findFields,
    tables,
  }: { readonly tables: readonly TableName[]; readonly findFields: FindFields },
): AsyncGenerator<ArrowBatch> {
  const isWanted = wantedBy(command);
  const wanted = tables
    .map((table) => ({ ...table, type: table.type === BASE_TABLE ? baseType : table.type }))
    .filter(isWanted)
    .toSorted((left, right) => (sortKey(left) < sortKey(right) ? -1 : 1));
  const fields = tableFields(command);
  let rows: SmallCell[][] = [];
  let sizeBytes = 0;
  for (const table of wanted) {
    const row: SmallCell[] = [table.catalog, table.schema, table.table, table.type];
    if (command.withSchema) {
      // Planning may take long, and wait for nothing: others have their turn.
      await setImmediate();
      const found = await findFields(table);
      if (found === undefined) continue;
      const schema = encapsulated(encodeSchema(found));
      row.push(schema);
      sizeBytes += schema.length;
    }
    rows.push(row);
    if (sizeBytes < SCHEMAS_SIZE) continue;
    yield smallAnswer(fields, rows).batch;
    rows = [];
    sizeBytes = 0;
  }
  yield smallAnswer(fields, rows).batch;
}

function wantedBy(command: TablesCommand): (table: TableName) => boolean {
  const isSchema = parsePattern(command.schema);
  const isTable = parsePattern(command.table);
  const types = new Set(command.types);
  return ({ catalog, schema, table, type }) =>
    (command.catalog ?? catalog) === catalog &&
    isSchema(schema) &&
    isTable(table) &&
    (types.size === 0 || types.has(type));
}

function sortKey({ schema, table }: TableName): string {
  return `${schema}\0${table}`;
}

/** Tables have no keys that refer to each other, and none that a client could name. */
export function keysAnswer(kind: "primary_keys" | "foreign_keys"): SmallAnswer {
  return smallAnswer(kind === "primary_keys" ? PRIMARY_KEY_FIELDS : FOREIGN_KEY_FIELDS, []);
}
