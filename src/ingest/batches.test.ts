import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { newTable } from "#catalog/catalog-state.ts";
import { parseText } from "#lineprotocol/rows.ts";
import type { ColumnData } from "#model/batch.ts";
import type { DatabaseId, TableId } from "#model/ids.ts";
import type { ColumnKind } from "#model/schema.ts";
import { BATCH_ROW_COUNT_MAX, toBatches } from "./batches.ts";

function schemaOf(columns: Readonly<Record<string, ColumnKind>>) {
  const table = { id: 9 as TableId, databaseId: 4 as DatabaseId, name: "m" };
  return newTable(
    table,
    Object.entries(columns).map(([name, kind]) => ({ name, kind })),
  );
}

/** The one table of `text`, of which `rows` fit. */
function validated(
  text: string,
  columns: Readonly<Record<string, ColumnKind>>,
  rows?: readonly number[],
) {
  const [parsed] = parseText(text).tables;
  assert.ok(parsed);
  return { parsed, schema: schemaOf(columns), rows: rows && Uint32Array.from(rows) };
}

function cells(data: ColumnData | undefined): readonly unknown[] {
  if (data === undefined) return [];
  if ("codes" in data) return Array.from(data.codes, (code) => data.dictionary[code - 1] ?? null);
  const { present } = data;
  return Array.from<unknown>(data.values).map((value, row) =>
    present?.[row] === 0 ? null : value,
  );
}

suite("batches of a table", () => {
  test("have the catalog's ids, and columns in ascending order of them", () => {
    const kinds = { f: "float", g: "integer", t: "tag" } as const;
    const [batch, ...others] = [...toBatches(validated("m,t=a g=2i,f=1 5\nm,t=b f=3 6", kinds))];
    assert.deepEqual(others, []);
    assert.deepEqual([batch?.databaseId, batch?.tableId], [4, 9]);
    assert.deepEqual(batch?.times, BigInt64Array.of(5n, 6n));
    assert.deepEqual(
      batch?.columns.map(({ id, data }) => [id, data.kind, cells(data)]),
      [
        [1, "float", [1, 3]],
        [2, "integer", [2n, null]],
        [3, "tag", ["a", "b"]],
      ],
    );
  });

  test("have the rows that fit, and no column that only the others used", () => {
    const text = 'm,t=a f=1 1\nm,t=b f=2i,x=1 2\nm,t=c u=7u,b=t,s="é" 3\nm f=4 4';
    const kinds = { t: "tag", f: "float", u: "uinteger", b: "boolean", s: "string" } as const;
    const [batch] = [...toBatches(validated(text, kinds, [0, 2]))];
    assert.deepEqual(batch?.times, BigInt64Array.of(1n, 3n));
    assert.deepEqual(
      batch?.columns.map(({ id, data }) => [id, cells(data)]),
      [
        [1, ["a", "c"]],
        [2, [1, null]],
        [3, [null, 7n]],
        [4, [null, 1]],
        [5, [null, "é"]],
      ],
    );
  });

  test("a table of more rows than a flush takes makes several, without a row lost or doubled", () => {
    const count = BATCH_ROW_COUNT_MAX + 5;
    const text = Array.from({ length: count }, (_, row) => `m f=1 ${row}`).join("\n");
    const kinds = { f: "float" } as const;
    const some = Array.from({ length: count - 1 }, (_, index) => index + 1);
    for (const [rows, first] of [
      [undefined, 0n],
      [some, 1n],
    ] as const) {
      const batches = [...toBatches(validated(text, kinds, rows))];
      assert.equal(batches.length, 2);
      assert.equal(batches[0]?.times.length, BATCH_ROW_COUNT_MAX);
      assert.equal(batches[0]?.times[0], first);
      assert.equal(batches[1]?.times[0], BigInt(BATCH_ROW_COUNT_MAX) + first);
      assert.equal(batches[1]?.times.at(-1), BigInt(count - 1));
    }
  });
});
