import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { DbError } from "#base/errors.ts";
import {
  answerOf,
  chunkOf,
  floats,
  listed,
  PLAIN,
  textOf,
  texts,
  times,
} from "#testing/influxql-answers.ts";
import { encodeAnswers, encodeError } from "./result.ts";

const INT64_MIN = -(2n ** 63n);
const INT64_MAX = 2n ** 63n - 1n;
const WRONG = new DbError("invalid", "influxql", "undefined function bad()");

/** What influxd 1.6.7 answered to the same rows. */
const MIXED = chunkOf("m", {
  time: times(-9223372036854775806n, -1n, 1000000000n, 1500000000n, 9223372036854775806n),
  b: {
    type: "boolean",
    values: Uint8Array.of(0, 0, 1, 0, 0),
    present: Uint8Array.of(0, 0, 1, 0, 1),
  },
  f: floats(1e20, -0, 1e21, 1e-7, 0.000001),
  i: {
    type: "int64",
    values: BigInt64Array.of(0n, INT64_MIN, INT64_MAX, 3n, 4n),
    present: Uint8Array.of(0, 1, 1, 1, 1),
  },
  s: texts(null, "x<y>&é \\u2028", 'a"b\\c\td', "", "\u2028\u0001\u007f"),
});

suite("answers of /query as JSON", () => {
  test("numbers, texts and times are written as InfluxDB 1 writes them", async () => {
    assert.equal(
      await textOf("json", [answerOf(0, [MIXED])]),
      '{"results":[{"statement_id":0,"series":[{"name":"m","columns":["time","b","f","i","s"],"values":[' +
        '["1677-09-21T00:12:43.145224194Z",null,100000000000000000000,null,null],' +
        '["1969-12-31T23:59:59.999999999Z",null,-0,-9223372036854775808,"x\\u003cy\\u003e\\u0026é \\\\u2028"],' +
        '["1970-01-01T00:00:01Z",true,1e+21,9223372036854775807,"a\\"b\\\\c\\td"],' +
        '["1970-01-01T00:00:01.5Z",null,1e-7,3,""],' +
        '["2262-04-11T23:47:16.854775806Z",false,0.000001,4,"\\u2028\\u0001\u007f"]]}]}]}\n',
    );
  });

  test("with an epoch, times are cut towards zero", async () => {
    const rows = chunkOf("m", { time: times(-1n, 1_999_999n, -86_400_000_000_001n) });
    const cases: readonly [bigint, string][] = [
      [1n, "[-1],[1999999],[-86400000000001]"],
      [1_000_000n, "[0],[1],[-86400000]"],
      [3_600_000_000_000n, "[0],[0],[-24]"],
    ];
    for (const [epochUnitNs, values] of cases) {
      const text = await textOf("json", [answerOf(0, [rows])], { epochUnitNs });
      assert.ok(text.includes(`"values":[${values}]`), text);
    }
  });

  test("in a zone, times have its offset then", async () => {
    const rows = chunkOf("m", {
      time: times(-9223372036854775806n, -1n, 1_720_000_000_000_000_000n, 9223372036854775806n),
    });
    const zone = "America/Los_Angeles";
    assert.match(
      await textOf("json", [answerOf(0, [rows], { zone })]),
      /\["1677-09-20T16:19:45\.145224194-07:52"\],\["1969-12-31T15:59:59\.999999999-08:00"\],\["2024-07-03T02:46:40-07:00"\],\["2262-04-11T16:47:16\.854775806-07:00"\]/,
    );
    const winter = chunkOf("m", { time: times(0n, 1_704_067_200_000_000_000n) });
    assert.match(
      await textOf("json", [answerOf(0, [winter], { zone: "Europe/London" })]),
      /\["1970-01-01T01:00:00\+01:00"\],\["2024-01-01T00:00:00Z"\]/,
    );
  });

  test("empty members are left out, tags come by name, errors stand in their place", async () => {
    const results = [
      answerOf(0, [
        chunkOf(
          "m",
          { f: floats(1) },
          {
            tags: [
              ["b", ""],
              ["a", "x"],
            ],
          },
        ),
        chunkOf("", { key: texts() }),
      ]),
      answerOf(1, [], { messages: [{ level: "warning", text: "old" }] }),
      { kind: "error", id: 2, error: WRONG } as const,
    ];
    assert.equal(
      await textOf("json", results),
      '{"results":[{"statement_id":0,"series":[{"name":"m","tags":{"a":"x","b":""},"columns":["f"],"values":[[1]]},{"columns":["key"]}]},' +
        '{"statement_id":1,"messages":[{"level":"warning","text":"old"}]},{"statement_id":2,"error":"undefined function bad()"}]}\n',
    );
    assert.equal(await textOf("json", []), "{}\n");
  });

  test("pretty answers have four spaces a level", async () => {
    const results = [
      answerOf(0, [chunkOf("m", { f: floats(1, 2) }, { tags: [["t", "a"]] })]),
      { kind: "error", id: 1, error: WRONG } as const,
    ];
    const value = {
      results: [
        {
          statement_id: 0,
          series: [{ name: "m", tags: { t: "a" }, columns: ["f"], values: [[1], [2]] }],
        },
        { statement_id: 1, error: "undefined function bad()" },
      ],
    };
    const text = await textOf("json", results, { pretty: true });
    assert.equal(text, `${JSON.stringify(value, undefined, 4)}\n`);
    const error = encodeError("json", "no <", { pretty: true });
    assert.equal(error, '{\n    "error": "no \\u003c"\n}\n');
  });

  test("a chunk is a document of so many rows of one series, whatever pieces these came in", async () => {
    const tags = [["t", "a"]] as const;
    const results = [
      answerOf(0, [
        chunkOf("m", { f: floats(1) }, { tags, partial: true }),
        chunkOf("m", { f: floats(2, 3, 4) }, { tags, partial: true }),
        chunkOf("m", { f: floats() }, { tags }),
        chunkOf("n", { f: floats(5) }),
      ]),
      answerOf(1, []),
      { kind: "error", id: 2, error: WRONG } as const,
    ];
    const head = '{"results":[{"statement_id":0,"series":[{"name":';
    assert.equal(
      await textOf("json", results, { chunkRows: 2 }),
      `${head}"m","tags":{"t":"a"},"columns":["f"],"values":[[1],[2]],"partial":true}],"partial":true}]}\n` +
        `${head}"m","tags":{"t":"a"},"columns":["f"],"values":[[3],[4]]}],"partial":true}]}\n` +
        `${head}"n","columns":["f"],"values":[[5]]}]}]}\n` +
        '{"results":[{"statement_id":1}]}\n' +
        '{"results":[{"statement_id":2,"error":"undefined function bad()"}]}\n',
    );
  });

  test("what fails after some rows says so behind them", async () => {
    const rows = chunkOf("m", { f: floats(1, 2) }, { partial: true });
    const results = () => [answerOf(0, [rows, WRONG]), answerOf(1, [])];
    const error = '"error":"undefined function bad()"}';
    assert.equal(
      await textOf("json", results()),
      `{"results":[{"statement_id":0,"series":[{"name":"m","columns":["f"],"values":[[1],[2]],"partial":true}],${error},{"statement_id":1}]}\n`,
    );
    assert.equal(
      await textOf("json", results(), { chunkRows: 10 }),
      '{"results":[{"statement_id":0,"series":[{"name":"m","columns":["f"],"values":[[1],[2]],"partial":true}],"partial":true}]}\n' +
        `{"results":[{"statement_id":0,${error}]}\n{"results":[{"statement_id":1}]}\n`,
    );
  });

  test("a bug, damage or want of a store ends the answer", async () => {
    for (const kind of ["internal", "corrupt", "unavailable"] as const) {
      const error = new DbError(kind, "x", "x");
      for (const format of ["json", "csv", "msgpack"] as const) {
        await assert.rejects(textOf(format, [{ kind: "error", id: 0, error }]), error);
        await assert.rejects(textOf(format, [answerOf(0, [error])]), error);
        await assert.rejects(textOf(format, [answerOf(0, [error])], { chunkRows: 1 }), error);
      }
    }
  });

  test("an infinite number is what InfluxDB 1 says of it, or breaks off what was begun", async () => {
    const infinite = chunkOf("m", { f: floats(1, Number.NEGATIVE_INFINITY) });
    const text =
      "json: error calling MarshalJSON for type httpd.Response: json: error calling MarshalJSON for type *query.Result: json: unsupported value: -Inf\n";
    assert.equal(await textOf("json", [answerOf(0, []), answerOf(1, [infinite])]), text);
    assert.equal(await textOf("json", [answerOf(0, [infinite])], { chunkRows: 1 }), text);
    const long = chunkOf("m", { s: texts(...Array.from({ length: 9000 }, () => "0123456789")) });
    let chunkCount = 0;
    const answers = listed([answerOf(0, [long]), answerOf(1, [infinite])]);
    await assert.rejects(async () => {
      for await (const _ of encodeAnswers("json", answers, PLAIN)) chunkCount += 1;
    }, /unsupported value/);
    assert.ok(chunkCount > 0);
  });

  test("NaN is null", async () => {
    const text = await textOf("json", [answerOf(0, [chunkOf("m", { f: floats(Number.NaN) })])]);
    assert.match(text, /\[\[null\]\]/);
  });

  test("the rows of a statement that nobody reads to its end are let go", async () => {
    let isReleased = false;
    async function* series() {
      try {
        while (true) yield chunkOf("m", { s: texts("x".repeat(100_000)) });
      } finally {
        isReleased = true;
      }
    }
    const answer = { series: series(), messages: [], zone: undefined };
    const chunks = encodeAnswers("json", listed([{ kind: "answer", id: 0, answer }]), PLAIN);
    await chunks.next();
    await chunks.return(undefined);
    assert.ok(isReleased);
  });
});
