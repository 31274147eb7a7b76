/** The thread that WorkerStage starts: answers calls in the order they come. */
import { assert, DbError } from "#base/errors.ts";
import { type SeriesParts, type SeriesTable, spreadSeries } from "#lineprotocol/series-table.ts";
import { FastParser } from "#lineprotocol/wasm/fast-parser.ts";
import { answerCalls } from "#threads/answer-calls.ts";
import { type StagedTable, timeFloorOf } from "../stage.ts";
import type { Calls } from "./messages.ts";
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
  return { name, rowCount: times.length, timeFloor: timeFloorOf(times), columns };
}

function bodyOf(bodyId: number): Body {
  const body = bodies.get(bodyId);
  assert(body !== undefined, "a body is kept until it is released");
  return body;
}

function release({ bodyIds }: Calls["release"]["request"]): undefined {
  for (const bodyId of bodyIds) bodies.delete(bodyId);
}

answerCalls<Calls>(
  { parse, parsed, encode, release },
  (message) => new DbError("internal", "parser_failed", message),
);
