import { utf8 } from "#base/bytes.ts";
import type { Field } from "#model/query/plan.ts";
import type { ResultBatch, ResultColumn } from "#model/query/result.ts";
import { type CellText, CHUNK_LENGTH, cellTexts, formatFloat, plainCellText } from "./text.ts";

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

function jsonCellText(column: ResultColumn): CellText {
  switch (column.type) {
    case "string":
    case "timestamp":
    case "interval":
    case "binary":
    case "date":
    case "time":
    case "duration": {
      const plain = plainCellText(column);
      return (row) => {
        const text = plain(row);
        return text === undefined ? undefined : JSON.stringify(text);
      };
    }
    case "float64": {
      const { values, present } = column;
      return (row) => {
        if (present !== undefined && present[row] !== 1) return undefined;
        const value = values[row] as number;
        return Number.isFinite(value) ? formatFloat(value) : "null";
      };
    }
    default:
      return plainCellText(column);
  }
}
