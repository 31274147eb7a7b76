/** The thread that WorkerStage starts: answers calls in the order they come. */
import { parentPort } from "node:worker_threads";
import { assert, DbError, type ErrorParts, errorParts } from "#base/errors.ts";
import { type SeriesParts, type SeriesTable, spreadSeries } from "#lineprotocol/series-table.ts";
import { FastParser } from "#lineprotocol/wasm/fast-parser.ts";
import type { StagedTable } from "../stage.ts";
import type { Answer, Calls, Request } from "./messages.ts";
import { SeriesEncoder } from "./series-encoder.ts";

interface Body {
  readonly body: Uint8Array<ArrayBuffer>;
  readonly parts: SeriesParts;
}

const bodies = new Map<number, Body>();
const parser = new FastParser();
const encoder = new SeriesEncoder();

function parse({ body, bodyId, options }: Calls["parse"]["request"]): Calls["parse"]["answer"] {
  const parts = parser.parse(body, options);
  bodies.set(bodyId, { body, parts });
  const { lineCount, rejected, rejectedCount, tables } = parts;
  return { tables: tables.map(looksOf), rejected, rejectedCount, lineCount };
}

function encode({ parts }: Calls["encode"]["request"]): Calls["encode"]["answer"] {
  return encoder.encode(
    parts.map(({ bodyId, rows, tableIndex, target }) => {
      const table = bodyOf(bodyId).parts.tables[tableIndex];
      assert(table !== undefined, "a part names a table of its body");
      return { parsed: table, rows, target };
    }),
  );
}

/** As `ParsedBody` has it. */
function parsed({ bodyId }: Calls["parsed"]["request"]): Calls["parsed"]["answer"] {
  const { body, parts } = bodyOf(bodyId);
  return { body, parts: { ...parts, tables: parts.tables.map(spreadSeries) } };
}

function looksOf({ cells, name, times }: SeriesTable): StagedTable {
  const columns = cells.map((column) => ({ name: column.name, kind: column.data.kind }));
  return { name, rowCount: times.length, columns };
}

function bodyOf(bodyId: number): Body {
  const body = bodies.get(bodyId);
  assert(body !== undefined, "a body is kept until it is released");
  return body;
}

function answerTo(call: Request): Calls[keyof Calls]["answer"] {
  switch (call.name) {
    case "parse":
      return parse(call.request);
    case "parsed":
      return parsed(call.request);
    case "encode":
      return encode(call.request);
    case "release":
      for (const bodyId of call.request.bodyIds) bodies.delete(bodyId);
      return undefined;
  }
}

function described(error: unknown): ErrorParts {
  if (error instanceof DbError) return errorParts(error);
  const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return errorParts(new DbError("internal", "parser_failed", message));
}

function answered(call: Request): Answer {
  try {
    return { id: call.id, value: answerTo(call) };
  } catch (error) {
    return { id: call.id, error: described(error) };
  }
}

assert(parentPort !== null, "a stage's thread has a parent");
const port = parentPort;
port.on("message", (call: Request) => port.postMessage(answered(call)));
