import { DbError } from "#base/errors.ts";
import { type CellValue, cellAt, type ResultColumn } from "#model/query/result.ts";
import type { SeriesChunk } from "../answer.ts";

const TIME = "time";

/**
 * The rows of `chunk` as line protocol of `measurement`; `undefined` for a row without a field. Tags of the series stay tags, and so do
 * the columns `tagNames`; all others become fields. Throws `invalid` / `influxql_into` for a name that cannot be written.
 */
export function* linesOf(
  chunk: SeriesChunk,
  measurement: string,
  tagNames: ReadonlySet<string>,
): Generator<string | undefined> {
  if (measurement.startsWith("#")) throw unwritable(measurement);
  const head = [
    writable(measurement).replace(/[, ]/g, "\\$&"),
    ...chunk.tags.flatMap(tagText),
  ].join(",");
  const timeIndex = chunk.columns.indexOf(TIME);
  const times = chunk.cells[timeIndex];
  if (times?.type !== "timestamp") return;
  const others = chunk.columns.flatMap((name, index) => {
    const column = chunk.cells[index];
    return index === timeIndex || column === undefined ? [] : [{ name, column }];
  });
  const tags = others.filter(({ column, name }) => tagNames.has(name) && column.type === "string");
  const fields = others.filter((each) => !tags.includes(each));
  for (let row = 0; row < chunk.rowCount; row += 1) {
    const own = tags.flatMap(({ column, name }) => tagText([name, cellAt(column, row)]));
    const pairs = fields.flatMap(({ column, name }) => {
      const value = fieldText(column, row);
      return value === undefined ? [] : [`${escaped(name)}=${value}`];
    });
    const isWhole = pairs.length > 0 && !fields.some(({ column }) => isInfinite(column, row));
    yield isWhole
      ? `${[head, ...own].join(",")} ${pairs.join(",")} ${times.values[row]}`
      : undefined;
  }
}

/** Nothing of a tag that is missing. */
function tagText([key, value]: readonly [string, CellValue]): readonly string[] {
  return typeof value === "string" && value !== "" ? [`${escaped(key)}=${escaped(value)}`] : [];
}

function escaped(text: string): string {
  return writable(text).replace(/[,= ]/g, "\\$&");
}

/** Throws where line protocol has no way to say `name`: it would be read as another. */
function writable(name: string): string {
  if (name === "" || name.endsWith("\\") || /[\n\r]/.test(name)) throw unwritable(name);
  return name;
}

function unwritable(name: string): DbError {
  return new DbError(
    "invalid",
    "influxql_into",
    `'${name}' cannot be written: names have no line breaks and no backslash at their end, and a measurement does not begin with #`,
  );
}

/** The cell as line protocol has it; undefined where there is none. */
function fieldText(column: ResultColumn, row: number): string | undefined {
  const value = cellAt(column, row);
  switch (typeof value) {
    case "bigint":
      return `${value}${column.type === "uint64" ? "u" : "i"}`;
    case "number":
      return Number.isFinite(value) ? String(value) : undefined;
    case "boolean":
      return String(value);
    case "string":
      return `"${value.replace(/["\\]/g, "\\$&")}"`;
    default:
      return undefined;
  }
}

/** InfluxDB 1 leaves out a row that holds what no field can be. */
function isInfinite(column: ResultColumn, row: number): boolean {
  const value = cellAt(column, row);
  return value === Number.POSITIVE_INFINITY || value === Number.NEGATIVE_INFINITY;
}
