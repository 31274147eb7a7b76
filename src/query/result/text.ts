import { assert } from "#base/errors.ts";
import type { IntervalValue } from "#model/query/expression.ts";
import { formatFloat } from "#model/query/float-text.ts";
import type { Field } from "#model/query/plan.ts";
import type { ResultBatch, ResultColumn } from "#model/query/result.ts";
import type { Member, ValueType } from "#model/query/value-type.ts";
import { formatTimestamp } from "#model/time-text.ts";
import { formatDate, formatDuration, formatTime, zonedFormat } from "./time-cells.ts";

/** How many characters an encoder collects before it gives them away. */
export const CHUNK_LENGTH = 64 * 1024;

/** The text of one cell of a column by row; undefined for NULL. */
export type CellText = (row: number) => string | undefined;

const NS_PER_SECOND = 1_000_000_000n;

/** Makes a reader of the cells of a column of `type`. */
export type CellReader = (column: ResultColumn, type: ValueType) => CellText;

/** Readers of the cells of `batch`, one a field. */
export function cellTexts(
  fields: readonly Field[],
  batch: ResultBatch,
  cellText: CellReader,
): readonly CellText[] {
  assert(batch.columns.length === fields.length, "a batch has a column for each field");
  return batch.columns.map((column, index) => cellText(column, fields[index]?.type ?? "null"));
}

/**
 * Cells as people read them: text as it is, NaN and infinities by name, lists as `[1, 2]`, structs and maps as `{a: 1}`; a NULL
 * within them is empty.
 */
export const plainCellText: CellReader = (column, type) => {
  switch (column.type) {
    case "null":
      return () => undefined;
    case "string":
      return (row) => column.values[row] ?? undefined;
    case "interval":
      return ofValues(column.values, formatInterval);
    case "binary":
      return ofValues(column.values, (value) => value.toHex());
    case "decimal":
      return ofValues(column.values, (value) => formatDecimal(value, scaleOf(type)));
    case "float32":
      return presentText(column, (row) => formatFloat(shortest(column.values[row] as number)));
    case "float64":
      return presentText(column, (row) => formatFloat(column.values[row] as number));
    case "boolean":
      return presentText(column, (row) => (column.values[row] === 1 ? "true" : "false"));
    case "date":
      return presentText(column, (row) => formatDate(column.values[row] as number));
    case "timestamp":
    case "time":
    case "duration": {
      const { values } = column;
      const format = instantFormat(column.type, type);
      return presentText(column, (row) => format(values[row] as bigint));
    }
    case "list":
    case "struct":
    case "map":
      return partedText(column, type, PLAIN_MARKS);
    default:
      return presentText(column, (row) => String(column.values[row]));
  }
};

function ofValues<T>(values: readonly (T | null)[], text: (value: T) => string): CellText {
  return (row) => {
    const value = values[row] ?? null;
    return value === null ? undefined : text(value);
  };
}

function instantFormat(
  kind: "timestamp" | "time" | "duration",
  type: ValueType,
): (value: bigint) => string {
  if (kind === "time") return formatTime;
  if (kind === "duration") return formatDuration;
  const zone = typeof type === "object" && type.kind === "timestamp" ? type.zone : undefined;
  return zone === undefined ? formatTimestamp : zonedFormat(zone);
}

type PartedColumn = Extract<ResultColumn, { readonly type: "list" | "struct" | "map" }>;

/** How what lies in a list, a struct or a map is read and joined. */
export interface PartMarks {
  readonly item: CellReader;
  readonly separator: string;
  /** A name or a key before its value; undefined leaves the pair out. */
  pair(name: string, value: string | undefined): string | undefined;
  readonly missing: string;
}

const PLAIN_MARKS: PartMarks = {
  item: (column, type) => plainCellText(column, type),
  separator: ", ",
  pair: (name, value = "") => `${name}: ${value}`,
  missing: "",
};

/** Cells of a list, a struct or a map. */
export function partedText(column: PartedColumn, type: ValueType, marks: PartMarks): CellText {
  const { item, missing, separator } = marks;
  const pairs = (texts: readonly (string | undefined)[]) =>
    `{${texts.filter((text) => text !== undefined).join(separator)}}`;
  const parts = partsOf(type);
  switch (column.type) {
    case "list": {
      const { offsets } = column;
      const text = item(column.items, parts[0]?.type ?? "null");
      return presentText(column, (row) => {
        const items = eachItem(offsets, row, (index) => text(index) ?? missing);
        return `[${items.join(separator)}]`;
      });
    }
    case "struct": {
      const texts = column.members.map((member, index) => {
        const { name = "", type: memberType = "null" } = parts[index] ?? {};
        return { name, text: item(member, memberType) };
      });
      return presentText(column, (row) =>
        pairs(texts.map(({ name, text }) => marks.pair(name, text(row)))),
      );
    }
    case "map": {
      const { offsets } = column;
      const keys = plainCellText(column.keys, parts[0]?.type ?? "null");
      const values = item(column.values, parts[1]?.type ?? "null");
      return presentText(column, (row) =>
        pairs(eachItem(offsets, row, (index) => marks.pair(keys(index) ?? "", values(index)))),
      );
    }
  }
}

/** What a list, a struct or a map holds, by name; of a map its keys, then its values. */
function partsOf(type: ValueType): readonly Member[] {
  assert(typeof type === "object", "what has parts has a type that says so");
  switch (type.kind) {
    case "list":
      return [{ name: "", type: type.item }];
    case "struct":
      return type.members;
    case "map":
      return [
        { name: "", type: type.key },
        { name: "", type: type.value },
      ];
    default:
      return [];
  }
}

function eachItem<T>(offsets: Int32Array, row: number, item: (index: number) => T): T[] {
  const items: T[] = [];
  const end = offsets[row + 1] ?? 0;
  for (let index = offsets[row] ?? 0; index < end; index += 1) items.push(item(index));
  return items;
}

function scaleOf(type: ValueType): number {
  return typeof type === "object" && type.kind === "decimal" ? type.scale : 0;
}

/** A decimal from its digits without a point: 150 of scale 2 is `1.50`. */
function formatDecimal(value: bigint, scale: number): string {
  if (scale <= 0) return String(value * 10n ** BigInt(-scale));
  const digits = String(value < 0n ? -value : value).padStart(scale + 1, "0");
  return `${value < 0n ? "-" : ""}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
}

/** The number with the fewest digits that is `value` as a float of 32 bits. */
function shortest(value: number): number {
  for (let digits = 6; digits < 9; digits += 1) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === value) return short;
  }
  return value;
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
