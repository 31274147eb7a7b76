import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite, test } from "node:test";
import { run } from "../testing/run.ts";

const COMMAND = ["debug", "object-store-check"];

suite("debug object-store-check", () => {
  test("passes a folder, and leaves nothing in it", async () => {
    await using folder = await openFolder();
    const words = ["--object-store", "file", "--data-dir", folder.path, "--check-prefix", "a/b/"];
    const { error, exitCode, out } = await run([...COMMAND, ...words]);
    assert.deepEqual([exitCode, error], [0, ""], out);
    const lines = out.trimEnd().split("\n");
    assert.equal(lines.filter((line) => line.startsWith("ok      ")).length, 9);
    assert.match(out, /^pace {4}put [\d.]+, get [\d.]+, list [\d.]+ ms/m);
    assert.equal(lines.at(-1), "all checks passed: a cluster can keep its data here");
    const left = await readdir(folder.path, { recursive: true, withFileTypes: true });
    assert.deepEqual(
      left.filter((entry) => entry.isFile()),
      [],
    );
  });

  test("looks at what a cluster has there, where it is asked to", async () => {
    await using folder = await openFolder();
    await mkdir(join(folder.path, "cluster01/catalog"), { recursive: true });
    await writeFile(join(folder.path, "cluster01/catalog/1"), "entry");
    const words = ["--object-store", "file", "--data-dir", folder.path, "--check-prefix", "check"];
    const { exitCode, out } = await run([...COMMAND, ...words, "--probe-prefix", "cluster01"]);
    assert.equal(exitCode, 0);
    assert.match(out, /^ok {6}objects under cluster01\/: 1 listed, 1 read whole$/m);
  });

  test("takes its prefix from the environment, or one of its own", async () => {
    const env = { INFLUXDB3_OBJECT_STORE: "memory" };
    for (const more of [{ INFLUXDB3_OSCHECK_PREFIX: "check" }, {}])
      assert.equal((await run(COMMAND, { env: { ...env, ...more } })).exitCode, 0);
  });

  test("ends with 1 where the store cannot be used, and says why", async () => {
    const words =
      `--object-store s3 --bucket data --aws-endpoint http://127.0.0.1:1 --aws-allow-http
      --aws-access-key-id id --aws-secret-access-key secret --check-prefix a`.split(/\s+/);
    const { error, exitCode } = await run([
      ...COMMAND,
      ...words,
      "--object-store-max-retries",
      "1",
    ]);
    assert.equal(exitCode, 1);
    assert.match(error, /^Debug command failed: The object store does not answer for the bucket/);
    assert.match(error, /ECONNREFUSED/);
  });

  const wrong: readonly (readonly [string, RegExp])[] = [
    ["--check-prefix a", /--object-store <STORE>/],
    ["--check-prefix a --object-store s3", /--bucket <BUCKET>/],
    ["--check-prefix /a --object-store memory", /parts between slashes/],
    ["--check-prefix ../a --object-store memory", /parts between slashes/],
  ];
  for (const [text, message] of wrong) {
    test(`"${text}" is a usage error`, async () => {
      const { error, exitCode } = await run([...COMMAND, ...text.split(" ")]);
      assert.equal(exitCode, 2);
      assert.match(error, message);
    });
  }
});

async function openFolder(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), "tidelake-check-"));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}
