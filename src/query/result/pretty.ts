import { utf8 } from "#base/bytes.ts";
import { DbError } from "#base/errors.ts";
import type { Field } from "#model/query/plan.ts";
import type { ResultBatch } from "#model/query/result.ts";
import { CHUNK_LENGTH, cellTexts, plainCellText } from "./text.ts";

/** The widths of its columns make the whole result wait in memory, so it is bounded. */
export const PRETTY_ROWS_MAX = 100_000;
/** Characters of the table, its padding included. */
const PRETTY_LENGTH_MAX = 64 * 1024 * 1024;

const CONTROL = /\p{Cc}/gu;

/**
 * A table of ASCII lines for people. NULL is empty, control characters are shown as `\u000a`.
 * Throws DbError `exceeded` / `pretty_too_large` over PRETTY_ROWS_MAX rows or PRETTY_LENGTH_MAX characters.
 */
export async function* encodePretty(
  fields: readonly Field[],
  batches: AsyncIterable<ResultBatch>,
): AsyncGenerator<Uint8Array> {
  const header = fields.map((field) => visible(field.name));
  const rows: string[][] = [];
  const widths = header.map(widthOf);
  for await (const batch of batches) {
    const cells = cellTexts(fields, batch, plainCellText);
    for (let row = 0; row < batch.rowCount; row++) {
      const texts = cells.map((cell) => visible(cell(row) ?? ""));
      for (const [index, text] of texts.entries()) {
        widths[index] = Math.max(widths[index] ?? 0, widthOf(text));
      }
      rows.push(texts);
      checkSize(rows.length, widths);
    }
  }
  const rule = `+${widths.map((width) => "-".repeat(width + 2)).join("+")}+\n`;
  let chunk = `${rule}${line(header, widths)}${rule}`;
  for (const row of rows) {
    chunk += line(row, widths);
    if (chunk.length < CHUNK_LENGTH) continue;
    yield utf8(chunk);
    chunk = "";
  }
  yield utf8(chunk + rule.trimEnd());
}

function checkSize(rowCount: number, widths: readonly number[]): void {
  const length = rowCount * widths.reduce((sum, width) => sum + width + 3, 2);
  if (rowCount <= PRETTY_ROWS_MAX && length <= PRETTY_LENGTH_MAX) return;
  throw new DbError(
    "exceeded",
    "pretty_too_large",
    `The result is too large for format pretty (at most ${PRETTY_ROWS_MAX} rows and ${PRETTY_LENGTH_MAX} characters): ` +
      "ask for fewer rows with LIMIT, or for format jsonl or csv.",
    { detail: { rowCountMax: PRETTY_ROWS_MAX, lengthMax: PRETTY_LENGTH_MAX } },
  );
}

function line(texts: readonly string[], widths: readonly number[]): string {
  const cells = texts.map((text, index) => text + " ".repeat((widths[index] ?? 0) - widthOf(text)));
  return `| ${cells.join(" | ")} |\n`;
}

function widthOf(text: string): number {
  let width = 0;
  for (const _ of text) width += 1;
  return width;
}

function visible(text: string): string {
  return text.replace(
    CONTROL,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
