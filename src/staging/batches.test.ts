import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { parseText } from "#lineprotocol/rows.ts";
import type { ColumnBatch, ColumnData } from "#model/batch.ts";
import type { ColumnId, DatabaseId, TableId } from "#model/ids.ts";
import { toBatch } from "./batches.ts";
import type { RowSelection } from "./stage.ts";

/** The rows of the one table of `text` that `rows` names, its columns under the ids of `ids`. */
function batch(
  text: string,
  ids: Readonly<Record<string, number>>,
  rows: RowSelection,
): ColumnBatch {
  const [parsed] = parseText(text).tables;
  assert.ok(parsed);
  const columnIds = parsed.columns.map(({ name }) => ids[name] as ColumnId | undefined);
  const target = { databaseId: 4 as DatabaseId, tableId: 9 as TableId, columnIds };
  return toBatch(parsed, rows, target);
}

function cells(data: ColumnData | undefined): readonly unknown[] {
  if (data === undefined) return [];
  if ("codes" in data) return Array.from(data.codes, (code) => data.dictionary[code - 1] ?? null);
  const { present } = data;
  return Array.from<unknown>(data.values).map((value, row) =>
    present?.[row] === 0 ? null : value,
  );
}

suite("a batch of a table", () => {
  test("has the catalog's ids, and columns in ascending order of them", () => {
    const ids = { f: 1, g: 2, t: 3 };
    const found = batch("m,t=a g=2i,f=1 5\nm,t=b f=3 6", ids, { start: 0, end: 2 });
    assert.deepEqual([found.databaseId, found.tableId], [4, 9]);
    assert.deepEqual(found.times, BigInt64Array.of(5n, 6n));
    assert.deepEqual(
      found.columns.map(({ id, data }) => [id, data.kind, cells(data)]),
      [
        [1, "float", [1, 3]],
        [2, "integer", [2n, null]],
        [3, "tag", ["a", "b"]],
      ],
    );
  });

  test("has the rows that are asked for, and no column that only the others used", () => {
    const text = 'm,t=a f=1 1\nm,t=b f=2,x=1 2\nm,t=c u=7u,b=t,s="é" 3\nm f=4 4';
    const ids = { t: 1, f: 2, u: 3, b: 4, s: 5 };
    const found = batch(text, ids, Uint32Array.of(0, 2));
    assert.deepEqual(found.times, BigInt64Array.of(1n, 3n));
    assert.deepEqual(
      found.columns.map(({ id, data }) => [id, cells(data)]),
      [
        [1, ["a", "c"]],
        [2, [1, null]],
        [3, [null, 7n]],
        [4, [null, 1]],
        [5, [null, "é"]],
      ],
    );
  });

  test("has the rows of a range", () => {
    const found = batch("m f=1 1\nm f=2 2\nm f=3 3", { f: 1 }, { start: 1, end: 3 });
    assert.deepEqual(found.times, BigInt64Array.of(2n, 3n));
    assert.deepEqual(cells(found.columns[0]?.data), [2, 3]);
  });
});
