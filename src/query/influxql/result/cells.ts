import { assert } from "#base/errors.ts";
import type { ResultColumn } from "#model/query/result.ts";

/** How a format writes what columns hold. */
export interface CellStyle {
  readonly missing: string;
  text(value: string): string;
  float(value: number): string;
  /** Values `start` to before `end`. */
  times(values: BigInt64Array, range: readonly [start: number, end: number]): string[];
}

/** The texts of the cells of `column` in rows `start` to before `end`. */
export function cellTexts(
  column: ResultColumn,
  range: readonly [start: number, end: number],
  style: CellStyle,
): string[] {
  const texts = valueTexts(column, range, style);
  if (!("present" in column) || column.present === undefined) return texts;
  const [start, end] = range;
  for (let row = start; row < end; row++) {
    if (column.present[row] === 0) texts[row - start] = style.missing;
  }
  return texts;
}

function valueTexts(
  column: ResultColumn,
  range: readonly [start: number, end: number],
  style: CellStyle,
): string[] {
  const [start, end] = range;
  switch (column.type) {
    case "null":
      return Array.from({ length: end - start }, () => style.missing);
    case "timestamp":
      return style.times(column.values, range);
    case "float64":
      return floatTexts(column.values, start, end, style);
    case "int64":
    case "uint64":
      return integerTexts(column.values, start, end);
    case "boolean":
      return booleanTexts(column.values, start, end);
    case "string":
      return stringTexts(column.values, start, end, style);
    default:
      assert(false, `InfluxQL has no columns of type ${column.type}`);
  }
}

function floatTexts(values: Float64Array, start: number, end: number, style: CellStyle): string[] {
  const texts: string[] = [];
  for (let row = start; row < end; row++) texts.push(style.float(values[row] ?? 0));
  return texts;
}

function integerTexts(
  values: BigInt64Array | BigUint64Array,
  start: number,
  end: number,
): string[] {
  const texts: string[] = [];
  for (let row = start; row < end; row++) texts.push(String(values[row]));
  return texts;
}

function booleanTexts(values: Uint8Array, start: number, end: number): string[] {
  const texts: string[] = [];
  for (let row = start; row < end; row++) texts.push(values[row] === 1 ? "true" : "false");
  return texts;
}

function stringTexts(
  values: readonly (string | null)[],
  start: number,
  end: number,
  style: CellStyle,
): string[] {
  const texts: string[] = [];
  for (let row = start; row < end; row++) {
    const value = values[row] ?? null;
    texts.push(value === null ? style.missing : style.text(value));
  }
  return texts;
}

/** Times as numbers of `unitNs` nanoseconds, cut towards zero. */
export function epochTexts(
  values: BigInt64Array,
  [start, end]: readonly [start: number, end: number],
  unitNs: bigint,
): string[] {
  const texts: string[] = [];
  for (let row = start; row < end; row++) texts.push(String((values[row] ?? 0n) / unitNs));
  return texts;
}
