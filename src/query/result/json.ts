import { utf8 } from "#base/bytes.ts";
import type { Field } from "#model/query/plan.ts";
import type { ResultBatch } from "#model/query/result.ts";
import {
  type CellReader,
  type CellText,
  CHUNK_LENGTH,
  cellTexts,
  type PartMarks,
  partedText,
  plainCellText,
} from "./text.ts";

/** One array of row objects; `[]` when there are no rows. */
export async function* encodeJson(
  fields: readonly Field[],
  batches: AsyncIterable<ResultBatch>,
): AsyncGenerator<Uint8Array> {
  let started = false;
  for await (const chunk of rowChunks(fields, batches, ",")) {
    // The comma after the last row moves to the front.
    const moved = new Uint8Array(chunk.length);
    moved[0] = (started ? "," : "[").charCodeAt(0);
    moved.set(chunk.subarray(0, -1), 1);
    yield moved;
    started = true;
  }
  yield utf8(started ? "]" : "[]");
}

/** A row object a line, each line ended; nothing when there are no rows. */
export function encodeJsonLines(
  fields: readonly Field[],
  batches: AsyncIterable<ResultBatch>,
): AsyncGenerator<Uint8Array> {
  return rowChunks(fields, batches, "\n");
}

/** Row objects, each with `end` after it. A batch never waits for the next one. */
async function* rowChunks(
  fields: readonly Field[],
  batches: AsyncIterable<ResultBatch>,
  end: string,
): AsyncGenerator<Uint8Array> {
  const keys = fields.map((field) => `${JSON.stringify(field.name)}:`);
  for await (const batch of batches) {
    if (batch.text !== undefined) {
      yield batch.text;
      continue;
    }
    const cells = cellTexts(fields, batch, jsonCellText);
    let chunk = "";
    for (let row = 0; row < batch.rowCount; row++) {
      chunk += rowText(keys, cells, row) + end;
      if (chunk.length < CHUNK_LENGTH) continue;
      yield utf8(chunk);
      chunk = "";
    }
    if (chunk !== "") yield utf8(chunk);
  }
}

/** A row without its NULLs. */
function rowText(keys: readonly string[], cells: readonly CellText[], row: number): string {
  let text = "{";
  for (let index = 0; index < keys.length; index++) {
    const cell = cells[index]?.(row);
    if (cell === undefined) continue;
    text += text === "{" ? `${keys[index]}${cell}` : `,${keys[index]}${cell}`;
  }
  return `${text}}`;
}

/** Cells as JSON; NaN and the infinities are null. NULLs are left out of objects, and are null in lists. */
const jsonCellText: CellReader = (column, type) => {
  switch (column.type) {
    case "string":
    case "timestamp":
    case "interval":
    case "binary":
    case "date":
    case "time":
    case "duration": {
      const plain = plainCellText(column, type);
      return (row) => {
        const text = plain(row);
        return text === undefined ? undefined : JSON.stringify(text);
      };
    }
    case "float32":
    case "float64": {
      const { values } = column;
      const plain = plainCellText(column, type);
      return (row) => {
        const text = plain(row);
        return text === undefined || Number.isFinite(values[row]) ? text : "null";
      };
    }
    case "list":
    case "struct":
    case "map":
      return partedText(column, type, JSON_MARKS);
    default:
      return plainCellText(column, type);
  }
};

const JSON_MARKS: PartMarks = {
  item: jsonCellText,
  separator: ",",
  pair: (name, value) => (value === undefined ? undefined : `${JSON.stringify(name)}:${value}`),
  missing: "null",
};
