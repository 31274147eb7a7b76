/** The thread that WorkerStage starts: answers calls in the order they come. */
import { parentPort } from "node:worker_threads";
import { assert, DbError, type ErrorParts, errorParts } from "#base/errors.ts";
import type { ParsedParts } from "#lineprotocol/parse.ts";
import { FastParser } from "#lineprotocol/wasm/fast-parser.ts";
import { encodeRows, looksOf } from "../plain-stage.ts";
import type { Answer, Calls, Request } from "./messages.ts";

interface Body {
  readonly body: Uint8Array<ArrayBuffer>;
  readonly parts: ParsedParts;
}

const bodies = new Map<number, Body>();
const parser = new FastParser();

function parse({ body, bodyId, options }: Calls["parse"]["request"]): Calls["parse"]["answer"] {
  const parts = parser.parse(body, options);
  bodies.set(bodyId, { body, parts });
  const { lineCount, rejected, rejectedCount, tables } = parts;
  return { tables: tables.map(looksOf), rejected, rejectedCount, lineCount };
}

function encode({ parts }: Calls["encode"]["request"]): Calls["encode"]["answer"] {
  return encodeRows(
    parts.map(({ bodyId, rows, tableIndex, target }) => {
      const parsed = bodyOf(bodyId).parts.tables[tableIndex];
      assert(parsed !== undefined, "a part names a table of its body");
      return { parsed, rows, target };
    }),
  );
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
      return bodyOf(call.request.bodyId);
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
