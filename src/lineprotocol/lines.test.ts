import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { isKind } from "#base/errors.ts";
import { LineCursor } from "./lines.ts";
import { DEFAULT_LIMITS, parseLines } from "./parse.ts";

/** The lines of `text` that say something, each with its number. */
function linesOf(text: string): readonly (readonly [number, string])[] {
  const bytes = Buffer.from(text);
  const cursor = new LineCursor(bytes);
  const lines: (readonly [number, string])[] = [];
  while (cursor.advance()) {
    lines.push([cursor.number, bytes.toString("utf8", cursor.start, cursor.end)]);
  }
  return lines;
}

suite("lines of a body", () => {
  const cases: readonly (readonly [string, readonly (readonly [number, string])[]])[] = [
    ["", []],
    ["\n\n \t\n", []],
    ["# a\n  # b", []],
    ["a", [[1, "a"]]],
    [
      "a\nb\n",
      [
        [1, "a"],
        [2, "b"],
      ],
    ],
    [
      "\n\n# c\n\t \n  a\nb",
      [
        [5, "  a"],
        [6, "b"],
      ],
    ],
    // Escaped newlines are part of the line, in names and in strings.
    [
      "a\\\nb v=1\nc",
      [
        [1, "a\\\nb v=1"],
        [3, "c"],
      ],
    ],
    [
      'm v="x\\\ny"\nc',
      [
        [1, 'm v="x\\\ny"'],
        [3, "c"],
      ],
    ],
    // So is every newline in a string.
    [
      'm v="x\n\ny" 1\nc',
      [
        [1, 'm v="x\n\ny" 1'],
        [4, "c"],
      ],
    ],
    [
      'm v=1,w="\nx"\nc',
      [
        [1, 'm v=1,w="\nx"'],
        [3, "c"],
      ],
    ],
    [
      'm v="a,b=c\n"\nc',
      [
        [1, 'm v="a,b=c\n"'],
        [3, "c"],
      ],
    ],
    [
      'm v="a\\"\nb"\nc',
      [
        [1, 'm v="a\\"\nb"'],
        [3, "c"],
      ],
    ],
    [
      'm v="a\\\\"\nb',
      [
        [1, 'm v="a\\\\"'],
        [2, "b"],
      ],
    ],
    [
      'm,t=x v="\n"\nc',
      [
        [1, 'm,t=x v="\n"'],
        [3, "c"],
      ],
    ],
    [
      'm a,b="\n"\nc',
      [
        [1, 'm a,b="\n"'],
        [3, "c"],
      ],
    ],
    // A quote elsewhere opens nothing.
    [
      'm="\nb',
      [
        [1, 'm="'],
        [2, "b"],
      ],
    ],
    [
      'm,t="\nb',
      [
        [1, 'm,t="'],
        [2, "b"],
      ],
    ],
    [
      'm,t=a"b v=1\nb',
      [
        [1, 'm,t=a"b v=1'],
        [2, "b"],
      ],
    ],
    [
      'm "v=1\nb',
      [
        [1, 'm "v=1'],
        [2, "b"],
      ],
    ],
    [
      'm v=12"\nb',
      [
        [1, 'm v=12"'],
        [2, "b"],
      ],
    ],
    [
      'm v=1 "\nb',
      [
        [1, 'm v=1 "'],
        [2, "b"],
      ],
    ],
    [
      'm v=\\"\nb"\nc',
      [
        [1, 'm v=\\"'],
        [2, 'b"'],
        [3, "c"],
      ],
    ],
    [
      '  m,t==" v=1\nb',
      [
        [1, '  m,t==" v=1'],
        [2, "b"],
      ],
    ],
    // Nor does one in a comment.
    ['# a="\nb', [[2, "b"]]],
    ["# a\\\nb", [[2, "b"]]],
    // A string that never ends takes all that follows, for nobody can say where it should have ended.
    [
      'a v=1\nm v="x\nb v=1\nc',
      [
        [1, "a v=1"],
        [2, 'm v="x\nb v=1\nc'],
      ],
    ],
    ["a\\", [[1, "a\\"]]],
    [
      "a\r\nb\r\n",
      [
        [1, "a\r"],
        [2, "b\r"],
      ],
    ],
  ];
  for (const [text, lines] of cases) {
    test(`${JSON.stringify(text)} has ${lines.length}`, () => {
      assert.deepEqual(linesOf(text), lines);
    });
  }
});

suite("the description of a line", () => {
  const body = parseLines(Buffer.from('# comment\n\n  m v=1\nbad\nm s="\n" 1\n\tm v=3\n'), {
    precision: "nanosecond",
    defaultTimeNs: 0n,
    limits: DEFAULT_LIMITS,
  });

  test("has the number an editor shows and the text as sent", () => {
    assert.deepEqual(
      Array.from(body.tables[0]?.lines ?? [], (line) => body.describeLine(line)),
      [
        { lineNumber: 3, text: "  m v=1" },
        { lineNumber: 5, text: 'm s="\n" 1' },
        { lineNumber: 7, text: "\tm v=3" },
      ],
    );
    assert.deepEqual(
      body.rejected.map(({ lineNumber, text }) => [lineNumber, text]),
      [[4, "bad"]],
    );
    assert.equal(body.lineCount, 4);
  });

  test("exists only for lines that are there", () => {
    assert.throws(
      () => body.describeLine(4),
      (error) => isKind(error, "internal"),
    );
  });
});
