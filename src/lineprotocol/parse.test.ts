import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { utf8 } from "#base/bytes.ts";
import { isKind } from "#base/errors.ts";
import { DEFAULT_LIMITS, parseLines } from "./parse.ts";
import type { ParseOptions } from "./parsed.ts";
import { parseText, rowsOf } from "./rows.ts";

const OPTIONS: ParseOptions = {
  precision: "nanosecond",
  defaultTimeNs: 77n,
  limits: DEFAULT_LIMITS,
};

suite("columns", () => {
  test("tables and columns stand in order of first use, with a cell for each row", () => {
    const body = parseText('b,t=x f=1 1\na g=t 2\nb,u=y,t=z f=2,s="q" 3\nb f=3 4');
    assert.deepEqual(body.tables, [
      {
        name: "b",
        times: BigInt64Array.of(1n, 3n, 4n),
        lines: Uint32Array.of(0, 2, 3),
        columns: [
          {
            name: "t",
            data: { kind: "tag", codes: Uint32Array.of(1, 2, 0), dictionary: ["x", "z"] },
          },
          { name: "f", data: { kind: "float", values: Float64Array.of(1, 2, 3) } },
          { name: "u", data: { kind: "tag", codes: Uint32Array.of(0, 1, 0), dictionary: ["y"] } },
          {
            name: "s",
            data: { kind: "string", codes: Uint32Array.of(0, 1, 0), dictionary: ["q"] },
          },
        ],
      },
      {
        name: "a",
        times: BigInt64Array.of(2n),
        lines: Uint32Array.of(1),
        columns: [{ name: "g", data: { kind: "boolean", values: Uint8Array.of(1) } }],
      },
    ]);
  });

  test("a text that is written in two ways is one entry of the dictionary", () => {
    const [table] = parseText(
      String.raw`m,t=a=b s="x\y"` + "\n" + String.raw`m,t=a\=b s="x\\y"`,
    ).tables;
    for (const column of table?.columns ?? []) {
      assert.ok("codes" in column.data);
      assert.deepEqual(column.data.codes, Uint32Array.of(1, 1));
      assert.equal(column.data.dictionary.length, 1);
    }
  });

  test("a name that is written in two ways is one column", () => {
    const body = parseText(
      String.raw`a,b v=1` + "\n" + String.raw`m a,b=1` + "\n" + String.raw`m a\,b=2`,
    );
    assert.deepEqual(body.tables[0]?.columns, [
      { name: "a,b", data: { kind: "float", values: Float64Array.of(1, 2) } },
    ]);
  });

  test("a dictionary keeps thousands of texts apart", () => {
    const count = 5_000;
    const lines = Array.from({ length: 3 * count }, (_, index) => `m,t=v${index % count} f=1`);
    const data = parseText(lines.join("\n")).tables[0]?.columns[0]?.data;
    assert.ok(data !== undefined && "codes" in data);
    assert.equal(data.dictionary.length, count);
    data.codes.forEach((code, row) => assert.equal(data.dictionary[code - 1], `v${row % count}`));
  });

  test("rows with the same series and time are not merged", () => {
    assert.equal(rowsOf(parseText("m,a=1 v=1 5\nm,a=1 v=2 5")).length, 2);
  });

  test("a body is read where it stands in a larger buffer", () => {
    const around = utf8("xx m v=1 5\nyy");
    const body = parseLines(around.subarray(3, around.length - 3), OPTIONS);
    assert.deepEqual(rowsOf(body), [
      { table: "m", timeNs: 5n, lineNumber: 1, cells: { "float:v": 1 } },
    ]);
  });
});

suite("bad lines", () => {
  test("leave nothing behind: no table, no column, no text, no value", () => {
    const body = parseText(
      [
        "only,t=x f=1 bad",
        "m,t=good,new=1 f=1,g=2 bad",
        "m,t=good f=1 1",
        'm,t=other,late=2 f=9,h=3i,s="gone" 99999999999999999999',
        "m,t=other g=5 2",
      ].join("\n"),
    );
    assert.equal(body.rejectedCount, 3);
    assert.equal(body.lineCount, 5);
    assert.deepEqual(body.tables, [
      {
        name: "m",
        times: BigInt64Array.of(1n, 2n),
        lines: Uint32Array.of(2, 4),
        columns: [
          {
            name: "t",
            data: { kind: "tag", codes: Uint32Array.of(1, 2), dictionary: ["good", "other"] },
          },
          {
            name: "f",
            data: { kind: "float", values: Float64Array.of(1, 0), present: Uint8Array.of(1, 0) },
          },
          {
            name: "g",
            data: { kind: "float", values: Float64Array.of(0, 5), present: Uint8Array.of(0, 1) },
          },
        ],
      },
    ]);
  });

  test("are described up to the limit and counted beyond it", () => {
    const body = parseText("bad\n".repeat(7), { limits: { ...DEFAULT_LIMITS, rejectedMax: 3 } });
    assert.equal(body.rejectedCount, 7);
    assert.deepEqual(
      body.rejected.map(({ lineNumber }) => lineNumber),
      [1, 2, 3],
    );
  });

  test("of bytes that are not UTF-8 are named, and the others kept", () => {
    const bytes = Buffer.from(
      'm v=1 1\nm,t=\xff v=2 2\nm v=3 3\n# \xff\nm s="\xc3\xa9" 4',
      "latin1",
    );
    const body = parseLines(bytes, OPTIONS);
    assert.deepEqual(body.rejected, [
      { lineNumber: 2, text: "m,t=\ufffd v=2 2", message: "line is not valid UTF-8" },
    ]);
    assert.deepEqual(
      rowsOf(body).map(({ cells }) => cells),
      [{ "float:v": 1 }, { "float:v": 3 }, { "string:s": "é" }],
    );
  });

  test("a body with very many names on very many lines is refused as a whole", () => {
    const names = Array.from({ length: 2_000 }, (_, index) => `m f${index}=1\n`);
    const body = names.join("") + "m a=1\n".repeat(10_000);
    assert.throws(
      () => parseText(body),
      (error) => isKind(error, "exceeded") && error.code === "write_too_sparse",
    );
  });

  test("a small body is refused where its cells would take far more memory than it", () => {
    // 34 kB, and 12 million cells.
    const lines = Array.from({ length: 3_500 }, (_, index) => `m f${index}=1\n`);
    assert.throws(
      () => parseText(lines.join("")),
      (error) => isKind(error, "exceeded") && error.code === "write_too_sparse",
    );
  });

  test("a body of which each row has a few of many columns is not too sparse", () => {
    const lines = Array.from({ length: 5_000 }, (_, row) => {
      const fields = Array.from({ length: 10 }, (_value, i) => `field${(row * 10 + i) % 500}=1`);
      return `m ${fields.join()} ${row}`;
    });
    const [table] = parseText(lines.join("\n")).tables;
    assert.equal(table?.columns.length, 500);
    assert.equal(table?.times.length, 5_000);
  });

  test("a body of which each line is of another table is not too sparse", () => {
    const lines = Array.from({ length: 10_000 }, (_, index) => `table${index},a=b f=1 ${index}`);
    assert.equal(parseText(lines.join("\n")).tables.length, lines.length);
  });

  test("a body of nothing but bad lines, each unlike the others, is not too sparse", () => {
    const lines = Array.from({ length: 150_000 }, (_, index) => `${index},${index}`);
    assert.equal(parseText(lines.join("\n")).rejectedCount, lines.length);
  });
});
