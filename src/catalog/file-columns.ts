import { ORDER_COLUMN_NAME } from "#model/data-file.ts";
import type { ColumnSchema, TableSchema } from "#model/schema.ts";
import type { FileColumn } from "#ports/engine.ts";

/**
 * How the columns of a table are called in its files: by their names, but a name that differs from an earlier one in case
 * alone, or is the order stamp's, has its id behind it. Field ids say which column it is in any case.
 */
export function fileColumns(table: TableSchema): readonly FileColumn[] {
  const taken = new Set([ORDER_COLUMN_NAME]);
  return table.columns.map(({ id, name, kind }): FileColumn => {
    const fileName = freeName({ id, name }, taken);
    taken.add(fileName.toLowerCase());
    return { id, kind, fileName };
  });
}

function freeName({ id, name }: Pick<ColumnSchema, "id" | "name">, taken: ReadonlySet<string>) {
  let candidate = name;
  while (taken.has(candidate.toLowerCase())) candidate = `${candidate}_${id}`;
  return candidate;
}
