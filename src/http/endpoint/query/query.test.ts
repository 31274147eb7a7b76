import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { DbError } from "#base/errors.ts";
import type { Field } from "#model/query/plan.ts";
import type { ResultBatch } from "#model/query/result.ts";
import type { QueryAnswer, QueryRequest } from "#query/query.ts";
import { type Call, openServer, send, someServices } from "#testing/http.ts";

const FIELDS: readonly Field[] = [
  { name: "room", type: "string" },
  { name: "n", type: "int64" },
];
const BATCH: ResultBatch = {
  rowCount: 2,
  columns: [
    { type: "string", values: ["Kitchen", null] },
    { type: "int64", values: BigInt64Array.of(1n, -2n) },
  ],
};
const JSON_ROWS = '[{"room":"Kitchen","n":1},{"n":-2}]';
const SELECT = "/api/v3/query_sql?db=a&q=SELECT%201";

async function* batchesOf(...batches: readonly ResultBatch[]): AsyncGenerator<ResultBatch> {
  yield* batches;
}

/** Sends one query and gives the answer with what the service was asked. */
async function ask(call: Call, result?: QueryAnswer | DbError) {
  let asked: QueryRequest | undefined;
  await using server = await openServer({
    services: someServices({
      query(request) {
        asked = request;
        const answer = result ?? { fields: FIELDS, batches: batchesOf(BATCH) };
        return answer instanceof DbError ? Promise.reject(answer) : Promise.resolve(answer);
      },
    }),
  });
  return { answer: await send(server.address, call), asked };
}

function post(body: unknown, headers: Record<string, string> = {}): Call {
  const text = typeof body === "string" || body instanceof Uint8Array ? body : JSON.stringify(body);
  return { method: "POST", path: "/api/v3/query_sql", headers, body: text };
}

suite("SQL queries", () => {
  const formats: readonly [format: string, accept: string, type: string, body: string][] = [
    ["json", "application/json", "application/json", JSON_ROWS],
    [
      "jsonl",
      "application/jsonl",
      "application/jsonl",
      `${JSON_ROWS.slice(1, -1).replace("},{", "}\n{")}\n`,
    ],
    [
      "json_lines",
      "APPLICATION/JSONL;q=1",
      "application/jsonl",
      `${JSON_ROWS.slice(1, -1).replace("},{", "}\n{")}\n`,
    ],
    ["csv", "text/csv, application/json", "text/csv", "room,n\nKitchen,1\n,-2\n"],
    [
      "pretty",
      "text/plain",
      "text/plain; charset=utf-8",
      "+---------+----+\n| room    | n  |\n+---------+----+\n| Kitchen | 1  |\n|         | -2 |\n+---------+----+",
    ],
  ];
  for (const [format, accept, type, body] of formats) {
    test(`answers are ${format} when the format or the Accept header says so`, async () => {
      for (const { answer } of [
        await ask({ path: `${SELECT}&format=${format}`, headers: { accept: "image/png" } }),
        await ask({ path: SELECT, headers: { accept } }),
        await ask(post({ db: "a", q: "SELECT 1", format })),
      ]) {
        assert.equal(answer.status, 200);
        assert.equal(answer.headers["content-type"], type);
        assert.equal(answer.body, body);
        assert.equal(answer.headers["access-control-allow-origin"], "*");
      }
    });
  }

  test("answers are json where nothing or anything is accepted", async () => {
    for (const headers of [
      {},
      { accept: "*/*" },
      { accept: "text/html,application/xml;q=0.9" },
      { accept: "text/plain, */*" },
    ]) {
      const { answer } = await ask({ path: SELECT, headers });
      assert.equal(answer.body, JSON_ROWS);
    }
  });

  test("no rows are an empty array, or an empty body", async () => {
    for (const [format, body] of [
      ["json", "[]"],
      ["jsonl", ""],
      ["csv", ""],
    ]) {
      const { answer } = await ask(
        { path: `${SELECT}&format=${format}` },
        { fields: FIELDS, batches: batchesOf() },
      );
      assert.equal(answer.status, 200);
      assert.equal(answer.body, body);
    }
  });

  test("parameters keep their type, and whole numbers of 64 bits their value", async () => {
    const params =
      '{"n":null,"b":true,"max":18446744073709551615,"min":-9223372036854775808,"over":18446744073709551616,"f":1.0,"e":1e3,"z":-0,"s":"x","__proto__":"p"}';
    const expected = {
      n: null,
      b: true,
      max: 18_446_744_073_709_551_615n,
      min: -9_223_372_036_854_775_808n,
      over: 2 ** 64,
      f: 1,
      e: 1000,
      z: -0,
      s: "x",
      ["__proto__"]: "p",
    };
    const inUrl = await ask({ path: `${SELECT}&params=${encodeURIComponent(params)}` });
    assert.deepEqual(inUrl.asked?.parameters, expected);
    const inBody = await ask(post(`{"db":"a","q":"SELECT 1","params":${params}}`));
    assert.deepEqual(inBody.asked?.parameters, expected);
    assert.deepEqual((await ask({ path: SELECT })).asked?.parameters, {});
    assert.deepEqual((await ask(post({ db: "a", q: "x", params: null }))).asked?.parameters, {});
  });

  test("database, text, tokens and format reach the service", async () => {
    const headers = { "x-tidelake-write-token": "a" };
    const got = await ask({ path: `${SELECT}&min_token=b,c`, headers });
    assert.deepEqual(got.asked, {
      language: undefined,
      database: "a",
      text: "SELECT 1",
      parameters: {},
      tokens: ["a", "b", "c"],
      rowText: "json",
    });
    assert.equal(got.answer.headers["cluster-uuid"], "99999999-8888-4777-8666-555555555555");
    const posted = await ask(post({ db: "a", q: "S", min_token: "d" }, headers));
    assert.deepEqual(posted.asked?.tokens, ["a", "d"]);
    const both = await ask({ ...post({ db: "a", q: "S" }), path: "/api/v3/query_sql?min_token=e" });
    assert.deepEqual(both.asked?.tokens, ["e"]);
  });

  const refused: readonly [call: Call, body: string | RegExp][] = [
    [{ path: "/api/v3/query_sql" }, "missing query parameters 'db' and 'q'"],
    [{ path: "/api/v3/query_sql?q=1" }, "serde error: missing field `db`"],
    [{ path: "/api/v3/query_sql?db=1" }, "serde error: missing field `q`"],
    [{ path: `${SELECT}&format=xml` }, /^serde error: unknown variant `xml`, expected one of/],
    [{ path: SELECT, headers: { accept: "image/png" } }, "invalid mime type (image/png)"],
    [{ path: `${SELECT}&params=[1]` }, /^serde error: invalid type: sequence/],
    [{ path: `${SELECT}&params={` }, /^serde json error: /],
    [
      { path: `${SELECT}&params={"a":[1]}` },
      "JSON arrays are not supported as query parameters. Expected null, boolean, number, or string.",
    ],
    [
      { path: `${SELECT}&params={"a":{}}` },
      "JSON objects are not supported as query parameters. Expected null, boolean, number, or string.",
    ],
    [post(""), /^serde json error: /],
    [post("[1]"), /^serde json error: invalid type: sequence/],
    [post("{"), /^serde json error: /],
    [post('{"db":"a"}'), "serde json error: missing field `q`"],
    [post('{"db":7,"q":"x"}'), "serde json error: invalid type: integer `7`, expected a string"],
    [post('{"db":"a","q":"x","params":"y"}'), /^serde json error: /],
    [post("[".repeat(9_000)), /^serde json error: /],
    [post(Buffer.from('{"db":"\xff","q":"x"}', "latin1")), /^body content is not valid utf8: /],
  ];
  for (const [index, [call, body]] of refused.entries()) {
    test(`wrong request ${index}, ${String(call.body ?? call.path).slice(0, 40)}, is a 400 with its text`, async () => {
      const { answer, asked } = await ask(call);
      assert.equal(answer.status, 400);
      if (typeof body === "string") assert.equal(answer.body, body);
      else assert.match(answer.body, body);
      assert.equal(asked, undefined);
    });
  }

  test("other methods are not supported", async () => {
    const { answer } = await ask({ method: "PUT", path: "/api/v3/query_sql" });
    assert.equal(answer.status, 405);
    assert.equal(answer.body, '{"error":"unsupported method","data":null}');
  });

  const failures: readonly [error: DbError, status: number, body: string | RegExp][] = [
    [
      new DbError("not_found", "database_not_found", "whatever"),
      404,
      '{"error":"query error: database not found: a"}',
    ],
    [
      new DbError("invalid", "sql_planning", "Error during planning: no"),
      400,
      "Error during planning: no",
    ],
    [new DbError("unsupported", "sql_unsupported", "no joins"), 405, "no joins"],
    [new DbError("exceeded", "query_memory", "too much"), 422, '{"error":"too much","data":null}'],
    [new DbError("exceeded", "queries_full", "later"), 429, '{"error":"later","data":null}'],
    [new DbError("unavailable", "engine_restarted", "again"), 503, '{"error":"again"}'],
    [new DbError("not_found", "file_vanished", "gone"), 503, '{"error":"gone"}'],
    [new DbError("corrupt", "file_damaged", "file x is damaged"), 500, "file x is damaged"],
    [
      new DbError("internal", "assertion_failed", "secret of ours"),
      500,
      /^internal error: the node's log says more under request [0-9a-f-]{36}$/,
    ],
  ];
  for (const [error, status, body] of failures) {
    test(`${error.code} is a ${status}, whether planning or the first batch fails`, async () => {
      const early = await ask({ path: SELECT }, error);
      const batches = (async function* () {
        yield* [];
        throw error;
      })();
      const late = await ask({ path: SELECT }, { fields: FIELDS, batches });
      // A database is looked for when the query is planned, not later.
      const answers = error.code === "database_not_found" ? [early] : [early, late];
      for (const { answer } of answers) {
        assert.equal(answer.status, status);
        if (typeof body === "string") assert.equal(answer.body, body);
        else assert.match(answer.body, body);
        assert.equal(answer.headers["retry-after"], [429, 503].includes(status) ? "1" : undefined);
      }
    });
  }
});
