import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { DEFAULT_LIMITS } from "./parse.ts";
import type { ParseOptions, Precision } from "./parsed.ts";
import { parseText, rowsOf } from "./rows.ts";

function messageOf(line: string, options: Partial<ParseOptions> = {}): string | undefined {
  const body = parseText(line, options);
  assert.equal(body.rejected.length, 1, line);
  assert.deepEqual(body.tables, [], line);
  assert.equal(body.rejected[0]?.text, line);
  return body.rejected[0]?.message;
}

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
      const body = parseText(`m,t=x v=1,w=2 5\n${line}\nm,t=x v=2,w=3 6`);
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
      const body = parseText(`m v=1 5\n${line}`);
      assert.deepEqual(body.rejected, [{ lineNumber: 2, text: line, message }]);
      assert.equal(rowsOf(body).length, 1);
    });
  }

  test("a timestamp that does not fit after scaling is named as it was written", () => {
    const cases: readonly (readonly [Precision, string, string])[] = [
      ["second", "9223372037", "Second"],
      ["second", "-9223372037", "Second"],
      ["millisecond", "9223372036855", "Millisecond"],
      ["microsecond", "9223372036854775807", "Microsecond"],
    ];
    for (const [precision, time, name] of cases) {
      assert.equal(
        messageOf(`m v=1 ${time}`, { precision }),
        `timestamp, ${time}, out of range for precision: ${name}`,
      );
    }
  });
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
      assert.equal(parseText(line, { limits }).rejectedCount, 0);
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
    assert.equal(parseText(`m,t=${"x".repeat(nameSizeMax)} v=1`).rejectedCount, 0);
    assert.equal(
      messageOf(`m,t=${"x".repeat(nameSizeMax + 1)} v=1`),
      "String is greater than 64KB",
    );
    assert.equal(parseText(`m v="${"x".repeat(stringSizeMax)}"`).rejectedCount, 0);
    assert.equal(messageOf(`m v="${"x".repeat(stringSizeMax + 1)}"`), "String is greater than 1MB");
  });
});
