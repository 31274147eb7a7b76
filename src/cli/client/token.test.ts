import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { isTokenText } from "#access/token-text.ts";
import { AnsweringServer } from "../testing/answering.ts";
import { type RunOptions, run } from "../testing/run.ts";

const TOKEN = `apiv3_${"t".repeat(43)}`;
const ISSUED = JSON.stringify({ id: 0, name: "_admin", token: TOKEN, hash: "h", expiry: null });

suite("commands about tokens", () => {
  const folder = mkdtempSync(join(tmpdir(), "tidelake-cli-token-"));
  let server: AnsweringServer;
  before(async () => {
    server = await AnsweringServer.open();
  });
  after(async () => {
    await server[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true });
  });

  /** Runs `words` against the server, which answers with `status` and `body`. */
  function call(words: string, status: number, body: string, options?: RunOptions) {
    return server.call(words.split(" "), status, body, options);
  }

  test("the operator's is asked for without a token, and shown once", async () => {
    const result = await call("create token --admin", 201, ISSUED);
    assert.deepEqual(result, {
      exitCode: 0,
      out: `
New token created successfully!

Token: ${TOKEN}
HTTP Requests Header: Authorization: Bearer ${TOKEN}

IMPORTANT: Store this token securely, as it will not be shown again.
`,
      error: "",
      request: { line: "POST /api/v3/configure/token/admin", body: "", authorization: undefined },
    });
  });

  test("as JSON it is for programs", async () => {
    const { out } = await call("create token --admin --format json", 201, ISSUED);
    const { help_msg, ...rest } = JSON.parse(out) as Record<string, string>;
    assert.deepEqual(rest, { token: TOKEN });
    assert.match(help_msg ?? "", /will not be shown again/);
  });

  test("a named one is made with the token of the option, or of the variable", async () => {
    const words = "create token --admin --name ci --expiry 1h --token apiv3_a";
    const { request } = await call(words, 201, ISSUED);
    assert.deepEqual(request, {
      line: "POST /api/v3/configure/token/named_admin",
      body: '{"token_name":"ci","expiry_secs":3600}',
      authorization: "Bearer apiv3_a",
    });
    const env = { INFLUXDB3_AUTH_TOKEN: "apiv3_b\n" };
    const other = await call("create token --admin --name cd", 201, ISSUED, { env });
    assert.deepEqual(other.request, {
      line: "POST /api/v3/configure/token/named_admin",
      body: '{"token_name":"cd"}',
      authorization: "Bearer apiv3_b",
    });
  });

  test("the operator's is replaced after a yes, in these very letters", async () => {
    const words = "create token --admin --regenerate --token apiv3_a";
    const result = await call(words, 201, ISSUED, { input: "yes\n" });
    assert.equal(result.request?.line, "POST /api/v3/configure/token/admin/regenerate");
    assert.equal(result.request.authorization, "Bearer apiv3_a");
    assert.match(result.out, new RegExp(`Token: ${TOKEN}`));
    for (const input of ["y\n", "", "YES\n", "no\nyes\n"]) {
      const refused = await call(words, 201, ISSUED, { input });
      assert.equal(refused.exitCode, 1);
      assert.equal(refused.request, undefined);
      assert.equal(
        refused.error,
        "Are you sure you want to regenerate admin token? Enter 'yes' to confirm\nCreate command failed: Cannot regenerate token without confirmation\n",
      );
    }
  });

  test("a failure is one, and says so on standard error", async () => {
    const result = await call("create token --admin", 409, "token name already exists, _admin");
    assert.equal(result.exitCode, 1);
    assert.equal(result.out, "");
    assert.equal(
      result.error,
      "Create command failed: server responded with error [409 Conflict]: token name already exists, _admin; a cluster makes its operator's token once; with it as --token make another one (--name NAME) or replace it (--regenerate), and where it is lost see --admin-token-recovery-http-bind of 'serve'\n",
    );
    const taken = await call(
      "create token --admin --name ci",
      409,
      "token name already exists, ci",
    );
    assert.match(taken.error, /already exists, ci; choose another --name\n$/);
    const none = await call("delete token --token-name ci -y", 404, "token not found: ci");
    assert.match(none.error, /token not found: ci; 'show tokens' lists those that are there\n$/);
    const strange = await call("create token --admin", 201, "<html>");
    assert.match(strange.error, /the server's answer has no token/);
  });

  const usage: readonly [string, RegExp][] = [
    ["create token", /--admin is required/],
    ["create token --admin --format xml", /possible values are text, json/],
    ["create token --admin --expiry soon --name a", /--expiry <DURATION>': not a duration/],
    ["create token --admin --expiry 1ms --name a", /the shortest is 1s/],
    ["create token --admin --expiry 1y", /--expiry goes with --name/],
    ["create token --admin --regenerate --name a", /leave out --name/],
    ["create token --admin --output-file x", /--output-file goes with --offline/],
    ["create token --admin --offline", /--output-file <FILE> is required/],
    ["delete token", /--token-name <NAME> is required/],
  ];
  for (const [words, message] of usage) {
    test(`"${words}" is a usage error`, async () => {
      const result = await call(words, 200, "");
      assert.equal(result.exitCode, 2);
      assert.match(result.error, message);
      assert.equal(result.request, undefined);
    });
  }

  test("offline, one is written to a file that only its owner reads, and that is not there yet", async () => {
    const file = join(folder, "token.json");
    const words = `create token --admin --offline --output-file ${file} --name ci --expiry 1d`;
    const beforeMs = Date.now();
    const result = await call(words, 200, "");
    assert.equal(result.exitCode, 0, result.error);
    assert.equal(result.request, undefined);
    const { expiry_millis, name, token } = JSON.parse(readFileSync(file, "utf8")) as {
      readonly expiry_millis: number;
      readonly name: string;
      readonly token: string;
    };
    assert.ok(isTokenText(token));
    assert.ok(!result.out.includes(token));
    assert.equal(name, "ci");
    assert.ok(expiry_millis - beforeMs >= 86_400_000 && expiry_millis - beforeMs < 86_500_000);
    assert.equal(statSync(file).mode & 0o777, 0o600);
    const again = await call(words, 200, "");
    assert.match(again.error, /^Create command failed: error writing file: EEXIST/);
  });

  test("delete asks, then deletes", async () => {
    const result = await call("delete token --token-name ci", 200, "", { input: "yes\n" });
    assert.equal(result.request?.line, "DELETE /api/v3/configure/token?token_name=ci");
    assert.equal(result.out, 'Token "ci" deleted successfully\n');
    const quiet = await call("delete token --token-name ci -y", 200, "");
    assert.deepEqual([quiet.exitCode, quiet.error], [0, ""]);
    const no = await call("delete token --token-name ci", 200, "", { input: "no\n" });
    assert.deepEqual([no.exitCode, no.request], [1, undefined]);
  });

  test("the operator's is not deleted, and it is said what to do instead", async () => {
    const words = "delete token --token-name _admin -y";
    const result = await call(words, 405, "cannot delete operator token");
    assert.equal(result.exitCode, 1);
    assert.equal(
      result.error,
      "Delete command failed: the operator token cannot be deleted; replace it with 'influxdb3 create token --admin --regenerate --token [TOKEN]'\n",
    );
  });

  test("show tokens asks the cluster's own table", async () => {
    const { request } = await call("show tokens --format json", 200, "[]");
    assert.deepEqual(JSON.parse(request?.body ?? ""), {
      db: "_internal",
      q: "SELECT * FROM system.tokens",
      format: "json",
    });
  });

  test("show tokens tells people of an operator's token that ends, and no program", async () => {
    const ending = '[{"name":"_admin","expiry":"2020-01-31T12:00:00.5"}]';
    const { error, exitCode } = await call("show tokens", 200, ending);
    assert.equal(exitCode, 0);
    assert.match(error, /^warning: the operator's token '_admin' expired on 2020-01-31T12:00:00/);
    assert.equal((await call("show tokens --format json", 200, ending)).error, "");
    assert.equal((await call("show tokens", 200, "[]")).error, "");
  });

  for (const command of ["show nodes", "show databases", "query -d d q", "write -d d m"]) {
    test(`"${command}" refuses a token that no header can hold, and does not show it`, async () => {
      for (const token of ["", " ", "se cret", "se\ncret", "secreté"]) {
        const words = [...command.split(" "), "--host", server.host, "--token", token];
        const result = await run(words);
        assert.equal(result.exitCode, 1, JSON.stringify(token));
        assert.match(result.error, /is no token/);
        assert.doesNotMatch(result.error, /cret/);
      }
    });
  }
});
