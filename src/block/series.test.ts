import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { below, seededRandom } from "#ports/random.ts";
import { findSeries } from "./series.ts";

/** As `findSeries`, by text. */
function naive(columns: readonly Uint32Array[]) {
  const numberOf = new Map<string, number>();
  const firstRows: number[] = [];
  const rows = Array.from(columns[0] ?? [], (_, row) => columns.map((codes) => codes[row]).join());
  const series = Uint32Array.from(rows, (text, row) => {
    const known = numberOf.get(text) ?? firstRows.push(row) - 1;
    numberOf.set(text, known);
    return known;
  });
  return { firstRows, series };
}

suite("series of rows", () => {
  test("are numbered in order of appearance", () => {
    const random = seededRandom(1);
    for (let round = 0; round < 100; round += 1) {
      const [count, limit] = [1 + below(random, 300), 1 + below(random, 12)];
      const columns = Array.from({ length: 1 + below(random, 4) }, () =>
        Uint32Array.from({ length: count }, () => below(random, limit)),
      );
      assert.deepEqual(findSeries(columns), naive(columns));
    }
  });

  test("are found where tags were chosen to meet", () => {
    // One code times the factor of the hash, and the other so that both together are 0 in it.
    const [left, right]: [number[], number[]] = [[], []];
    for (let code = 1; code <= 2_000; code += 1) {
      const mixed = Math.imul(code, 0x9e3779b1);
      left.push(code);
      right.push((mixed ^ (mixed >>> 15)) >>> 0);
    }
    const columns = [Uint32Array.from([...left, ...left]), Uint32Array.from([...right, ...right])];
    assert.deepEqual(findSeries(columns), naive(columns));
  });
});
