import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { utf8 } from "#base/bytes.ts";
import { isKind } from "#base/errors.ts";
import { DEFAULT_LIMITS, parseLines } from "./parse.ts";
import type { ParsedBody, ParseOptions, Precision } from "./parsed.ts";
import { type Cell, rowsOf } from "./rows.ts";

const OPTIONS: ParseOptions = {
  precision: "nanosecond",
  defaultTimeNs: 77n,
  limits: DEFAULT_LIMITS,
};

function parse(text: string, options: Partial<ParseOptions> = {}): ParsedBody {
  return parseLines(utf8(text), { ...OPTIONS, ...options });
}

/** The cells of the one row that `line` makes. */
function cellsOf(line: string): Readonly<Record<string, Cell>> {
  const body = parse(line);
  assert.deepEqual(body.rejected, [], line);
  const rows = rowsOf(body);
  assert.equal(rows.length, 1, line);
  return rows[0]?.cells ?? {};
}

function messageOf(line: string, options: Partial<ParseOptions> = {}): string | undefined {
  const body = parse(line, options);
  assert.equal(body.rejected.length, 1, line);
  assert.deepEqual(body.tables, [], line);
  assert.equal(body.rejected[0]?.text, line);
  return body.rejected[0]?.message;
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
      assert.deepEqual(tableNames(parse(`${written} v=1`)), [name]);
      assert.deepEqual(tableNames(parse(`${written},t=1 v=1`)), [name]);
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
    const [table] = parse("m,a=x a=1\nm a=2i\nm a=3").tables;
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
      const body = parse(`m v=1${written}`, { precision });
      assert.deepEqual(body.rejected, []);
      assert.deepEqual(body.tables[0]?.times, BigInt64Array.of(timeNs));
    });
  }

  test("auto decides a line at a time", () => {
    const [table] = parse("m v=1 1\nm v=1 5000000000\nm v=1 1\nm v=1", {
      precision: "auto",
    }).tables;
    assert.deepEqual(
      table?.times,
      BigInt64Array.of(1_000_000_000n, 5_000_000_000_000_000n, 1_000_000_000n, 77n),
    );
  });

  test("a timestamp that does not fit after scaling is named as it was written", () => {
    const cases: readonly (readonly [Precision, string, string])[] = [
      ["second", "9223372037", "Second"],
      ["second", "-9223372037", "Second"],
      ["millisecond", "9223372036855", "Millisecond"],
      ["microsecond", MAX, "Microsecond"],
    ];
    for (const [precision, time, name] of cases) {
      assert.equal(
        messageOf(`m v=1 ${time}`, { precision }),
        `timestamp, ${time}, out of range for precision: ${name}`,
      );
    }
  });

  test("a timestamp that is out of range is not remembered for the next line", () => {
    const body = parse("m v=1 9223372037\nm v=1 9223372037\nm v=1 1", { precision: "second" });
    assert.equal(body.rejectedCount, 2);
    assert.deepEqual(body.tables[0]?.times, BigInt64Array.of(1_000_000_000n));
  });
});

suite("columns", () => {
  test("tables and columns stand in order of first use, with a cell for each row", () => {
    const body = parse('b,t=x f=1 1\na g=t 2\nb,u=y,t=z f=2,s="q" 3\nb f=3 4');
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
    const [table] = parse(
      String.raw`m,t=a=b s="x\y"` + "\n" + String.raw`m,t=a\=b s="x\\y"`,
    ).tables;
    for (const column of table?.columns ?? []) {
      assert.ok("codes" in column.data);
      assert.deepEqual(column.data.codes, Uint32Array.of(1, 1));
      assert.equal(column.data.dictionary.length, 1);
    }
  });

  test("a name that is written in two ways is one column", () => {
    const body = parse(
      String.raw`a,b v=1` + "\n" + String.raw`m a,b=1` + "\n" + String.raw`m a\,b=2`,
    );
    assert.deepEqual(body.tables[0]?.columns, [
      { name: "a,b", data: { kind: "float", values: Float64Array.of(1, 2) } },
    ]);
  });

  test("a dictionary keeps thousands of texts apart", () => {
    const count = 5_000;
    const lines = Array.from({ length: 3 * count }, (_, index) => `m,t=v${index % count} f=1`);
    const data = parse(lines.join("\n")).tables[0]?.columns[0]?.data;
    assert.ok(data !== undefined && "codes" in data);
    assert.equal(data.dictionary.length, count);
    data.codes.forEach((code, row) => assert.equal(data.dictionary[code - 1], `v${row % count}`));
  });

  test("rows with the same series and time are not merged", () => {
    assert.equal(rowsOf(parse("m,a=1 v=1 5\nm,a=1 v=2 5")).length, 2);
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
    const body = parse(
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
    const body = parse("bad\n".repeat(7), { limits: { ...DEFAULT_LIMITS, rejectedMax: 3 } });
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
      () => parse(body),
      (error) => isKind(error, "exceeded") && error.code === "write_too_sparse",
    );
  });

  test("a body of nothing but bad lines, each unlike the others, is not too sparse", () => {
    const lines = Array.from({ length: 150_000 }, (_, index) => `${index},${index}`);
    assert.equal(parse(lines.join("\n")).rejectedCount, lines.length);
  });
});

suite("messages", () => {
  const TRAILING = "Could not parse entire line. Found trailing content: ";
  const BACKSLASH =
    "Measurements, tag keys and values, and field keys may not end with a backslash";
  const messages: readonly (readonly [string, string])[] = [
    [",t=1 v=1", "Invalid measurement was provided"],
    [",", "Invalid measurement was provided"],
    ["\0 v=1", "Invalid measurement was provided"],
    ["a\\\0b v=1", "Invalid measurement was provided"],
    ["a\0b v=1", "Expected at least one space character, got `\0b v=1`"],
    ["m", "Expected at least one space character, got end of input"],
    ["m,t=x", "Expected at least one space character, got end of input"],
    ["m\tv=1 5", "Expected at least one space character, got `\tv=1 5`"],
    ["m,t=a\tv=1", "Expected at least one space character, got `\tv=1`"],
    ["\r", "Expected at least one space character, got end of input"],
    ["badline,", "Expected tag key, got end of input"],
    ["m, bar=1i", "Expected tag key, got ` bar=1i`"],
    ["m,=x v=1", "Expected tag key, got `=x v=1`"],
    ["m,t=x, bbbbbbbbbbbbb=1i", "Expected tag key, got ` bbbbbbbbb...`"],
    ["m,foo= f=1i", "Expected tag value, got ` f=1i`"],
    ["m,foo=", "Expected tag value, got end of input"],
    ["m,foo=,bar=y f=1", "Expected tag value, got `,bar=y f=1`"],
    ["m,foo=,bar=yy f=1", "Expected tag value, got `,bar=yy f=...`"],
    ["m,,= f=1", "Expected tag value, got ` f=1`"],
    ["m,#", "Tag set malformed: could not find equals sign in `#`"],
    ["m,abc v=1", "Tag set malformed: could not find equals sign in `abc v=1`"],
    ["m,a=b,c v=1", "Tag set malformed: could not find equals sign in `a=b,c v=1`"],
    [`m,${"a".repeat(200)}`, "Tag set malformed: could not find equals sign in `aaaaaaaaaa...`"],
    [
      `m,${"東".repeat(11)}`,
      "Tag set malformed: could not find equals sign in `東東東東東東東東東東...`",
    ],
    [
      `m,${"😀".repeat(10)}`,
      `Tag set malformed: could not find equals sign in \`${"😀".repeat(10)}\``,
    ],
    [
      `m,${"😀".repeat(11)}`,
      `Tag set malformed: could not find equals sign in \`${"😀".repeat(10)}...\``,
    ],
    ["m,a=1,b=2,a=3 v=1", "Must not contain duplicate tags, but `a` was repeated"],
    [String.raw`m,a\=b=1,a\=b=3 v=1`, "Must not contain duplicate tags, but `a=b` was repeated"],
    ["m ", "No fields were provided"],
    ["m 1234", "No fields were provided"],
    ["m v", "No fields were provided"],
    ["m v=", "No fields were provided"],
    ["m =1", "No fields were provided"],
    ["m v= 1", "No fields were provided"],
    ["m v=abc", "No fields were provided"],
    ["m v=.5", "No fields were provided"],
    ["m v=+5", "No fields were provided"],
    ["m v=-", "No fields were provided"],
    ["m v=NaN", "No fields were provided"],
    ["m v=Inf", "No fields were provided"],
    ["m v=\0 1", "No fields were provided"],
    ["m v=1,v=2", "invalid line protocol - multiple instances of 'v' field found"],
    ["m v=1,w=2,v=t", "invalid line protocol - multiple instances of 'v' field found"],
    ["m v=9223372036854775808i", "Unable to parse integer value `9223372036854775808`"],
    ["m v=-9223372036854775809i", "Unable to parse integer value `-9223372036854775809`"],
    [`m a=1,v=${"6".repeat(50)}i`, `Unable to parse integer value \`${"6".repeat(50)}\``],
    ["m v=18446744073709551616u", "Unable to parse unsigned integer value `18446744073709551616`"],
    ["m v=1e999", "Unable to parse floating-point value `1e999`"],
    ["m a=1,v=-1.5e400 1", "Unable to parse floating-point value `-1.5e400`"],
    ["m v=1 9223372036854775808", "Unable to parse timestamp value `9223372036854775808`"],
    ["m v=1 -9223372036854775809", "Unable to parse timestamp value `-9223372036854775809`"],
    ["m v=1 99999999999999999999999", "Unable to parse timestamp value `99999999999999999999999`"],
    ["m,foo=f a=1i,b=", `${TRAILING}\`b=\``],
    [`m a=1i,b${"z".repeat(50)}=`, `${TRAILING}\`bzzzzzzzzz...\``],
    ["m a=1,b=2,c=x", `${TRAILING}\`c=x\``],
    ["m a=1,", `${TRAILING}\`,\``],
    ["m a=1, 5", `${TRAILING}\` 5\``],
    ["m v=1.", `${TRAILING}\`.\``],
    ["m v=1.e5", `${TRAILING}\`.e5\``],
    ["m v=1e", `${TRAILING}\`e\``],
    ["m v=1.5e+", `${TRAILING}\`e+\``],
    ["m v=1.5i", `${TRAILING}\`i\``],
    ["m v=-1u", `${TRAILING}\`u\``],
    ["m v=tru", `${TRAILING}\`ru\``],
    ["m v=tRUE", `${TRAILING}\`RUE\``],
    ["m v=23.1.22,w=4", `${TRAILING}\`.22,w=4\``],
    ['m v="a"b', `${TRAILING}\`b\``],
    ["m v=1 ", `${TRAILING}\` \``],
    ["m v=1 abc", `${TRAILING}\` abc\``],
    ["m v=1 -", `${TRAILING}\` -\``],
    ["m v=1 1.5", `${TRAILING}\`.5\``],
    ["m v=1 5 6", `${TRAILING}\`6\``],
    ["m v=1\t5", `${TRAILING}\`\t5\``],
    ["m v=1 5\r", `${TRAILING}\`\r\``],
    ["m v=1\r", `${TRAILING}\`\r\``],
    [String.raw`m\\,t=x v=1`, BACKSLASH],
    [String.raw`m,t\\=x v=1`, BACKSLASH],
    [String.raw`m,t=x\\ v=1`, BACKSLASH],
    [String.raw`m v\\=1`, BACKSLASH],
    [String.raw`m a=1,v\\=1`, BACKSLASH],
    [String.raw`m v\\`, BACKSLASH],
  ];
  for (const [line, message] of messages) {
    test(`${JSON.stringify(line)} is refused: ${JSON.stringify(message)}`, () => {
      assert.equal(messageOf(line), message);
      // Alone and after a good line of the same names, which are then compared and not read.
      const body = parse(`m,t=x v=1,w=2 5\n${line}\nm,t=x v=2,w=3 6`);
      assert.deepEqual(body.rejected, [{ lineNumber: 2, text: line, message }]);
      assert.deepEqual(
        rowsOf(body).map(({ cells }) => cells),
        [
          { "tag:t": "x", "float:v": 1, "float:w": 2 },
          { "tag:t": "x", "float:v": 2, "float:w": 3 },
        ],
      );
    });
  }

  // A string that stays open and a backslash at the end take the next line with them.
  const openMessages: readonly (readonly [string, string])[] = [
    ['m v="open', "No fields were provided"],
    [String.raw`m v="open\"`, "No fields were provided"],
    ['m a=1,b="open', `${TRAILING}\`b="open\``],
    ["m\\", BACKSLASH],
    ["m,t\\", BACKSLASH],
    ["m,t=x\\", BACKSLASH],
    ["m v\\", BACKSLASH],
  ];
  for (const [line, message] of openMessages) {
    test(`${JSON.stringify(line)} at the end is refused: ${JSON.stringify(message)}`, () => {
      assert.equal(messageOf(line), message);
      const body = parse(`m v=1 5\n${line}`);
      assert.deepEqual(body.rejected, [{ lineNumber: 2, text: line, message }]);
      assert.equal(rowsOf(body).length, 1);
    });
  }
});

suite("sizes", () => {
  const limits = { nameSizeMax: 8, stringSizeMax: 16, rejectedMax: 10 };
  const fitting: readonly string[] = [
    "mmmmmmmm v=1",
    "m,tttttttt=x v=1",
    "m,t=xxxxxxxx v=1",
    "m vvvvvvvv=1",
    'm v="0123456789abcdef"',
    // Backslashes that only escape are not counted.
    String.raw`m\ \ \ \ \ \ \  v=1`,
    String.raw`m v="\"\"\"\"56789abcdef0"`,
  ];
  for (const line of fitting) {
    test(`${line} is as long as can be`, () => {
      assert.equal(parse(line, { limits }).rejectedCount, 0);
    });
  }

  const tooLong: readonly (readonly [string, number])[] = [
    ["mmmmmmmmm v=1", 8],
    ["m,ttttttttt=x v=1", 8],
    ["m,t=xxxxxxxxx v=1", 8],
    ["m,t=éééé1 v=1", 8],
    ["m vvvvvvvvv=1", 8],
    ['m v="0123456789abcdef0"', 16],
  ];
  for (const [line, sizeMax] of tooLong) {
    test(`${line} is too long`, () => {
      assert.equal(messageOf(line, { limits }), `String is greater than ${sizeMax} bytes`);
    });
  }

  test("by default names have up to 64 KiB and strings up to 1 MiB", () => {
    const { nameSizeMax, stringSizeMax } = DEFAULT_LIMITS;
    assert.equal(nameSizeMax, 65_536);
    assert.equal(stringSizeMax, 1_048_576);
    assert.equal(parse(`m,t=${"x".repeat(nameSizeMax)} v=1`).rejectedCount, 0);
    assert.equal(
      messageOf(`m,t=${"x".repeat(nameSizeMax + 1)} v=1`),
      "String is greater than 64KB",
    );
    assert.equal(parse(`m v="${"x".repeat(stringSizeMax)}"`).rejectedCount, 0);
    assert.equal(messageOf(`m v="${"x".repeat(stringSizeMax + 1)}"`), "String is greater than 1MB");
  });
});
