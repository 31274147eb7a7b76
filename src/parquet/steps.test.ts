import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite, test } from "node:test";
import { DuckDBInstance } from "@duckdb/node-api";
import { seededRandom } from "#ports/random.ts";
import { encodeChunk } from "./chunk.ts";
import type { ParquetCells, ParquetColumn, RowCells } from "./column.ts";
import { encodeParquet } from "./file.ts";
import { readChunk } from "./read/chunk-reader.ts";
import { readFooter } from "./read/footer.ts";
import { textAt, textsOf } from "./texts.ts";

const COUNT = 30_000;
const random = seededRandom(5);

/** Numbers from 0 to `limit`, each some steps from the one before, mostly few. */
function walk(limit: number, step: number): readonly number[] {
  let value = Math.floor(limit / 2);
  return Array.from({ length: COUNT }, () => {
    const chance = random.next() + random.next() + random.next() - 1.5;
    value = Math.min(limit, Math.max(0, Math.round(value + step * chance)));
    return value;
  });
}

const SMALL = walk(100, 1);
const MIDDLE = walk(1_000, 8);
const LARGE = walk(3_000, 100);

function doubles(values: readonly number[], present?: Uint8Array): ParquetCells {
  return { kind: "doubles", values: Float64Array.from(values), ...(present && { present }) };
}

function wholes(values: readonly number[], first = 0n): ParquetCells {
  return { kind: "wholes", values: BigInt64Array.from(values, (value) => first + BigInt(value)) };
}

function texts(values: readonly number[]): ParquetCells {
  const dictionary = [...new Set(values)];
  const codes = Uint32Array.from(values, (value) => dictionary.indexOf(value) + 1);
  return { kind: "texts", codes, dictionary: textsOf(dictionary.map((value) => `at ${value}`)) };
}

/** What a value takes at most, beside what it took when each had as many bits as it needs. */
const CASES: readonly (readonly [string, ParquetColumn["type"], ParquetCells, number])[] = [
  ["floats, 0.54 in bits", "double", doubles(SMALL), 0.4],
  [
    "floats and NULLs, 0.51",
    "double",
    doubles(
      SMALL,
      Uint8Array.from(SMALL, (_, i) => Number(i % 9 > 0)),
    ),
    0.4,
  ],
  ["texts, 0.54", "text", texts(SMALL), 0.4],
  ["integers, 0.18: bits are as good", "int64", wholes(SMALL), 0.2],
  ["integers, 0.62", "int64", wholes(MIDDLE), 0.58],
  ["integers far apart, 2.23", "int64", wholes(LARGE.map((value) => value * 1_000)), 2],
  ["large unsigned integers, 1.00", "uint64", wholes(LARGE, -(2n ** 63n)), 1.1],
];

/** Each cell as a text; NULL as null. */
function shown(cells: ParquetCells): readonly (string | null)[] {
  switch (cells.kind) {
    case "texts":
      return Array.from(cells.codes, (code) =>
        Buffer.from(textAt(cells.dictionary, code - 1)).toString(),
      );
    case "doubles":
    case "wholes":
      return Array.from<bigint | number, string | null>(cells.values, (value, row) =>
        cells.present?.[row] === 0 ? null : `${value}`,
      );
    default:
      throw new Error(`no case has ${cells.kind}`);
  }
}

function readOurselves(bytes: Uint8Array): RowCells {
  const read = (start: number, sizeBytes: number) => bytes.subarray(start, start + sizeBytes);
  const source = { sizeBytes: bytes.length, read };
  const { columns, groups } = readFooter(source);
  const [column, chunk] = [columns[0], groups[0]?.chunks[0]];
  assert.ok(column && chunk);
  return readChunk(source, column, chunk);
}

suite("numbers that follow from those before them", () => {
  for (const [what, type, cells, sizeMax] of CASES) {
    test(`take little room, and come back in any width: ${what}`, async () => {
      const column: ParquetColumn = { name: "c", fieldId: 1, type, required: false };
      const group = { rowCount: COUNT, chunks: [encodeChunk(column, cells)] };
      const bytes = encodeParquet([column], [group]);
      assert.ok(bytes.length <= sizeMax * COUNT, `${bytes.length / COUNT} bytes a value`);
      assert.deepEqual(shown(readOurselves(bytes)), shown(cells));
      const directory = await mkdtemp(join(tmpdir(), "steps-"));
      const path = join(directory, "c.parquet");
      const connection = await (await DuckDBInstance.create()).connect();
      try {
        await writeFile(path, bytes);
        // Whole floats look like integers, and unsigned ones are stored as signed ones.
        const cell = type === "text" ? "c" : "try_cast(c AS HUGEINT)";
        const result = await connection.run(
          `SELECT CAST(${cell} AS VARCHAR) FROM read_parquet('${path}')`,
        );
        const found = (await result.getRows()).map(([value]) => value);
        const signed = shown(cells);
        const wanted = signed.map((value) =>
          type === "uint64" ? `${BigInt.asUintN(64, BigInt(value ?? 0))}` : value,
        );
        assert.deepEqual(found, wanted);
      } finally {
        connection.closeSync();
        await rm(directory, { recursive: true });
      }
    });
  }
});
