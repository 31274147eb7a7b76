/** InfluxQL: cases of others, and random statements that InfluxDB 1.6.7 answers as well. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { randomInt } from "node:crypto";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { suite, test } from "node:test";
import { mustHaveStores } from "#testing/stores/s3-server.ts";
import { freePort } from "#testing/stores/server-process.ts";
import { REPOSITORY, Sandbox } from "../cluster.ts";
import { allowedCases } from "./allowed.ts";

const CASES = join(REPOSITORY, "../shared/conformance/influxql");
const RUN_MS_MAX = 170_000;
const PASSED_MIN = 608 / 613;
const AGREED_MIN = 0.99;
const QUERIES = ["--rounds", "2", "--queries", "300"];

const missing = !existsSync(CASES) && !mustHaveStores() && "the cases are not beside the checkout";
const noOracle = !existsSync("/usr/bin/influxd") && !mustHaveStores() && "influxd is not there";

suite("InfluxQL", () => {
  test("cases of others: what fails is known", { skip: missing }, async (context) => {
    await using sandbox = await Sandbox.open();
    const node = await sandbox.start();
    const file = join(CASES, "visible.jsonl");
    const text = await run("run.mjs", ["--url", node.url, "--file", file, "--show", "1000"]);
    const [, passed, failed] = /^(\d+) passed, (\d+) failed$/m.exec(text) ?? [];
    context.diagnostic(`${passed} passed, ${failed} failed`);
    assert.ok(Number(passed) >= PASSED_MIN * (Number(passed) + Number(failed)), text);
    const allowed = allowedCases();
    const names = [...text.matchAll(/^FAIL (.*)$/gm)].map(([, name = ""]) => name);
    assert.deepEqual(
      names.filter((name) => !allowed.has(name)),
      [],
    );
  });

  test("random statements are answered as influxd answers them", {
    skip: missing || noOracle,
  }, async (context) => {
    await using sandbox = await Sandbox.open();
    const node = await sandbox.start();
    const port = String(await freePort());
    const environment = { ...process.env, TMPDIR: sandbox.directory };
    const oracle = (word: string) => command(join(CASES, "oracle.sh"), [word, port], environment);
    const seed = String(randomInt(1_000_000));
    context.diagnostic(`seed ${seed}`);
    await oracle("start");
    try {
      const urls = ["--oracle", `http://127.0.0.1:${port}`, "--subject", node.url];
      const text = await run("diff.mjs", [...urls, "--seed", seed, ...QUERIES]);
      const [line = "", agreed, count] = /^(\d+) of (\d+) agree.*$/m.exec(text) ?? [];
      context.diagnostic(line);
      assert.ok(Number(agreed) >= AGREED_MIN * Number(count), text);
    } finally {
      await oracle("stop");
    }
  });
});

/** What a script of the cases prints; it may end with 1. */
function run(script: string, words: readonly string[]): Promise<string> {
  return command(process.execPath, [join(CASES, script), ...words], process.env);
}

function command(
  file: string,
  words: readonly string[],
  environment: NodeJS.ProcessEnv,
): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const options = { env: environment, timeout: RUN_MS_MAX, maxBuffer: 64 * 1024 * 1024 };
  execFile(file, words, options, (error, out, errors) => {
    if (error === null || error.code === 1) resolve(out);
    else reject(new Error(`${file} ended: ${error.message} ${errors}`));
  });
  return promise;
}
