import assert from "node:assert/strict";
import { suite, test } from "node:test";
import * as fc from "fast-check";
import { utf8 } from "#base/bytes.ts";
import { cpuMs } from "#testing/cpu-time.ts";
import { DEFAULT_LIMITS, parseLines } from "./parse.ts";
import type { ParsedBody, ParseOptions } from "./parsed.ts";
import { type Cell, type Row, rowsOf } from "./rows.ts";

const OPTIONS: ParseOptions = {
  precision: "nanosecond",
  defaultTimeNs: 77n,
  limits: DEFAULT_LIMITS,
};

/** Seconds that a hostile body may take; far above what it does take, far below what going over it anew would. */
const SECONDS_MAX = 5;

const TIME_BOUND = 2n ** 63n;

const text = fc.oneof(
  fc.string({ unit: "grapheme", maxLength: 12 }),
  fc
    .array(fc.constantFrom(...Array.from('ab \\,="\n\t\r#\0é東😀\ufeff')), { maxLength: 8 })
    .map((characters) => characters.join("")),
);
/** Names can hold neither tabs nor newlines, for no escape stands for them, nor end in a backslash. */
const name = text
  .map((raw) => raw.replace(/[\t\n]/g, "").replace(/\\+$/, ""))
  .filter((raw) => raw !== "");
/** Those of tables do not look like a comment either, and have no NUL. */
const measurement = name.filter((raw) => !raw.startsWith("#") && !raw.includes("\0"));
const fewNames = fc.constantFrom("a", "b", "a b", "c,=", "é", "time", "__proto__");
const key = fc.oneof(fewNames, name);

const fieldValue: fc.Arbitrary<readonly [string, Cell]> = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => ["float", value] as const),
  fc.integer().map((value) => ["float", value / 1000] as const),
  fc.bigInt({ min: -TIME_BOUND, max: TIME_BOUND - 1n }).map((value) => ["integer", value] as const),
  fc.bigInt({ min: 0n, max: 2n * TIME_BOUND - 1n }).map((value) => ["uinteger", value] as const),
  fc.boolean().map((value) => ["boolean", value] as const),
  text.map((value) => ["string", value] as const),
);

interface WrittenRow {
  readonly table: string;
  readonly tags: readonly (readonly [string, string])[];
  readonly fields: readonly (readonly [string, readonly [string, Cell]])[];
  readonly timeNs: bigint | undefined;
}

const row: fc.Arbitrary<WrittenRow> = fc.record({
  table: fc.oneof(fc.constantFrom("m", "m m"), measurement),
  tags: fc.uniqueArray(fc.tuple(key, name), { selector: ([tag]) => tag, maxLength: 4 }),
  fields: fc.uniqueArray(fc.tuple(key, fieldValue), {
    selector: ([field]) => field,
    minLength: 1,
    maxLength: 5,
  }),
  timeNs: fc.option(fc.bigInt({ min: -TIME_BOUND, max: TIME_BOUND - 1n }), { nil: undefined }),
});

function escapeName(raw: string): string {
  return raw.replace(/[\\,= ]/g, "\\$&");
}

function print({ table, tags, fields, timeNs }: WrittenRow): string {
  const series = [table.replace(/[\\, ]/g, "\\$&")];
  for (const [tag, value] of tags) series.push(`${escapeName(tag)}=${escapeName(value)}`);
  const values = fields.map(([field, [kind, value]]) => {
    return `${escapeName(field)}=${printValue(kind, value)}`;
  });
  return `${series.join(",")} ${values.join(",")}${timeNs === undefined ? "" : ` ${timeNs}`}`;
}

function printValue(kind: string, value: Cell): string {
  if (kind === "string") return `"${String(value).replace(/["\\]/g, "\\$&")}"`;
  if (kind === "integer") return `${value}i`;
  if (kind === "uinteger") return `${value}u`;
  return Object.is(value, -0) ? "-0" : String(value);
}

function cellsOf({ tags, fields }: WrittenRow): Readonly<Record<string, Cell>> {
  return Object.fromEntries([
    ...tags.map(([tag, value]) => [`tag:${tag}`, value]),
    ...fields.map(([field, [kind, value]]) => [`${kind}:${field}`, value]),
  ]);
}

/** What every parsed body owes its readers, whatever was parsed. */
function checkShape(body: ParsedBody): void {
  const rowCount = body.tables.reduce((sum, { times }) => sum + times.length, 0);
  assert.equal(rowCount + body.rejectedCount, body.lineCount);
  for (const table of body.tables) {
    assert.ok(table.times.length > 0);
    assert.equal(table.lines.length, table.times.length);
    assert.ok(
      table.lines.every((line, index) => index === 0 || line > (table.lines[index - 1] ?? 0)),
    );
    const columnNames = table.columns.map((column) => `${column.data.kind}:${column.name}`);
    assert.equal(new Set(columnNames).size, columnNames.length);
    for (const { data } of table.columns) {
      if ("codes" in data) {
        assert.equal(data.codes.length, table.times.length);
        assert.equal(new Set(data.dictionary).size, data.dictionary.length);
        const codes = new Set(data.codes);
        codes.delete(0);
        assert.equal(codes.size, data.dictionary.length);
        assert.ok(data.codes.every((code) => code <= data.dictionary.length));
      } else {
        assert.equal(data.values.length, table.times.length);
        assert.equal(data.present?.length ?? table.times.length, table.times.length);
        assert.ok(
          data.present === undefined || (data.present.includes(0) && data.present.includes(1)),
        );
      }
    }
  }
}

function withoutLines({ tables }: ParsedBody): readonly object[] {
  return tables.map((table) => ({ ...table, lines: undefined }));
}

suite("any rows", () => {
  test("come out as they were written", () => {
    fc.assert(
      fc.property(fc.array(row, { maxLength: 12 }), (rows) => {
        const body = parseLines(utf8(rows.map((one) => `${print(one)}\n`).join("")), OPTIONS);
        assert.deepEqual(body.rejected, []);
        checkShape(body);
        const parsed = rowsOf(body).map(({ table, timeNs, cells }) => ({ table, timeNs, cells }));
        const written = rows.map((one) => ({
          table: one.table,
          timeNs: one.timeNs ?? 77n,
          cells: cellsOf(one),
        }));
        assert.deepEqual(parsed, written);
      }),
      { numRuns: 500 },
    );
  });

  test("come out the same with bad lines, blank lines and comments between them", () => {
    const noise = fc.constantFrom(
      "",
      "  \t",
      '# a="',
      "bad",
      "m,t=x",
      "m,t=new v=1,w=2 x",
      "m zz=1,a=t,zz=2",
      "m v=1e999",
      "m v=1 5\r",
      'm a=1i,b=12"',
    );
    const item = fc.oneof(row, noise);
    fc.assert(
      fc.property(fc.array(item, { maxLength: 20 }), (items) => {
        const lines = items.map((one) => (typeof one === "string" ? one : print(one)));
        const good = items.filter((one) => typeof one !== "string");
        const body = parseLines(utf8(lines.join("\n")), OPTIONS);
        checkShape(body);
        const alone = parseLines(utf8(good.map((one) => print(one)).join("\n")), OPTIONS);
        assert.deepEqual(withoutLines(body), withoutLines(alone));
        const at = (index: number) =>
          lines.slice(0, index).join("\n").split("\n").length + (index > 0 ? 1 : 0);
        const numbers = items.flatMap((one, index) => (typeof one === "string" ? [] : [at(index)]));
        assert.deepEqual(
          rowsOf(body).map(({ lineNumber }) => lineNumber),
          numbers,
        );
      }),
      { numRuns: 300 },
    );
  });
});

function digits(countMax: number): fc.Arbitrary<string> {
  const digit = fc.integer({ min: 0, max: 9 });
  return fc.array(digit, { minLength: 1, maxLength: countMax }).map((all) => all.join(""));
}

suite("any number", () => {
  test("of any digits reads as the nearest double", () => {
    const number = fc
      .tuple(
        fc.constantFrom("", "-"),
        digits(20),
        fc.option(digits(24), { nil: undefined }),
        fc.option(fc.tuple(fc.constantFrom("e", "E", "e+", "e-"), digits(3)), { nil: undefined }),
      )
      .map(([sign, whole, fraction, exponent]) => {
        return `${sign}${whole}${fraction === undefined ? "" : `.${fraction}`}${exponent?.join("") ?? ""}`;
      });
    fc.assert(
      fc.property(fc.array(number, { minLength: 1, maxLength: 50 }), (numbers) => {
        const body = parseLines(utf8(numbers.map((one) => `m v=${one}\n`).join("")), OPTIONS);
        const values = numbers.map(Number).filter((value) => Number.isFinite(value));
        assert.equal(body.rejectedCount, numbers.length - values.length);
        assert.deepEqual(
          rowsOf(body).map(({ cells }) => cells["float:v"]),
          values,
        );
      }),
      { numRuns: 300 },
    );
  });
});

const SAMPLE = [
  "# devops",
  "cpu,host=host_0,region=eu-central-1 usage_user=58i,usage_system=2.25,idle=1e-3 1451606400000000000",
  'cpu,region=eu-west-1,host=host_1 usage_user=12i,note="say \\"hi\\", ok\\\\" 1451606400000000000',
  "",
  "disk\\ usage,path=C:\\,\\ D:\\=x,host=host_0 free=18446744073709551615u,ok=true,\\ k\\=y=-0.1",
  '  logs,host=höst_2 message="two\nlines, a=b # 東京 😀",level=3i -12',
  "bad line here",
  "cpu usage_user=59i,usage_system=17.000000000000001 1451606410000000000  ",
  "mem used=1152921504606846976i,free=0.30000000000000004,ok=F 1451606410000000001\n",
].join("\n");

suite("damaged bodies", () => {
  const whole = utf8(SAMPLE);
  const wholeRows = rowsOf(parseLines(whole, OPTIONS));

  test("cut at any byte keep every good line before the cut", () => {
    assert.equal(wholeRows.length, 6);
    for (let size = 0; size <= whole.length; size += 1) {
      const cut = whole.slice(0, size);
      const body = parseLines(cut, OPTIONS);
      checkShape(body);
      const lineCount = Buffer.from(cut).toString("latin1").split("\n").length;
      // The line that is cut may be good and another one than it was; those above it are untouched.
      const isWhole = ({ lineNumber }: Row) => lineNumber + (lineNumber === 6 ? 1 : 0) < lineCount;
      assert.deepEqual(rowsOf(body).filter(isWhole), wholeRows.filter(isWhole), `cut at ${size}`);
    }
  });

  test("with any bytes changed are parsed without an exception, good lines above kept", () => {
    const change = fc.tuple(fc.nat({ max: whole.length - 1 }), fc.nat({ max: 255 }));
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 6 }), (changes) => {
        const damaged = whole.slice();
        for (const [offset, byte] of changes) damaged[offset] = byte;
        const body = parseLines(damaged, OPTIONS);
        checkShape(body);
        const first = Math.min(...changes.map(([offset]) => offset));
        const lineCount = Buffer.from(whole.subarray(0, first))
          .toString("latin1")
          .split("\n").length;
        const isAbove = ({ lineNumber }: Row) =>
          lineNumber + (lineNumber === 6 ? 1 : 0) < lineCount;
        assert.deepEqual(rowsOf(body).filter(isAbove), wholeRows.filter(isAbove));
      }),
      { numRuns: 2_000 },
    );
  });

  test("of any bytes at all are parsed without an exception", () => {
    const byte = fc.constantFrom(...utf8('mmttv  ,,==""\\\\\n\n01-.eiu#\r\t\0\xff'));
    fc.assert(
      fc.property(fc.array(byte, { maxLength: 80 }), (bytes) => {
        const body = parseLines(Uint8Array.from(bytes), OPTIONS);
        checkShape(body);
        for (const { text: line } of body.rejected) assert.ok(Buffer.byteLength(line) <= 240);
      }),
      { numRuns: 3_000 },
    );
  });
});

function distinct(head: string, part: (index: number) => string, count: number): string {
  return head + Array.from({ length: count }, (_, index) => part(index)).join("");
}

suite("bodies of 10 MB", () => {
  const SIZE = 10_000_000;
  const fill = (head: string, part: string, tail = "") =>
    head + part.repeat(Math.ceil((SIZE - head.length - tail.length) / part.length)) + tail;
  const bodies: readonly (readonly [string, string, number])[] = [
    ["one string", fill('m s="', "x", '"'), 0],
    ["one string of escapes", fill('m s="', '\\"', '"'), 0],
    ["one open string", fill('m s="', "x\n"), 0],
    ["one name", fill("m", "m"), 0],
    ["one name of escapes", fill("m", "\\,", " v=1"), 0],
    ["one number", fill("m v=", "1"), 0],
    ["one whole number", fill("m v=", "9", "i"), 0],
    ["one whole number of zeros", fill("m v=", "0", "7i"), 1],
    ["one timestamp", fill("m v=1 ", "9"), 0],
    ["spaces", fill("m v=1", " ", "5"), 1],
    ["one field again and again", fill("m v=1", ",v=1"), 0],
    ["many fields", distinct("m a=1", (index) => `,f${index}=${index}`, 100_000), 1],
    ["many tags", distinct("m", (index) => `,t${index}=x`, 100_000), 0],
    ["blank lines", fill("", "\n"), 0],
    ["comments", fill("", '# "\\\n'), 0],
    ["bad lines", fill("", "bad\n"), 0],
    ["lines with a quote", fill("", 'm s="x"\n'), 1_250_000],
    ["tables", distinct("", (index) => `t${index} v=1\n`, 20_000), 20_000],
  ];
  for (const [title, body, rowCount] of bodies) {
    test(`${title}: parsed in bounded time`, () => {
      const start = cpuMs();
      const parsed = parseLines(utf8(body), OPTIONS);
      assert.ok(cpuMs() - start < SECONDS_MAX * 1000);
      assert.equal(
        parsed.tables.reduce((sum, { times }) => sum + times.length, 0),
        rowCount,
      );
    });
  }
});
