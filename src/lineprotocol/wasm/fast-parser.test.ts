import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { utf8 } from "#base/bytes.ts";
import { isKind } from "#base/errors.ts";
import { below, seededRandom } from "#ports/random.ts";
import { hardFloat, lineBody } from "#testing/samples/line-bodies.ts";
import { DEFAULT_LIMITS, parseParts } from "../parse.ts";
import type { ParseOptions, Precision } from "../parsed.ts";
import { spreadSeries } from "../series-table.ts";
import { FastParser } from "./fast-parser.ts";

const OPTIONS: ParseOptions = { precision: "auto", defaultTimeNs: 77n, limits: DEFAULT_LIMITS };
const PRECISIONS: readonly Precision[] = [
  "auto",
  "second",
  "millisecond",
  "microsecond",
  "nanosecond",
];
const BODY_COUNT = 300;

const parser = new FastParser();

function same(text: string | Uint8Array, options: ParseOptions = OPTIONS): void {
  const body = typeof text === "string" ? utf8(text) : text;
  const parts = parser.parse(body, options);
  assert.deepEqual({ ...parts, tables: parts.tables.map(spreadSeries) }, parseParts(body, options));
}

function all(number: bigint): bigint {
  return BigInt.asUintN(64, number);
}

/** Where lines.as looks for a text of seven bytes first, but for what its column adds. */
function slotOf(text: string): bigint {
  const bytes = Buffer.from(`\0${text}`).readBigUInt64LE();
  const some = all(7n * 0x9e3779b97f4a7c15n) ^ bytes;
  let mixed = all(all((some << 29n) | (some >> 35n)) * 0xbf58476d1ce4e5b9n);
  mixed ^= mixed >> 29n;
  return (all(mixed * 0xbf58476d1ce4e5b9n) >> 32n) & 2_047n;
}

suite("the fast parser gives what the plain one gives", () => {
  const cases = {
    nothing: "",
    "blanks and comments": "\n\n# m f=1\n \nm f=1\n#",
    "no newline at the end": "m f=1 1\nm f=2 2",
    "a field more, a field fewer, another order":
      "m f=1,g=1\nm f=2,g=2\nm f=3\nm g=4,f=4\nm f=5,g=5,h=5\nm f=6\nm f=7,g=7",
    "kinds that change": "m f=1\nm f=2\nm f=3i\nm f=4u\nm f=t\nm f=5\nm f=6i\nm f=F",
    "a field twice": "m f=1\nm f=1,f=2\nm f=1,f=2\nm f=3",
    "tags in another order": "m,a=1,b=2 f=1\nm,b=2,a=1 f=2\nm,a=1,b=2 f=3\nm,b=2,a=1 f=4",
    "a series that begins another": "m,a=1 f=1\nm,a=10 f=2\nm,a=1 f=3\nm,a=10 f=4\nm f=5\nm f=6",
    "tables in turns": "m f=1\nn f=1\nm f=2\nn f=2\nm,a=b f=3\nn g=3\nm,a=b f=4\nn g=4",
    "bad lines between": "m f=1\nm\nm f=2\nm f=\nm f=3\nm f=4x\nm f=5\n,\nm f=6",
    "strings between": 'm f=1,s="a\nb"\nm f=2,s="c"\nm f=3\nm f=4\nm f=5,s="m f=6\nm f=7"\nm f=8',
    "a key with a quote": 'm,a="b f=1\nm,a="b f=2\nm "f=1\nm "f=2\nm "=3\nm "=4',
    "lines that a carriage return ends": "m f=1 1\r\nm f=2 2\r\nm f=3 3\r\n",
  };
  for (const [name, text] of Object.entries(cases)) test(`of ${name}`, () => same(text));

  test("of every truncation of a body", () => {
    const text = 'm,a=b f=1.5,g=2i,h=t 1700000000\nm,a=b f=2.5,g=3i,h=F 1700000001\nm f=1,s="x y"';
    const body = [text, text, text].join("\n");
    for (let size = 0; size <= body.length; size += 1) same(body.slice(0, size));
  });

  test("of bodies of chance, with slips", () => {
    const random = seededRandom(1);
    for (let count = 0; count < BODY_COUNT; count += 1) {
      const precision = PRECISIONS[below(random, PRECISIONS.length)] as Precision;
      same(lineBody(random, 200), { ...OPTIONS, precision });
    }
  });

  test("of floats that are hard to round", () => {
    const random = seededRandom(2);
    same(Array.from({ length: 20_000 }, () => `m f=${hardFloat(random)}`).join("\n"));
  });

  test("of escapes at every place", () => {
    const lines: string[] = [];
    for (let size = 0; size < 40; size += 1) {
      for (const piece of ['\\"', "\\\\", "\\x", "\\\n", "\\\\\\"]) {
        lines.push(`m,a=1 s="${"x".repeat(size)}${piece}",f=1`, `m,a=1 s="${"x".repeat(size)}"`);
      }
      for (const piece of ["\\ ", "\\,", "\\=", "\\\\", "\\\\ ", "\\\n", "\t"]) {
        lines.push(
          `m,a=${"x".repeat(size)}${piece},b=1 f=1`,
          `m,a=${piece}${"x".repeat(size)} f=1`,
        );
      }
    }
    same(lines.join("\n"));
  });

  test("of texts larger than is allowed", () => {
    const limits = { ...DEFAULT_LIMITS, nameSizeMax: 20, stringSizeMax: 30 };
    const lines = Array.from(
      { length: 40 },
      (_, size) => `m,a=${"x".repeat(size + 1)} s="${"y".repeat(size)}\\"" ${size}`,
    );
    same([...lines, ...lines].join("\n"), { ...OPTIONS, limits });
  });

  test("of more texts than there is room for at first", () => {
    const lines = Array.from(
      { length: 6_000 },
      (_, i) => `m,a=${i},b=é${i % 3_000} s="\\"${i % 5_000}",t="😀${i}"`,
    );
    same([...lines, ...lines].join("\n"));
  });

  test("of bytes that are no text", () => {
    const bytes = utf8("m f=1\nm,a=X f=2\nm f=3");
    bytes[bytes.indexOf(0x58)] = 0xff;
    same(bytes);
  });

  test("of more series and layouts than it learns", () => {
    const lines = Array.from(
      { length: 3_000 },
      (_, i) => `m,a=${i % 700} f${i % 40}=${i},g=1 ${i}`,
    );
    same([...lines, ...lines].join("\n"));
  });

  test("of a body of short lines, which fills the log", () => {
    same("m f=1\n".repeat(50_000));
    same(`${"m f=1\n".repeat(40_000)}m f=1,g=2\n${"m f=2,g=3\nm f=3\n".repeat(20_000)}`);
  });

  test("of bodies too sparse", () => {
    const text = Array.from({ length: 6_000 }, (_, i) => `t a_${i}=1,b_${i}=1 ${i}`).join("\n");
    for (const parse of [
      () => parser.parse(utf8(text), OPTIONS),
      () => parseParts(utf8(text), OPTIONS),
    ]) {
      assert.throws(parse, (error) => isKind(error, "exceeded"));
    }
    same("m f=1\nm f=2");
  });

  test("of texts that meet in the hash table", () => {
    const numbers = Array.from({ length: 60_000 }, (_, index) => `${1_000_000 + index}`);
    const texts = numbers.filter((text) => slotOf(text) === slotOf("1000000"));
    assert.ok(texts.length > 20);
    const lines = texts.map((text, i) => `m,a=${text} s="${texts.at(-i)}",t="\\"" ${i}`);
    same([...lines, ...lines].join("\n"));
  });

  test("of a table of more than 65,536 columns, and tables behind it with the same texts", () => {
    const wide = Array.from({ length: 65_600 }, (_, index) => `s${index}=t${index % 50}`);
    const few = Array.from({ length: 60 }, (_, i) => `n,a=t${(i * 7) % 50},b=t${i % 50} f="t${i}"`);
    const rows = [`m,${wide.join()} f=1`, ...Array(5).fill("m,s0=q,s65599=r f=1"), ...few, ...few];
    same(rows.join("\n"));
  });

  test("of more than 65,536 tables, the last with the texts of the first", () => {
    const lines = Array.from({ length: 65_545 }, (_, index) => {
      if (index > 20 && index < 65_520) return `t${index} f=1\nt${index} f=1`;
      const texts = index < 30_000 ? ["p", "p", "q", "q"] : ["q", "q", "p", "p"];
      return texts.map((text) => `t${index},a=${text} f=1`).join("\n");
    });
    // So large a body may have so many series.
    same(`${lines.join("\n")}\n#${"x".repeat(1_000_000)}`);
  });

  test("of keys that meet in the hash table", () => {
    // More than a few series have the same slot where the table is small.
    const lines = Array.from({ length: 40 }, (_, i) => `m,a=${i} f=1`);
    same([...lines, ...lines, ...lines].join("\n"));
  });
});
