import type { ArrowColumn } from "./batch.ts";

/** The cells of `column` in the rows from `start` to before `end`: views where that is possible. */
export function sliceColumn<Column extends ArrowColumn>(
  column: Column,
  start: number,
  end: number,
): Column {
  return sliced(column, start, end) as Column;
}

function sliced(column: ArrowColumn, start: number, end: number): ArrowColumn {
  if (column.type === "null") return column;
  const present =
    "present" in column && column.present !== undefined
      ? { present: column.present.subarray(start, end) }
      : {};
  switch (column.type) {
    case "list":
    case "map":
      return { ...column, offsets: column.offsets.subarray(start, end + 1), ...present };
    case "struct": {
      const members = column.members.map((member) => sliceColumn(member, start, end));
      return { ...column, members, ...present };
    }
    case "union": {
      const members = column.members.subarray(start, end);
      return { ...column, members, places: column.places.subarray(start, end) };
    }
    case "string":
    case "binary":
    case "interval":
    case "decimal":
      return { ...column, values: column.values.slice(start, end) } as ArrowColumn;
    default:
      return { ...column, values: column.values.subarray(start, end), ...present } as ArrowColumn;
  }
}
