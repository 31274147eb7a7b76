/** The thread that WorkerParser starts: parses bodies in the order they come. */
import { parentPort } from "node:worker_threads";
import { assert, DbError } from "#base/errors.ts";
import type { ColumnData } from "#model/batch.ts";
import { parseParts } from "../parse.ts";
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
    const { places, ...parsed } = parseParts(body, options);
    const arrays = places.arrays();
    const memory = new Set<ArrayBufferLike>([
      body.buffer,
      arrays.starts.buffer,
      arrays.ends.buffer,
      arrays.numbers.buffer,
    ]);
    for (const { columns, lines, times } of parsed.tables) {
      memory.add(times.buffer).add(lines.buffer);
      for (const { data } of columns) for (const cells of cellsOf(data)) memory.add(cells.buffer);
    }
    return [{ kind: "parsed", id, body, parsed, places: arrays }, [...memory] as ArrayBuffer[]];
  } catch (error) {
    return [{ kind: "failed", id, error: described(error) }, []];
  }
}

function cellsOf(data: ColumnData): readonly { readonly buffer: ArrayBufferLike }[] {
  if ("codes" in data) return [data.codes];
  return data.present === undefined ? [data.values] : [data.values, data.present];
}

function described(error: unknown): Extract<ParseAnswer, { kind: "failed" }>["error"] {
  if (error instanceof DbError) {
    const { code, detail, kind, message } = error;
    return { kind, code, message, detail };
  }
  const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return described(new DbError("internal", "parser_failed", message));
}
