import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { type DuckDBConnection, DuckDBInstance } from "@duckdb/node-api";
import * as fc from "fast-check";
import { encodeChunk } from "./chunk.ts";
import type { ParquetCells, ParquetColumn } from "./column.ts";
import { encodeParquet } from "./file.ts";
import { textsOf } from "./texts.ts";

type Cell = bigint | number | string | boolean | null;

/** A column, and how cells of it are given to the writer. */
interface Kind {
  readonly column: Omit<ParquetColumn, "name" | "fieldId">;
  readonly cell: fc.Arbitrary<Cell>;
  readonly cells: (values: readonly Cell[]) => ParquetCells;
  /** How it is read as what was written. */
  readonly read: (name: string) => string;
}

const plain = (name: string) => name;
const int64 = fc.oneof(
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  fc.bigInt({ min: -5n, max: 5n }),
  fc.bigInt({ min: 2n ** 60n, max: 2n ** 60n + 2n ** 40n }),
);
const double = fc.oneof(
  fc.double(),
  fc.integer({ min: -300, max: 300 }),
  fc.constantFrom(-0, 0, Number.NaN, Number.POSITIVE_INFINITY, -1.5, 2 ** 31, -(2 ** 31), 65_536),
);
const word = fc.oneof(
  fc.constantFrom("", "a", "é", "～", "😀"),
  fc.string({ unit: "binary", maxLength: 12 }),
  fc.constant("long".repeat(100)),
);

function present(values: readonly Cell[]) {
  if (!values.includes(null)) return {};
  return { present: Uint8Array.from(values, (value) => Number(value !== null)) };
}

function texts(values: readonly Cell[]): ParquetCells {
  const dictionary = [...new Set(values.filter((value) => value !== null))] as string[];
  const codes = Uint32Array.from(values, (value) => dictionary.indexOf(value as string) + 1);
  return { kind: "texts", codes, dictionary: textsOf(dictionary) };
}

function textRuns(values: readonly Cell[]): ParquetCells {
  const whole = texts(values);
  const codes: number[] = [];
  const lengths: number[] = [];
  for (const code of whole.kind === "texts" ? whole.codes : []) {
    if (codes.at(-1) === code) lengths[lengths.length - 1] = (lengths.at(-1) ?? 0) + 1;
    else lengths[codes.push(code) - 1] = 1;
  }
  return {
    ...whole,
    kind: "text runs",
    codes: Uint32Array.from(codes),
    lengths: Uint32Array.from(lengths),
  } as ParquetCells;
}

function wholes(values: readonly Cell[]): ParquetCells {
  const bits = BigInt64Array.from(values, (value) => BigInt.asIntN(64, BigInt(value ?? 9n)));
  return { kind: "wholes", values: bits, ...present(values) };
}

function codedWholes(values: readonly Cell[]): ParquetCells {
  const dictionary = BigInt64Array.from(new Set(values as bigint[]));
  const codes = Uint32Array.from(values, (value) => dictionary.indexOf(value as bigint));
  return { kind: "coded wholes", codes, dictionary };
}

const KINDS: Readonly<Record<string, Kind>> = {
  instant: {
    column: { type: "instant", required: true },
    cell: int64,
    cells: wholes,
    read: (name) => `epoch_ns(${name})`,
  },
  stamp: {
    column: { type: "int64", required: true },
    cell: int64,
    cells: codedWholes,
    read: plain,
  },
  integer: {
    column: { type: "int64", required: false },
    cell: fc.option(int64),
    cells: wholes,
    read: plain,
  },
  unsigned: {
    column: { type: "uint64", required: false },
    cell: fc.option(fc.oneof(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), fc.constant(3n))),
    cells: wholes,
    read: plain,
  },
  double: {
    column: { type: "double", required: false },
    cell: fc.option(double),
    cells: (values) => ({
      kind: "doubles",
      values: Float64Array.from(values as number[], (value) => value ?? 7),
      ...present(values),
    }),
    read: plain,
  },
  boolean: {
    column: { type: "boolean", required: false },
    cell: fc.option(fc.boolean()),
    cells: (values) => ({
      kind: "booleans",
      values: Uint8Array.from(values, (value) => Number(value === true)),
      ...present(values),
    }),
    read: plain,
  },
  "text in runs": {
    column: { type: "text", required: false },
    cell: fc.option(word),
    cells: textRuns,
    read: plain,
  },
  text: {
    column: { type: "text", required: false },
    cell: fc.option(word),
    cells: texts,
    read: plain,
  },
};

/** Values that repeat, so that runs and dictionaries come about. */
function column({ cell }: Kind): fc.Arbitrary<readonly Cell[]> {
  const run = fc.tuple(cell, fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 60 })));
  const runs = fc.array(run, { minLength: 1, maxLength: 40 });
  return runs.map((some) => some.flatMap(([value, count]) => Array<Cell>(count).fill(value)));
}

suite("a Parquet file", () => {
  let directory: string;
  let fileCount = 0;
  let connection: DuckDBConnection;
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), "parquet-"));
    connection = await (await DuckDBInstance.create()).connect();
  });
  after(async () => {
    connection.closeSync();
    await rm(directory, { recursive: true });
  });

  async function rowsOf(sql: string): Promise<unknown[][]> {
    return (await connection.run(sql)).getRows();
  }

  async function written(
    kind: Kind,
    groups: readonly (readonly Cell[])[],
  ): Promise<{ readonly path: string; readonly sizeBytes: number }> {
    // DuckDB remembers what it has read under a path.
    fileCount += 1;
    const path = join(directory, `${fileCount}.parquet`);
    const columns = [{ ...kind.column, name: "c", fieldId: 4 }];
    const rowGroups = groups.map((values) => ({
      rowCount: values.length,
      chunks: columns.map((one) => encodeChunk(one, kind.cells(values))),
    }));
    const bytes = encodeParquet(columns, rowGroups);
    await writeFile(path, bytes);
    return { path, sizeBytes: bytes.length };
  }

  async function sizeOf(kind: string, values: readonly Cell[]): Promise<number> {
    return (await written(KINDS[kind] as Kind, [values])).sizeBytes;
  }

  for (const [name, kind] of Object.entries(KINDS)) {
    test(`gives back columns of chance: ${name}`, async () => {
      const groups = fc.array(column(kind), { minLength: 1, maxLength: 3 });
      await fc.assert(
        fc.asyncProperty(groups, async (some) => {
          const { path } = await written(kind, some);
          const rows = await rowsOf(`SELECT ${kind.read("c")} FROM read_parquet('${path}')`);
          assert.deepEqual(
            rows.map(([value]) => value),
            some.flat(),
          );
        }),
        { numRuns: 60 },
      );
    });

    test(`is skipped by its bounds only where nothing is missed: ${name}`, async () => {
      await fc.assert(
        fc.asyncProperty(column(kind), fc.nat(), async (values, pick) => {
          const wanted = values[pick % values.length] ?? null;
          const { path } = await written(kind, [values, values.toReversed()]);
          const found = await rowsOf(
            `SELECT count(*) FROM read_parquet('${path}') WHERE c IS NOT DISTINCT FROM (SELECT c FROM read_parquet('${path}', file_row_number = true) WHERE file_row_number = ${pick % values.length})`,
          );
          // DuckDB takes the zeros for equal, and one NaN for another.
          const count = values.filter(
            (value) => value === wanted || Object.is(value, wanted),
          ).length;
          assert.equal(found[0]?.[0], BigInt(2 * count));
        }),
        { numRuns: 40 },
      );
    });
  }

  test("takes little room for what repeats, and no more than the values for what does not", async () => {
    const count = 100_000;
    const numbers = Array.from({ length: count }, (_, i) => i);
    assert.ok(
      (await sizeOf(
        "instant",
        numbers.map((i) => BigInt(i) * 10n ** 10n),
      )) < 2_000,
    );
    assert.ok(
      (await sizeOf(
        "stamp",
        numbers.map((i) => BigInt(i % 100)),
      )) < 5_000,
    );
    assert.ok(
      (await sizeOf(
        "text",
        numbers.map((i) => `host ${Math.floor(i / 1_000)}`),
      )) < 2_000,
    );
    assert.ok(
      (await sizeOf(
        "double",
        numbers.map((i) => i % 90),
      )) < 5_000,
    );
    const noise = numbers.map((i) => Math.sin(i * i) * 1e9);
    assert.ok((await sizeOf("double", noise)) < 8.1 * count);
    const hashes = numbers.map((i) => BigInt.asIntN(64, BigInt(i) * 0x9e3779b97f4a7c15n));
    assert.ok((await sizeOf("integer", hashes)) < 8.1 * count);
  });

  test("compresses chunks of some size, and leaves small ones as they are", async () => {
    const many = Array.from({ length: 500 }, (_, i) => Math.sin(i));
    const { path } = await written(KINDS["double"] as Kind, [[1, 2, null], many]);
    const rows = await rowsOf(
      `SELECT compression, total_compressed_size = total_uncompressed_size FROM parquet_metadata('${path}') ORDER BY row_group_id`,
    );
    assert.deepEqual(rows, [
      ["UNCOMPRESSED", true],
      ["ZSTD", false],
    ]);
  });

  test("tells bounds of each row group and counts of NULL", async () => {
    const { path } = await written(KINDS["integer"] as Kind, [[5n, null, -7n], [null], [2n]]);
    const rows = await rowsOf(
      `SELECT stats_min_value, stats_max_value, stats_null_count, num_values FROM parquet_metadata('${path}') ORDER BY row_group_id`,
    );
    assert.deepEqual(rows, [
      ["-7", "5", 1n, 3n],
      [null, null, 1n, 1n],
      ["2", "2", 0n, 1n],
    ]);
  });
});
