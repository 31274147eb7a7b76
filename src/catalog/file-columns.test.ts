import assert from "node:assert/strict";
import { suite, test } from "node:test";
import * as fc from "fast-check";
import type { DatabaseId, TableId } from "#model/ids.ts";
import { newTable } from "./catalog-state.ts";
import { fileColumns } from "./file-columns.ts";

function namesOf(...names: readonly string[]): readonly string[] {
  const table = { id: 1 as TableId, databaseId: 1 as DatabaseId, name: "m" };
  const columns = names.map((name) => ({ name, kind: "float" as const }));
  return fileColumns(newTable(table, columns)).map(({ fileName }) => fileName);
}

suite("names of columns in files", () => {
  test("are the columns' own, with `time` first", () => {
    assert.deepEqual(namesOf("host", "Temp", "é", "a b"), ["time", "host", "Temp", "é", "a b"]);
  });

  test("that differ in case alone get the id behind them, and so does the order stamp's", () => {
    assert.deepEqual(namesOf("a", "A", "TIME", "_order", "_ORDER"), [
      "time",
      "a",
      "A_2",
      "TIME_3",
      "_order_4",
      "_ORDER_5",
    ]);
  });

  test("a name that is made that way may be taken already", () => {
    assert.deepEqual(namesOf("a", "a_3", "A"), ["time", "a", "a_3", "A_3_3"]);
  });

  test("no two of any table differ in case alone", () => {
    const name = fc.oneof(
      fc.constantFrom("a", "A", "a_2", "A_2", "a_3", "_order", "_Order", "time_1", "Time"),
      fc.string({
        unit: fc.constantFrom("a", "A", "_", "1", "2", "K", "\u212a", "ß"),
        maxLength: 4,
      }),
    );
    const names = fc.uniqueArray(
      name.filter((text) => text !== "" && text !== "time"),
      { maxLength: 12 },
    );
    fc.assert(
      fc.property(names, (columns) => {
        const found = namesOf(...columns).map((text) => text.toLowerCase());
        assert.equal(new Set([...found, "_order"]).size, columns.length + 2);
      }),
    );
  });
});
