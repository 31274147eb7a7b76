import assert from "node:assert/strict";
import { suite, test } from "node:test";
import * as fc from "fast-check";
import { decodeBlock, encodeBlock } from "#block/block.ts";
import type { ColumnBatch, ColumnData } from "#model/batch.ts";
import type { ColumnId } from "#model/ids.ts";
import { batchOf, textData } from "#testing/samples/batches.ts";
import { findRepeats } from "./fold.ts";
import { mergeBatches } from "./merge.ts";

type Cell = string | number | bigint | null;

/** What a row says: its tags, its time, and its fields, by column id. */
interface Row {
  readonly time: bigint;
  readonly cells: ReadonlyMap<number, Cell>;
}

/** Columns of the tests: two tags, and a field of each kind. */
const KINDS = ["tag", "tag", "string", "float", "integer", "uinteger", "boolean"] as const;
const TAG_COUNT = 2;

/** Cells that NULL may be among; few texts and times, so that rows repeat. */
const aRow: fc.Arbitrary<Row> = fc
  .tuple(
    fc.bigInt({ min: -2n, max: 2n }),
    fc.tuple(...KINDS.map((kind) => fc.option(aCell(kind), { nil: null, freq: 3 }))),
  )
  .map(([time, cells]) => ({ time, cells: new Map(cells.map((cell, i) => [i + 1, cell])) }));

function aCell(kind: (typeof KINDS)[number]): fc.Arbitrary<Cell> {
  switch (kind) {
    case "tag":
      return fc.constantFrom("a", "b", "");
    case "string":
      return fc.constantFrom("x", "y", "", "z");
    case "float":
      return fc.constantFrom(0, -0, 1.5, Number.NaN);
    case "boolean":
      return fc.constantFrom(0, 1);
    default:
      return fc.bigInt({ min: 0n, max: 3n });
  }
}

/** A batch of `rows`, without the columns in which all are NULL. */
function batch(rows: readonly Row[]): ColumnBatch {
  const columns = KINDS.flatMap((kind, index) => {
    const cells = rows.map((row) => row.cells.get(index + 1) ?? null);
    if (cells.every((cell) => cell === null)) return [];
    return [{ id: (index + 1) as ColumnId, data: columnOf(kind, cells) }];
  });
  return batchOf(
    rows.map(({ time }) => time),
    columns,
  );
}

function columnOf(kind: (typeof KINDS)[number], cells: readonly Cell[]): ColumnData {
  if (kind === "tag" || kind === "string") {
    const { codes, dictionary } = textData(kind, cells as (string | null)[]);
    // With an entry that nobody uses, as a body has whose other lines were refused.
    return { kind, codes, dictionary: [...dictionary, "unused"] };
  }
  const present = Uint8Array.from(cells, (cell) => (cell === null ? 0 : 1));
  const some = present.includes(0) ? { present } : {};
  const values = cells.map((cell) => cell ?? 0);
  if (kind === "float") return { kind, values: Float64Array.from(values as number[]), ...some };
  if (kind === "boolean") return { kind, values: Uint8Array.from(values as number[]), ...some };
  const whole = values.map((value) => BigInt(value));
  if (kind === "integer") return { kind, values: BigInt64Array.from(whole), ...some };
  return { kind, values: BigUint64Array.from(whole), ...some };
}

function rowsOf({ times, columns }: ColumnBatch): readonly Row[] {
  return Array.from(times, (time, row) => ({
    time,
    cells: new Map(columns.map(({ id, data }) => [id as number, cellOf(data, row)])),
  }));
}

function cellOf(data: ColumnData, row: number): Cell {
  if ("codes" in data) return data.dictionary[(data.codes[row] ?? 0) - 1] ?? null;
  return data.present?.[row] === 0 ? null : (data.values[row] ?? null);
}

function keyOf({ time, cells }: Row): string {
  const tags = Array.from({ length: TAG_COUNT }, (_, index) => cells.get(index + 1) ?? null);
  return JSON.stringify([String(time), ...tags]);
}

/** Last write wins per series, time and field, row after row. */
function oracle(rows: readonly Row[]): readonly Row[] {
  const kept = new Map<string, Map<number, Cell>>();
  const times = new Map<string, bigint>();
  for (const row of rows) {
    const cells = kept.get(keyOf(row)) ?? new Map<number, Cell>();
    for (const [id, cell] of row.cells) if (cell !== null) cells.set(id, cell);
    kept.set(keyOf(row), cells);
    times.set(keyOf(row), row.time);
  }
  return [...kept].map(([key, cells]) => ({ time: times.get(key) ?? 0n, cells }));
}

/** A row as text, NULLs left out. */
function show({ time, cells }: Row): string {
  const known = [...cells].filter(([, cell]) => cell !== null).toSorted(([a], [b]) => a - b);
  return `${time}: ${known.map(([id, cell]) => `${id}=${cellText(cell)}`).join(" ")}`;
}

function cellText(cell: Cell): string {
  return Object.is(cell, -0) ? "-0" : `${typeof cell} ${String(cell)}`;
}

suite("batches of one table into one", () => {
  test("of rows with one series and time the last value of each field stays, the first row's place", () => {
    const aBatches = fc.array(fc.array(aRow, { minLength: 1, maxLength: 12 }), {
      minLength: 1,
      maxLength: 4,
    });
    fc.assert(
      fc.property(aBatches, (batches) => {
        const merged = mergeBatches(batches.map(batch));
        assert.deepEqual(rowsOf(merged).map(show), oracle(batches.flat()).map(show));
      }),
    );
  });

  test("dictionaries hold what is used, each once, and nothing else", () => {
    fc.assert(
      fc.property(fc.array(aRow, { minLength: 1, maxLength: 20 }), (rows) => {
        for (const { data } of mergeBatches([batch(rows), batch(rows)]).columns) {
          if (!("codes" in data)) continue;
          const used = new Set(Array.from(data.codes).filter((code) => code !== 0));
          assert.deepEqual(
            [...used].toSorted((a, b) => a - b),
            data.dictionary.map((_, index) => index + 1),
          );
          assert.equal(new Set(data.dictionary).size, data.dictionary.length);
        }
      }),
    );
  });

  test("what comes of it can be encoded, and what it came from is as it was", () => {
    fc.assert(
      fc.property(fc.array(aRow, { minLength: 1, maxLength: 12 }), (rows) => {
        const sources = [batch(rows), batch(rows.toReversed())];
        const before = sources.map((source) => rowsOf(source).map(show));
        const merged = mergeBatches(sources);
        assert.deepEqual(
          rowsOf(decodeBlock(encodeBlock(merged))).map(show),
          rowsOf(merged).map(show),
        );
        assert.deepEqual(
          sources.map((source) => rowsOf(source).map(show)),
          before,
        );
      }),
    );
  });

  test("a NULL tag is a series of its own, apart from the empty text", () => {
    const tags = textData("tag", [null, "", null, ""]);
    const values = Float64Array.of(1, 2, 3, 4);
    const merged = mergeBatches([
      batchOf(
        [1n, 1n, 1n, 1n],
        [
          { id: 1 as ColumnId, data: tags },
          { id: 2 as ColumnId, data: { kind: "float", values } },
        ],
      ),
    ]);
    assert.deepEqual(rowsOf(merged).map(show), ["1: 2=number 3", "1: 1=string  2=number 4"]);
  });
});

suite("rows that repeat", () => {
  test("are none where times rise in each series, whatever they do over all", () => {
    const tags = textData("tag", ["a", "b", "a", "b"]);
    assert.equal(
      findRepeats(batchOf([5n, 1n, 6n, 2n], [{ id: 1 as ColumnId, data: tags }])),
      undefined,
    );
  });

  test("are none where times fall but differ", () => {
    assert.equal(findRepeats(batchOf([3n, 2n, 1n], [])), undefined);
  });

  test("are named with the first row of their series and time, at both ends of time", () => {
    const [least, most] = [-(2n ** 63n), 2n ** 63n - 1n];
    const repeats = findRepeats(batchOf([least, most, least, -1n, most, -1n], []));
    assert.deepEqual(repeats?.kept, Uint32Array.of(0, 1, 3));
    assert.deepEqual(repeats?.keptRow, Uint32Array.of(0, 1, 0, 3, 1, 3));
  });
});
