import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { gzipSync } from "node:zlib";
import { DbError } from "#base/errors.ts";
import type { StatementResult } from "#query/influxql/answer.ts";
import type { InfluxQlRequest } from "#query/influxql/request.ts";
import { type Call, openServer, send, someServices } from "#testing/http.ts";
import { answerOf, chunkOf, floats, listed, times } from "#testing/influxql-answers.ts";

const ROWS = chunkOf("m", { time: times(1_500_000_000n), f: floats(0.5) });
const ANSWER =
  '{"results":[{"statement_id":0,"series":[{"name":"m","columns":["time","f"],"values":[["1970-01-01T00:00:01.5Z",0.5]]}]}]}\n';

/** Sends one request and gives the answer with what the service was asked. */
async function ask(
  call: Call,
  results: readonly StatementResult[] | DbError = [answerOf(0, [ROWS])],
) {
  let asked: InfluxQlRequest | undefined;
  await using server = await openServer({
    services: someServices({
      influxQl(request) {
        asked = request;
        return results instanceof DbError
          ? Promise.reject(results)
          : Promise.resolve(listed(results));
      },
    }),
  });
  return { answer: await send(server.address, call), asked };
}

function post(body: string | Uint8Array, contentType: string, query = ""): Call {
  const headers = contentType === "" ? {} : { "content-type": contentType };
  return { method: "POST", path: `/query${query}`, headers, body };
}

const FORM = "application/x-www-form-urlencoded";
const PARTS = [
  '--b\r\nContent-Disposition: form-data; name="db"\r\n\r\nd\r\n',
  '--b\r\nContent-Disposition: form-data; name="q"; filename="q.txt"\r\n\r\nSELECT 1\r\n--b--\r\n',
].join("");

suite("/query of InfluxDB 1", () => {
  const ways: readonly [string, Call][] = [
    ["the URL", { path: "/query?q=SELECT%201&db=d" }],
    ["the URL of a POST", post("", "application/json", "?q=SELECT+1&db=d")],
    ["a form", post("q=SELECT+1&db=d", FORM)],
    [
      "a form, which beats the URL",
      post("q=SELECT%201&db=d", `${FORM}; charset=utf-8`, "?q=x&db=y"),
    ],
    ["a form beside the URL", post("db=d", FORM, "?q=SELECT%201")],
    ["a form with files", post(PARTS, "multipart/form-data; boundary=b")],
    ["a body that is the query", post("SELECT 1", "application/vnd.influxql", "?db=d")],
    ["a body of no type", post("SELECT 1", "", "?db=d")],
  ];
  for (const [where, call] of ways) {
    test(`takes its values from ${where}`, async () => {
      const { answer, asked } = await ask(call);
      assert.deepEqual(asked, {
        text: "SELECT 1",
        database: "d",
        retentionPolicy: undefined,
        parameters: new Map(),
        tokens: [],
        native: false,
        readOnly: call.method !== "POST",
      });
      assert.equal(answer.status, 200);
      assert.equal(answer.body, ANSWER);
    });
  }

  test("takes gzip, bound values, a policy and write tokens", async () => {
    const body = gzipSync(
      `q=x&rp=week&min_token=t1&params=${encodeURIComponent('{"i":9223372036854775807,"f":1.5,"s":"é"}')}`,
    );
    const { asked } = await ask({
      ...post(new Uint8Array(body), FORM),
      headers: { "content-type": FORM, "content-encoding": "gzip", "x-tidelake-write-token": "t2" },
    });
    assert.deepEqual(
      asked?.parameters,
      new Map([
        ["i", { kind: "integer", text: "9223372036854775807" }],
        ["f", { kind: "number", text: "1.5" }],
        ["s", { kind: "string", text: "é" }],
      ]),
    );
    assert.equal(asked.retentionPolicy, "week");
    assert.deepEqual(asked.tokens, ["t2", "t1"]);
    assert.equal(asked.database, undefined);
  });

  test("says by its headers what answered", async () => {
    const { answer } = await ask({ path: "/query?q=x" });
    assert.equal(answer.headers["content-type"], "application/json");
    assert.equal(answer.headers["x-influxdb-version"], "1.2.3");
    assert.equal(answer.headers["x-influxdb-build"], "Enterprise");
    assert.match(String(answer.headers["request-id"]), /^[0-9a-f-]{36}$/);
    assert.equal(answer.headers["x-request-id"], answer.headers["request-id"]);
  });

  test("answers in the style that is asked for", async () => {
    const styles: readonly [query: string, accept: string, type: string, body: string | RegExp][] =
      [
        ["&epoch=ms", "*/*", "application/json", /\[\[1500,0\.5\]\]/],
        ["&epoch=any", "x/y", "application/json", /\[\[1500000000,0\.5\]\]/],
        ["&pretty=true", "", "application/json", /^\{\n {4}"results": \[/],
        ["&chunked=true&chunk_size=1", "", "application/json", ANSWER],
        ["", "text/csv", "text/csv", "name,tags,time,f\nm,,1500000000,0.5\n"],
        ["&epoch=s", "application/csv", "text/csv", "name,tags,time,f\nm,,1,0.5\n"],
        ["", "application/x-msgpack", "application/x-msgpack", /results/],
      ];
    for (const [query, accept, type, body] of styles) {
      const { answer } = await ask({ path: `/query?q=x${query}`, headers: { accept } });
      assert.equal(answer.headers["content-type"], type);
      if (typeof body === "string") assert.equal(answer.body, body);
      else assert.match(answer.body, body);
    }
  });

  test("packs its answer for who asks for that", async () => {
    await using server = await openServer({
      services: someServices({ influxQl: async () => listed([answerOf(0, [ROWS])]) }),
    });
    const answer = await fetch(`http://${server.address}/query?q=x`, {
      headers: { "accept-encoding": "gzip" },
    });
    assert.equal(answer.headers.get("content-encoding"), "gzip");
    assert.equal(await answer.text(), ANSWER);
  });

  test("tells what is wrong with a request in the format that it wants", async () => {
    const error = new DbError(
      "invalid",
      "influxql_syntax",
      "error parsing query: found é, expected ;",
    );
    const formats: readonly [string, string][] = [
      ["", '{"error":"error parsing query: found é, expected ;"}\n'],
      ["text/csv", 'error\n"error parsing query: found é, expected ;"\n'],
    ];
    for (const [accept, body] of formats) {
      const { answer } = await ask({ path: "/query?q=x", headers: { accept } }, error);
      assert.equal(answer.status, 400);
      assert.equal(answer.body, body);
      const header = answer.headers["x-influxdb-error"];
      assert.equal(header, "error parsing query: found ?, expected ;");
    }
    const { answer } = await ask({ path: "/query?q=x&pretty=true" }, error);
    assert.match(answer.body, /^\{\n {4}"error": "/);
  });

  test("refuses a request without a query, or with values that are none", async () => {
    const wrong: readonly [Call, RegExp][] = [
      [{ path: "/query" }, /^\{"error":"missing required parameter \\"q\\""\}\n$/],
      [{ path: "/query?q=%20&db=d" }, /missing required parameter/],
      [post("db=d", FORM), /expected a query to be provided/],
      [post("SELECT 1", "text/plain"), /expected a query to be provided/],
      [{ path: "/query?q=x&params=x" }, /error parsing query parameters: /],
      [{ path: "/query?q=x&params=[1]" }, /they are no JSON object/],
      [{ path: '/query?q=x&params={"a":1e5}' }, /error parsing json value: /],
      [post("--b\r\nx", "multipart/form-data; boundary=b"), /no form/],
      [post(Uint8Array.of(0x71, 0x3d, 0xff), FORM), /not valid utf8/],
    ];
    for (const [call, body] of wrong) {
      const { answer, asked } = await ask(call);
      assert.equal(answer.status, 400, JSON.stringify(call));
      assert.match(answer.body, body);
      assert.equal(asked, undefined);
    }
  });

  test("tells in its place what is wrong with a statement, and by status what is not the user's", async () => {
    const invalid = new DbError("not_found", "database_not_found", "database not found: d");
    const { answer } = await ask({ path: "/query?q=x" }, [
      { kind: "error", id: 0, error: invalid },
    ]);
    assert.equal(answer.status, 200);
    assert.equal(answer.body, '{"results":[{"statement_id":0,"error":"database not found: d"}]}\n');
    for (const [kind, status] of [
      ["unavailable", 503],
      ["internal", 500],
    ] as const) {
      const error = new DbError(kind, "x", "secret words");
      const broken = await ask({ path: "/query?q=x" }, [{ kind: "error", id: 0, error }]);
      assert.equal(broken.answer.status, status);
      assert.equal(broken.answer.body.includes("secret"), kind === "unavailable");
      assert.equal(broken.answer.headers["x-influxdb-error"] === undefined, false);
    }
  });

  test("has no other methods", async () => {
    for (const method of ["PUT", "DELETE", "HEAD"]) {
      const { answer } = await ask({ method, path: "/query?q=x" });
      assert.equal(answer.status, 405);
    }
  });
});
