import assert from "node:assert/strict";
import { suite, test } from "node:test";
import type { ParsedBody, Precision } from "./parsed.ts";
import { type Cell, parseText, rowsOf } from "./rows.ts";

/** The cells of the one row that `line` makes. */
function cellsOf(line: string): Readonly<Record<string, Cell>> {
  const body = parseText(line);
  assert.deepEqual(body.rejected, [], line);
  const rows = rowsOf(body);
  assert.equal(rows.length, 1, line);
  return rows[0]?.cells ?? {};
}

function tableNames(body: ParsedBody): readonly string[] {
  return body.tables.map(({ name }) => name);
}

suite("names", () => {
  const names: readonly (readonly [string, string])[] = [
    ["m", "m"],
    [String.raw`a\,b`, "a,b"],
    [String.raw`a\ b`, "a b"],
    [String.raw`a\\b`, String.raw`a\b`],
    [String.raw`a\=b`, String.raw`a\=b`],
    [String.raw`a\xb`, String.raw`a\xb`],
    ["a\\\nb", "a\\\nb"],
    ["a=b", "a=b"],
    ['"a"', '"a"'],
    ["東京\\ 😀", "東京 😀"],
    ["a\rb", "a\rb"],
    ["\ufeffm", "\ufeffm"],
    [String.raw`\#m`, String.raw`\#m`],
  ];
  for (const [written, name] of names) {
    test(`the measurement ${JSON.stringify(written)} is ${JSON.stringify(name)}`, () => {
      assert.deepEqual(tableNames(parseText(`${written} v=1`)), [name]);
      assert.deepEqual(tableNames(parseText(`${written},t=1 v=1`)), [name]);
    });
  }

  const keys: readonly (readonly [string, string])[] = [
    ["k", "k"],
    ["a,b", "a,b"],
    [String.raw`a\,b`, "a,b"],
    [String.raw`a\=b`, "a=b"],
    [String.raw`a\ b`, "a b"],
    [String.raw`a\\b`, String.raw`a\b`],
    [String.raw`a\nb`, String.raw`a\nb`],
    ["a\\\nb", "a\\\nb"],
    ['a"b', 'a"b'],
    ["a\0b", "a\0b"],
    ["__proto__", "__proto__"],
    ["time", "time"],
    ["é", "é"],
  ];
  for (const [written, name] of keys) {
    test(`the key ${JSON.stringify(written)} is ${JSON.stringify(name)}`, () => {
      assert.deepEqual(cellsOf(`m,${written}=x v=1`), { [`tag:${name}`]: "x", "float:v": 1 });
      assert.deepEqual(cellsOf(`m ${written}=1`), { [`float:${name}`]: 1 });
      assert.deepEqual(cellsOf(`m v=1,${written}=2i`), {
        "float:v": 1,
        [`integer:${name}`]: 2n,
      });
    });
  }

  const tagValues: readonly (readonly [string, string])[] = [
    ["x", "x"],
    ["a=b", "a=b"],
    ["==", "=="],
    [String.raw`a\=b`, "a=b"],
    [String.raw`a\,b`, "a,b"],
    [String.raw`a\ b`, "a b"],
    [String.raw`a\\b`, String.raw`a\b`],
    [String.raw`C:\Program\ Files\x`, String.raw`C:\Program Files\x`],
    ["a\\\nb", "a\\\nb"],
    ['"x"', '"x"'],
    ['"a', '"a'],
    ["\0", "\0"],
    ["1i", "1i"],
  ];
  for (const [written, value] of tagValues) {
    test(`the tag value ${JSON.stringify(written)} is ${JSON.stringify(value)}`, () => {
      assert.deepEqual(cellsOf(`m,t=${written} v=1`), { "tag:t": value, "float:v": 1 });
      assert.deepEqual(cellsOf(`m,t=${written},u=x v=1`), {
        "tag:t": value,
        "tag:u": "x",
        "float:v": 1,
      });
    });
  }
});

suite("values", () => {
  const values: readonly (readonly [string, string, Cell])[] = [
    ["1", "float", 1],
    ["-1", "float", -1],
    ["-0", "float", -0],
    ["0", "float", 0],
    ["000012", "float", 12],
    ["1.5", "float", 1.5],
    ["0.1", "float", 0.1],
    ["-0.001", "float", -0.001],
    ["1e3", "float", 1000],
    ["1E3", "float", 1000],
    ["1e+3", "float", 1000],
    ["-1.25e-3", "float", -0.00125],
    ["9007199254740993", "float", 9007199254740992],
    ["0.30000000000000004", "float", 0.30000000000000004],
    ["123456789012345.6", "float", 123456789012345.6],
    ["0.000000000000000000000000000001", "float", 1e-30],
    ["0.0000000000000000000007", "float", 7e-22],
    ["0.00000000000000000000007", "float", 7e-23],
    ["0.000000000000000000000007", "float", 7e-24],
    ["1.7976931348623157e308", "float", Number.MAX_VALUE],
    ["5e-324", "float", 5e-324],
    ["2.2250738585072011e-308", "float", 2.225073858507201e-308],
    ["1e-400", "float", 0],
    ["0i", "integer", 0n],
    ["-0i", "integer", 0n],
    ["-5i", "integer", -5n],
    ["0000000000000000000000007i", "integer", 7n],
    ["999999999999999i", "integer", 999999999999999n],
    ["1000000000000000i", "integer", 1000000000000000n],
    ["9223372036854775807i", "integer", 2n ** 63n - 1n],
    ["-9223372036854775808i", "integer", -(2n ** 63n)],
    ["0u", "uinteger", 0n],
    ["18446744073709551615u", "uinteger", 2n ** 64n - 1n],
    ["t", "boolean", true],
    ["T", "boolean", true],
    ["true", "boolean", true],
    ["True", "boolean", true],
    ["TRUE", "boolean", true],
    ["f", "boolean", false],
    ["F", "boolean", false],
    ["false", "boolean", false],
    ["False", "boolean", false],
    ["FALSE", "boolean", false],
    ['""', "string", ""],
    ['"a b,c=d"', "string", "a b,c=d"],
    [String.raw`"say \"hi\""`, "string", 'say "hi"'],
    [String.raw`"C:\\x"`, "string", String.raw`C:\x`],
    [String.raw`"C:\x\,"`, "string", String.raw`C:\x\,`],
    [String.raw`"\\\\"`, "string", String.raw`\\`],
    [String.raw`"a\\\"b"`, "string", String.raw`a\"b`],
    ['"two\nlines"', "string", "two\nlines"],
    ['"a\\\nb"', "string", "a\\\nb"],
    ['"\r\n"', "string", "\r\n"],
    ['"# no comment"', "string", "# no comment"],
    ['"\0東京😀\ufeff"', "string", "\0東京😀\ufeff"],
    ['"\ufeffx"', "string", "\ufeffx"],
  ];
  for (const [written, kind, value] of values) {
    test(`${JSON.stringify(written)} is a value of kind ${kind}`, () => {
      assert.deepEqual(cellsOf(`m v=${written}`), { [`${kind}:v`]: value });
      assert.deepEqual(cellsOf(`m v=${written},w=1 5`), { [`${kind}:v`]: value, "float:w": 1 });
    });
  }

  test("an exponent beyond digits is still rounded correctly", () => {
    const digits = "9".repeat(200);
    assert.deepEqual(cellsOf(`m v=${digits}.${digits}`), { "float:v": Number(digits) });
  });

  test("one name as tag and as field, or with two kinds of values, makes two columns", () => {
    const [table] = parseText("m,a=x a=1\nm a=2i\nm a=3").tables;
    assert.deepEqual(
      table?.columns.map(({ name, data }) => [name, data]),
      [
        ["a", { kind: "tag", codes: Uint32Array.of(1, 0, 0), dictionary: ["x"] }],
        ["a", { kind: "float", values: Float64Array.of(1, 0, 3), present: Uint8Array.of(1, 0, 1) }],
        [
          "a",
          {
            kind: "integer",
            values: BigInt64Array.of(0n, 2n, 0n),
            present: Uint8Array.of(0, 1, 0),
          },
        ],
      ],
    );
  });
});

suite("timestamps", () => {
  const MAX = "9223372036854775807";
  const times: readonly (readonly [Precision, string, bigint])[] = [
    ["nanosecond", " 0", 0n],
    ["nanosecond", "   12  ", 12n],
    ["nanosecond", " -12", -12n],
    ["nanosecond", " 0007", 7n],
    ["nanosecond", ` ${MAX}`, 2n ** 63n - 1n],
    ["nanosecond", " -9223372036854775808", -(2n ** 63n)],
    ["nanosecond", "", 77n],
    ["auto", "", 77n],
    ["second", "", 77n],
    ["microsecond", " 9223372036854775", 9223372036854775000n],
    ["millisecond", " -3", -3_000_000n],
    ["second", " 9223372036", 9223372036000000000n],
    ["auto", " 0", 0n],
    ["auto", " 4999999999", 4999999999000000000n],
    ["auto", " -4999999999", -4999999999000000000n],
    ["auto", " 5000000000", 5000000000000000n],
    ["auto", " 4999999999999", 4999999999999000000n],
    ["auto", " 5000000000000", 5000000000000000n],
    ["auto", " 4999999999999999", 4999999999999999000n],
    ["auto", " 5000000000000000", 5000000000000000n],
    ["auto", " -5000000000000000", -5000000000000000n],
    ["auto", " -9223372036854775808", -(2n ** 63n)],
  ];
  for (const [precision, written, timeNs] of times) {
    test(`"${written}" with precision ${precision} is ${timeNs} ns`, () => {
      const body = parseText(`m v=1${written}`, { precision });
      assert.deepEqual(body.rejected, []);
      assert.deepEqual(body.tables[0]?.times, BigInt64Array.of(timeNs));
    });
  }

  test("auto decides a line at a time", () => {
    const [table] = parseText("m v=1 1\nm v=1 5000000000\nm v=1 1\nm v=1", {
      precision: "auto",
    }).tables;
    assert.deepEqual(
      table?.times,
      BigInt64Array.of(1_000_000_000n, 5_000_000_000_000_000n, 1_000_000_000n, 77n),
    );
  });

  test("a timestamp that is out of range is not remembered for the next line", () => {
    const body = parseText("m v=1 9223372037\nm v=1 9223372037\nm v=1 1", { precision: "second" });
    assert.equal(body.rejectedCount, 2);
    assert.deepEqual(body.tables[0]?.times, BigInt64Array.of(1_000_000_000n));
  });
});
