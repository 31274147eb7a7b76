import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { utf8 } from "#base/bytes.ts";
import { DEFAULT_LIMITS, parseLines } from "#lineprotocol/parse.ts";
import { FastParser } from "#lineprotocol/wasm/fast-parser.ts";
import type { ColumnId, DatabaseId, TableId } from "#model/ids.ts";
import { below, type Random, seededRandom } from "#ports/random.ts";
import { lineBody } from "#testing/samples/line-bodies.ts";
import { encodeRows, type RowsHere } from "../plain-stage.ts";
import type { RowSelection } from "../stage.ts";
import { SeriesEncoder, type SeriesRows } from "./series-encoder.ts";

const OPTIONS = { precision: "auto", defaultTimeNs: 77n, limits: DEFAULT_LIMITS } as const;

const parser = new FastParser();
const encoder = new SeriesEncoder();

/** All rows, most often; or a range, or some. */
function selection(random: Random, rowCount: number): RowSelection {
  if (random.next() < 0.6) return { start: 0, end: rowCount };
  if (random.next() < 0.5) return { start: below(random, rowCount), end: rowCount };
  const rows = Array.from({ length: rowCount }, (_, row) => row);
  const some = rows.filter(() => random.next() < 0.3);
  return Uint32Array.from(some.length > 0 ? some : [0]);
}

/** The same rows of the bodies, as both sides have them. Columns of one name and kind have one id, tables of one name are one. */
function partsOf(texts: readonly string[], random: Random): [RowsHere[], SeriesRows[]] {
  const idOf = new Map<string, number>();
  const idFor = (name: string) => {
    idOf.set(name, idOf.get(name) ?? idOf.size + 1);
    return idOf.get(name) as number;
  };
  const plain: RowsHere[] = [];
  const fast: SeriesRows[] = [];
  for (const text of texts) {
    const parsed = parseLines(utf8(text), OPTIONS).tables;
    const bySeries = parser.parse(utf8(text), OPTIONS).tables;
    for (const [index, table] of parsed.entries()) {
      const rows = selection(random, table.times.length);
      const target = {
        databaseId: 1 as DatabaseId,
        tableId: idFor(table.name) as TableId,
        columnIds: table.columns.map(
          ({ data, name }) => idFor(`${table.name} ${name} ${data.kind}`) as ColumnId,
        ),
      };
      plain.push({ parsed: table, rows, target });
      const other = bySeries[index];
      assert.ok(other !== undefined);
      fast.push({ parsed: other, rows, target });
    }
  }
  return [plain, fast];
}

function same(texts: readonly string[], random: Random = seededRandom(1)): void {
  const [plain, fast] = partsOf(texts, random);
  const expected = encodeRows(plain);
  assert.deepEqual(encoder.encode(fast), expected);
  // Once more, as a write that met a dropped table does.
  assert.deepEqual(encoder.encode(fast), expected);
}

suite("blocks of bodies that were parsed fast are those of the plain ones", () => {
  test("of bodies of chance, and of any of their rows", () => {
    const random = seededRandom(2);
    for (let count = 0; count < 150; count += 1) {
      same(
        Array.from({ length: 1 + below(random, 3) }, () => lineBody(random, 1 + below(random, 60))),
        random,
      );
    }
  });

  const CASES: Readonly<Record<string, readonly string[]>> = {
    "the same tags in another order": ["m,a=1,b=2 f=1 1\nm,b=2,a=1 f=2 2\nm,a=1,b=2 f=3 3"],
    "the same tags written otherwise": ["m,a=x\\=y f=1 1\nm,a=x=y f=2 2\nm,a=x\\=y f=3 1"],
    "no tags, and no times": ["m f=1\nm f=2\nm g=3"],
    "no tags in one body": ["m f=1 1\nm f=2 2", "m,a=1 f=1 1\nm,a=2 f=2 2"],
    "texts that later rows replace": ['m s="a",f=1 1\nm s="b" 1\nm s="c" 2', 'm s="d" 2\nm f=3 1'],
    "times that fall": ["m,a=1 f=1 5\nm,a=1 f=2 4\nm,a=2 f=3 5\nm,a=1 f=4 5"],
  };
  for (const [name, texts] of Object.entries(CASES)) test(`of ${name}`, () => same(texts));
});
