/** The three ways to write, the formats of answers, and what wrong requests are told. */
import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { gzipSync } from "node:zlib";
import { Sandbox, type TestNode } from "./cluster.ts";

suite("over HTTP", () => {
  let sandbox: Sandbox;
  let node: TestNode;
  before(async () => {
    sandbox = await Sandbox.open();
    node = await sandbox.start({ more: ["--max-http-request-size", "64kb"] });
  });
  after(async () => {
    await node.stop();
    await sandbox[Symbol.asyncDispose]();
  });

  const writes: readonly [string, string][] = [
    ["v3", "/api/v3/write_lp?db=DB&precision=second"],
    ["v1", "/write?db=DB&precision=s"],
    ["v2", "/api/v2/write?bucket=DB&org=any&precision=s"],
  ];
  for (const [name, path] of writes) {
    for (const packed of [false, true]) {
      test(`${name} writes ${packed ? "gzip" : "plain text"}`, async () => {
        const database = `${name}_${packed}`;
        const body = Buffer.from("m,t=a v=1i 1735689600\nm,t=b v=2i 1735689601\n");
        const headers = packed ? { "content-encoding": "gzip" } : {};
        // Two members, as a program that appends to a file makes them.
        const sent = packed
          ? Buffer.concat([gzipSync(body.subarray(0, 7)), gzipSync(body.subarray(7))])
          : body;
        const answer = await node.post(path.replace("DB", database), new Uint8Array(sent), headers);
        assert.equal(answer.status, 204, answer.text);
        assert.notEqual(answer.token, undefined);
        assert.deepEqual(await node.rows(database, "SELECT t, v, time FROM m ORDER BY t"), [
          { t: "a", v: 1, time: "2025-01-01T00:00:00" },
          { t: "b", v: 2, time: "2025-01-01T00:00:01" },
        ]);
      });
    }
  }

  test("of a partial write the good lines stay and the bad ones are named", async () => {
    const body = "m v=1i 1\nm v=oops 2\nm v=3i 3";
    const answer = await node.post("/api/v3/write_lp?db=partial&precision=nanosecond", body);
    assert.equal(answer.status, 400);
    const { error, data } = JSON.parse(answer.text) as { error: string; data: object[] };
    assert.equal(error, "partial write of line protocol occurred");
    assert.equal(data.length, 1);
    assert.partialDeepStrictEqual(data[0], { original_line: "m v=oops 2", line_number: 2 });
    assert.deepEqual(await node.rows("partial", "SELECT v FROM m ORDER BY v"), [
      { v: 1 },
      { v: 3 },
    ]);
  });

  test("all or nothing leaves nothing, not even the database", async () => {
    const path = "/api/v3/write_lp?db=whole&accept_partial=false";
    const answer = await node.post(path, "m v=1i 1\nm v=oops 2");
    assert.equal(answer.status, 400);
    assert.match(answer.text, /line protocol parsing error/);
    assert.equal((await node.query("whole", "SELECT * FROM m")).status, 404);
  });

  test("a column keeps its type", async () => {
    await node.write("types", "m v=1i 1");
    const answer = await node.post("/api/v3/write_lp?db=types", "m v=1.5 2");
    assert.equal(answer.status, 400);
    assert.match(answer.text, /invalid column type for column 'v'/);
  });

  test("answers have the format that was asked for", async () => {
    await node.write("formats", 'm,t=a v=1i,f=0.5,s="x,\\"y" 1735689600000000000');
    const text = "SELECT t, v, f, s, time FROM m";
    const expected: readonly [string, RegExp, string][] = [
      [
        "json",
        /^application\/json/,
        '[{"t":"a","v":1,"f":0.5,"s":"x,\\"y","time":"2025-01-01T00:00:00"}]',
      ],
      [
        "jsonl",
        /^application\/jsonl/,
        '{"t":"a","v":1,"f":0.5,"s":"x,\\"y","time":"2025-01-01T00:00:00"}\n',
      ],
      ["csv", /^text\/csv/, 't,v,f,s,time\na,1,0.5,"x,""y",2025-01-01T00:00:00\n'],
      [
        "pretty",
        /^text\/plain/,
        `+---+---+-----+------+---------------------+
| t | v | f   | s    | time                |
+---+---+-----+------+---------------------+
| a | 1 | 0.5 | x,"y | 2025-01-01T00:00:00 |
+---+---+-----+------+---------------------+`,
      ],
    ];
    for (const [format, type, body] of expected) {
      const answer = await node.query("formats", text, { format });
      assert.equal(answer.text, body);
      assert.match(answer.response.headers.get("content-type") ?? "", type);
    }
  });

  const bad: readonly [string, string, string | undefined, number, RegExp][] = [
    ["a path that is none", "/api/v3/nothing", undefined, 404, /not found/],
    ["a write without a database", "/api/v3/write_lp", "m v=1", 400, /missing query parameter/],
    ["a database name with two slashes", "/api/v3/write_lp?db=a/b/c", "m v=1", 400, /name/],
    ["a precision that is none", "/write?db=d&precision=H", "m v=1", 400, /unknown variant `H`/],
    ["an empty write", "/api/v3/write_lp?db=d", "", 400, /incoming write was empty/],
    ["too large a write", "/write?db=d", "x".repeat(70_000), 413, /65536|max/],
    ["a query without text", "/api/v3/query_sql?db=d", undefined, 400, /missing field `q`/],
    ["a query that is no SQL", "/api/v3/query_sql?db=formats&q=SELEC+1", undefined, 400, /SELEC/],
    ["a query of no database", "/api/v3/query_sql?db=no&q=SELECT+1", undefined, 404, /no/],
    ["a table that is none", "/api/v3/query_sql?db=formats&q=SELECT+*+FROM+x", undefined, 400, /x/],
    [
      "a column that is none",
      "/api/v3/query_sql?db=formats&q=SELECT+x+FROM+m",
      undefined,
      400,
      /x/,
    ],
    [
      "a token that is none",
      "/api/v3/query_sql?db=d&q=SELECT+1&min_token=x",
      undefined,
      400,
      /tok/,
    ],
  ];
  for (const [what, path, body, status, text] of bad) {
    test(`${what} is refused with ${status}`, async () => {
      const answer = body === undefined ? await node.get(path) : await node.post(path, body);
      assert.equal(answer.status, status, answer.text);
      assert.match(answer.text, text);
    });
  }

  test("a body that says gzip and is none is refused", async () => {
    const headers = { "content-encoding": "gzip" };
    const answer = await node.post("/api/v3/write_lp?db=d", "m v=1", headers);
    assert.equal(answer.status, 400, answer.text);
  });

  test("a small body that unpacks to a large one is refused", async () => {
    const body = new Uint8Array(gzipSync(Buffer.alloc(10_000_000, "m v=1 1\n")));
    const headers = { "content-encoding": "gzip" };
    const answer = await node.post("/api/v3/write_lp?db=d", body, headers);
    assert.equal(answer.status, 413, answer.text);
  });

  test("a command whose request is refused says why and ends with 1", async () => {
    const at = ["--host", node.url, "--database", "commands"];
    await node.write("commands", "m v=1i 1");
    const cases: readonly [readonly string[], RegExp][] = [
      [
        ["query", ...at, "SELECT nope FROM m"],
        /^Query command failed: server responded with error \[400 Bad Request\]: .*nope/,
      ],
      [["query", "--host", node.url, "--database", "none", "SELECT 1"], /database not found: none/],
      [["write", ...at, "m v=oops"], /^Write command failed: .*\n {2}line 1: .*"m v=oops"/],
      [["create", "database", "commands", "--host", node.url], /already exists/],
      [["delete", "database", "none", "--yes", "--host", node.url], /404 Not Found/],
    ];
    for (const [words, error] of cases) {
      const ended = await sandbox.run(words);
      assert.equal(ended.exitCode, 1, ended.error);
      assert.match(ended.error, error);
      assert.equal(ended.out, "");
    }
  });

  test("a command without a server says so and ends with 1", async () => {
    const ended = await sandbox.run(["query", "--host", "127.0.0.1:1", "-d", "d", "SELECT 1"]);
    assert.equal(ended.exitCode, 1);
    assert.match(ended.error, /^Query command failed: no server answers at http:\/\/127.0.0.1:1;/);
  });

  test("a database that was deleted and made again is empty", async () => {
    await node.write("again", "m,t=a v=1i 1");
    const host = ["--host", node.url];
    const deleted = await sandbox.run(["delete", "database", "again", "--yes", ...host]);
    assert.deepEqual(deleted, {
      exitCode: 0,
      out: 'Database "again" deleted successfully\n',
      error: "",
    });
    assert.equal((await node.query("again", "SELECT * FROM m")).status, 404);
    const shown = await sandbox.run(["show", "databases", ...host]);
    assert.ok(!/ again /.test(shown.out), shown.out);
    assert.equal((await sandbox.run(["create", "database", "again", ...host])).exitCode, 0);
    assert.equal((await node.query("again", "SELECT * FROM m")).status, 400);
    // Of another type than before: nothing of the old table is left.
    await node.write("again", 'm,t=b v="text" 2');
    assert.deepEqual(await node.rows("again", "SELECT t, v FROM m"), [{ t: "b", v: "text" }]);
  });

  test("figures for operators are there, and the node says who it is", async () => {
    assert.deepEqual(await node.get("/health"), { status: 200, text: "OK" });
    assert.deepEqual(await node.get("/ready"), { status: 200, text: "OK" });
    const { product_name: product } = JSON.parse((await node.get("/ping")).text) as {
      product_name: string;
    };
    assert.equal(product, "Tidelake");
    assert.match((await node.get("/metrics")).text, /store.*kind="putIfAbsent"|op(eration)?="put/i);
  });
});
