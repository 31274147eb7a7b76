import { assert, DbError } from "#base/errors.ts";
import type { IntervalValue } from "#model/query/expression.ts";
import type { Field } from "#model/query/plan.ts";
import type { ResultBatch, ResultColumn } from "#model/query/result.ts";
import { formatTimestamp } from "#model/time-text.ts";

/** How many characters an encoder collects before it gives them away. */
export const CHUNK_LENGTH = 64 * 1024;

/** The text of one cell of a column by row; undefined for NULL. */
export type CellText = (row: number) => string | undefined;

const NS_PER_SECOND = 1_000_000_000n;

/** Readers of the cells of `batch`, one a field. */
export function cellTexts(
  fields: readonly Field[],
  batch: ResultBatch,
  cellText: (column: ResultColumn) => CellText,
): readonly CellText[] {
  assert(batch.columns.length === fields.length, "a batch has a column for each field");
  return batch.columns.map(cellText);
}

/** Cells as people read them: text as it is, NaN and infinities by name. */
export function plainCellText(column: ResultColumn): CellText {
  switch (column.type) {
    case "null":
      return () => undefined;
    case "string":
      return (row) => column.values[row] ?? undefined;
    case "interval":
      return (row) => {
        const value = column.values[row] ?? null;
        return value === null ? undefined : formatInterval(value);
      };
    case "binary":
      return (row) => column.values[row]?.toHex();
    case "float32":
      return presentText(column, (row) => formatFloat(shortest(column.values[row] as number)));
    case "float64":
      return presentText(column, (row) => formatFloat(column.values[row] as number));
    case "boolean":
      return presentText(column, (row) => (column.values[row] === 1 ? "true" : "false"));
    case "timestamp":
      return presentText(column, (row) => formatTimestamp(column.values[row] as bigint));
    case "list":
    case "struct":
    case "map":
    case "decimal":
    case "date":
    case "time":
    case "duration":
      throw new DbError("internal", "assertion_failed", `${column.type} has no text`);
    default:
      return presentText(column, (row) => String(column.values[row]));
  }
}

/** The number with the fewest digits that is `value` as a float of 32 bits. */
function shortest(value: number): number {
  for (let digits = 6; digits < 9; digits += 1) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === value) return short;
  }
  return value;
}

/** A float with as few digits as tell it apart; whole ones keep `.0`; 1e16 and above or below 1e-5 with an exponent. */
export function formatFloat(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "inf" : "-inf";
  if (Object.is(value, -0)) return "-0.0";
  const size = Math.abs(value);
  if (size >= 1e16 || (size < 1e-5 && size > 0)) return value.toExponential().replace("+", "");
  return Number.isInteger(value) ? `${value}.0` : String(value);
}

/** An interval as in ISO 8601: `P1Y2M3DT4H5M6.007S`, each part with its own sign; `PT0S` for nothing. */
export function formatInterval(interval: IntervalValue): string {
  const years = Math.trunc(interval.months / 12);
  const seconds = interval.nanoseconds / NS_PER_SECOND;
  const date =
    part(BigInt(years), "Y") +
    part(BigInt(interval.months - years * 12), "M") +
    part(seconds / 86_400n, "D");
  const time =
    part((seconds / 3600n) % 24n, "H") +
    part((seconds / 60n) % 60n, "M") +
    secondsPart(interval.nanoseconds % (60n * NS_PER_SECOND));
  if (date === "" && time === "") return "PT0S";
  return time === "" ? `P${date}` : `P${date}T${time}`;
}

function presentText(
  column: { readonly present?: Uint8Array },
  text: (row: number) => string,
): CellText {
  const { present } = column;
  return present === undefined ? text : (row) => (present[row] === 1 ? text(row) : undefined);
}

function part(value: bigint, unit: string): string {
  return value === 0n ? "" : `${value}${unit}`;
}

function secondsPart(nanoseconds: bigint): string {
  if (nanoseconds === 0n) return "";
  const size = nanoseconds < 0n ? -nanoseconds : nanoseconds;
  const fraction = String(size % NS_PER_SECOND)
    .padStart(9, "0")
    .replace(/0+$/, "");
  const sign = nanoseconds < 0n ? "-" : "";
  return `${sign}${size / NS_PER_SECOND}${fraction === "" ? "" : `.${fraction}`}S`;
}
