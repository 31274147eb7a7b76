import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { AnsweringServer } from "../testing/answering.ts";
import { type RunOptions, run } from "../testing/run.ts";

suite("commands of a client", () => {
  const folder = mkdtempSync(join(tmpdir(), "tidelake-cli-"));
  let server: AnsweringServer;
  before(async () => {
    server = await AnsweringServer.open();
  });
  after(async () => {
    await server[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true });
  });

  /** Runs `words` against the server, which answers with `status` and `body`. */
  function call(words: readonly string[], status: number, body: string, options?: RunOptions) {
    return server.call(words, status, body, options);
  }

  test("write sends its operand and prints success", async () => {
    const result = await call(["write", "--database", "my db", "home temp=1"], 204, "");
    assert.deepEqual(
      { ...result },
      {
        exitCode: 0,
        out: "success\n",
        error: "",
        request: {
          line: "POST /api/v3/write_lp?db=my+db",
          body: "home temp=1",
          authorization: undefined,
        },
      },
    );
  });

  test("write passes on its options, and is quiet when asked", async () => {
    const words = "w -d d -p ms --accept-partial --no-sync -q --token secret".split(" ");
    const result = await call([...words, "home temp=1"], 204, "");
    assert.equal(result.out, "");
    assert.equal(
      result.request?.line,
      "POST /api/v3/write_lp?db=d&precision=millisecond&accept_partial=true&no_sync=true",
    );
    assert.equal(result.request.authorization, "Bearer secret");
  });

  test("write takes its operand first, then the file, then what is piped in", async () => {
    const file = join(folder, "lines");
    writeFileSync(file, "from file");
    const first = await call(["write", "-d", "d", "-f", file, "operand"], 204, "", {
      input: "pipe",
    });
    assert.equal(first.request?.body, "operand");
    const second = await call(["write", "-d", "d", "-f", file], 204, "", { input: "pipe" });
    assert.equal(second.request?.body, "from file");
    const third = await call(["write", "-d", "d"], 204, "", { input: "pipe" });
    assert.equal(third.request?.body, "pipe");
  });

  const noInput: readonly [readonly string[], RunOptions, string][] = [
    [
      ["write", "-d", "d"],
      {},
      "Write command failed: No input from stdin detected, no string was passed in, and no file path was given\n",
    ],
    [["write", "-d", "d", ""], {}, "Write command failed: no line protocol string provided\n"],
    [
      ["write", "-d", "d", "a", "b"],
      {},
      "Write command failed: ensure that a single protocol line string is provided as the final argument, enclosed in quotes\n",
    ],
    [["query", "-d", "d"], {}, "Query command failed: no query provided\n"],
    [["query", "-d", "d"], { input: "" }, "Query command failed: no query provided\n"],
    [
      ["query", "-d", "d", "SELECT", "1"],
      {},
      "Query command failed: ensure that a single query string is provided as the final argument, enclosed in quotes\n",
    ],
    [
      ["query", "-d", "d", "--format", "parquet", "SELECT 1"],
      {},
      "Query command failed: must specify an output file path with `--output` parameter when formatting the output as `parquet`\n",
    ],
    [
      ["show", "nodes", "--format", "parquet", "-o", "x"],
      {},
      "Show command failed: parquet format is not supported for this command\n",
    ],
  ];
  for (const [words, options, error] of noInput) {
    test(`"${words.join(" ")}" fails before it asks the server: ${error.trim()}`, async () => {
      const result = await call(words, 200, "", options);
      assert.deepEqual(result, { exitCode: 1, out: "", error, request: undefined });
    });
  }

  test("a file that cannot be read is named", async () => {
    const result = await call(["write", "-d", "d", "-f", join(folder, "none")], 204, "");
    assert.equal(result.exitCode, 1);
    assert.match(result.error, /^Write command failed: error reading file: ENOENT.*none'\n$/);
  });

  test("lines that were not taken are named", async () => {
    const body = JSON.stringify({
      error: "partial write of line protocol occurred",
      data: [
        { original_line: "home temp=x", line_number: 2, error_message: "invalid field value" },
        { original_line: "home", line_number: 5, error_message: "no fields" },
      ],
    });
    const result = await call(["write", "-d", "d", "lines"], 400, body);
    assert.equal(result.exitCode, 1);
    assert.equal(
      result.error,
      `Write command failed: server responded with error [400 Bad Request]: partial write of line protocol occurred
  line 2: invalid field value ("home temp=x")
  line 5: no fields ("home")
`,
    );
  });

  const refusals: readonly [number, string, string][] = [
    [
      404,
      '{"error":"query error: database not found: x","data":null}',
      "[404 Not Found]: query error: database not found: x",
    ],
    [
      400,
      "Error during planning: no\ncaused by\nit",
      "[400 Bad Request]: Error during planning: no caused by it",
    ],
    [500, '{"code":"internal error","message":"oh"}', "[500 Internal Server Error]: oh"],
    [
      401,
      '{"error": "the request was not authenticated"}',
      "[401 Unauthorized]: the request was not authenticated; bring a token with --token or the variable INFLUXDB3_AUTH_TOKEN ('create token --admin' makes the first one)",
    ],
    [418, "[1]", "[418 I'm a Teapot]: [1]"],
  ];
  for (const [status, body, text] of refusals) {
    test(`an answer ${status} ${body.slice(0, 12)} is told as ${text}`, async () => {
      const result = await call(["query", "-d", "d", "SELECT 1"], status, body);
      assert.equal(result.exitCode, 1);
      assert.equal(result.error, `Query command failed: server responded with error ${text}\n`);
    });
  }

  test("query asks in SQL and prints the answer with a newline at its end", async () => {
    const result = await call(["q", "-d", "d", "SELECT 1"], 200, "+--+");
    assert.deepEqual(JSON.parse(result.request?.body ?? ""), {
      db: "d",
      q: "SELECT 1",
      format: "pretty",
    });
    assert.equal(result.request?.line, "POST /api/v3/query_sql");
    assert.equal(result.out, "+--+\n");
    const lines = await call(["q", "-d", "d", "SELECT 1", "--format", "jsonl"], 200, "{}\n");
    assert.equal(lines.out, "{}\n");
    const nothing = await call(["q", "-d", "d", "SELECT 1", "--format", "csv"], 200, "");
    assert.equal(nothing.out, "");
  });

  test("query asks in InfluxQL where that is the language, and in no other", async () => {
    for (const word of ["-l", "--language"]) {
      const result = await call(["query", "-d", "d", word, "influxql", "SHOW DATABASES"], 200, "");
      assert.equal(result.request?.line, "POST /api/v3/query_influxql");
      assert.deepEqual(JSON.parse(result.request.body), {
        db: "d",
        q: "SHOW DATABASES",
        format: "pretty",
      });
    }
    const other = await call(["query", "-d", "d", "-l", "flux", "x"], 200, "");
    assert.equal(other.request, undefined);
    assert.match(other.error, /possible values are sql, influxql/);
  });

  test("query reads the query from a file or from what is piped in, the database from its variable", async () => {
    const file = join(folder, "query.sql");
    writeFileSync(file, "SELECT 2");
    const env = { INFLUXDB3_DATABASE_NAME: "from-env" };
    const filed = await call(["query", "--file", file], 200, "", { env });
    assert.match(filed.request?.body ?? "", /"db":"from-env","q":"SELECT 2"/);
    const piped = await call(["query"], 200, "", { env, input: "SELECT 3" });
    assert.match(piped.request?.body ?? "", /"q":"SELECT 3"/);
  });

  test("query writes its answer to a file as it is", async () => {
    const file = join(folder, "answer");
    const result = await call(["query", "-d", "d", "SELECT 1", "-o", file], 200, "no newline");
    assert.equal(result.out, "");
    assert.equal(readFileSync(file, "utf8"), "no newline");
  });

  test("a refused query leaves an older file alone", async () => {
    const file = join(folder, "older");
    writeFileSync(file, "older");
    const result = await call(["query", "-d", "d", "SELECT 1", "-o", file], 400, "no");
    assert.equal(result.exitCode, 1);
    assert.equal(readFileSync(file, "utf8"), "older");
  });

  test("an answer that breaks off is a failure, and leaves no file", async () => {
    server.answer = (response) => {
      response.writeHead(200, { "content-length": 100 });
      response.write("half", () => response.destroy());
    };
    const file = join(folder, "half");
    const words = ["query", "--host", server.host, "-d", "d", "SELECT 1"];
    const saved = await run([...words, "-o", file]);
    const message =
      /^Query command failed: the server broke off its answer; what came of it is not complete/;
    assert.match(saved.error, message);
    assert.ok(!existsSync(file));
    const printed = await run(words);
    assert.equal(printed.exitCode, 1);
    assert.match(printed.error, message);
  });

  test("create database takes its name from the operand, else from the variable", async () => {
    const result = await call(["create", "database", "sensors"], 200, "");
    assert.equal(result.request?.line, "POST /api/v3/configure/database");
    assert.equal(result.request.body, '{"db":"sensors"}');
    assert.equal(result.out, 'Database "sensors" created successfully\n');
    const env = { INFLUXDB3_DATABASE_NAME: "other" };
    const other = await call(["create", "database", "--retention-period", "7d"], 200, "", { env });
    assert.equal(other.request?.body, '{"db":"other","retention_period":"7d"}');
    const refused = await call(["create", "database", "x"], 409, "it exists");
    assert.equal(
      refused.error,
      "Create command failed: server responded with error [409 Conflict]: it exists\n",
    );
  });

  for (const reply of ["yes\n", "Y\nmore", " YES "]) {
    test(`delete database goes on after ${JSON.stringify(reply)}`, async () => {
      const result = await call(["delete", "database", "a b"], 200, "", { input: reply });
      assert.equal(result.request?.line, "DELETE /api/v3/configure/database?db=a+b");
      assert.equal(
        result.error,
        `Are you sure you want to delete "a b"? Enter 'yes' or 'y' to confirm\n`,
      );
      assert.equal(result.out, 'Database "a b" deleted successfully\n');
      assert.equal(result.exitCode, 0);
    });
  }

  for (const reply of ["no\n", "", "\nyes\n", "yess\n"]) {
    test(`delete database stops after ${JSON.stringify(reply)}`, async () => {
      const result = await call(["delete", "database", "a"], 200, "", { input: reply });
      assert.equal(result.request, undefined);
      assert.equal(result.exitCode, 1);
      assert.match(
        result.error,
        /Delete command failed: Cannot proceed without confirmation: answer yes, or give --yes\n$/,
      );
    });
  }

  test("delete database -y does not ask", async () => {
    const words = ["delete", "database", "a", "-y", "--hard-delete", "now"];
    const result = await call(words, 200, "");
    assert.equal(result.request?.line, "DELETE /api/v3/configure/database?db=a&hard_delete_at=now");
    assert.equal(result.error, "");
  });

  test("show databases and show nodes print tables", async () => {
    const databases = await call(["show", "databases", "--show-deleted"], 200, "+--+");
    assert.equal(
      databases.request?.line,
      "GET /api/v3/configure/database?format=pretty&show_deleted=true",
    );
    assert.equal(databases.out, "+--+\n");
    const nodes = await call(["show", "nodes", "--format", "json"], 200, "[]");
    assert.deepEqual(JSON.parse(nodes.request?.body ?? ""), {
      db: "_internal",
      q: "SELECT * FROM system.nodes",
      format: "json",
    });
  });

  test("a server that is not there is told in a sentence", async () => {
    const result = await run(["show", "databases", "-H", "127.0.0.1:1"]);
    assert.deepEqual(result, {
      exitCode: 1,
      out: "",
      error:
        "Show command failed: no server answers at http://127.0.0.1:1; start one with 'influxdb3 serve', or name another with --host\n",
    });
  });

  test("a server that hangs up is told as such", async () => {
    server.answer = (response) => void response.destroy();
    const result = await run(["show", "databases", "--host", server.host]);
    assert.match(result.error, /^Show command failed: the server at http.* closed the connection/);
  });
});
