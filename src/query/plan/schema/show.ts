import type { Field, Plan } from "#model/query/plan.ts";
import type { Statement } from "../../sql/ast.ts";
import { literal } from "../bind/fold.ts";
import type { SystemTable } from "../context.ts";
import type { Environment } from "../relations/environment.ts";
import { findTable, systemPlan } from "../relations/stored.ts";
import { fieldTypeText, findInformationTable, nullableText } from "./information.ts";
import { SETTINGS } from "./settings.ts";

type Show = Exclude<Statement, { kind: "query" | "explain" }>;

const SHOWN_COLUMNS =
  "table_catalog table_schema table_name column_name data_type is_nullable".split(" ");

/** SHOW and DESCRIBE as the rows of information_schema that they stand for. */
export function planShow(statement: Show, environment: Environment): Plan {
  switch (statement.kind) {
    case "show_tables":
      return systemPlan(informationTable("tables", environment));
    case "show_all": {
      const rows = SETTINGS.map(([name, value]) => [name, value]);
      return texts(["name", "value"], rows);
    }
    case "show_columns": {
      const { columns } = findTable(statement.table, undefined, environment);
      const path = columns[0]?.relation.path ?? [];
      const rows = columns.map(({ field }) => [...path, ...describedField(field)]);
      return texts(SHOWN_COLUMNS, rows);
    }
    case "describe":
      return described(findTable(statement.table, undefined, environment).plan.fields);
    case "describe_query":
      return described(environment.planQuery(statement.query, environment).plan.fields);
  }
}

function informationTable(name: string, { context }: Environment): SystemTable {
  return findInformationTable(name, context) ?? { fields: [], rows: [] };
}

function described(fields: readonly Field[]): Plan {
  return texts(["column_name", "data_type", "is_nullable"], fields.map(describedField));
}

function describedField(field: Field): readonly string[] {
  return [field.name, fieldTypeText(field), nullableText(field)];
}

function texts(names: readonly string[], rows: readonly (readonly string[])[]): Plan {
  return {
    kind: "values",
    fields: names.map((name) => ({ name, type: "string" })),
    rows: rows.map((row) => row.map((text) => literal(text, "string"))),
  };
}
