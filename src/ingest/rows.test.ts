import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { newTable } from "#catalog/catalog-state.ts";
import { parseText } from "#lineprotocol/rows.ts";
import type { DatabaseId, TableId } from "#model/ids.ts";
import { PlainBody } from "#staging/plain-stage.ts";
import { type RowSelection, rowCountOf } from "#staging/stage.ts";
import { BATCH_ROW_COUNT_MAX, groupRows, toStagedRows } from "./rows.ts";

function staged(text: string, kinds: Parameters<typeof newTable>[1], rows: RowSelection) {
  const body = new PlainBody(parseText(text));
  const ids = { id: 9 as TableId, databaseId: 4 as DatabaseId, name: "m" };
  return [...toStagedRows(body, { index: 0, schema: newTable(ids, kinds), rows })];
}

suite("rows on their way to a flush", () => {
  test("have the ids of their table and columns, and none where the catalog has another kind", () => {
    const kinds = [
      { name: "f", kind: "float" },
      { name: "g", kind: "integer" },
    ] as const;
    const [rows, ...others] = staged("m g=1i,f=2i,h=1", kinds, { start: 0, end: 1 });
    assert.deepEqual(others, []);
    assert.deepEqual(rows?.target, {
      databaseId: 4,
      tableId: 9,
      columnIds: [2, undefined, undefined],
    });
  });

  test("are cut where they are more than a flush takes, without a row lost or doubled", () => {
    const most = BATCH_ROW_COUNT_MAX;
    const kinds = [{ name: "f", kind: "float" }] as const;
    const range = staged("m f=1", kinds, { start: 0, end: most + 5 });
    assert.deepEqual(
      range.map(({ rows }) => rows),
      [
        { start: 0, end: most },
        { start: most, end: most + 5 },
      ],
    );
    const some = Uint32Array.from({ length: most + 4 }, (_, index) => index + 1);
    const parts = staged("m f=1", kinds, some).map(({ rows }) => rows as Uint32Array);
    assert.deepEqual(parts.map(rowCountOf), [most, 4]);
    assert.deepEqual([parts[0]?.[0], parts[1]?.[0], parts[1]?.at(-1)], [1, most + 1, most + 4]);
  });

  test("ride together up to so many", () => {
    const half = BATCH_ROW_COUNT_MAX / 2;
    const [part] = staged("m f=1", [{ name: "f", kind: "float" }], { start: 0, end: half });
    assert.ok(part);
    const groups = [...groupRows([part, part, { ...part, rows: { start: 0, end: 1 } }, part])];
    assert.deepEqual(
      groups.map((group) => group.map(({ rows }) => rowCountOf(rows))),
      [
        [half, half],
        [1, half],
      ],
    );
  });
});
