/** The thread that WorkerParser starts: parses bodies in the order they come. */
import { parentPort } from "node:worker_threads";
import { assert, DbError, type ErrorParts, errorParts } from "#base/errors.ts";
import type { ColumnData } from "#model/batch.ts";
import { type ParsedParts, parseParts } from "../parse.ts";
import type { ParseAnswer, ParseRequest } from "./messages.ts";

assert(parentPort !== null, "a parser has a parent");
const port = parentPort;

port.on("message", (request: ParseRequest) => {
  const [answer, memory] = parse(request);
  port.postMessage(answer, memory);
});

/** The answer, and the memory that goes along. */
function parse({ body, id, options }: ParseRequest): [ParseAnswer, ArrayBuffer[]] {
  try {
    const parts = parseParts(body, options);
    return [{ kind: "parsed", id, body, parts }, [body.buffer, ...memoryOf(parts)]];
  } catch (error) {
    return [{ kind: "failed", id, error: described(error) }, []];
  }
}

function memoryOf({ places, tables }: ParsedParts): ArrayBuffer[] {
  const { ends, numbers, starts } = places;
  const memory = new Set<ArrayBufferLike>([starts.buffer, ends.buffer, numbers.buffer]);
  for (const { columns, lines, times } of tables) {
    memory.add(times.buffer).add(lines.buffer);
    for (const { data } of columns) for (const cells of cellsOf(data)) memory.add(cells.buffer);
  }
  return [...memory] as ArrayBuffer[];
}

function cellsOf(data: ColumnData): readonly { readonly buffer: ArrayBufferLike }[] {
  if ("codes" in data) return [data.codes];
  return data.present === undefined ? [data.values] : [data.values, data.present];
}

function described(error: unknown): ErrorParts {
  if (error instanceof DbError) return errorParts(error);
  const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return errorParts(new DbError("internal", "parser_failed", message));
}
