/** Parameters as Arrow's own library sends them, and as no honest client does. */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import {
  Bool,
  type DataType,
  Float16,
  Float32,
  Float64,
  Int64,
  Table,
  tableToIPC,
  Utf8,
  vectorFromArray,
} from "apache-arrow";
import { readFirstRow, type SentMessage } from "./first-row.ts";

type Cells = Readonly<Record<string, readonly [DataType, unknown]>>;

/** The schema and the batch of one row of `cells`. */
function sentOf(cells: Cells): { readonly schema: SentMessage; readonly batch: SentMessage } {
  const vectors = Object.entries(cells).map(
    ([name, [type, value]]) => [name, vectorFromArray([value], type)] as const,
  );
  const ipc = tableToIPC(new Table(Object.fromEntries(vectors)), "stream");
  const view = new DataView(ipc.buffer, ipc.byteOffset, ipc.byteLength);
  const batchStart = 8 + view.getInt32(4, true);
  const bodyStart = batchStart + 8 + view.getInt32(batchStart + 4, true);
  return {
    schema: { header: ipc.slice(8, batchStart), body: new Uint8Array() },
    batch: { header: ipc.slice(batchStart + 8, bodyStart), body: ipc.slice(bodyStart, -8) },
  };
}

function valuesOf(cells: Cells): unknown {
  const { batch, schema } = sentOf(cells);
  return readFirstRow(schema, batch).map(({ name, value }) => [name, value]);
}

function viewOf({ header }: SentMessage): DataView {
  return new DataView(header.buffer, header.byteOffset, header.byteLength);
}

/** The place of the first item of a vector in the header of a message. */
function vectorStart(message: SentMessage, field: number): number {
  const view = viewOf(message);
  const target = (table: number, number: number) => {
    const layout = table - view.getInt32(table, true);
    const place = table + view.getUint16(layout + 4 + 2 * number, true);
    return place + view.getUint32(place, true);
  };
  return target(target(view.getUint32(0, true), 2), field) + 4;
}

function many(count: number): Cells {
  return Object.fromEntries(
    Array.from({ length: count }, (_, index) => [`p${index}`, [new Int64(), 1n]] as const),
  );
}

suite("parameters of a client", () => {
  test("are read as they were sent", () => {
    const sent: Cells = {
      a: [new Utf8(), "ä€"],
      b: [new Float64(), 0.1],
      c: [new Float32(), 0.5],
      d: [new Int64(), -5n],
      e: [new Bool(), true],
      f: [new Utf8(), null],
    };
    const values = Object.entries(sent).map(([name, [, value]]) => [name, value]);
    assert.deepEqual(valuesOf(sent), values);
  });

  test("of half precision are refused", () => {
    assert.throws(() => valuesOf({ a: [new Float16(), 0.5] }), { code: "query_parameter" });
  });

  test("are up to 1,000", () => {
    assert.equal((valuesOf(many(1_000)) as unknown[]).length, 1_000);
    assert.throws(() => valuesOf(many(1_001)), { code: "query_parameter_count" });
  });

  test("whose names are all one long one are refused", () => {
    const cell = [new Int64(), 1n] as const;
    const { batch, schema } = sentOf({ ["n".repeat(10_000)]: cell, b: cell, c: cell });
    const start = vectorStart(schema, 1);
    const view = viewOf(schema);
    const first = start + view.getUint32(start, true);
    for (const place of [start + 4, start + 8]) view.setUint32(place, first - place, true);
    assert.throws(() => readFirstRow(schema, batch), { code: "arrow_message" });
  });

  test("whose cells are all one long one are refused", () => {
    const { batch, schema } = sentOf({
      a: [new Utf8(), "x".repeat(10_000)],
      b: [new Utf8(), "y"],
    });
    const start = vectorStart(batch, 2);
    // Validity, offsets and letters of the first column as those of the second.
    batch.header.copyWithin(start + 3 * 16, start, start + 3 * 16);
    assert.throws(() => readFirstRow(schema, batch), { code: "arrow_message" });
  });
});
