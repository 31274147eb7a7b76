/** Rows that the engine reduced, as points: columns put together, and rows without any value left out. */
import type { ResultColumn } from "#model/query/result.ts";
import type { Points } from "../../points.ts";
import type { Part } from "./parts.ts";

/** Each piece of what `pieces` gives with a column for each part; the first `valueCount` say whether a row is there. */
export async function* finishedPoints(
  pieces: AsyncIterable<Points>,
  parts: readonly Part[],
  valueCount: number,
): AsyncGenerator<Points> {
  let held: Points | undefined;
  for await (const piece of pieces) {
    const columns = columnsOf(piece.columns, parts);
    const rows = rowsWithValues(columns.slice(0, valueCount), piece.rowCount);
    const finished = rows === undefined ? { ...piece, columns } : only({ ...piece, columns }, rows);
    // A piece that says that it is the last is wanted though it may be empty, but not of a series that has no rows.
    if (held !== undefined && held.series !== finished.series) {
      yield { ...held, last: true };
      held = undefined;
    }
    if (finished.rowCount === 0) continue;
    if (held !== undefined) yield { ...held, last: false };
    held = finished;
  }
  if (held !== undefined) yield { ...held, last: true };
}

function columnsOf(
  found: readonly ResultColumn[],
  parts: readonly Part[],
): readonly ResultColumn[] {
  let next = 0;
  return parts.map(({ calls, finish }) => {
    const start = next;
    next += calls.length;
    return finish(found.slice(start, next));
  });
}

/** Rows in which one of `columns` has a value; undefined where all have one. */
function rowsWithValues(
  columns: readonly ResultColumn[],
  rowCount: number,
): Uint32Array | undefined {
  const tests = columns.map(absenceOf);
  if (tests.some((test) => test === undefined)) return undefined;
  const rows = new Uint32Array(rowCount);
  let count = 0;
  for (let row = 0; row < rowCount; row += 1) {
    if (tests.every((test) => test?.(row) === true)) continue;
    rows[count] = row;
    count += 1;
  }
  return count === rowCount ? undefined : rows.subarray(0, count);
}

/** Whether a row has no value in `column`; undefined where all rows have one. */
function absenceOf(column: ResultColumn): ((row: number) => boolean) | undefined {
  if (column.type === "null") return () => true;
  if (column.type === "string") {
    const { values } = column;
    return values.includes(null) ? (row) => values[row] === null : undefined;
  }
  const present = "present" in column ? column.present : undefined;
  return present?.includes(0) === true ? (row) => present[row] === 0 : undefined;
}

function only(points: Points, rows: Uint32Array): Points {
  return {
    ...points,
    rowCount: rows.length,
    times: BigInt64Array.from(rows, (row) => points.times[row] ?? 0n),
    columns: points.columns.map((column) => chosen(column, rows)),
  };
}

function chosen(column: ResultColumn, rows: Uint32Array): ResultColumn {
  switch (column.type) {
    case "string":
      return { type: "string", values: Array.from(rows, (row) => column.values[row] ?? null) };
    case "int64":
      return {
        type: "int64",
        values: BigInt64Array.from(rows, (row) => column.values[row] ?? 0n),
        ...some(column.present, rows),
      };
    case "uint64":
      return {
        type: "uint64",
        values: BigUint64Array.from(rows, (row) => column.values[row] ?? 0n),
        ...some(column.present, rows),
      };
    case "float64":
      return {
        type: "float64",
        values: Float64Array.from(rows, (row) => column.values[row] ?? 0),
        ...some(column.present, rows),
      };
    case "boolean":
      return {
        type: "boolean",
        values: Uint8Array.from(rows, (row) => column.values[row] ?? 0),
        ...some(column.present, rows),
      };
    default:
      return { type: "null" };
  }
}

function some(present: Uint8Array | undefined, rows: Uint32Array) {
  return present === undefined
    ? {}
    : { present: Uint8Array.from(rows, (row) => present[row] ?? 0) };
}
