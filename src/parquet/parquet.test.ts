import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { type DuckDBConnection, DuckDBInstance } from "@duckdb/node-api";
import * as fc from "fast-check";
import { encodeChunk } from "./chunk.ts";
import type { ParquetCells, ParquetColumn, RowCells } from "./column.ts";
import { encodeParquet } from "./file.ts";
import { readChunk, readChunkOffsets, readPresence } from "./read/chunk-reader.ts";
import { type ByteSource, readFooter } from "./read/footer.ts";
import { readTextRuns, type TextRuns } from "./read/text-runs.ts";
import { textAt, textsOf } from "./texts.ts";

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

/** What our own reader finds in the file, which has one column. */
async function readOurselves(path: string, unsigned: boolean): Promise<readonly Cell[]> {
  return readBytes(await readFile(path), unsigned);
}

function readBytes(bytes: Uint8Array, unsigned: boolean): readonly Cell[] {
  const source: ByteSource = {
    sizeBytes: bytes.length,
    read: (start, sizeBytes) => bytes.slice(start, start + sizeBytes),
  };
  const { columns, groups } = readFooter(source);
  const [one] = columns;
  assert.ok(one);
  return groups.flatMap(({ chunks }) => {
    const [chunk] = chunks;
    assert.ok(chunk);
    const cells = valuesOf(readChunk(source, one, chunk), unsigned);
    const marks = readPresence(source, one, chunk) ?? new Uint8Array(cells.length).fill(1);
    assert.deepEqual(
      [...marks],
      cells.map((cell) => Number(cell !== null)),
    );
    if (one.type === "bytes")
      assert.deepEqual(textsOfRuns(readTextRuns(source, one, chunk)), cells);
    const { base, offsets } = (one.type === "int64" && readChunkOffsets(source, one, chunk)) || {};
    if (base !== undefined)
      assert.deepEqual(
        Array.from(offsets ?? [], (offset) => base + BigInt(offset)),
        cells.map((cell) => BigInt.asIntN(64, BigInt(cell ?? "none"))),
      );
    return cells;
  });
}

function valuesOf(cells: RowCells, unsigned: boolean): Cell[] {
  const whole = (value: bigint) => (unsigned ? BigInt.asUintN(64, value) : value);
  switch (cells.kind) {
    case "texts":
      return Array.from(cells.codes, (code) =>
        code === 0 ? null : new TextDecoder().decode(textAt(cells.dictionary, code - 1)),
      );
    case "coded wholes":
      return Array.from(cells.codes, (code) => whole(cells.dictionary[code] ?? 0n));
    case "wholes":
      return Array.from(cells.values, (value, row) => (isNull(cells, row) ? null : whole(value)));
    case "doubles":
      return Array.from(cells.values, (value, row) => (isNull(cells, row) ? null : value));
    case "booleans":
      return Array.from(cells.values, (value, row) => (isNull(cells, row) ? null : value === 1));
  }
}

function textsOfRuns({ dictionary, runs }: TextRuns): Cell[] {
  return runs.values.flatMap((value, index) => {
    assert.notEqual(value, runs.values[index - 1], "neighbours differ");
    const count = (runs.ends[index] ?? 0) - (runs.ends[index - 1] ?? 0);
    const text = value === 0 ? null : new TextDecoder().decode(textAt(dictionary, value - 1));
    return Array<Cell>(count).fill(text);
  });
}

function isNull({ present: marks }: { readonly present?: Uint8Array }, row: number): boolean {
  return marks !== undefined && marks[row] === 0;
}

/** The other writer takes the zeros for one value. */
function oneZero(value: Cell): Cell {
  return Object.is(value, -0) ? 0 : value;
}

/** How other programs write the same: with pages and encodings of their own choice. */
const OTHER_FORMS = [
  "COMPRESSION zstd",
  "COMPRESSION uncompressed, ROW_GROUP_SIZE 2048",
  "COMPRESSION zstd, DICTIONARY_SIZE_LIMIT 1",
];
/** Texts it writes in an encoding that data files do not have. */
const OTHER_NUMBER_FORMS = [...OTHER_FORMS, "COMPRESSION zstd, PARQUET_VERSION v2"];

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

    test(`is read by our own reader, whoever wrote it: ${name}`, async () => {
      const groups = fc.array(column(kind), { minLength: 1, maxLength: 3 });
      const { type } = kind.column;
      const forms = fc.constantFrom(...(type === "text" ? OTHER_FORMS : OTHER_NUMBER_FORMS));
      const unsigned = type === "uint64";
      await fc.assert(
        fc.asyncProperty(groups, forms, async (some, form) => {
          const { path } = await written(kind, some);
          assert.deepEqual(await readOurselves(path, unsigned), some.flat());
          const other = `${path}.other`;
          await connection.run(
            `COPY (SELECT * FROM read_parquet('${path}')) TO '${other}' (FORMAT parquet, ${form})`,
          );
          const found = await readOurselves(other, unsigned);
          assert.deepEqual(found.map(oneZero), some.flat().map(oneZero));
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

  test("cut off anywhere, or with a flipped bit, is refused or read: the reader never hangs or crashes", async () => {
    const values = Array.from({ length: 300 }, (_, i) => (i % 7 === 0 ? null : Math.sin(i)));
    const { path } = await written(KINDS["double"] as Kind, [values, values]);
    const bytes = await readFile(path);
    for (let size = 0; size < bytes.length; size += 7)
      assert.throws(() => readBytes(bytes.subarray(0, size), false), `cut at ${size}`);
    for (let at = 0; at < bytes.length; at += 3) {
      const flipped = Uint8Array.from(bytes);
      flipped[at] = (flipped[at] ?? 0) ^ (1 << (at % 8));
      try {
        readBytes(flipped, false);
      } catch (error) {
        assert.ok(error instanceof Error);
      }
    }
  });

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
