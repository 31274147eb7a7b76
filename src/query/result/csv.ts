import { concatBytes, utf8 } from "#base/bytes.ts";
import type { Field } from "#model/query/plan.ts";
import type { ResultBatch } from "#model/query/result.ts";
import { type CellText, CHUNK_LENGTH, cellTexts, plainCellText } from "./text.ts";

const NEEDS_QUOTES = /[",\r\n]/;

/** A header and the rows, a line each; nothing at all when there are no rows. NULL is empty. */
export async function* encodeCsv(
  fields: readonly Field[],
  batches: AsyncIterable<ResultBatch>,
): AsyncGenerator<Uint8Array> {
  let chunk = line(fields.map((field) => field.name));
  let rowSeen = false;
  for await (const batch of batches) {
    if (batch.text !== undefined) {
      yield concatBytes([utf8(chunk), batch.text]);
      rowSeen = true;
      chunk = "";
      continue;
    }
    const cells = cellTexts(fields, batch, plainCellText);
    for (let row = 0; row < batch.rowCount; row++) {
      rowSeen = true;
      chunk += line(cells.map((cell: CellText) => cell(row) ?? ""));
      if (chunk.length < CHUNK_LENGTH) continue;
      yield utf8(chunk);
      chunk = "";
    }
    if (!rowSeen || chunk === "") continue;
    yield utf8(chunk);
    chunk = "";
  }
}

function line(texts: readonly string[]): string {
  // A line with nothing in it would be no row to most readers.
  if (texts.length === 1 && texts[0] === "") return '""\n';
  return `${texts.map(quoted).join(",")}\n`;
}

function quoted(text: string): string {
  return NEEDS_QUOTES.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
