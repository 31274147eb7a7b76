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
    yield utf8(started ? `,${chunk}` : `[${chunk}`);
    started = true;
  }
  yield utf8(started ? "]" : "[]");
}

/** A row object a line, each line ended; nothing when there are no rows. */
export async function* encodeJsonLines(
  fields: readonly Field[],
  batches: AsyncIterable<ResultBatch>,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of rowChunks(fields, batches, "\n")) yield utf8(`${chunk}\n`);
}

/** Row objects with `separator` between them. A batch never waits for the next one. */
async function* rowChunks(
  fields: readonly Field[],
  batches: AsyncIterable<ResultBatch>,
  separator: string,
): AsyncGenerator<string> {
  const keys = fields.map((field) => `${JSON.stringify(field.name)}:`);
  for await (const batch of batches) {
    const cells = cellTexts(fields, batch, jsonCellText);
    let chunk = "";
    for (let row = 0; row < batch.rowCount; row++) {
      const text = rowText(keys, cells, row);
      chunk = chunk === "" ? text : chunk + separator + text;
      if (chunk.length < CHUNK_LENGTH) continue;
      yield chunk;
      chunk = "";
    }
    if (chunk !== "") yield chunk;
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
