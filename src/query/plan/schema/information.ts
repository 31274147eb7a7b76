/** The tables of information_schema: what tables, columns and functions there are. */
import type { LiteralValue } from "#model/query/expression.ts";
import type { Field } from "#model/query/plan.ts";
import { typeText } from "#model/query/type-text.ts";
import type { ValueType } from "#model/query/value-type.ts";
import type { ColumnKind } from "#model/schema.ts";
import { functionNames } from "../bind/functions/names.ts";
import {
  CATALOG_NAME,
  INFORMATION_SCHEMA_NAME,
  type PlanContext,
  SCHEMA_NAME,
  SYSTEM_SCHEMA_NAME,
  type SystemTable,
} from "../context.ts";
import { columnFields } from "../relations/stored.ts";
import { SETTINGS } from "./settings.ts";

type Row = readonly LiteralValue[];

/** What a table of information_schema is made of. */
interface Made {
  readonly fields: readonly Field[];
  rows(context: PlanContext): readonly Row[];
}

const PRECISIONS: Readonly<Record<string, number>> = {
  int8: 8,
  uint8: 8,
  int16: 16,
  uint16: 16,
  int32: 32,
  uint32: 32,
  float32: 24,
  float64: 53,
  int64: 64,
  uint64: 64,
};
const TEXT_SIZE_MAX = 2n ** 31n - 1n;

const TABLES: Readonly<Record<string, Made>> = {
  columns: {
    fields: [
      ...texts("table_catalog", "table_schema", "table_name", "column_name"),
      ...numbers("ordinal_position"),
      ...texts("column_default", "is_nullable", "data_type"),
      ...numbers("character_maximum_length", "character_octet_length"),
      ...numbers("numeric_precision", "numeric_precision_radix", "numeric_scale"),
      ...numbers("datetime_precision"),
      ...texts("interval_type"),
    ],
    rows: (context) =>
      tablesOf(context).flatMap(({ fields, name, schema }) =>
        fields.map((field, index) => columnRow([CATALOG_NAME, schema, name], field, index)),
      ),
  },
  df_settings: {
    fields: texts("name", "value", "description"),
    rows: () => SETTINGS,
  },
  parameters: {
    fields: [
      ...texts("specific_catalog", "specific_schema", "specific_name"),
      ...numbers("ordinal_position"),
      ...texts("parameter_mode", "parameter_name", "parameter_default", "data_type"),
      { name: "is_variadic", type: "boolean" },
      { name: "rid", type: "uint8" },
    ],
    // Functions take what can be made of the types that they know, so there is no list of those.
    rows: () => [],
  },
  routines: {
    fields: [
      ...texts("specific_catalog", "specific_schema", "specific_name"),
      ...texts("routine_catalog", "routine_schema", "routine_name", "routine_type"),
      { name: "is_deterministic", type: "boolean" },
      ...texts("data_type", "function_type", "description", "syntax_example"),
    ],
    rows: () =>
      functionNames().map(({ kind, name }) => {
        const place = [CATALOG_NAME, SCHEMA_NAME, name];
        const steady = name !== "random" && name !== "uuid" && name !== "now";
        return [...place, ...place, "FUNCTION", steady, null, kind, null, null];
      }),
  },
  schemata: {
    fields: [
      ...texts("catalog_name", "schema_name", "schema_owner", "default_character_set_catalog"),
      ...texts("default_character_set_schema", "default_character_set_name", "sql_path"),
    ],
    rows: () =>
      [SCHEMA_NAME, SYSTEM_SCHEMA_NAME].map((name) => {
        return [CATALOG_NAME, name, null, null, null, null, null];
      }),
  },
  tables: {
    fields: texts("table_catalog", "table_schema", "table_name", "table_type"),
    rows: (context) => [
      ...storedNames(context).map(([schema, name]) => [CATALOG_NAME, schema, name, "BASE TABLE"]),
      ...INFORMATION_TABLE_NAMES.map((name) => {
        return [CATALOG_NAME, INFORMATION_SCHEMA_NAME, name, "VIEW"];
      }),
    ],
  },
  views: {
    fields: texts("table_catalog", "table_schema", "table_name", "definition"),
    rows: (context) =>
      storedNames(context).map(([schema, name]) => [CATALOG_NAME, schema, name, null]),
  },
};

const INFORMATION_TABLE_NAMES: readonly string[] = Object.keys(TABLES);

/** The table `information_schema.<name>`; undefined when there is none. */
export function findInformationTable(name: string, context: PlanContext): SystemTable | undefined {
  const made = Object.hasOwn(TABLES, name) ? TABLES[name] : undefined;
  return made && { fields: made.fields, rows: made.rows(context) };
}

/** The type of a field as information_schema tells of it: of a stored column, that which it has in storage. */
export function fieldTypeText({ column, type }: Field): string {
  if (column === "tag") return "Dictionary(Int32, Utf8)";
  return type === "timestamp" ? "Timestamp(Nanosecond, None)" : typeText(type);
}

/** Whether a field may be NULL, as YES or NO. */
export function nullableText({ column }: Field): string {
  return column === "time" ? "NO" : "YES";
}

interface NamedTable {
  readonly schema: string;
  readonly name: string;
  readonly fields: readonly Field[];
}

/** Schema and name of all tables but those of information_schema. */
function storedNames(context: PlanContext): readonly (readonly [string, string])[] {
  return [
    ...context.tableNames().map((name) => [SCHEMA_NAME, name] as const),
    ...context.systemTableNames().map((name) => [SYSTEM_SCHEMA_NAME, name] as const),
  ].toSorted(([schema, name], [otherSchema, other]) =>
    schema === otherSchema ? order(name, other) : order(schema, otherSchema),
  );
}

function order(left: string, right: string): number {
  return left < right ? -1 : Number(left > right);
}

function tablesOf(context: PlanContext): readonly NamedTable[] {
  const stored = storedNames(context).flatMap(([schema, name]): readonly NamedTable[] => {
    const fields =
      schema === SCHEMA_NAME
        ? columnFields(context.findTable(name))
        : (context.findSystemTable(name)?.fields ?? []);
    return [{ schema, name, fields }];
  });
  const own = Object.entries(TABLES).map(([name, { fields }]) => {
    return { schema: INFORMATION_SCHEMA_NAME, name, fields };
  });
  return [...stored, ...own];
}

function columnRow(table: readonly string[], field: Field, index: number): Row {
  const { type } = field;
  const precision = typeof type === "string" ? PRECISIONS[type] : undefined;
  const decimal = typeof type === "object" && type.kind === "decimal" ? type : undefined;
  const digits = decimal?.precision ?? precision;
  const isText = type === "string" && field.column !== ("tag" satisfies ColumnKind);
  return [
    ...table,
    field.name,
    BigInt(index),
    null,
    nullableText(field),
    fieldTypeText(field),
    null,
    isText ? TEXT_SIZE_MAX : null,
    digits === undefined ? null : BigInt(digits),
    digits === undefined ? null : decimal === undefined ? 2n : 10n,
    decimal === undefined ? null : BigInt(decimal.scale),
    null,
    null,
  ];
}

function texts(...names: readonly string[]): readonly Field[] {
  return fieldsOf("string", names);
}

function numbers(...names: readonly string[]): readonly Field[] {
  return fieldsOf("uint64", names);
}

function fieldsOf(type: ValueType, names: readonly string[]): readonly Field[] {
  return names.map((name) => ({ name, type }));
}
