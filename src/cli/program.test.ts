import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { run } from "./testing/run.ts";

suite("the command line", () => {
  const usage: readonly [readonly string[], RegExp][] = [
    [["--no-such-option"], /^error: unknown option '--no-such-option'; for more/],
    [
      ["serve", "--nod-id", "a"],
      /^error: unknown option '--nod-id' \(Did you mean --node-id\?\); for/,
    ],
    [["serve", "--node-id"], /^error: option '--node-id <NODE_ID>' argument missing; for/],
    [["serve", "here"], /^error: no option stands before 'here': give/],
    [["sevre"], /^error: unknown command 'sevre'; for/],
    [["create", "databas"], /^error: unknown command 'databas'/],
    [
      ["create", "database"],
      /^error: the name of the database \(or the variable INFLUXDB3_DATABASE_NAME\)/,
    ],
    [["delete", "database"], /^error: missing required argument 'NAME'; for/],
    [["delete", "database", ""], /^error: the name of the database/],
    [
      ["write", "a b=1"],
      /^error: the option --database <DATABASE_NAME> \(or the variable INFLUXDB3_D/,
    ],
    [
      ["query", "-d", "d", "--format", "xml", "q"],
      /^error: invalid value 'xml' for '--format <FORMAT>'/,
    ],
    [
      ["write", "-d", "d", "-p", "m", "q"],
      /^error: invalid value 'm' for '--precision <PRECISION>'/,
    ],
    [
      ["show", "databases", "-H", "ftp://x"],
      /^error: invalid value 'ftp:\/\/x' for '--host <HOST_URL>'/,
    ],
    [
      ["serve"],
      /^error: the option --node-id <NODE_ID> \(or the variable INFLUXDB3_NODE_ID\) is req/,
    ],
    [["--mode", "x"], /^error: invalid value 'x' for '--mode <MODE>': unknown mode 'x'/],
  ];
  for (const [words, message] of usage) {
    test(`"${words.join(" ")}" is one line on stderr and exit code 2`, async () => {
      const result = await run(words);
      assert.equal(result.exitCode, 2);
      assert.equal(result.out, "");
      assert.match(result.error, message);
      assert.equal(result.error.trimEnd().split("\n").length, 1);
    });
  }

  const base = ["serve", "--node-id", "a", "--cluster-id", "b", "--object-store", "memory"];
  const failures: readonly [readonly string[], string][] = [
    [["--cluster-id", "a"], "cluster-id cannot match any node-id in the cluster"],
    [["--internode-tls-key", "x"], "--internode-tls-key is not supported in this version"],
  ];
  for (const [words, message] of failures) {
    test(`serve ${words.join(" ")} is one line on stderr and exit code 1`, async () => {
      const result = await run([...base, ...words]);
      assert.deepEqual(result, {
        exitCode: 1,
        out: "",
        error: `Serve command failed: ${message}\n`,
      });
    });
  }

  test("create alone prints what it can make, on stderr", async () => {
    const result = await run(["create"]);
    assert.equal(result.exitCode, 2);
    assert.match(result.error, /database \[options\] \[NAME\]/);
  });

  test("-V prints the name it was called by and the version", async () => {
    for (const word of ["-V", "--version"]) {
      const result = await run([word]);
      assert.match(result.out, /^influxdb3 \d+\.\d+\.\d+\n$/);
      assert.equal(result.exitCode, 0);
    }
  });

  test("--help lists the commands", async () => {
    const result = await run(["--help"]);
    assert.equal(result.exitCode, 0);
    for (const name of ["serve", "write|w", "query|q", "create", "delete", "show"]) {
      assert.ok(result.out.includes(`\n  ${name} `), name);
    }
    assert.ok(!result.out.includes("quick-start"));
  });

  test("help is a word for --help", async () => {
    for (const [words, same] of [
      [["help"], ["--help"]],
      [
        ["help", "create", "database"],
        ["create", "database", "--help"],
      ],
    ] as const) {
      const result = await run(words);
      assert.deepEqual(result, await run(same));
      assert.equal(result.exitCode, 0);
    }
  });

  test("serve --help shows defaults and variables; --help-all shows what is rare, too", async () => {
    const short = await run(["serve", "--help"]);
    const flat = short.out.replaceAll(/\s+/g, " ");
    assert.match(
      flat,
      /--http-bind <ADDRESS> .*\[default: 0\.0\.0\.0:8181\] \[env: INFLUXDB3_HTTP_BIND_ADDR\]/,
    );
    assert.match(flat, /--mode <MODE> .*\[default: all\] \[env: INFLUXDB3_MODE\]/);
    assert.doesNotMatch(
      flat,
      /--snapshot-age|--license-email|--internode-tls-cert|--wal-snapshot-size/,
    );
    const all = await run(["serve", "--help-all"]);
    assert.equal(all.exitCode, 0);
    assert.match(all.out, /--snapshot-age/);
    assert.match(all.out, /--license-email/);
  });

  test("query --help shows defaults and variables", async () => {
    const flat = (await run(["query", "-h"])).out.replaceAll(/\s+/g, " ");
    assert.match(
      flat,
      /-H, --host <HOST_URL> .*\[default: http:\/\/127\.0\.0\.1:8181\] \[env: INFLUXDB3_HOST_URL\]/,
    );
    assert.match(flat, /--format <FORMAT> .*\[default: pretty\]/);
  });
});
