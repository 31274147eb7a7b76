/** Values of a column as a name with `::` asks for them. */
import type { Expression } from "#model/query/expression.ts";
import type { ColumnSchema } from "#model/schema.ts";
import { call, literal } from "../../plan/bind/fold.ts";
import type { CastType } from "../ast.ts";
import type { ScanColumns } from "./columns.ts";

export interface CastValue {
  readonly type: "float" | "integer" | "unsigned" | "string" | "boolean";
  readonly expression: Expression;
}

const TYPES = {
  tag: "string",
  float: "float",
  integer: "integer",
  uinteger: "unsigned",
  string: "string",
  boolean: "boolean",
} as const;
const ENGINE_TYPES = { float: "float64", integer: "int64", unsigned: "uint64" } as const;
const INT64_MIN = literal(-(2n ** 63n), "int64");

/** Numbers become one another; all else is as it is stored, or undefined where another type is asked for. */
export function castColumn(
  column: ColumnSchema,
  cast: CastType | undefined,
  columns: ScanColumns,
): CastValue | undefined {
  if (column.kind === "time") return undefined;
  const type = TYPES[column.kind];
  const tag = column.kind === "tag";
  const asStored =
    cast === undefined || (cast === "tag" ? tag : !tag && (cast === "field" || cast === type));
  if (asStored) return { type, expression: columns.input(column) };
  if (tag || !isNumberType(type) || cast === undefined || !isNumberType(cast)) return undefined;
  return { type: cast, expression: castNumber(columns.input(column), type, cast) };
}

function isNumberType(type: string): type is keyof typeof ENGINE_TYPES {
  return Object.hasOwn(ENGINE_TYPES, type);
}

function castNumber(
  operand: Expression,
  type: keyof typeof ENGINE_TYPES,
  cast: keyof typeof ENGINE_TYPES,
): Expression {
  const safe: Expression = { kind: "cast", operand, safe: true, type: ENGINE_TYPES[cast] };
  if (type !== "float" || cast !== "integer") return safe;
  // What does not fit is the least whole number to 1.x.
  return {
    kind: "case",
    branches: [{ when: call("is_null", [operand], "boolean"), result: literal(null, "int64") }],
    otherwise: call("coalesce", [safe, INT64_MIN], "int64"),
    type: "int64",
  };
}
