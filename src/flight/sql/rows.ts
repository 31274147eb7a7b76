/** Small answers that are made here. */
import type { ArrowBatch } from "#arrow/batch.ts";
import type { ArrowField } from "#arrow/type.ts";
import { DbError } from "#base/errors.ts";
import type { ResultColumn } from "#model/query/result.ts";
import { listOf, type ValueType } from "#model/query/value-type.ts";

export type SmallCell = string | number | boolean | Uint8Array | readonly string[] | null;

/** A schema, and all of its rows. */
export interface SmallAnswer {
  readonly fields: readonly ArrowField[];
  readonly batch: ArrowBatch;
}

/** A field of a name and a type: those that end in `?` may be NULL. */
export function smallField(name: string, type: ValueType): ArrowField {
  const nullable = name.endsWith("?");
  return { name: nullable ? name.slice(0, -1) : name, type, nullable };
}

/** `rows` of a cell for each of `fields`. */
export function smallAnswer(
  fields: readonly ArrowField[],
  rows: readonly (readonly SmallCell[])[],
): SmallAnswer {
  const columns = fields.map(({ type }, index) =>
    columnOf(
      type as ValueType,
      rows.map((row) => row[index] ?? null),
    ),
  );
  return { fields, batch: { rowCount: rows.length, columns } };
}

/** `cells` as a column of `type`, which is one of those that small answers have. */
export function columnOf(type: ValueType, cells: readonly SmallCell[]): ResultColumn {
  if (typeof type === "object" && type.kind === "list") return listColumn(cells);
  const present = Uint8Array.from(cells, (cell) => (cell === null ? 0 : 1));
  switch (type) {
    case "string":
      return { type, values: cells as (string | null)[] };
    case "binary":
      return { type, values: cells as (Uint8Array | null)[] };
    case "boolean":
      return { type, values: Uint8Array.from(cells, Number), present };
    case "int32":
      return { type, values: Int32Array.from(cells, Number), present };
    case "uint32":
      return { type, values: Uint32Array.from(cells, Number), present };
    case "uint8":
      return { type, values: Uint8Array.from(cells, Number), present };
    case "int64":
      return { type, values: BigInt64Array.from(cells, (cell) => BigInt(Number(cell))), present };
    default:
      throw new DbError("internal", "assertion_failed", "small answers have no such type");
  }
}

/** Lists of texts. */
function listColumn(cells: readonly SmallCell[]): ResultColumn {
  const lists = cells.map((cell) => (Array.isArray(cell) ? (cell as readonly string[]) : []));
  let end = 0;
  return {
    type: "list",
    offsets: Int32Array.from([0, ...lists.map((items) => (end += items.length))]),
    items: { type: "string", values: lists.flat() },
    present: Uint8Array.from(cells, (cell) => (cell === null ? 0 : 1)),
  };
}

export const TEXTS = listOf("string");
