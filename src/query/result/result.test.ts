import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { fromUtf8 } from "#base/bytes.ts";
import { DbError } from "#base/errors.ts";
import { formatFloat } from "#model/query/float-text.ts";
import type { Field } from "#model/query/plan.ts";
import type { ResultBatch, ResultColumn } from "#model/query/result.ts";
import { listOf, structOf, timestampType } from "#model/query/value-type.ts";
import { PRETTY_ROWS_MAX } from "./pretty.ts";
import { encodeResult, RESULT_FORMATS, type ResultFormat } from "./result.ts";
import { formatInterval } from "./text.ts";
import { formatDate } from "./time-cells.ts";

const FORMATS = Object.keys(RESULT_FORMATS) as ResultFormat[];
const FIELDS: readonly Field[] = [
  { name: "time", type: "timestamp" },
  { name: "room", type: "string" },
  { name: 'te"mp', type: "float64" },
  { name: "co", type: "int64" },
  { name: "u", type: "uint64" },
  { name: "ok", type: "boolean" },
  { name: "gap", type: "interval" },
  { name: "none", type: "null" },
];
const BATCH = batchOf(2, [
  { type: "timestamp", values: BigInt64Array.of(1_740_514_774_984_098_000n, 0n) },
  { type: "string", values: ['Kit"chen,\n☃', null] },
  { type: "float64", values: Float64Array.of(100, Number.NaN) },
  {
    type: "int64",
    values: BigInt64Array.of(-9_223_372_036_854_775_808n, 0n),
    present: Uint8Array.of(1, 0),
  },
  { type: "uint64", values: BigUint64Array.of(18_446_744_073_709_551_615n, 1n) },
  { type: "boolean", values: Uint8Array.of(1, 0), present: Uint8Array.of(1, 1) },
  { type: "interval", values: [{ months: 0, nanoseconds: 32_000_000n }, null] },
  { type: "null" },
]);
const ROW_1 = String.raw`{"time":"2025-02-25T20:19:34.984098","room":"Kit\"chen,\n☃","te\"mp":100.0,"co":-9223372036854775808,"u":18446744073709551615,"ok":true,"gap":"PT0.032S"}`;
const ROW_2 = String.raw`{"time":"1970-01-01T00:00:00","te\"mp":null,"u":1,"ok":false}`;
const SMALL: readonly Field[] = [
  { name: "room", type: "string" },
  { name: "v", type: "float64" },
];
const SMALL_BATCH = batchOf(2, [
  { type: "string", values: ["Küche", null] },
  { type: "float64", values: Float64Array.of(1.5, Number.POSITIVE_INFINITY) },
]);

/** Types that are made of others, and those whose type says how they are shown. */
const PARTED: readonly Field[] = [
  { name: "l", type: listOf("int64") },
  {
    name: "s",
    type: structOf([
      {
        name: "a",
        type: listOf({
          kind: "map",
          key: "string",
          value: { kind: "decimal", precision: 5, scale: 2 },
        }),
      },
      { name: "d", type: "date" },
    ]),
  },
  { name: "z", type: timestampType("second", "Europe/Paris") },
  { name: "f", type: "float32" },
  { name: "t", type: "time" },
  { name: "w", type: "duration" },
  { name: "b", type: "binary" },
];
const TWO_OF_THREE = Uint8Array.of(1, 1, 0);
const PARTED_BATCH = batchOf(3, [
  {
    type: "list",
    offsets: Int32Array.of(0, 2, 2, 2),
    items: { type: "int64", values: BigInt64Array.of(1n, 0n), present: Uint8Array.of(1, 0) },
    present: TWO_OF_THREE,
  },
  {
    type: "struct",
    members: [
      {
        type: "list",
        offsets: Int32Array.of(0, 1, 1, 1),
        items: {
          type: "map",
          offsets: Int32Array.of(0, 1),
          keys: { type: "string", values: ["k"] },
          values: { type: "decimal", values: [150n] },
        },
        present: Uint8Array.of(1, 0, 0),
      },
      { type: "date", values: Int32Array.of(19_782, 0, 0), present: Uint8Array.of(1, 0, 0) },
    ],
    present: TWO_OF_THREE,
  },
  {
    type: "timestamp",
    values: BigInt64Array.of(1_719_792_000_000_000_000n, 1_704_067_200_000_000_001n, 0n),
    present: TWO_OF_THREE,
  },
  { type: "float32", values: Float32Array.of(0.1, Number.NaN, 0), present: TWO_OF_THREE },
  {
    type: "time",
    values: BigInt64Array.of(1_500_000_000n, 86_399_999_999_999n, 0n),
    present: TWO_OF_THREE,
  },
  { type: "duration", values: BigInt64Array.of(-1_500_000_000n, 0n, 0n), present: TWO_OF_THREE },
  { type: "binary", values: [Uint8Array.of(0, 255), new Uint8Array(0), null] },
]);

const WRITTEN: readonly (readonly [
  ResultFormat,
  readonly Field[],
  readonly ResultBatch[],
  string,
])[] = [
  ["json", FIELDS, [BATCH], `[${ROW_1},${ROW_2}]`],
  ["json", FIELDS, [BATCH, BATCH], `[${ROW_1},${ROW_2},${ROW_1},${ROW_2}]`],
  ["json", FIELDS, [], "[]"],
  ["json", SMALL, [batchOf(0, [{ type: "null" }, { type: "null" }])], "[]"],
  ["json", SMALL, [batchOf(2, [{ type: "null" }, { type: "null" }])], "[{},{}]"],
  ["jsonl", FIELDS, [BATCH], `${ROW_1}\n${ROW_2}\n`],
  ["jsonl", FIELDS, [], ""],
  ["csv", SMALL, [SMALL_BATCH, SMALL_BATCH], "room,v\nKüche,1.5\n,inf\nKüche,1.5\n,inf\n"],
  ["csv", SMALL, [], ""],
  ["csv", SMALL, [batchOf(0, [{ type: "null" }, { type: "null" }])], ""],
  ["csv", [{ name: "b", type: "null" }], [batchOf(1, [{ type: "null" }])], 'b\n""\n'],
  [
    "csv",
    FIELDS,
    [BATCH],
    'time,room,"te""mp",co,u,ok,gap,none\n' +
      '2025-02-25T20:19:34.984098,"Kit""chen,\n☃",100.0,-9223372036854775808,18446744073709551615,true,PT0.032S,\n' +
      "1970-01-01T00:00:00,,NaN,,1,false,,\n",
  ],
  [
    "pretty",
    SMALL,
    [SMALL_BATCH],
    "+-------+-----+\n| room  | v   |\n+-------+-----+\n| Küche | 1.5 |\n|       | inf |\n+-------+-----+",
  ],
  [
    "jsonl",
    PARTED,
    [PARTED_BATCH],
    '{"l":[1,null],"s":{"a":[{"k":1.50}],"d":"2024-02-29"},"z":"2024-07-01T02:00:00+02:00","f":0.1,"t":"00:00:01.500","w":"-PT1.5S","b":"00ff"}\n' +
      '{"l":[],"s":{},"z":"2024-01-01T01:00:00.000000001+01:00","f":null,"t":"23:59:59.999999999","w":"P0D","b":""}\n{}\n',
  ],
  [
    "csv",
    PARTED,
    [PARTED_BATCH],
    'l,s,z,f,t,w,b\n"[1, ]","{a: [{k: 1.50}], d: 2024-02-29}",2024-07-01T02:00:00+02:00,0.1,00:00:01.500,-PT1.5S,00ff\n' +
      '[],"{a: , d: }",2024-01-01T01:00:00.000000001+01:00,NaN,23:59:59.999999999,P0D,\n,,,,,,\n',
  ],
  ["pretty", SMALL, [], "+------+---+\n| room | v |\n+------+---+\n+------+---+"],
];

const FLOATS: readonly (readonly [number, string])[] = [
  [0, "0.0"],
  [-0, "-0.0"],
  [100, "100.0"],
  [0.1, "0.1"],
  [1e15, "1000000000000000.0"],
  [1e16, "1e16"],
  [-1.5e300, "-1.5e300"],
  [1e-5, "0.00001"],
  [1.5e-7, "1.5e-7"],
  [1.7976931348623157e308, "1.7976931348623157e308"],
];

const DATES: readonly (readonly [number, string])[] = [
  [0, "1970-01-01"],
  [-1, "1969-12-31"],
  [11_016, "2000-02-29"],
  [-719_528, "0000-01-01"],
  [-719_529, "-0001-12-31"],
  [2_932_897, "+10000-01-01"],
];

const INTERVALS: readonly (readonly [number, bigint, string])[] = [
  [0, 0n, "PT0S"],
  [14, 0n, "P1Y2M"],
  [-14, 0n, "P-1Y-2M"],
  [0, 93_784_000_000_005n, "P1DT2H3M4.000000005S"],
  [1, -1_500_000_000n, "P1MT-1.5S"],
];

suite("encoded results", () => {
  for (const [index, [format, fields, batches, expected]] of WRITTEN.entries()) {
    test(`case ${index} in ${format} is written as agreed`, async () => {
      assert.equal(await textOf(encodeResult(format, fields, from(batches))), expected);
    });
  }

  test("JSON of rows in many chunks is still one array", async () => {
    const values = Array.from({ length: 20_000 }, (_, row) => `text ${row}`);
    const batch = batchOf(values.length, [{ type: "string", values }]);
    const chunks = await Array.fromAsync(
      encodeResult("json", [{ name: "s", type: "string" }], from([batch, batch])),
    );
    assert.ok(chunks.length > 4);
    const rows: unknown = JSON.parse(chunks.map(fromUtf8).join(""));
    assert.deepEqual(
      rows,
      [...values, ...values].map((s) => ({ s })),
    );
  });

  for (const format of FORMATS) {
    test(`${format} does not end a result that failed`, async () => {
      const chunks: string[] = [];
      const failing = async () => {
        for await (const chunk of encodeResult(format, SMALL, failingAfter(SMALL_BATCH))) {
          chunks.push(fromUtf8(chunk));
        }
      };
      await assert.rejects(failing, { code: "engine_restarted" });
      const text = chunks.join("");
      if (format === "json") assert.throws(() => JSON.parse(text));
      if (format === "pretty") assert.equal(text, "");
    });

    test(`${format} gives nothing before the first batch`, async () => {
      const result = encodeResult(format, SMALL, failingAfter());
      await assert.rejects(result.next(), { code: "engine_restarted" });
    });
  }

  test("json, jsonl and csv give a batch without waiting for the next", async () => {
    for (const format of ["json", "jsonl", "csv"] as const) {
      const result = encodeResult(format, SMALL, failingAfter(SMALL_BATCH));
      assert.equal((await result.next()).done, false);
    }
  });

  test("leaving the encoder ends the query", async () => {
    let ended = false;
    async function* endless() {
      try {
        for (;;) yield SMALL_BATCH;
      } finally {
        ended = true;
      }
    }
    for await (const _ of encodeResult("jsonl", SMALL, endless())) break;
    assert.equal(ended, true);
  });

  test("pretty refuses what would not fit into memory", async () => {
    const many = batchOf(PRETTY_ROWS_MAX + 1, [{ type: "null" }]);
    const fields: Field[] = [{ name: "a", type: "null" }];
    await assert.rejects(textOf(encodeResult("pretty", fields, from([many]))), {
      kind: "exceeded",
      code: "pretty_too_large",
    });
    const wide = batchOf(100, [{ type: "string", values: ["x".repeat(1_000_000)] }]);
    await assert.rejects(textOf(encodeResult("pretty", fields, from([wide]))), {
      code: "pretty_too_large",
    });
  });

  for (const [value, expected] of FLOATS) {
    test(`the float ${expected} has no digit too many`, () => {
      assert.equal(formatFloat(value), expected);
      assert.equal(Number(expected), value);
    });
  }

  for (const [days, expected] of DATES) {
    test(`day ${days} is ${expected}`, () => assert.equal(formatDate(days), expected));
  }

  for (const [months, nanoseconds, expected] of INTERVALS) {
    test(`an interval is written ${expected}`, () => {
      assert.equal(formatInterval({ months, nanoseconds }), expected);
    });
  }
});

function batchOf(rowCount: number, columns: readonly ResultColumn[]): ResultBatch {
  return { rowCount, columns };
}

async function* from(batches: readonly ResultBatch[]): AsyncGenerator<ResultBatch> {
  yield* batches;
}

async function* failingAfter(...batches: readonly ResultBatch[]): AsyncGenerator<ResultBatch> {
  yield* batches;
  throw new DbError("unavailable", "engine_restarted", "The engine was started again.");
}

async function textOf(chunks: AsyncIterable<Uint8Array>): Promise<string> {
  let text = "";
  for await (const chunk of chunks) text += fromUtf8(chunk);
  return text;
}
