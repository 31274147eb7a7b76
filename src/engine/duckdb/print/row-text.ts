/**
 * Rows as text, made by the engine on its threads: several times as fast as cell by cell in JavaScript, and read by the child as
 * whole pieces of memory (child/query/row-text.ts).
 */
import type { Field } from "#model/query/plan.ts";
import { isInteger, type ValueType } from "#model/query/value-type.ts";
import type { RowText } from "#ports/engine.ts";
import { printText } from "./literal.ts";
import { printCalendar, printFloorModulo } from "./time.ts";

/** Between these a float's digits are all written out by the engine as everywhere else. */
const FLOAT_PLAIN = "BETWEEN 1e-4 AND 9999999999999998.0";
const NS_PER_SECOND = 1_000_000_000n;

/**
 * The SQL of a row's text, whose columns are c0, c1 …: as query/result writes it, but that a row of JSON begins with the comma of its
 * first member in place of the brace, or with its end where all are NULL. Undefined where a field has a type that is not written here.
 */
export function printRowText(fields: readonly Field[], format: RowText): string | undefined {
  // A line with nothing in it would be no row.
  if (format === "csv" && fields.length < 2) return undefined;
  const parts: string[] = [];
  for (const [index, field] of fields.entries()) {
    const { type } = field;
    const cell = `c${index}`;
    const text = printCell(cell, type, format);
    if (text === undefined) return undefined;
    if (index > 0 && format === "csv") parts.push("','");
    if (type !== "null") parts.push(...(format === "csv" ? [text] : withName(cell, field, text)));
  }
  const end = format === "csv" ? "chr(10)" : format === "json" ? "'},'" : "'}' || chr(10)";
  return `concat(${[...parts, end].join(", ")})`;
}

/** A member of JSON in pieces: constants beside a cell are cheaper than a copy of its text with them. */
function withName(cell: string, { name, type }: Field, text: string): string[] {
  const beside = (constant: string) =>
    `CASE WHEN ${cell} IS NULL THEN '' ELSE ${printText(constant)} END`;
  const key = `,${JSON.stringify(name)}:`;
  if (type !== "timestamp") return [beside(key), text];
  return [beside(`${key}"`), text, beside('"')];
}

function printCell(cell: string, type: ValueType, format: RowText): string | undefined {
  if (isInteger(type)) return cell;
  const csv = format === "csv";
  switch (type) {
    case "null":
      return "''";
    case "boolean":
      return `CASE WHEN ${cell} THEN 'true' WHEN NOT ${cell} THEN 'false' END`;
    case "float64":
      return printFloat(cell, csv);
    case "string":
      return csv ? printQuoted(cell) : `CAST(to_json(${cell}) AS VARCHAR)`;
    case "timestamp":
      return printInstant(cell);
    default:
      return undefined;
  }
}

/**
 * As `formatFloat` has it. Rare values are left to it: in the engine's words they make statements that take longer to plan than many
 * take to run.
 */
function printFloat(cell: string, csv: boolean): string {
  const plain = `WHEN abs(${cell}) ${FLOAT_PLAIN} OR ${cell} = 0 THEN CAST(${cell} AS VARCHAR)`;
  const infinite = csv ? "" : `WHEN NOT isfinite(${cell}) THEN 'null'`;
  return `CASE ${plain} ${infinite} WHEN ${cell} IS NOT NULL THEN tl_float_text(${cell}) END`;
}

function printQuoted(cell: string): string {
  const marks = [`','`, `'"'`, "chr(10)", "chr(13)"].map((mark) => `contains(${cell}, ${mark})`);
  return `CASE WHEN ${marks.join(" OR ")} THEN concat('"', replace(${cell}, '"', '""'), '"') ELSE ${cell} END`;
}

/** With 0, 3, 6 or 9 digits of the second. */
function printInstant(cell: string): string {
  const seconds = `strftime(${printCalendar(cell)}, '%Y-%m-%dT%H:%M:%S')`;
  const digits = `lpad(CAST(${printFloorModulo(cell, NS_PER_SECOND)} AS VARCHAR), 9, '0')`;
  const fraction = `regexp_replace(${digits}, '(000){1,2}$', '')`;
  return `CASE WHEN ${cell} % ${NS_PER_SECOND} = 0 THEN ${seconds} WHEN ${cell} IS NOT NULL THEN concat(${seconds}, '.', ${fraction}) END`;
}
