import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, suite, test } from "node:test";
import { fileURLToPath } from "node:url";

const BIN = fileURLToPath(new URL("../../bin/", import.meta.url));

interface Ended {
  readonly exitCode: number | string;
  readonly out: string;
  readonly error: string;
}

async function start(
  program: string,
  words: readonly string[],
  options: { cwd?: string; path?: string } = {},
): Promise<Ended> {
  const path = options.path ?? `${dirname(process.execPath)}:${process.env["PATH"] ?? ""}`;
  const { promise, resolve } = Promise.withResolvers<Ended>();
  const env = { PATH: path, HOME: tmpdir() };
  execFile(program, words, { cwd: options.cwd ?? tmpdir(), env }, (error, out, text) => {
    resolve({ exitCode: error === null ? 0 : (error.code ?? 1), out, error: text });
  });
  return promise;
}

suite("the launchers", () => {
  const folder = mkdtempSync(join(tmpdir(), "tidelake-launcher-"));
  after(() => rmSync(folder, { recursive: true }));

  for (const name of ["tidelake", "influxdb3", "influxd"]) {
    test(`${name} runs from any folder, under its own name`, async () => {
      const result = await start(join(BIN, name), ["--version"], { cwd: folder });
      assert.match(result.out, new RegExp(`^${name} \\d+\\.\\d+\\.\\d+\\n$`));
      assert.deepEqual([result.exitCode, result.error], [0, ""]);
    });
  }

  test("they run through links to links, absolute and relative", async () => {
    mkdirSync(join(folder, "links"));
    symlinkSync(join(BIN, "influxdb3"), join(folder, "links", "first"));
    symlinkSync("links/first", join(folder, "second"));
    const result = await start(join(folder, "second"), ["-V"]);
    assert.match(result.out, /^second \d/);
  });

  test("exit codes and errors of the program come through", async () => {
    const usage = await start(join(BIN, "influxdb3"), ["write", "x y=1"]);
    assert.equal(usage.exitCode, 2);
    assert.match(usage.error, /^error: the option --database .*\n$/);
    const failure = await start(join(BIN, "tidelake"), ["show", "databases", "-H", "127.0.0.1:1"]);
    assert.equal(failure.exitCode, 1);
    assert.match(failure.error, /start one with 'tidelake serve'/);
  });

  test("a data folder that is a file is one clear line", async () => {
    const file = join(folder, "file");
    writeFileSync(file, "");
    const options = `--node-id a --cluster-id b --object-store file --http-bind 127.0.0.1:0 --without-auth`;
    const words = ["serve", ...options.split(" "), "--data-dir", file];
    const result = await start(join(BIN, "tidelake"), words);
    assert.deepEqual(result, {
      exitCode: 1,
      out: "",
      error: `Serve command failed: The folder ${file} cannot be used: a file stands where a folder should be (ENOTDIR).\n`,
    });
  });

  test("the .env file of the folder it is called in counts", async () => {
    writeFileSync(join(folder, ".env"), "INFLUXDB3_HOST_URL=http://127.0.0.1:2\n");
    const result = await start(join(BIN, "influxdb3"), ["show", "databases"], { cwd: folder });
    assert.match(result.error, /no server answers at http:\/\/127\.0\.0\.1:2;/);
  });

  test("a machine's own Node that is too old is passed over", async () => {
    const old = join(folder, "old");
    mkdirSync(old);
    for (const [version, taken] of [
      ["v20.20.2", false],
      ["v24.11.9", false],
      ["v24.12.0", true],
      ["v26.0.0", true],
    ] as const) {
      const script = `#!/bin/sh\n[ "$1" = --version ] && echo ${version} || echo the old one\n`;
      writeFileSync(join(old, "node"), script);
      chmodSync(join(old, "node"), 0o755);
      const result = await start(join(BIN, "tidelake"), ["-V"], { path: `${old}:/usr/bin:/bin` });
      assert.equal(result.out === "the old one\n", taken, `${version}: ${result.out}`);
    }
  });

  test("without any Node it says in one line what to do", async () => {
    const bare = join(folder, "bare");
    mkdirSync(join(bare, "bin"), { recursive: true });
    for (const tool of ["dirname", "readlink", "sh"]) {
      symlinkSync(`/bin/${tool}`, join(bare, "bin", tool));
    }
    const copy = join(folder, "copy", "bin");
    mkdirSync(copy, { recursive: true });
    const text = await readLauncher();
    writeFileSync(join(copy, "tidelake"), text, { mode: 0o755 });
    const result = await start(join(copy, "tidelake"), ["-V"], { path: join(bare, "bin") });
    assert.equal(result.exitCode, 1);
    assert.match(
      result.error,
      /^error: tidelake needs Node 24\.12 or newer; run 'npm install' in .*\n$/,
    );
  });

  test("without its packages it says in one line what to do", async () => {
    const result = await start(join(folder, "copy", "bin", "tidelake"), ["-V"]);
    assert.equal(result.exitCode, 1);
    assert.match(
      result.error,
      /^error: the packages of tidelake are missing; run 'npm install' in .*\n$/,
    );
  });
});

async function readLauncher(): Promise<string> {
  const { readFile } = await import("node:fs/promises");
  return readFile(join(BIN, "tidelake"), "utf8");
}
