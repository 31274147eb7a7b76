import type { Expression } from "#model/query/expression.ts";
import type { Plan } from "#model/query/plan.ts";
import { typeText } from "#model/query/type-text.ts";
import type { ColumnKind } from "#model/schema.ts";
import type { Statement } from "../sql/ast.ts";
import { unsupported } from "../sql/errors.ts";
import { literal } from "./bind/fold.ts";
import { CATALOG_NAME, SCHEMA_NAME } from "./context.ts";
import type { Environment } from "./relations/environment.ts";
import { findTable } from "./relations/from.ts";

type Show = Exclude<Statement, { kind: "query" }>;

/** SHOW TABLES and SHOW COLUMNS as the rows of information_schema that they stand for. */
export function planShow(statement: Show, environment: Environment): Plan {
  const { context } = environment;
  if (statement.kind !== "show_tables" && statement.kind !== "show_columns") {
    throw unsupported(statement.kind.toUpperCase().replace("_", " "));
  }
  if (statement.kind === "show_tables") {
    const rows = context
      .tableNames()
      .toSorted()
      .map((name) => [CATALOG_NAME, SCHEMA_NAME, name, "BASE TABLE"]);
    return texts(["table_catalog", "table_schema", "table_name", "table_type"], rows);
  }
  const { columns } = findTable(statement.table, undefined, environment);
  const [catalog = "", schema = "", table = ""] = columns[0]?.relation.path ?? [];
  const rows = columns.map(({ field: { name, type, column } }) => {
    const shown = column === undefined ? typeText(type) : arrowType(column);
    return [catalog, schema, table, name, shown, name === "time" ? "NO" : "YES"];
  });
  const names = ["table_catalog", "table_schema", "table_name", "column_name", "data_type"];
  return texts([...names, "is_nullable"], rows);
}

function texts(names: readonly string[], rows: readonly (readonly string[])[]): Plan {
  return {
    kind: "values",
    fields: names.map((name) => ({ name, type: "string" })),
    rows: rows.map((row) => row.map((text): Expression => literal(text, "string"))),
  };
}

function arrowType(kind: ColumnKind): string {
  switch (kind) {
    case "time":
      return "Timestamp(Nanosecond, None)";
    case "tag":
      return "Dictionary(Int32, Utf8)";
    case "float":
      return "Float64";
    case "integer":
      return "Int64";
    case "uinteger":
      return "UInt64";
    case "boolean":
      return "Boolean";
    case "string":
      return "Utf8";
  }
}
