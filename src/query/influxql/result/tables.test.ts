import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { hex } from "#base/bytes.ts";
import { DbError } from "#base/errors.ts";
import type { ResultColumn } from "#model/query/result.ts";
import {
  answerOf,
  bytesOf,
  chunkOf,
  floats,
  textOf,
  texts,
  times,
} from "#testing/influxql-answers.ts";
import { encodeError } from "./result.ts";

const INT64_MIN = -(2n ** 63n);
const WRONG = new DbError("invalid", "influxql", "undefined function bad()");

suite("answers of /query as CSV", () => {
  test("statements are tables, times nanoseconds, and floats have no exponent", async () => {
    const results = [
      answerOf(0, [
        chunkOf(
          "m",
          { time: times(-1n, 1_500_000_000n), f: floats(-1.25e-7, 1.5e21), s: texts("a,b", null) },
          {
            tags: [
              ["t", "x,y"],
              ["u", ""],
              ["b", "c d"],
            ],
          },
        ),
      ]),
      answerOf(1, []),
      answerOf(2, [chunkOf("databases", { name: texts('a"b', " x") })]),
    ];
    assert.equal(
      await textOf("csv", results),
      'name,tags,time,f,s\nm,"b=c\\ d,t=x\\,y",-1,-0.000000125,"a,b"\nm,"b=c\\ d,t=x\\,y",1500000000,1500000000000000000000,\n\n' +
        'name,tags,name\ndatabases,,"a""b"\ndatabases,," x"\n',
    );
  });

  test("an epoch is the unit of times; infinite numbers have a name, NaN has none", async () => {
    const { NaN: nan, POSITIVE_INFINITY: infinite } = Number;
    const rows = chunkOf("m", {
      time: times(1_999_999n, 2n, 3n, 4n),
      f: floats(infinite, -infinite, nan, -0),
    });
    assert.equal(
      await textOf("csv", [answerOf(0, [rows])], { epochUnitNs: 1000n }),
      "name,tags,time,f\nm,,1999,+Inf\nm,,0,-Inf\nm,,0,\nm,,0,-0\n",
    );
  });

  test("what fails is a table of its own; so are series with other columns", async () => {
    const results = [
      answerOf(0, [chunkOf("a", { x: texts("1") }), chunkOf("b", { y: texts("2") }), WRONG]),
    ];
    assert.equal(
      await textOf("csv", results, { chunkRows: 1 }),
      "name,tags,x\na,,1\n\nname,tags,y\nb,,2\n\nerror\nundefined function bad()\n",
    );
    const error = encodeError("csv", "found EOF, expected X", { pretty: false });
    assert.equal(error, 'error\n"found EOF, expected X"\n');
  });
});

suite("answers of /query as MessagePack", () => {
  test("maps, instants and numbers are those of InfluxDB 1", async () => {
    const rows = chunkOf(
      "m",
      {
        time: times(-1n, 1_500_000_000n),
        f: floats(-0, null),
        i: { type: "int64", values: BigInt64Array.of(INT64_MIN, 3n) },
        s: texts("x<y>&é \\u2028", null),
      },
      { tags: [["t", ""]] },
    );
    assert.equal(
      hex(await bytesOf("msgpack", [answerOf(0, [rows]), answerOf(1, [])])),
      "81a7726573756c747392" +
        "82ac73746174656d656e745f696400a673657269657391" +
        "84a46e616d65a16da47461677381a174a0a7636f6c756d6e7394a474696d65a166a169a173a676616c75657392" +
        "94c70c05ffffffffffffffff3b9ac9ffcb8000000000000000d38000000000000000ae783c793e26c3a9205c7532303238" +
        "94c70c0500000000000000011dcd6500c003c0" +
        "82ac73746174656d656e745f696401a673657269657390",
    );
    const error = encodeError("msgpack", "no", { pretty: false });
    assert.equal(hex(error as Uint8Array), "81a56572726f72a26e6f");
  });

  test("whole numbers, lists and texts of all lengths have the shortest head", async () => {
    const integers = [-33n, -128n, -129n, 127n, 128n, 32_767n, 32_768n, -32_769n, 2n ** 31n];
    const rows = chunkOf("m", { time: times(...integers) });
    const bytes = hex(await bytesOf("msgpack", [answerOf(0, [rows])], { epochUnitNs: 1n }));
    assert.match(
      bytes,
      /91d0df91d08091d1ff7f917f91d1008091d17fff91d20000800091d2ffff7fff91d30000000080000000$/,
    );
    for (const [length, head] of [
      [31, "bf"],
      [32, "d920"],
      [255, "d9ff"],
      [256, "da0100"],
      [65_535, "daffff"],
      [65_536, "db00010000"],
    ] as const) {
      const text = chunkOf("m", { s: texts("é".repeat(length >> 1) + "x".repeat(length & 1)) });
      assert.ok(hex(await bytesOf("msgpack", [answerOf(0, [text])])).includes(`9191${head}c3a9`));
    }
    for (const [count, head] of [
      [15, "9f"],
      [16, "dc0010"],
      [65_536, "dd00010000"],
    ] as const) {
      const many = chunkOf("m", { s: texts(...Array.from({ length: count }, () => "")) });
      const all = hex(await bytesOf("msgpack", [answerOf(0, [many])]));
      assert.ok(all.includes(`76616c756573${head}91a0`));
    }
    const unsigned: ResultColumn = { type: "uint64", values: BigUint64Array.of(2n ** 64n - 1n) };
    const all = hex(await bytesOf("msgpack", [answerOf(0, [chunkOf("m", { u: unsigned })])]));
    assert.match(all, /91cfffffffffffffffff$/);
  });

  test("chunks are documents, and errors are named", async () => {
    const chunks = [chunkOf("m", { b: texts("1", "2") }), WRONG];
    const bytes = await bytesOf("msgpack", [answerOf(3, chunks)], { chunkRows: 1 });
    const start = "81a7726573756c747391";
    const id = "ac73746174656d656e745f696403";
    const list = "a673657269657391";
    const head = "a46e616d65a16da7636f6c756d6e7391a162a676616c756573";
    const partial = "a77061727469616cc3";
    assert.equal(
      hex(bytes),
      `${start}83${id}${list}84${head}9191a131${partial}${partial}` +
        `${start}83${id}${list}83${head}9191a132${partial}` +
        `${start}82${id}a56572726f72b8756e646566696e65642066756e6374696f6e2062616428 29`.replace(
          " ",
          "",
        ),
    );
  });

  test("one document has a bound", async () => {
    const big = chunkOf("m", {
      s: texts(...Array.from({ length: 1000 }, () => "x".repeat(70_000))),
    });
    await assert.rejects(bytesOf("msgpack", [answerOf(0, [big])]), /chunked=true/);
    await bytesOf("msgpack", [answerOf(0, [big])], { chunkRows: 10 });
  });
});
